"""The network, and the shape of sites: knows no story, no editor, no SQL."""

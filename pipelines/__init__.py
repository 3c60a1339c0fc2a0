"""Articles, stories and the editor: knows no HTTP, and no HTML of a site."""

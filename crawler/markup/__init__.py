"""Helpers that page functions share: bytes to text, HTML, feeds, scripts, lists of records. Pure."""

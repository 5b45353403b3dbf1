"""Drawings with matplotlib: narrow enough for a phone, in the page's own colours, never told by colour alone."""

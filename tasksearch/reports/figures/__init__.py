"""Drawings: SVG written by hand, narrow enough for a phone, in the page's own colours, never told by colour alone."""

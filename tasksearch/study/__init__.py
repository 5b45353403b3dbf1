"""Run, resume, best as functions: the Python door; the command line only calls them."""

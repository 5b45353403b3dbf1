"""One script per kind of head, copied as `example.py` into an exported folder. They import nothing of this package."""

"""Tasks described by cards, with one reader and one encoder per kind of task; suites are lists of cards."""

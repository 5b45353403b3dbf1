"""Every task as a card; one reader and one cast per kind; suites as lists of cards."""

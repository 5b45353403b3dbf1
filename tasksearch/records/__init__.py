"""Files that a study writes: ledger, outcomes, additions, holdout log."""

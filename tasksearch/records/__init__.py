"""What a study wrote: ledger, outcomes, additions, holdout log."""

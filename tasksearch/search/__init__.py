"""Design of first trials, proposals over an Optuna study, objective, picking, statistics."""

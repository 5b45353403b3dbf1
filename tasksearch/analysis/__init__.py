"""What was found: estimates, selection rules, comparisons and effects, from records and outcomes."""

"""What tests, rehearsals and torture share: segments that only take time."""

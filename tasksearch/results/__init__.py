"""What was found, as frozen values: made by `analysis`, rendered by `reports`."""

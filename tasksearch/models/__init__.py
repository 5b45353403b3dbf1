"""XLM-R, heads and pooling."""

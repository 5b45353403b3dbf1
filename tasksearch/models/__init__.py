"""Encoders of known families, heads and pooling."""

"""A trained target as a Hugging Face folder: stock classes, a model card, and an example that needs transformers alone."""

"""Export of a trained target as a Hugging Face folder: stock classes, a model card, and an example for transformers alone."""

"""Zero-shot scores per language: labelled targets and retrieval."""

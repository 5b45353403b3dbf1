"""One, two or three mixes for all languages together."""

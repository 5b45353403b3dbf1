"""The pooled surrogate: mixes as numbers, what they are worth, and the effects that can be read from it."""

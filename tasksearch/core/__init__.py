"""Lowest layer: frozen values and pure functions of them. Uses the standard library only."""

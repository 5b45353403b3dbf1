"""Shared by tests, simulated runs and torture: segments that take time but train nothing."""

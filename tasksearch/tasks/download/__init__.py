"""Fetching of a suite's data: what its authors publish and where, over HTTPS or from the hub, to the place where it is read."""

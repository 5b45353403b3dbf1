"""Trackers: the port, MLflow, and one in memory. The only package that imports MLflow."""

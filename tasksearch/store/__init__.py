"""Trained segments by content hash: local, remote, eviction, verification."""

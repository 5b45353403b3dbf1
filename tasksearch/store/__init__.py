"""Store of trained segments by content hash: local, remote, eviction, verification."""

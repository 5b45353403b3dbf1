"""The study while it runs: trials, segments, writers, limits. Does not import Ray."""

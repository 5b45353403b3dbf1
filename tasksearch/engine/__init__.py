"""The study while it runs: trials, segments, writers, limits. Knows no Ray."""

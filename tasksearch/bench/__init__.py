"""Benchmarks of samplers and pickers: planted worlds, where the truth is known, and replays of recorded runs."""

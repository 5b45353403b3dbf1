"""Planted worlds and recorded replays: what samplers and pickers are measured on, where the truth is known."""

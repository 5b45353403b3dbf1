"""What a study writes down: its trials, who read the reporting half, its mirror in Optuna, and `mix.toml`."""

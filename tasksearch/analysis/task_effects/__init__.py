"""Effects of each intermediate task, of their order and of pairs of them, per language."""

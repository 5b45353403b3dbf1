"""What each intermediate task, their order and their pairs do in a language."""

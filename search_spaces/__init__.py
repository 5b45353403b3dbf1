"""What may vary: one frozen literal per module. Copy one, edit it, run it by name or by path."""

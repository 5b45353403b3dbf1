"""Search spaces: one frozen value per module. Copy one, edit it, and run it by name or by path."""

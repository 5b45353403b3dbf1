"""Ground floor: frozen values and pure functions over them. Standard library only."""

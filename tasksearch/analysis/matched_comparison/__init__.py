"""Joint or sequential, from runs that differ only in the order of their examples."""

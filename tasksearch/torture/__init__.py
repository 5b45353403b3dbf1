"""Studies that are killed on purpose, to check that a resumed study ends with the numbers of an undisturbed one."""

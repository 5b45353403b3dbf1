"""The Python interface: run, resume, extend, best and the others as functions. The command line only calls these."""

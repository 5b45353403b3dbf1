"""`python -m tasksearch`."""

from tasksearch.cli import main

main()

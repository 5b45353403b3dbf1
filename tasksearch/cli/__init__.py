"""Top floor: parse, call, print."""

from __future__ import annotations


def main() -> None:
    """Entry point of the `tasksearch` command."""
    from tasksearch.cli.app import run_app

    run_app()

"""Command line: parse, call, print."""

from __future__ import annotations


def main() -> None:
    """Run the `tasksearch` command."""
    from tasksearch.cli.app import run_app

    run_app()

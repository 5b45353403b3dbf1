"""`tasksearch store`: list, verify and prune a segment store."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice, complete_study
from tasksearch.cli.options import Json
from tasksearch.cli.printing import compact_table, open_console, print_json

app = typer.Typer(no_args_is_help=True, help="Looks at, verifies and prunes the store of trained segments.")
Where = Annotated[
    str, typer.Argument(help="study folder, store folder or fsspec URL", show_default=False, autocompletion=complete_study)
]


_ORDERS: dict[str, Callable[[Any], Any]] = {
    "cost": lambda entry: -entry.seconds,
    "used": lambda entry: -entry.used,
    "size": lambda entry: -entry.size,
    "reused": lambda entry: -entry.uses,
    "name": lambda entry: entry.name,
}
_ROWS = 30


@app.command("ls", epilog="Example: `tasksearch store ls STUDY`; `tasksearch store ls STUDY --sort used --reverse --limit 100`")
def ls(
    where: Where,
    sort: Annotated[
        str,
        typer.Option(
            help="what comes first: the most seconds, use (the last), bytes or reuses; or the name", **choice(*_ORDERS)
        ),
    ] = "cost",
    reverse: Annotated[bool, typer.Option("--reverse", "-r", help="the least, or longest unused, first")] = False,
    limit: Annotated[
        int | None, typer.Option(min=0, help=f"so many rows, 0: all [default: {_ROWS}; with --json all]", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Segments: what each cost to train, its size, how often it was reused, and when last; the costliest first."""
    from tasksearch.core.sizes import shown_size
    from tasksearch.store.eviction import entries

    stock = sorted(entries(_open(where)), key=lambda entry: (_ORDERS[sort](entry), entry.name), reverse=reverse)
    most = limit if limit is not None else 0 if as_json else _ROWS
    found = stock[: most or None]
    if as_json:
        print_json({"segments": [dataclasses.asdict(entry) for entry in found], "of": len(stock)})
        return
    rows = []
    for e in found:
        at = time.strftime("%Y-%m-%d %H:%M", time.localtime(e.used))
        rows.append((e.name[:12], e.kind, f"{e.seconds:.1f}", str(e.steps), shown_size(e.size), str(e.uses), at, e.label))
    numbers = ("seconds", "steps", "size", "reused")
    console = open_console()
    console.print(compact_table(("segment", "kind", *numbers, "last used", "trained"), rows, right=numbers))
    if len(found) < len(stock):
        whole = shown_size(sum(e.size for e in stock))
        console.print(f"{len(found)} of {len(stock)} segments ({whole} in all); --limit 0 shows all", highlight=False)


@app.command("du", epilog="Example: `tasksearch store du /shared/store --json`")
def du(where: Where, as_json: Json = False) -> None:
    """Bytes, training seconds and seconds saved by reuse, by kind of segment."""
    from tasksearch.core.sizes import shown_size
    from tasksearch.store.eviction import entries

    sums: dict[str, dict[str, float]] = {}
    for e in entries(_open(where)):
        row = sums.setdefault(e.kind, {"segments": 0, "bytes": 0, "seconds": 0.0, "saved_seconds": 0.0})
        row["segments"] += 1
        row["bytes"] += e.size
        row["seconds"] += e.seconds
        row["saved_seconds"] += e.seconds * e.uses
    if as_json:
        print_json({"kinds": sums})
        return
    for kind, row in sorted(sums.items()):
        typer.echo(
            f"{kind:13} {row['segments']:6.0f} segments {shown_size(row['bytes']):>9}"
            f"  trained in {row['seconds']:.0f} s, reuse saved {row['saved_seconds']:.0f} s"
        )
    if not sums:
        typer.echo("empty")


@app.command("verify", epilog="Example: `tasksearch store verify STUDY --remove`")
def verify(
    where: Where,
    remove: Annotated[
        bool, typer.Option("--remove", help="take damaged segments away; they are trained again when needed")
    ] = False,
    as_json: Json = False,
) -> None:
    """Reads every file and compares it with its manifest; exit code 1 where anything is damaged."""
    from tasksearch.store.eviction import verify as damaged_of

    store = _open(where)
    damaged = damaged_of(store)
    for name in damaged if remove else ():
        store.discard(name)
    if as_json:
        print_json({"segments": sum(1 for _ in store.names()), "damaged": damaged, "removed": remove})
    else:
        for name in damaged:
            typer.echo(f"{name} is damaged" + (", removed" if remove else ""))
        typer.echo(f"{len(damaged)} damaged")
    if damaged:
        raise typer.Exit(1)


@app.command("prune", epilog="Example: `tasksearch store prune STUDY --budget 20GB --dry-run`")
def prune(
    where: Where,
    budget: Annotated[str, typer.Option(help="what may stay, such as 20GB", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would go, and leave it")] = False,
    as_json: Json = False,
) -> None:
    """Removes what is cheapest to train again and longest unused until the rest fits; never what a running trial needs."""
    from tasksearch.core.sizes import shown_size, size_of
    from tasksearch.store.eviction import prune as evict

    gone = evict(_open(where), size_of(budget), dry_run=dry_run)
    if as_json:
        print_json({"removed": [entry.name for entry in gone], "bytes": sum(e.size for e in gone), "dry_run": dry_run})
        return
    freed = shown_size(sum(e.size for e in gone))
    typer.echo(f"{'would remove' if dry_run else 'removed'} {len(gone)} segments, {freed}")


def _open(where: str) -> Any:
    from tasksearch.store.remote import open_store
    from tasksearch.study.locations import store_of

    return open_store(store_of(where))

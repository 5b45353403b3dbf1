"""`tasksearch data get`: download a suite's data from their authors or the hub to where they are read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

import typer

from tasksearch.cli.options import Json
from tasksearch.cli.printing import open_console, print_json

GET_EXAMPLES = (
    "Examples: `tasksearch data get --suite lowres --task xnli --task mnli --language sw --data DIR`; "
    "`tasksearch data get --suite xtreme --task panx --data DIR --dry-run`; "
    "`tasksearch data get --suite lowres --data DIR --yes`"
)
_LINE_EVERY = 10.0
"""Seconds between lines of progress when standard error is not a terminal."""


def get(
    suite: Annotated[str, typer.Option(help="suite of tasks: lowres or xtreme")],
    data: Annotated[Path, typer.Option(help="folder that the data is put into")],
    task: Annotated[list[str] | None, typer.Option(help="intermediate or target task, repeatable [default: all]")] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="language whose evaluation data is meant, by any code, repeatable [default: all of each task]"),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="agree to the sizes and licences shown, without being asked")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="list every file with its address and end; asks no network")
    ] = False,
    mirror: Annotated[
        str, typer.Option(help="https address that holds copies as HOST/PATH; http on 127.0.0.1 alone [default: the authors']")
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="no progress, results only")] = False,
    as_json: Json = False,
) -> None:
    """Fetch what is missing of a suite's data: sizes and licences are shown and asked for once.

    What was fetched is kept when the command is stopped; the same command goes on from there. Checksums are verified where they
    are known, and recorded in DIR/tasksearch-data.json.
    """
    from tasksearch.core.errors import BadInput, DataMissing, UnknownName
    from tasksearch.tasks.catalogue import load_suite
    from tasksearch.tasks.download.act import restored
    from tasksearch.tasks.download.plan import address_of, plan_download
    from tasksearch.tasks.download.transfer import check_address
    from tasksearch.tasks.languages import canonical

    known = load_suite(suite)
    if known.name == "lab":
        raise BadInput("suite 'lab' is generated, there is nothing to fetch; expected --suite lowres or --suite xtreme")
    names = [card.name for card in known.cards]
    for name in task or ():
        if name not in names:
            raise UnknownName(f"task in suite {suite!r}", name, names)
    if mirror:
        check_address(mirror)
    cards = [card for card in known.cards if not task or card.name in task]
    languages = _spoken(cards, [canonical(one) for one in language or ()])
    plan = plan_download(data, cards, languages)
    console = _stderr() if as_json else open_console()
    if not plan.items:
        _say_by_hand(console, cards, plan)
        if plan.by_hand and not plan.there:
            raise DataMissing(f"nothing of {', '.join(plan.by_hand)} can be fetched by this command; see above")
        console.print(f"all that can be fetched is in {data} already", highlight=False, soft_wrap=True)
        if as_json:
            print_json({"fetched": [], "failed": [], "by_hand": sorted(plan.by_hand)})
        return
    if not dry_run:
        restored(data)
    sizes = Sizes(known_to_the_hub=not dry_run)
    _show(console, cards, plan, sizes)
    _say_by_hand(console, cards, plan)
    if dry_run:
        _list(console, plan, sizes)
        if as_json:
            print_json({"would_fetch": [address_of(item) for item in plan.items], "by_hand": sorted(plan.by_hand)})
        return
    if not yes:
        _ask(plan, sizes, data)
    outcome = _fetch(console, suite, data, cards, languages, plan, sizes, mirror=mirror, quiet=quiet or as_json)
    if as_json:
        found = {"fetched": [address_of(item) for item in outcome.fetched], "failed": [str(f) for f in outcome.failed.values()]}
        print_json(found | {"by_hand": sorted(outcome.left.by_hand)})


def _stderr() -> Any:
    """Return a console on standard error: with --json standard output holds the object alone."""
    from rich.console import Console

    return Console(stderr=True)


def _spoken(cards: Sequence[Any], languages: Sequence[str]) -> list[str]:
    """Return the given languages; raise UnknownName for one that no task among the cards has."""
    from tasksearch.core.errors import UnknownName

    spoken = sorted({language for card in cards for language in card.languages})
    for language in languages:
        if language not in spoken:
            raise UnknownName("language of these tasks", language, spoken)
    return list(languages)


class Sizes:
    """Sizes of items in bytes, as far as they are known; the hub is asked at most once per table."""

    def __init__(self, *, known_to_the_hub: bool) -> None:
        self._ask = known_to_the_hub
        self._tables: dict[Any, int | None] = {}

    def of(self, item: Any) -> int | None:
        """Return the number of bytes to download; None if unknown."""
        from tasksearch.tasks.download.plan import Table
        from tasksearch.tasks.download.published import Archive

        if isinstance(item, Table):
            if item not in self._tables:
                self._tables[item] = self._of_table(item) if self._ask else None
            return self._tables[item]
        return item.file.size if isinstance(item, Archive) else item.size

    def _of_table(self, item: Any) -> int | None:
        from tasksearch.core.errors import TasksearchError
        from tasksearch.tasks.hub import pin, table_bytes

        try:
            return table_bytes(pin(item.source.id, item.source.revision), item.config, item.split)
        except TasksearchError:
            return None

    def told(self, items: Sequence[Any]) -> str:
        """Format the total as `43.8 MB`, or `1.2 MB and 3 of unknown size`."""
        from tasksearch.core.sizes import shown_size

        found = [self.of(item) for item in items]
        known, unknown = [size for size in found if size is not None], sum(size is None for size in found)
        parts = [shown_size(sum(known))] if known else []
        return " and ".join([*parts, *([f"{unknown} of unknown size"] if unknown else [])])


def _show(console: Any, cards: Sequence[Any], plan: Any, sizes: Sizes) -> None:
    """Print a line per task: how much, from where, under which licence."""
    for card in cards:
        items = plan.of_task(card.name)
        if not items:
            continue
        hosts = dict.fromkeys(_origin(item) for item in items)
        shown = [*list(hosts)[:3], *([f"{len(hosts) - 3} more"] if len(hosts) > 3 else [])]
        mark = ", NON-COMMERCIAL" if card.non_commercial else ""
        console.print(
            f"{card.name}: {_counted(items)}, {sizes.told(items)}, from {', '.join(shown)}; licence: "
            f"{card.licence or 'not stated'}{mark}",
            highlight=False, soft_wrap=True, markup=False,
        )  # fmt: skip


def _origin(item: Any) -> str:
    """Return the name of a GitHub repository, of a host, or of the hub's data set."""
    from tasksearch.tasks.download.plan import Table, address_of

    if isinstance(item, Table):
        return f"hub: {item.source.id}"
    parts = address_of(item).split("/")
    return "/".join(parts[3:5]) if parts[2] == "raw.githubusercontent.com" else parts[2]


def _counted(items: Sequence[Any]) -> str:
    from tasksearch.tasks.download.plan import Table
    from tasksearch.tasks.download.published import Archive

    tables, archives = sum(isinstance(i, Table) for i in items), sum(isinstance(i, Archive) for i in items)
    kinds = (("file", len(items) - tables - archives), ("archive", archives), ("hub table", tables))
    return ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in kinds if count)


def _list(console: Any, plan: Any, sizes: Sizes) -> None:
    from tasksearch.core.sizes import shown_size
    from tasksearch.tasks.download.plan import Table, address_of
    from tasksearch.tasks.download.published import Archive

    for item in plan.items:
        size = sizes.of(item)
        where = "" if isinstance(item, Table) else f" -> {item.folder + '/' if isinstance(item, Archive) else item.place}"
        told = shown_size(size) if size is not None else "size unknown"
        console.print(f"{address_of(item)}{where} ({told})", highlight=False, soft_wrap=True, markup=False)
    console.print(f"would fetch {_counted(plan.items)}, {sizes.told(plan.items)}", highlight=False, soft_wrap=True)


def _say_by_hand(console: Any, cards: Sequence[Any], plan: Any) -> None:
    """Print how to get the data that this command cannot download."""
    for card in cards:
        if lines := plan.by_hand.get(card.name):
            shown = ", ".join(lines[:4]) + (f" and {len(lines) - 4} more" if len(lines) > 4 else "")
            how = card.how_to_get or (f"needs {card.needs}" if card.needs else f"see {card.reference}")
            console.print(f"BY HAND {card.name} ({shown}): {how}", highlight=False, soft_wrap=True, markup=False)


def _ask(plan: Any, sizes: Sizes, data: Path) -> None:
    import sys

    from tasksearch.core.errors import BadInput

    if not sys.stdin.isatty():
        raise BadInput("nothing was fetched: give --yes to agree to the sizes and licences above")
    if not typer.confirm(f"Fetch {_counted(plan.items)} ({sizes.told(plan.items)}) into {data}?"):
        raise BadInput("nothing was fetched")


def _fetch(
    console: Any,
    suite: str,
    data: Path,
    cards: Sequence[Any],
    languages: Sequence[str],
    plan: Any,
    sizes: Sizes,
    *,
    mirror: str,
    quiet: bool,
) -> Any:
    from tasksearch.core.errors import Unreachable
    from tasksearch.tasks.download.act import get_data

    total = sum(size for item in plan.items if (size := sizes.of(item)) is not None)
    with DownloadProgress(len(plan.items), total, quiet=quiet) as progress:
        outcome = get_data(data, cards, languages, mirror=mirror, on_bytes=progress.on_bytes, on_item=progress.on_item)
    if not outcome.fetched and all(isinstance(fault, Unreachable) for fault in outcome.failed.values()):
        hosts = dict.fromkeys(_origin(item) for item in plan.items)
        raise Unreachable(
            f"no network: would fetch {_counted(plan.items)}, {sizes.told(plan.items)}, from {', '.join(hosts)} into {data}; "
            "--dry-run lists them"
        )
    for fault in dict.fromkeys(str(fault) for fault in outcome.failed.values()):
        console.print(f"FAILED {fault}", highlight=False, soft_wrap=True, markup=False)
    _say_by_hand(console, cards, outcome.left)
    console.print(
        f"fetched {_counted(outcome.fetched) or 'nothing'}; next: tasksearch data check --suite {suite} --data {data}",
        highlight=False, soft_wrap=True, markup=False,
    )  # fmt: skip
    if set(outcome.left.by_hand) - set(plan.by_hand):
        raise Unreachable(
            f"{len(outcome.failed)} of {len(outcome.failed) + len(outcome.fetched)} could not be fetched; see above"
        )
    return outcome


class DownloadProgress:
    """Shows bytes and items downloaded: as a bar on a terminal, otherwise as occasional lines; nothing if `quiet`."""

    def __init__(self, items: int, total: int, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
        from rich.progress import Progress as Bars

        self._console, self._quiet, self._clock = Console(stderr=True), quiet, clock
        self._items, self._total, self._done, self._bytes = items, total, 0, 0
        self._began = self._told = clock()
        self._bars = self._bar = None
        if self._console.is_terminal and not quiet:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
            )
            self._bars = Bars(*columns, console=self._console, transient=True)
            self._bar = self._bars.add_task(self._where(), total=total or None)

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bars:
            self._bars.stop()

    def _where(self) -> str:
        return f"{self._done}/{self._items}"

    def on_bytes(self, count: int) -> None:
        """Called for each block, from one thread at a time."""
        self._bytes += count
        if self._bars is not None and self._bar is not None:
            self._bars.update(self._bar, completed=self._bytes)
        elif not self._quiet and self._clock() - self._told > _LINE_EVERY:
            self._line()

    def on_item(self, item: Any, fault: Exception | None) -> None:
        """Called when an item was downloaded, or failed with `fault`."""
        self._done += fault is None
        if self._bars is not None and self._bar is not None:
            self._bars.update(self._bar, description=self._where())
        elif not self._quiet and (self._clock() - self._told > _LINE_EVERY or self._done == self._items):
            self._line()

    def _line(self) -> None:
        from tasksearch.core.sizes import shown_size

        self._told = self._clock()
        of = f" of {shown_size(self._total)}" if self._total else ""
        self._console.print(
            f"{self._told - self._began:6.0f} s  {self._where()} fetched, {shown_size(self._bytes)}{of}", highlight=False
        )

"""Layer `store`: SIGKILLs, full disks, an unreachable tracking server, truncated files and edits by hand, in single processes.

Every study is resumed after each kill until it is complete, then compared with an undisturbed one.
"""

from __future__ import annotations

import functools
import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasksearch.core.errors import DiskFull, TrainingFailed, Unreachable
from tasksearch.torture.bare import live
from tasksearch.torture.campaign import Campaign
from tasksearch.torture.comparison import difference, substance
from tasksearch.torture.cut import cut, kept_of, lost
from tasksearch.torture.edits import edit
from tasksearch.torture.lives import End, Fate, fork, points_of
from tasksearch.tracking.client import preload
from tasksearch.tracking.database import make_empty

TRIALS, LEADERS = 8, 1
_KINDS = {"kill": 70, "random": 10, "full": 8, "away": 12}
_CUT = 0.25
"""Probability that one of the last written files is truncated after a kill."""

_EDITED = 0.4
"""Share of the other kills after which somebody edits the Optuna study or the runs in MLflow."""

_MOST = 2  # maximum occurrence of a point within one process, so that a study meets several kills before it is complete


_UNTRACKED = 2
"""Number of studies without MLflow per study with it: they take a tenth of the time and exercise the same store and journal."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """Studies with or without MLflow: their crash points, and the result of the undisturbed study."""

    tracked: bool
    base: Path

    def live(self, folder: Path) -> None:
        live(folder, TRIALS, LEADERS, tracked=self.tracked)

    def fresh(self, folder: Path) -> Path:
        """Make an empty study folder; with MLflow, copy prepared database tables, since creating them takes seconds."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if self.tracked:
            shutil.copyfile(self.base / "empty.db", folder / "mlflow.db")
        return folder

    def substance(self, folder: Path) -> dict[str, Any]:
        path = self.base / "now.json"
        return _in_child(lambda: substance(folder, tracked=self.tracked), path)

    @functools.cached_property
    def points(self) -> dict[str, int]:
        return points_of(lambda: self.live(self.fresh(self._own("counted"))), self._own("points.json"))

    @functools.cached_property
    def reference(self) -> dict[str, Any]:
        path, folder = self._own("undisturbed.json"), self._own("undisturbed")
        if not path.exists():
            end = fork(lambda: self.live(self.fresh(folder)), Fate(), self._own("words.txt"))
            assert end.code == 0, end.said
            path.write_text(json.dumps(self.substance(folder)))
        return dict(json.loads(path.read_text()))

    def _own(self, name: str) -> Path:
        return self.base / f"{'tracked' if self.tracked else 'plain'}-{name}"


def torture_store(campaign: Campaign, kills: int) -> None:
    """Kill processes until the number of kills is reached, over as many studies as needed.

    Raises:
        TrainingFailed: a process ended in a way that its fate does not explain, a finished trial was lost, or a study differs
            from the undisturbed one.
    """
    base = campaign.work / "store"
    base.mkdir(parents=True, exist_ok=True)
    _make_template(base)
    kinds = [_Kind(tracked=tracked, base=base) for tracked in (True, False)]
    while campaign.needs(kills, base):
        folder = base / f"study-{campaign.studies}"
        kind = kinds[campaign.studies % (1 + _UNTRACKED) > 0]
        _torment(campaign, folder, kind, kills)
        if found := difference(kind.reference, kind.substance(folder)):
            raise TrainingFailed(f"seed {campaign.seed}, {folder}: {found}")
        shutil.rmtree(folder)
        campaign.studies += 1
        campaign.log(f"study {campaign.studies}: equal after {campaign.kills} kills and {campaign.faults} other faults in all")
        campaign.keep()


def _torment(campaign: Campaign, folder: Path, kind: _Kind, kills: int) -> None:
    """Run and kill processes of one study until it is complete; once all kills are spent, the last process runs undisturbed."""
    first = not folder.exists()
    if first:
        kind.fresh(folder)
    words = folder.with_name("words.txt")
    while True:
        draw = campaign.draw()
        fate = _fate(draw, kind, first=first) if campaign.kills < kills else Fate()
        before = kept_of(folder)
        end = fork(lambda: kind.live(folder), fate, words)
        campaign.lives += 1
        _check(end, fate, campaign)
        if missing := lost(before, kept_of(folder)):
            raise TrainingFailed(f"seed {campaign.seed}, {folder}: after {fate} trial {missing} was lost or changed")
        _note(campaign, end, fate)
        first = False
        told = f"{campaign.kills:6} {fate}" + ("" if end.met else " (did not come to that)")
        if end.code < 0 and draw.random() < _CUT and (done := cut(folder, draw)):
            campaign.faults += 1
            campaign.what["cut"] += 1
            told += f"; then {done}"
        elif end.code < 0 and draw.random() < _EDITED and (done := edit(folder, draw, tracked=kind.tracked)):
            campaign.faults += 1
            campaign.what["edit"] += 1
            told += f"; then by hand: {done}"
        campaign.log(told)
        campaign.keep()
        if end.code == 0:
            return


def _fate(draw: random.Random, kind: _Kind, *, first: bool) -> Fate:
    weights = {name: weight for name, weight in _KINDS.items() if kind.tracked or name != "away"}
    what = draw.choices(list(weights), list(weights.values()))[0]
    if what == "random":
        return Fate(kind=what, seconds=draw.uniform(0.02, 2.0 if kind.tracked else 0.3))
    # points passed only at a study's beginning can only be met by its first process
    names = sorted(name for name, count in kind.points.items() if first or count > 2)
    if what == "away":
        names = [name for name in names if " mlflow." in name and "_study " not in name and "._experiment " not in name]
    name = draw.choice(names)
    return Fate(kind=what, point=name, occurrence=draw.randint(1, min(_MOST, kind.points[name])), times=draw.randint(1, 6))


def _check(end: End, fate: Fate, campaign: Campaign) -> None:
    """Check that a process ended as its fate explains.

    Raises:
        TrainingFailed: it did not.
    """
    allowed = {0, -9} if fate.kind in ("kill", "random") else {0}
    if fate.kind == "full" and end.met:
        allowed.add(DiskFull.exit_code)
    if fate.kind == "away" and end.met:
        allowed.add(Unreachable.exit_code)
    if end.code not in allowed:
        raise TrainingFailed(
            f"seed {campaign.seed}, life {campaign.lives}: {fate} ended with code {end.code}: {end.said[-3000:]}"
        )


def _note(campaign: Campaign, end: End, fate: Fate) -> None:
    if not end.met:
        return
    campaign.what[fate.kind] += 1
    if fate.kind in ("kill", "random"):
        campaign.kills += 1
        campaign.where[fate.point or "any time"] += 1
    else:
        campaign.faults += 1


def _make_template(base: Path) -> None:
    path = base / "empty.db"
    if not path.exists():
        preload()
        made = fork(lambda: make_empty(path), Fate(), base / "words.txt")
        assert made.code == 0, made.said


def _in_child(act: Any, path: Path) -> dict[str, Any]:
    """Return the result of `act`, computed in a forked process.

    The parent must not open a database that a child would share.
    """
    end = fork(lambda: path.write_text(json.dumps(act())), Fate(), path.with_suffix(".words"))
    if end.code != 0:
        raise TrainingFailed(f"ended with code {end.code}: {end.said[-3000:]}")
    return dict(json.loads(path.read_text()))

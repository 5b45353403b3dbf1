"""`StudyResult`: a study for use from Python, read from its folder."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasksearch.core.arguments import named_arguments
from tasksearch.core.folders import AnyPath
from tasksearch.core.score import ScoreTable
from tasksearch.core.study import StudyConfig, TrialRecord
from tasksearch.results.transfer import RankTransfer
from tasksearch.results.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from tasksearch.raytune.driver import RunSummary

_SHOWN = 10
"""Number of trials listed in the HTML representation."""


@named_arguments
def open_study(folder: AnyPath) -> StudyResult:
    """Open a study by its folder; of a running study it shows what is there so far.

    Raises:
        StudyNotReady: the folder holds no study.
        BadInput: `study.json` is damaged, or was written by a newer version.
    """
    found = StudyResult(folder=Path(folder))
    _ = found.config
    return found


@dataclass(frozen=True, kw_only=True, repr=False)
class StudyResult:
    """A study in its folder. Every attribute is read from disk on each access, so that a running study can be followed.

    Scores, trials and frames hold selection scores only. Reporting scores are read by `best`, `best_table` and `report`, which
    record the question in the study's holdout log, because a choice made by looking at them would be reported too high.

    Attributes:
        folder: the study's folder.
        summary: what the call that returned this did (`raytune.driver.RunSummary`); None for a study that was only opened. Its
            attributes (`done`, `failed`, `seconds` …) are also available on this object.
    """

    folder: Path
    summary: RunSummary | None = None

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """The summary's attributes, which `run_study` used to return."""
            if not name.startswith("_") and self.summary is not None and hasattr(self.summary, name):
                return getattr(self.summary, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    @property
    def config(self) -> StudyConfig:
        """The study's configuration."""
        from tasksearch.records.ledger import Ledger

        return Ledger(self.folder).config()

    @property
    def warning(self) -> str:
        """The sentence to be shown beside every number of the study; empty if there is none."""
        from tasksearch.study.best import open_suite

        return open_suite(self.folder)[1].warning

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """Records of all trials, in the order of their numbers, with selection scores only."""
        from tasksearch.records.ledger import Ledger

        return tuple(without_reporting(record) for record in Ledger(self.folder).records())

    @property
    def scores(self) -> pd.DataFrame:
        """Selection scores in long form: one row per trial, target and language; `value` is in percent."""
        from tasksearch.reports.frames import score_frame

        return score_frame(self.trials)

    @property
    def transfer(self) -> RankTransfer | None:
        """How far this encoder ranks the mixes that were taken over as the earlier study's did; None where none was."""
        from tasksearch.study.transfer import transfer_of

        return transfer_of(self.folder)

    def to_dataframe(self) -> pd.DataFrame:
        """Return one row per trial, indexed by its number.

        Columns: role, status, objective (in standard deviations of the baseline, on selection examples), seconds, kind of
        schedule, its text, its steps, seed, cause of a failure, and `share_TASK`: each intermediate task's share of the
        examples, in [0, 1].
        """
        from tasksearch.reports.frames import trial_frame

        return trial_frame(self.trials)

    @named_arguments
    def best(
        self, rule: str | None = None, *, languages: str | Sequence[str] | None = None, target: str | None = None
    ) -> Verdict:
        """Return the best mix per language and group, as `tasksearch best` prints it.

        The question is recorded in the study's holdout log; a second look, by another rule or for another choice, is marked
        adaptive.

        Args:
            rule: `pivot-dev`, `english-dev` or `target-dev`; None: the study's own (`run --select`), or english-dev for a
                study of one language.
            languages: rows to return; None: all.
            target: choose and report on this target alone; None: on all.

        Raises:
            StudyNotReady: no baseline, or no finalist yet.
            UnknownName: an unknown rule, language or target.
        """
        from tasksearch.study.best import best_of, verdict_of

        wanted = [languages] if isinstance(languages, str) else languages
        if rule is None:
            return verdict_of(self.folder, languages=wanted, target=target)
        return best_of(self.folder, rule=rule, languages=wanted, target=target)

    @named_arguments
    def best_table(self, rule: str | None = None) -> Table:
        """Return `best` as a table for notebooks and `rich.print`, with the study's warning."""
        from tasksearch.reports.tables import verdict_table
        from tasksearch.reports.terminal import to_rich

        return to_rich(verdict_table(self.best(rule), warning=self.warning))

    @named_arguments
    def report(self, out: AnyPath | None = None) -> Path:
        """Write the HTML report and return its path, by default `report.html` in the study's folder.

        Raises:
            StudyNotReady: no trial is finished yet.
        """
        from tasksearch.study.report import write_report

        return write_report(self.folder, None if out is None else Path(out))[0]

    @named_arguments
    def log(self, lines: int = 50, *, trial: int | None = None) -> str:
        """Return the last lines of the driver's log, or of a trial's; all lines if `lines` is 0.

        Raises:
            StudyNotReady: there is no such log.
        """
        from tasksearch.study.logs import last_lines, log_files

        return "\n".join(last_lines(log_files(self.folder, trial), lines))

    def __repr__(self) -> str:
        return f"StudyResult({str(self.folder)!r}: {self._state()})"

    def _state(self) -> str:
        count = Counter(record.status for record in self.trials)
        return ", ".join(f"{n} {status}" for status, n in sorted(count.items())) + " trials" if count else "no trial yet"

    def _repr_html_(self) -> str:
        """Return the study in a few lines and its best trials by objective; no reporting score is read."""
        config, trials = self.config, self.to_dataframe()
        leading = trials.sort_values("objective", ascending=False)[["role", "objective", "schedule"]].head(_SHOWN)
        facts = f"{config.suite}, model {config.model}, targets {', '.join(config.targets)}: {self._state()}"
        warning = f"<p><em>{escape(self.warning)}</em></p>" if self.warning else ""
        return (
            f"<p><strong>{escape(config.name)}</strong> in {escape(str(self.folder))}<br>{escape(facts)}</p>{warning}"
            f"<p>Trials with the highest objective, on selection examples; <code>best()</code> says what may be said:</p>"
            f"{leading.to_html(float_format='{:+.2f}'.format, na_rep='')}"
        )


def without_reporting(record: TrialRecord) -> TrialRecord:
    """Return the record without its reporting scores, whose reading would have to be recorded."""
    return dataclasses.replace(record, scores=ScoreTable.of(score for score in record.scores if score.half == "select"))

"""`tasksearch best`, `trials` and `spaces`: the results of a study, and the built-in search spaces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice, complete_row, complete_target
from tasksearch.cli.options import Json, Reopen, Study
from tasksearch.cli.printing import compact_table, open_console, print_json, print_verdict, refuse_beside, verdict_json
from tasksearch.core.errors import BadInput
from tasksearch.results.verdict import RULES, Verdict

BEST_EXAMPLES = (
    "Examples: `tasksearch best STUDY --language sw --out mix.toml`; `tasksearch best STUDY --target tydiqa`; "
    "`tasksearch best STUDY --select target-dev`; `tasksearch best STUDY --effects --language sw`"
)
_OLD = typer.Option(hidden=True)
"""Names that options had once; they still work."""


def best(
    study: Study,
    language: Annotated[
        str | None,
        typer.Option(
            help="one language or group; a language that was not scored is answered by the others", autocompletion=complete_row
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="one target: the mix chosen for it alone", autocompletion=complete_target)
    ] = None,
    select: Annotated[str | None, typer.Option(help="rule that chooses a mix [default: the study's]", **choice(*RULES))] = None,
    notes: Annotated[
        bool, typer.Option("--notes", help="beside the decision: rules, seeds, examples, labels, chance and baseline")
    ] = False,
    baselines: Annotated[bool, typer.Option("--baselines", help="the search's mix beside the free baselines")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="every selection rule and the oracle side by side")] = False,
    portfolio: Annotated[bool, typer.Option("--portfolio", help="the best 1, 2 and 3 mixes for all languages")] = False,
    effects: Annotated[bool, typer.Option("--effects", help="what each task, the order and pairs of tasks do")] = False,
    out: Annotated[Path | None, typer.Option(help="write the mix of --language as TOML")] = None,
    reopen: Reopen = False,
    court: Annotated[bool, _OLD] = False,
    why: Annotated[bool, _OLD] = False,
    as_json: Json = False,
) -> None:
    """Which mix to use for which languages and targets, what it gains, and whether the search was worth its cost.

    The first reading of the reporting examples is recorded in the study (`readings.json`): when, by which rule and for which
    mixes. Asked again it answers the same. Another rule, target or choice is answered too, recorded, and marked adaptive:
    seeing the first answer may have led to it.
    """
    from tasksearch.study.best import best_of, open_suite, rules_of, verdict_of
    from tasksearch.study.coverage import scored_name
    from tasksearch.study.unscored import is_unscored

    baselines, effects = baselines or court, effects or why
    elsewhere = {"out": out is not None, "baselines": baselines, "target": target, "notes": notes}
    if rules:
        refuse_beside("--rules", language=language, portfolio=portfolio, effects=effects, **elsewhere)
        _print_rules(rules_of(study, rule=select), open_suite(study)[1].warning, as_json)
        return
    if effects:
        refuse_beside("--effects", select=select, portfolio=portfolio, **elsewhere)
        _print_effects(study, language, as_json)
        return
    if portfolio:
        refuse_beside("--portfolio", language=language, select=select, **elsewhere)
        _print_portfolio(study, as_json)
        return
    if target is not None:
        refuse_beside("--target", baselines=baselines)
    if out is not None and language is None:
        raise BadInput("--out needs --language: a mix file holds one mix")
    if language is not None and not (target or baselines or select) and is_unscored(study, language):
        _answer_unscored(study, language, out, as_json)
        return
    languages = [language] if language else None
    if select is None:
        verdict = verdict_of(study, languages=languages, target=target)
    else:
        verdict = best_of(study, rule=select, languages=languages, target=target)
    if language is not None:
        language = scored_name(language, [choice.name for choice in verdict.choices])
    if out is not None and language is not None:
        from tasksearch.core.atomic import write_atomic
        from tasksearch.records.mix_file import mix_toml

        write_atomic(out, mix_toml(verdict[language]).encode())
    if as_json:
        print_json(verdict_json(study, verdict))
        return
    console = open_console()
    print_verdict(console, study, verdict, table=_table(study, verdict, language, baselines=baselines), notes=notes)
    if out is not None:
        console.print(f"wrote {out}", highlight=False)


def _table(study: Path, verdict: Verdict, language: str | None, *, baselines: bool) -> Any:
    """Return the table of free baselines, or of one language's targets; None: the table of all languages and targets."""
    from tasksearch.reports.baseline_comparison import baseline_table
    from tasksearch.reports.tables import target_table
    from tasksearch.study.best import open_suite
    from tasksearch.study.reference_scores import untrained_scores

    suite = open_suite(study)[1]
    if baselines and verdict.baseline_comparison is not None:
        return baseline_table(verdict.baseline_comparison, warning=suite.warning)
    if language is None:
        return None
    choice = verdict[language]
    chance, bare = suite.chance_over(choice.languages), untrained_scores(study, choice.languages)
    return target_table(choice, chance=chance, untrained=bare, warning=suite.warning)


def _answer_unscored(study: Path, language: str, out: Path | None, as_json: bool) -> None:
    from tasksearch.core.atomic import write_atomic
    from tasksearch.records.mix_file import noted_mix
    from tasksearch.reports.unscored_language import unscored_lines
    from tasksearch.study.unscored import best_for_unscored

    found = best_for_unscored(study, language=language)
    lines = unscored_lines(found)
    if out is not None:
        write_atomic(out, noted_mix(found.schedule, lines).encode())
    if as_json:
        print_json(found.to_json())
        return
    console = open_console()
    for line in (*lines, *([f"wrote {out}"] if out is not None else ())):
        console.print(line, highlight=False)


def _print_rules(table: Any, warning: str, as_json: bool) -> None:
    from tasksearch.reports.baseline_comparison import rules_table

    if as_json:
        print_json(table.to_json())
    else:
        open_console().print(rules_table(table, warning=warning))


def _print_portfolio(study: Path, as_json: bool) -> None:
    from tasksearch.study.best import open_suite
    from tasksearch.study.portfolio import portfolios_of

    found = portfolios_of(study)
    if as_json:
        print_json(found.to_json())
        return
    from tasksearch.reports.portfolio import portfolio_table

    open_console().print(portfolio_table(found, warning=open_suite(study)[1].warning))


def _print_effects(study: Path, language: str | None, as_json: bool) -> None:
    from tasksearch.study.best import open_suite
    from tasksearch.study.coverage import scored_name
    from tasksearch.study.task_effects import task_effects_of

    found = task_effects_of(study, [language] if language else [])
    if as_json:
        print_json(found.to_json())
        return
    from tasksearch.reports.task_effects import drops_table, effects_table

    console = open_console()
    if language is None:
        console.print(drops_table(found))
    row = found[scored_name(language, [row.name for row in found.rows]) if language else "all"]
    console.print(effects_table(found, row, warning=open_suite(study)[1].warning))


def trials(study: Study, as_json: Json = False) -> None:
    """Every trial of a study: role, schedule, objective, seconds; `--json` with selection scores alone."""
    from tasksearch.records.ledger import Ledger
    from tasksearch.reports.tables import trial_table
    from tasksearch.study.best import design_names_of, open_study
    from tasksearch.study.result import without_reporting

    config, suite, records = open_study(study)
    if as_json:
        print_json({"trials": [without_reporting(record).to_json() for record in records]})
    else:
        names = design_names_of(Ledger(study), config)
        open_console().print(trial_table(records, warning=suite.warning, name_of=names.name))


def spaces(as_json: Json = False) -> None:
    """Search spaces that come with the package; copy one, edit it, and give its path to `run --space`."""
    from tasksearch.study.spaces import known_spaces

    found = known_spaces()
    if as_json:
        print_json({"spaces": {name: space.summary for name, space in found.items()}})
        return
    open_console().print(compact_table(("space", "what it searches"), [(name, one.summary) for name, one in found.items()]))

"""`tasksearch best`, `trials` and `spaces`: the results of a study, and the built-in search spaces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tasksearch.cli.completion import choice, complete_row
from tasksearch.cli.options import Json, Study
from tasksearch.cli.printing import compact_table, open_console, print_json, print_verdict, refuse_beside
from tasksearch.core.errors import BadInput
from tasksearch.results.verdict import RULES

RULE = "pivot-dev"
"""Default selection rule."""
BEST_EXAMPLES = (
    "Examples: `tasksearch best STUDY --select target-dev`; `tasksearch best STUDY --language sw --out mix.toml`; "
    "`tasksearch best STUDY --portfolio`; `tasksearch best STUDY --why --language sw`"
)


def best(
    study: Study,
    language: Annotated[
        str | None, typer.Option(help="one language or group: its targets in detail", autocompletion=complete_row)
    ] = None,
    select: Annotated[str | None, typer.Option(help=f"rule that selects a mix [default: {RULE}]", **choice(*RULES))] = None,
    rules: Annotated[bool, typer.Option("--rules", help="every selection rule and the oracle side by side")] = False,
    comparison: Annotated[bool, typer.Option("--court", help="the search beside the free baselines")] = False,
    portfolio: Annotated[bool, typer.Option("--portfolio", help="the best 1, 2 and 3 mixes for all languages")] = False,
    why: Annotated[bool, typer.Option("--why", help="what each task, the order and pairs of tasks do")] = False,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="read the reporting examples again under another rule or choice; marked adaptive")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="write the mix of --language as TOML")] = None,
    as_json: Json = False,
) -> None:
    """Per language: the chosen mix, its gain over no intermediate phase, with a 95% interval."""
    from tasksearch.study.best import best_of, open_suite, rules_of
    from tasksearch.study.coverage import scored_name

    elsewhere = {"out": out is not None, "reopen": reopen, "court": comparison}
    if rules:
        refuse_beside("--rules", language=language, portfolio=portfolio, why=why, **elsewhere)
        _print_rules(rules_of(study, rule=select or RULE), open_suite(study)[1].warning, as_json)
        return
    if why:
        refuse_beside("--why", select=select, portfolio=portfolio, **elsewhere)
        _print_why(study, language, as_json)
        return
    if portfolio:
        refuse_beside("--portfolio", language=language, select=select, **elsewhere)
        _print_portfolio(study, as_json)
        return
    if out is not None and language is None:
        raise BadInput("--out needs --language: a mix file holds one mix")
    verdict = best_of(study, rule=select or RULE, languages=[language] if language else None, reopen=reopen)
    if language is not None:
        language = scored_name(language, [choice.name for choice in verdict.choices])
    if out is not None and language is not None:
        from tasksearch.core.atomic import write_atomic
        from tasksearch.records.mix_file import mix_toml

        write_atomic(out, mix_toml(verdict[language]).encode())
    if as_json:
        print_json(verdict.to_json())
        return
    console, (_, suite) = open_console(), open_suite(study)
    print_verdict(console, verdict, suite.warning)
    if comparison and verdict.baseline_comparison is not None:
        from tasksearch.reports.baseline_comparison import baseline_table

        console.print(baseline_table(verdict.baseline_comparison, warning=suite.warning))
    if language is not None:
        from tasksearch.reports.tables import target_table
        from tasksearch.study.reference_scores import untrained_scores

        choice = verdict[language]
        chance, bare = suite.chance_over(choice.languages), untrained_scores(study, choice.languages)
        console.print(target_table(choice, chance=chance, untrained=bare, warning=suite.warning))
    if out is not None:
        console.print(f"wrote {out}", highlight=False)


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


def _print_why(study: Path, language: str | None, as_json: bool) -> None:
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

    _, suite, records = open_study(study)
    if as_json:
        print_json({"trials": [without_reporting(record).to_json() for record in records]})
    else:
        names = design_names_of(Ledger(study))
        open_console().print(trial_table(records, warning=suite.warning, name_of=names.name))


def spaces(as_json: Json = False) -> None:
    """Search spaces that come with the package; copy one, edit it, and give its path to `run --space`."""
    from tasksearch.study.spaces import known_spaces

    found = known_spaces()
    if as_json:
        print_json({"spaces": {name: space.summary for name, space in found.items()}})
        return
    open_console().print(compact_table(("space", "what it searches"), [(name, one.summary) for name, one in found.items()]))

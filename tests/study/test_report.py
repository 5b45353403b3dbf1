"""The report says what the records say, marks what is missing, and needs nothing but itself."""

import csv
import dataclasses
import io
import json
import os
import re
import shlex
import shutil
import statistics
from base64 import b64decode
from html import escape

import numpy as np
import pytest

from tasksearch.core.errors import StudyNotReady
from tasksearch.records.ledger import Ledger
from tasksearch.reports.decision import decision
from tasksearch.reports.figures.scale import look_of
from tasksearch.reports.page import is_numeric, render, sections_of, write_tables
from tasksearch.reports.sections import mixes, summary, targets
from tasksearch.reports.table import ReportTable, text_columns
from tasksearch.reports.table_files import to_csv, to_latex
from tasksearch.reports.tables import row_name
from tasksearch.results.estimate import gain_text
from tasksearch.study.report import command_of, planned, report_of, write_report

PARTS = (
    "verdict",
    "mixes",
    "targets",
    "baselines",
    "portfolio",
    "task-effects",
    "singles",
    "schedules",
    "history",
    "references",
    "warnings",
    "origin",
)


@pytest.fixture(scope="module")
def data(planted_folder):
    return report_of(planted_folder)


@pytest.fixture(scope="module")
def page(data):
    return render(data)


@pytest.fixture
def copy(planted_folder, tmp_path):
    return shutil.copytree(planted_folder, tmp_path / "study")


def zero_shot_mean(record, target):
    return statistics.fmean(s.value for s in record.scores if s.target == target and s.half == "report" and s.language != "en")


def test_the_page_holds_every_part_once_and_each_drawing_is_described(page):
    assert re.findall(r'<section id="([\w-]+)"', page) == list(PARTS)
    figures = re.findall(r"<figure>.*?</figure>", page, flags=re.DOTALL)
    assert len(figures) == 10
    for figure in figures:
        assert re.search(r"<caption>[^<]+</caption>|aria-label=", figure) and re.search(
            r"<figcaption>[^<]+</figcaption>", figure
        )
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(identifiers)


def test_the_page_loads_nothing_and_leads_out_only_by_links_to_runs(page, data):
    assert not re.search(r'\b(src|action|data|srcset|poster)="', page) and "url(" not in page
    assert "@import" not in page and "default-src 'none'" in page and "<link" not in page
    leads = re.findall(r'<a [^>]*href="([^"]+)"', page)
    assert len(leads) == page.count("href=") and all(
        lead.startswith(("#", "data:text/csv", "data:application/x-tex")) for lead in leads
    )
    linked = render(dataclasses.replace(data, run_links={"3": "http://host:5000/#/experiments/1/runs/abc"}))
    assert '<a href="http://host:5000/#/experiments/1/runs/abc" rel="noreferrer">3</a>' in linked
    assert linked.count("http:") == 1


def test_every_table_is_there_as_csv_and_latex(page, data, tmp_path):
    tables = [table for section in sections_of(data) for table in section.tables]
    files = write_tables(data, tmp_path)
    assert len(files) == len(set(files)) == 2 * len(tables) and all(file.read_text() for file in files)
    for kind, write in (("text/csv", to_csv), ("application/x-tex", to_latex)):
        held = [b64decode(found).decode() for found in re.findall(rf'href="data:{kind};charset=utf-8;base64,([^"]*)"', page)]
        assert held == [write(table) for table in (*shown_order(data),)]
    for table in tables:
        rows = list(csv.reader(io.StringIO(to_csv(table))))
        assert [tuple(row) for row in rows] == [table.head, *table.rows]


def shown_order(data):
    """Tables as the page holds them: in each section the open ones, then the folded ones."""
    for section in sections_of(data):
        yield from sorted(section.tables, key=lambda table: table.folded)


def test_latex_keeps_every_cell_and_escapes_what_latex_would_read():
    table = ReportTable(title="a_b", columns=text_columns("x", "y"), rows=(("50 % & {_}", "A → B"),), notes=("one\ntwo",))
    text = to_latex(table)
    assert r"50 \% \& \{\_\} & A $\rightarrow$ B \\" in text and "% one\n% two\n" in text
    assert text.count("&") == 3 and r"\begin{tabular}{ll}" in text


def test_marks_lie_on_the_axis_and_colours_say_what_is_good(data):
    (drawn,) = mixes.section(data).figures
    for row, choice in zip(drawn.drawing.rows, data.verdict.choices, strict=True):
        assert 0 <= row.low <= row.at <= row.high <= 100
        ticks = drawn.drawing.axis.ticks
        assert row.at == pytest.approx(100 * (choice.gain.value - ticks[0]) / (ticks[-1] - ticks[0]), abs=0.01)
        assert row.look == {"better": "good", "worse": "bad", "no interval": "none"}.get(choice.finding, "open")
        assert gain_text(choice.gain) in row.words and f"{choice.seeds} seeds" in row.words
    gain = data.verdict.choices[0].gain
    assert [look_of(gain, good) for good in (1, -1, 0)] == ["good", "bad", "clear"]


def test_the_decision_and_its_pictures_come_first(data, page):
    section = summary.section(data)
    assert section.lead[0] == decision(data.verdict)[0]
    cells = section.figures[0].drawing
    assert cells.columns == ("all targets", *(target.target for target in data.verdict.choices[0].targets))
    assert [name for name, _ in cells.rows] == [row_name(data.verdict, choice) for choice in data.verdict.choices]
    assert all(cell.text[0] in "▲▼" for _, row in cells.rows for cell in row if "better" in cell.words or "worse" in cell.words)
    assert page.index("Gain per language and target") < page.index('id="mixes"')


def test_every_figure_says_how_many_examples_and_seeds(page):
    for caption in re.findall(r"<figcaption>(.*?)</figcaption>", page, flags=re.DOTALL):
        assert "seed" in caption
        assert "n = " in caption or "selection examples" in caption


def grid(section):
    """The section's open table, as rows of text."""
    return [[*row] for row in next(table for table in section.tables if not table.folded).rows]


def grouped(data, *names):
    """The data with the verdict's group under each of these names."""
    group = next(choice for choice in data.verdict.choices if choice.is_group)
    rows = tuple(dataclasses.replace(group, name=name) for name in names)
    return dataclasses.replace(data, verdict=dataclasses.replace(data.verdict, choices=rows))


def test_every_target_has_its_verdict_in_every_group_as_it_was_asked(data):
    section = targets.section(grouped(data, "all", "low-resource"))
    group = next(choice for choice in data.verdict.choices if choice.is_group)
    assert [row[:2] for row in grid(section)] == [[t.target, n] for t in group.targets for n in ("all", "low-resource")]
    for row, target in zip(grid(section)[::2], group.targets, strict=True):
        assert row[5:8] == [gain_text(target.gain), target.finding, str(target.gain.examples)]
        assert (row[3], row[4]) == (f"{target.baseline.value:.1f}", f"{target.score.value:.1f}")
    assert [figure.caption.partition(" (")[0] for figure in section.figures] == ["All", "Low-resource"]


def test_a_groups_sentence_names_each_target_once_by_its_finding(data):
    group = next(choice for choice in data.verdict.choices if choice.is_group)
    one = group.targets[0]
    found = ("better", "better", "worse", "no difference seen", "no interval")
    named = tuple(dataclasses.replace(one, target=f"t{place}", finding=finding) for place, finding in enumerate(found))
    verdict = dataclasses.replace(data.verdict, choices=(dataclasses.replace(group, targets=named),))
    (said,) = targets.section(dataclasses.replace(data, verdict=verdict)).lead
    assert said == (
        f"All ({len(group.languages)} languages): better on t0 and t1; worse on t2; no difference seen on t3; too little for "
        "an interval on t4."
    )


def test_drawings_of_groups_share_their_axis(data):
    both = grouped(data, "all", "low-resource")
    first, second = both.verdict.choices
    far = dataclasses.replace(second.targets[0].gain, value=70.0, low=60.0, high=80.0)
    wide = dataclasses.replace(second, targets=(dataclasses.replace(second.targets[0], gain=far), *second.targets[1:]))
    verdict = dataclasses.replace(both.verdict, choices=(first, wide))
    axes = [figure.drawing.axis for figure in targets.section(dataclasses.replace(both, verdict=verdict)).figures]
    assert axes[0] == axes[1] and axes[0].ticks[-1] >= 80


def test_without_a_verdict_of_a_group_there_is_none_for_its_targets(data):
    assert targets.section(dataclasses.replace(data, verdict=None)) is None
    alone = tuple(choice for choice in data.verdict.choices if not choice.is_group)
    assert targets.section(dataclasses.replace(data, verdict=dataclasses.replace(data.verdict, choices=alone))) is None


def test_gains_of_single_tasks_are_those_of_the_score_tables(data):
    records = {record.number: record for record in data.records}
    baseline = [record for record in data.records if record.role == "baseline"]
    assert {single.task for single in data.singles} == {"ccg", "mnli", "qqp"}
    for single in data.singles:
        for target, gain in single.by_target.items():
            ours = statistics.fmean(zero_shot_mean(records[number], target) for number in single.trials)
            bare = statistics.fmean(zero_shot_mean(record, target) for record in baseline)
            # what the shared seeds tell of the others' luck moves it a little
            assert gain.value == pytest.approx(ours - bare, abs=0.3)
            assert gain.examples == 400  # two languages of 200
        assert single.overall.value == pytest.approx(statistics.fmean(g.value for g in single.by_target.values()), abs=0.1)


def test_twins_share_all_but_their_order_and_their_difference_is_paired_by_seed(data):
    assert data.pairs
    for pair in data.pairs:
        assert pair.joint.kind == "joint" and pair.other.kind != "joint"
        assert pair.joint.mixture() == pair.other.mixture() and pair.joint.steps == pair.other.steps
        by_seed = {}
        for record in data.records:
            by_seed.setdefault((record.plan.schedule, record.plan.seed), record)
        for target, gain in pair.by_target.items():
            differences = [
                zero_shot_mean(by_seed[pair.other, seed], target) - zero_shot_mean(by_seed[pair.joint, seed], target)
                for seed in pair.seeds
            ]
            assert gain.value == pytest.approx(statistics.fmean(differences))


def test_of_many_twins_the_first_are_drawn_and_all_are_listed(data):
    text = render(dataclasses.replace(data, pairs=tuple(data.pairs[0] for _ in range(50))))
    drawing = re.search(r"<caption>Matched pairs: other order minus joint</caption>.*?</figure>", text, flags=re.DOTALL).group()
    assert f"{data.pairs[0].other.kind} 20" in drawing and f"{data.pairs[0].other.kind} 21" not in drawing
    assert "The first 20 of 50 pairs in the order of their trials" in text
    assert f">{data.pairs[0].other.kind} 50</th>" in text


def test_without_twins_the_best_of_each_kind_is_not_called_an_effect(data):
    text = render(dataclasses.replace(data, pairs=()))
    assert "This study trained no matched pairs" in text and "Best of each kind (no effect)" in text
    assert "Matched pairs: two mixes" not in text


def test_the_best_of_a_kind_is_the_one_with_its_highest_objective(data):
    for best in data.bests:
        rivals = [
            record.objective
            for record in data.records
            if record.role in ("design", "search")
            and (record.plan.schedule.kind == best.kind or best.kind == "single task")
            and (len(record.plan.schedule.tasks) == 1) == (best.kind == "single task")
        ]
        assert best.objective == max(rivals) and best.tried == len(rivals)


def test_a_complete_study_is_not_called_partial_and_one_cut_short_is(data, page, copy):
    assert not data.partial and "(partial)" not in page
    ledger = Ledger(copy)
    records = ledger.records()
    last = records[-1]
    ledger.write(dataclasses.replace(last, status="running", scores=type(last.scores)(), objective=None, ended=None))
    cut = report_of(copy)
    assert cut.partial and "22 of up to 23 trainings are finished" in render(cut)


def test_a_report_asks_by_the_rule_that_was_asked_before(copy):
    from tasksearch.records.holdout_log import holdout_uses
    from tasksearch.study.best import best_of

    (copy / "readings.json").unlink(missing_ok=True)
    best_of(copy, rule="target-dev")
    assert report_of(copy).verdict.rule == "target-dev"
    assert len(holdout_uses(copy)) == 1, "a report is no second question"


def test_before_there_are_finalists_the_report_says_why_there_is_no_verdict(copy):
    for record in Ledger(copy).records():
        if record.number >= 16:  # finalists, and the baseline on the seed that only they had
            Ledger(copy).record_path(record.number).unlink()
    cut = report_of(copy)
    assert cut.verdict is None and cut.partial
    text = render(cut)
    assert "No verdict yet: no finalist was trained on fresh seeds yet" in text
    assert 'id="mixes"' not in text and 'id="singles"' in text


def test_a_study_without_a_finished_trial_is_one_line(planted, tmp_path):
    Ledger(tmp_path).save_config(planted.config())
    with pytest.raises(StudyNotReady, match=r"no trial of .* is finished yet") as caught:
        write_report(tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report.html").exists()


def test_names_are_escaped_and_a_dollar_is_no_formula(data):
    wicked = "<script>alert(1)</script>$x^2$&"
    choices = tuple(dataclasses.replace(choice, name=wicked) for choice in data.verdict.choices)
    changed = dataclasses.replace(
        data,
        verdict=dataclasses.replace(data.verdict, choices=choices),
        warning=wicked,
        command=wicked,
        versions={wicked: wicked},
    )
    text = render(changed)
    assert text.count("<script>") == 1  # the page's own
    assert "&lt;script&gt;alert(1)&lt;/script&gt;$x^2$&amp;" in text


def test_no_password_of_a_tracking_address_is_shown(data):
    config = dataclasses.replace(data.config, tracking_uri="https://me:secretword@host/")
    assert "secretword" not in render(dataclasses.replace(data, config=config))


def test_warnings_name_chance_tiny_sets_few_seeds_and_same_data(data):
    tiny = [dataclasses.replace(s, examples=60) for s in data.records[0].scores]
    records = (dataclasses.replace(data.records[0], scores=type(data.records[0].scores).of(tiny)), *data.records[1:])
    references = tuple(dataclasses.replace(reference, chance=54.0) for reference in data.references)
    text = render(dataclasses.replace(data, records=records, references=references, same_data=(("mnli", "nli"),)))
    for part in ("Tiny sets, under 100", "At chance:", "Same data: mnli and nli", "Few seeds: under 3", data.warning):
        assert part in text
    assert "Same data" not in render(data)


def test_an_untrained_reference_stands_beside_chance(planted_folder, data, copy):
    ledger = Ledger(copy)
    bare = ledger.records()[0]
    number = len(ledger.records())
    ledger.write_outcomes(number, ledger.outcomes(0))
    told = dataclasses.replace(bare, number=number, role="untrained")
    ledger.write(told)
    references = report_of(copy).references
    assert all(reference.untrained is not None for reference in references)
    assert references[0].untrained.value == pytest.approx(zero_shot_mean(bare, references[0].target))
    assert "untrained" in render(report_of(copy))
    assert all(reference.untrained is None for reference in data.references) and "trained no untrained reference" in render(
        data
    )


@pytest.mark.parametrize("aim", [None, "nli=0.3333333333333333,near1"])
def test_the_command_asks_for_the_same_study(aim):
    from typer.testing import CliRunner

    from tasksearch.cli.app import app
    from tasksearch.study.run import configure

    asked = configure(
        space="single_task",
        targets=("nli",),
        languages=("near1",),
        seed=3,
        trials=9,
        lag=2,
        continuous=True,
        phase1_steps=30,
        objective=aim,
    )
    words = shlex.split(command_of(asked))
    seen = []
    import tasksearch.cli.run as module

    kept = module.follow
    module.follow = lambda folder, config, *rest: seen.append(config)
    try:
        result = CliRunner().invoke(app, words[1:])
    finally:
        module.follow = kept
    assert result.exit_code == 0, result.output
    assert seen == [asked]


@pytest.mark.parametrize(
    "text", ["12", "+1.2", "−3", "~-3.2", "5 %", "+0.4 [-3.1, +3.9]", "46.2 [42.0, 50.4]", "+1.2 [+0.3, +2.1]*", "3+5", "–"]
)
def test_numbers_stand_right(text):
    assert is_numeric(text)


@pytest.mark.parametrize("text", ["", "3.11.7", "restate", "follow 48 → entail", "not shown better: A", "96 steps"])
def test_words_stand_left(text):
    assert not is_numeric(text)


def test_the_report_is_written_whole_and_told_as_json(planted_folder, tmp_path):
    from typer.testing import CliRunner

    from tasksearch.cli.app import app

    out = tmp_path / "there" / "page.html"
    result = CliRunner().invoke(app, ["report", str(planted_folder), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert told["report"] == str(out) and told["partial"] is False and told["trials"] == 23 and told["tables"] == []
    assert out.read_text(encoding="utf-8").endswith("</html>")


def test_a_browser_opens_the_page_and_finds_its_parts(chromium, page, tmp_path):
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    url = (tmp_path / "page.html").as_uri()
    dom = chromium(url, "--dump-dom")
    for part in PARTS:
        assert f'<section id="{part}"' in dom
    assert '<button type="button" id="theme">' in dom, "the page's script ran: the button is there"
    for theme in ("0", "1"):
        shot = tmp_path / f"{theme}.png"
        chromium(url, "--window-size=390,900", f"--screenshot={shot}", f"--blink-settings=preferredColorScheme={theme}")
        assert shot.read_bytes().startswith(b"\x89PNG")
    dark, light = ((tmp_path / f"{theme}.png").read_bytes() for theme in ("0", "1"))
    assert dark != light


@pytest.mark.parametrize("width", [1280, 390, 360])
def test_nothing_but_a_table_is_to_be_scrolled_sideways(chromium, page, tmp_path, width):
    # A window cannot be that narrow without a screen; a frame can.
    probe = "<script>parent.document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script></body>"
    framed = escape(page.replace("</body>", probe), quote=True)
    (tmp_path / "frame.html").write_text(
        f'<!doctype html><title></title><iframe style="width:{width}px;border:0" srcdoc="{framed}"></iframe>', encoding="utf-8"
    )
    dom = chromium((tmp_path / "frame.html").as_uri(), "--dump-dom")
    assert re.search(r"<title>(.*?)</title>", dom).group(1) == f"{width} of {width}"


def test_a_race_never_shows_more_trainings_than_planned(data):
    records, config = list(data.records), dataclasses.replace(data.config, most_seeds=5)
    last = [record for record in records if record.role == "finalist"][-1]
    searched = [record for record in records if record.role != "finalist"]
    extra = [dataclasses.replace(last, number=len(records) + n) for n in range(2)]
    assert planned(data.config, records) == len(records)
    assert planned(config, [*records, *extra]) == len(records) + 2
    assert planned(config, searched) >= len(searched) + config.leaders * 5


def test_the_best_of_each_kind_reads_no_reporting_half(data, page):
    assert {field.name for field in dataclasses.fields(data.bests[0])} == {"kind", "schedule", "trial", "objective", "tried"}
    table = re.search(r"<caption>Best of each kind \(no effect\).*?</caption>(.*?)</table>", page, flags=re.DOTALL).group(1)
    assert "objective" in table and "gain" not in table and "[" not in table


def test_where_no_rule_can_choose_the_report_says_why_and_stands(copy, monkeypatch):
    import tasksearch.study.report as module

    (copy / "readings.json").unlink(missing_ok=True)
    asked = []

    def refuse(folder, *, rule, study):
        asked.append(rule)
        raise StudyNotReady(f"nothing to choose on for 'far' by {rule}")

    monkeypatch.setattr(module, "best_of", refuse)
    found = report_of(copy)
    assert asked == ["pivot-dev", "english-dev", "target-dev"]
    assert found.verdict is None and found.pending == "No verdict yet: nothing to choose on for 'far' by pivot-dev."
    assert "No verdict yet" in render(found)


def test_a_report_is_readable_by_whom_the_umask_lets(planted_folder, tmp_path):
    before = os.umask(0o022)
    try:
        path, _ = write_report(planted_folder, tmp_path / "page.html")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_study_without_document_numbers_still_opens_and_says_that_its_intervals_are_not_clustered(data, page):
    assert data.verdict.clustered is False
    assert "Intervals are not clustered" in page


def test_document_numbers_change_intervals_alone_and_the_page_says_what_they_are_over(planted, planted_folder, data, tmp_path):
    folder = shutil.copytree(planted_folder, tmp_path / "study")
    numbers = {(t, lang, "report"): np.arange(200) // 5 for t in planted.TARGETS for lang in planted.LANGUAGES}
    Ledger(folder).write_documents(numbers)
    (folder / "readings.json").unlink(missing_ok=True)
    clustered = report_of(folder)
    assert clustered.verdict.clustered
    assert "examples of one document count as one draw" in render(clustered)
    gains = [(choice.gain, clustered.verdict[choice.name].gain) for choice in data.verdict.choices]
    assert all(one.value == other.value and other.documents < other.examples for one, other in gains)
    # The planted examples differ in difficulty alone, which stands in order of neither document nor place.
    assert all(0.5 < other.example_error / one.example_error < 2 for one, other in gains)

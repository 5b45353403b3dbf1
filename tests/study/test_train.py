"""`export_model`: a mix from a file or a study becomes a folder that transformers loads, with the study's own numbers."""

import dataclasses
import json
import subprocess
import sys

import pytest

from tasksearch.core.errors import BadInput, DiskFull, StudyNotReady, UnknownName
from tasksearch.core.mixture import Mixture
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import TrialRecord
from tasksearch.metrics.outcomes import value_of
from tasksearch.phases.context import open_context
from tasksearch.phases.run import run_plan
from tasksearch.records.ledger import Ledger
from tasksearch.records.mix_file import schedule_toml
from tasksearch.study.run import configure
from tasksearch.study.setup import prepare
from tasksearch.study.single_plan import trained_by
from tasksearch.study.train import export_model

MIX = Schedule.joint(Mixture.of({"restate": 1, "find": 3}), 8)
OTHER = Schedule.joint(Mixture.uniform("marks"), 8)
TRIALS = (*(("baseline", Schedule.none(), s) for s in range(3)), ("design", MIX, 0), ("search", OTHER, 0), *(("finalist", MIX, s) for s in (3, 4, 5)))  # fmt: skip  # noqa: E501


@pytest.fixture(scope="module")
def study(tiny_lab, tmp_path_factory):
    """A finished study of eight trainings, without Ray: the records, outcomes and segments that a driver leaves."""
    folder = tmp_path_factory.mktemp("study")
    config = configure(
        targets=("retrieval", "tag", "topic"), languages=("near1",), model=str(tiny_lab.model), data=str(tiny_lab.data),
        trials=5, baseline_seeds=3, leaders=1, leader_seeds=3, name="small",
    )  # fmt: skip
    setup, ledger = prepare(config), Ledger(folder)
    ledger.save_config(config)
    context = open_context(setup.suite, setup.data, setup.model, str(folder / "store"))
    for number, (role, schedule, seed) in enumerate(TRIALS):
        plan = setup.plan_of(config)(schedule, seed)
        done = run_plan(plan, context)
        ledger.write_outcomes(number, done.outcomes)
        ledger.write(
            TrialRecord(number=number, role=role, status="done", plan=plan, scores=done.scores, objective=0.0, ended=1.0)
        )
    return folder


@pytest.fixture
def mix(tmp_path):
    path = tmp_path / "mix.toml"
    path.write_text(schedule_toml(MIX))
    return path


def told(folder):
    return json.loads((folder / "tasksearch.json").read_text())


def test_the_exported_models_scores_are_its_trials(study, mix, tmp_path):
    done = export_model(mix, tmp_path / "out", target="tag", study=study)
    trial = Ledger(study).outcomes(5)
    assert (done.architecture, done.origin["trial"], done.origin["differing"]) == ("XLMRobertaForTokenClassification", 5, 0)
    assert {row["language"] for row in done.scores} == {"en", "near1"}
    for row in done.scores:
        assert row["value"] == pytest.approx(value_of(trial["tag", row["language"], "report"]), abs=1e-9)
        certain = row["value"] in (0.0, 100.0)
        assert (row["low"] is None) if certain else (row["low"] < row["value"] < row["high"])
    assert told(tmp_path / "out")["plan"]["seed"] == 3
    table = {(row["target"], row["language"]): row for row in done.origin["scores"]}
    assert all(row["low"] is None or 0 <= row["low"] <= row["value"] <= row["high"] <= 100 for row in table.values())
    modes = {path.name: path.stat().st_mode for path in (tmp_path / "out").iterdir()}
    assert modes["model.safetensors"] == modes["README.md"], "who may read the card may read the weights"
    fresh = [value_of(Ledger(study).outcomes(n)["tag", "near1", "report"]) for n in (5, 6, 7)]
    assert table["tag", "near1"]["value"] == pytest.approx(sum(fresh) / 3)
    assert table["tag", "near1"]["seeds"] == 3


def test_the_card_says_what_one_must_know(study, mix, tmp_path):
    from huggingface_hub import ModelCard

    export_model(mix, tmp_path / "out", target="tag", study=study)
    text = (tmp_path / "out" / "README.md").read_text()
    card = ModelCard(text)
    assert card.data.pipeline_tag == "token-classification" and card.data.library_name == "transformers"
    for said in (
        "Generated, code-mixed world",
        "This model answers every example as trial 5 (finalist) of `small` did.",
        "It was one of the 1 finalists",
        "Rule english-dev",  # one language beside English leaves no other to choose on
        "over 3 fresh seeds, against no intermediate phase over 3 seeds",
        "| tag | near1 | accuracy |",
        "find 3/4 + restate 1/4",
        "| restate | intermediate | Apache-2.0 |",
        "tasksearch train --mix",
        "--target tag --study",
        "transformers 5.",
    ):
        assert said in text, said


def test_the_study_keeps_its_records_and_its_finished_segments(study, mix, tmp_path):
    def files():
        kept = (path for path in study.rglob("*") if path.is_file() and path.name != "uses" and ".claims" not in path.parts)
        return {path: path.stat().st_mtime_ns for path in kept}

    before = files()
    parts = []
    export_model(mix, tmp_path / "out", target="tag", study=study, on_step=lambda part, step, steps: parts.append(part))
    assert files() == before
    assert set(parts) == {"target/tag"}, "the intermediate phase was in the study's store"


def test_an_encoder_alone_has_the_studys_retrieval(study, mix, tmp_path):
    done = export_model(mix, tmp_path / "out", encoder_only=True, study=study)
    assert done.architecture == "XLMRobertaForMaskedLM" and done.origin["differing"] == 0
    assert [(row["target"], row["language"]) for row in done.scores] == [("retrieval", "near1")]
    assert done.scores[0]["value"] == pytest.approx(value_of(Ledger(study).outcomes(5)["retrieval", "near1", "report"]))


def test_other_features_are_another_plan_and_repeat_nothing_of_the_studys(study, mix, tmp_path):
    with pytest.raises(BadInput, match="add --features cls"):
        export_model(mix, tmp_path / "out", target="topic", study=study)
    done = export_model(mix, tmp_path / "out", target="topic", study=study, features="cls")
    assert done.origin["trial"] is None and not done.origin["scores"]
    text = (tmp_path / "out" / "README.md").read_text()
    assert "Features are `cls` here and were `pair-diff` in the study" in text
    assert "did not train this very plan and seed" in text
    assert told(tmp_path / "out")["plan"]["settings"]["features"] == "cls"


def test_a_seed_the_study_had_is_that_trial_and_another_is_a_model_of_its_own(study, mix, tmp_path):
    had = export_model(mix, tmp_path / "had", target="tag", study=study, seed=0)
    assert (had.origin["trial"], had.origin["role"], had.origin["differing"]) == (3, "design", 0)
    own = export_model(mix, tmp_path / "own", target="tag", study=study, seed=77)
    assert own.origin["trial"] is None and own.origin["scores"], "the mix's own scores over fresh seeds still stand"


def test_a_mix_that_was_no_leader_and_the_baseline_say_so(study, tmp_path):
    export_model(OTHER, tmp_path / "other", target="tag", study=study)
    assert "no finalist and was not trained on fresh seeds" in (tmp_path / "other" / "README.md").read_text()
    export_model(Schedule.none(), tmp_path / "none", target="tag", study=study)
    assert "this is the baseline" in (tmp_path / "none" / "README.md").read_text()


def test_the_untrained_reference_is_no_training_of_the_baseline(study):
    [bare, *_] = Ledger(study).records()
    reference = dataclasses.replace(bare, role="untrained", number=99)
    with pytest.raises(StudyNotReady, match="never scored"):
        trained_by([reference], Schedule.none(), "small", None)
    assert trained_by([reference, bare], Schedule.none(), "small", None) == bare


def test_without_a_study_the_card_knows_no_choice_and_equal_calls_give_equal_weights(tiny_lab, mix, tmp_path):
    places = {"data": str(tiny_lab.data), "model": str(tiny_lab.model)}
    for name in ("a", "b"):
        export_model(mix, tmp_path / name, target="tag", **places)
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (tmp_path / "b" / "model.safetensors").read_bytes()
    text = (tmp_path / "a" / "README.md").read_text()
    assert "Not known: it was trained from a mix file alone" in text
    assert told(tmp_path / "a")["base_model"] == tiny_lab.model.name, "no path of this machine"


def test_the_example_runs_with_transformers_alone(study, mix, tmp_path):
    export_model(mix, tmp_path / "out", study=study, encoder_only=True)
    alone = "import runpy, sys; sys.modules['tasksearch'] = None; runpy.run_path('example.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", alone], cwd=tmp_path / "out", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ('[[stage]]\nsteps = 8\nmixture = { restat = 1 }\n', UnknownName, "did you mean 'restate'"),
        ('[[stage]]\nsteps = 8\nmixture = { restate = 0, find = 0 }\n', BadInput, "weight of '(restate|find)' is 0; expected"),
        ('[[stage]]\nsteps = 8\nmixture = { }\n', BadInput, "at least one task"),
        ("not toml", BadInput, "is not TOML"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("with_study", [True, False])
def test_a_mix_that_means_nothing_is_one_line_before_anything_is_trained(study, tmp_path, text, error, said, with_study):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(error, match=said) as caught:
        export_model(tmp_path / "bad.toml", tmp_path / "out", target="tag", study=study if with_study else None)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"target": "tga"}, UnknownName, "no target in study 'small' 'tga'; did you mean 'tag'"),
        ({"target": "nli"}, UnknownName, "no target in study 'small' 'nli'"),  # the suite has it, the study does not
        ({"target": "retrieval"}, BadInput, "--encoder-only"),
        ({}, BadInput, "either --target NAME or --encoder-only"),
        ({"target": "tag", "encoder_only": True}, BadInput, "either --target NAME or --encoder-only"),
        ({"target": "tag", "suite": "lab"}, BadInput, "leave --suite out"),
        ({"target": "tag", "mix": Schedule.joint(Mixture.uniform("find"), 8)}, StudyNotReady, "never scored the mix 'find"),
        ({"target": "tag", "study": None, "suite": "lap"}, UnknownName, "did you mean 'lab'"),
        ({"target": "tga", "study": None}, UnknownName, "no target in suite 'lab' 'tga'"),
    ],
)
def test_what_cannot_be_exported_is_one_line(study, mix, tmp_path, changes, error, said):
    options = {"mix": mix, "study": study} | changes
    with pytest.raises(error, match=said) as caught:
        export_model(options.pop("mix"), tmp_path / "out", **options)
    assert "\n" not in str(caught.value) and not (tmp_path / "out").exists()


def test_a_folder_with_content_is_refused_before_training_and_force_deletes_no_file_of_others(study, mix, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="is not empty; expected a new or empty folder, or --force"):
        export_model(mix, out, target="tag", study=study, on_step=lambda *_: pytest.fail("trained"))
    export_model(mix, out, target="tag", study=study, force=True)
    [aside] = tmp_path.glob("out.replaced-*")
    assert (aside / "thesis.txt").read_text() == "mine" and (out / "config.json").exists()
    export_model(mix, out, encoder_only=True, study=study, force=True)
    assert told(out)["kind"] == "encoder"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["mix.toml", "out", aside.name]), "nothing half-written"


def test_a_full_disk_leaves_nothing_behind(study, mix, tmp_path, monkeypatch):
    import errno
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(DiskFull, match="0 MB are free"):
        export_model(mix, tmp_path / "out", target="tag", study=study)
    monkeypatch.undo()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tasksearch.export.write._write", full)
    with pytest.raises(DiskFull, match="nothing of it was kept"):
        export_model(mix, tmp_path / "out", target="tag", study=study)
    assert [path.name for path in tmp_path.iterdir()] == ["mix.toml"]


def test_non_commercial_data_are_named_on_the_card_and_beside_the_numbers(tiny_lab, mix, tmp_path, monkeypatch):
    from tasksearch.tasks.lab_suite import lab_suite

    suite = lab_suite()
    cards = tuple(
        dataclasses.replace(c, licence="CC BY-NC 4.0") if c.name == "restate"
        else dataclasses.replace(c, non_commercial=True) if c.name == "tag" else c for c in suite.cards
    )  # fmt: skip
    monkeypatch.setattr("tasksearch.tasks.catalogue.SUITES", {"lab": lambda: dataclasses.replace(suite, cards=cards)})
    from tasksearch.tasks.catalogue import packaged_suite

    packaged_suite.cache_clear()
    try:
        places = {"data": str(tiny_lab.data), "model": str(tiny_lab.model)}
        done = export_model(mix, tmp_path / "out", target="tag", **places)
    finally:
        packaged_suite.cache_clear()
    assert any("non-commercial data (restate, tag)" in warning for warning in done.warnings)
    text = (tmp_path / "out" / "README.md").read_text()
    assert "CC BY-NC 4.0 (**non-commercial**)" in text and "Trained on non-commercial data (restate, tag)" in text


def test_the_command_prints_the_scores_and_as_json_one_object(study, mix, tmp_path, inside):
    command = [sys.executable, "-m", "tasksearch", "train", "--mix", str(mix), "--target", "tag", "--study", str(study)]
    plain = subprocess.run([*command, "--out", str(tmp_path / "a")], capture_output=True, text=True, check=False)
    assert plain.returncode == 0, plain.stderr
    assert "target/tag, step 40/40" in plain.stderr and "equal to trial 5 of small" in plain.stdout
    assert "generated, code-mixed world" in " ".join(plain.stdout.split()) and "\x1b" not in plain.stdout
    said = inside(*command[3:], "--out", str(tmp_path / "b"), "--json")
    assert json.loads(said.stdout)["origin"]["differing"] == 0

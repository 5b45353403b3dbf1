"""The command line: help is light, mistakes are one line, and one small study runs from end to end."""

import functools
import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.records.holdout_log import holdout_uses
from tasksearch.records.mix_file import read_mix

TINY = [
    "--controls",
    "none",
    "--trials",
    "5",
    "--baseline-seeds",
    "3",
    "--leaders",
    "1",
    "--leader-seeds",
    "3",
    "--most-seeds",
    "3",
    "--target",
    "retrieval",
    "--target",
    "topic",
]
ONE_WORKER = ["--concurrency", "1"]  # a second one imports for longer than it would train
LAB = ["--phase1-steps", "30", "--language", "near1", "--language", "lowfar"]


def tasksearch(*arguments, cwd=None, timeout=400):
    return subprocess.run(
        [sys.executable, "-m", "tasksearch", *arguments], capture_output=True, text=True, cwd=cwd, timeout=timeout, check=False
    )


def test_help_loads_no_heavy_library():
    code = (
        "import sys; sys.argv = ['tasksearch', '--help']\n"
        "from tasksearch.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print([name for name in ('torch', 'ray', 'mlflow', 'optuna', 'transformers', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--space", "joint_v_seq"], "did you mean 'joint_vs_seq'?"),
        (["run", "--suite", "lap"], "did you mean 'lab'?"),
        (["run", "--target", "nly"], "did you mean 'nli'?"),
        (["run", "--language", "near9"], "did you mean 'near"),
        (["run", "--sampler", "tpf"], "did you mean 'tpe'?"),
        (["run", "--lr-policy", "phases"], "did you mean 'phase'?"),
        (["run", "--suite", "lowres", "--data", "nowhere"], "give another by --data DIR, or set TASKSEARCH_DATA"),
        (["run", "--retrieval-layer", "9", *LAB], "retrieval layer 9; the model has layers 0 (embeddings) to 2"),
        (["run", "--max-hours", "0"], "--max-hours is 0; expected a positive number of hours"),
        (["run", "--trials", "0"], "--trials is 0; expected at least 1"),
        (["run", "--baseline-seeds", "2"], "--baseline-seeds is 2; expected at least 3"),
        (["run", "--space", "./nowhere.py"], "no search-space file './nowhere.py'"),
        (["run", "--model", "./nowhere", *LAB], "no model folder './nowhere'"),
        (["best", "nowhere"], "no study in"),
        (["resume", "nowhere"], "no study in"),
        (["ui", "nowhere"], "no study in"),
        (["store", "ls", "nowhere"], "no study and no store in nowhere"),
        (["store", "prune", ".", "--budget", "20"], "'20' is no size; expected such as 20GB"),
        (["run", "--store", "s4://bucket"], "expected a folder or an fsspec URL"),
        (["run", "--optuna-storage", "optuna"], "the Optuna storage 'optuna'; expected sqlite:///FILE"),
        (["run", "--optuna-storage", "sqlite:///no/folder.db"], "lies in no folder; expected sqlite:///FILE"),
        (["run", "--max-gpu-hours", "1", "--gpus-per-trial", "0"], "--max-gpu-hours beside --gpus-per-trial 0"),
        (["best", "nowhere", "--out", "mix.toml"], "--out needs --language"),
    ],
)
def test_a_mistake_is_one_line_without_a_traceback(arguments, said, tmp_path, inside):
    done = inside(*arguments, cwd=tmp_path)
    assert done.returncode not in (0, 1)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_a_model_of_another_shape_is_refused(tmp_path, inside):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text('{"model_type": "gpt2"}')
    done = inside("run", "--model", str(tmp_path / "m"), *LAB, cwd=tmp_path)
    assert done.returncode == 2
    assert "'gpt2' model; known encoder families are" in done.stderr


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "study"
    done = tasksearch("run", "--space", "joint", *TINY, *LAB, *ONE_WORKER, "--out", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_a_study_runs_from_the_command_line_to_a_verdict(study):
    _, said = study
    assert said["summary"]["done"] == 5 + 3 + 1  # the baseline on the third fresh seed
    assert {choice["name"] for choice in said["verdict"]["choices"]} >= {"near1", "lowfar", "all"}
    for choice in said["verdict"]["choices"]:
        assert choice["gain"]["low"] <= choice["gain"]["value"] <= choice["gain"]["high"]
        covers = choice["gain"]["low"] <= 0 <= choice["gain"]["high"]
        assert (choice["best_mix"] is None) or not covers


def test_running_it_again_runs_nothing_and_says_the_same(study, inside):
    folder, said = study
    again = inside("resume", str(folder), "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["verdict"] == said["verdict"]


def test_asking_for_another_study_in_the_same_folder_is_refused(study, inside):
    folder, _ = study
    done = inside("run", "--space", "joint", *TINY, *LAB, "--seed", "7", "--out", str(folder))
    assert done.returncode == 2
    assert "holds another study" in done.stderr


def test_the_study_ends_with_one_count_in_all_its_books(study):
    assert study[1]["summary"]["counts"] == {"ledger": 9, "Optuna": 9, "MLflow": 9}


def test_the_optuna_study_moves_into_a_database_and_back_and_is_complete_there(study, tmp_path, inside):
    folder, said = study
    for option in (["--optuna-storage", f"sqlite:///{tmp_path}/o.db"], [], ["--optuna-storage", "journal"]):
        done = inside("resume", str(folder), *option, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["summary"]["counts"] == said["summary"]["counts"]
        place = "journal" if option[-1:] == ["journal"] else f"sqlite:///{tmp_path}/o.db"
        assert (folder / "optuna.location").read_text() == f"{place}\n"
    assert (tmp_path / "o.db").exists()


def test_the_store_is_listed_summed_verified_and_pruned(study, inside):
    folder, _ = study
    listed = json.loads(inside("store", "ls", str(folder), "--json").stdout)["segments"]
    assert {entry["kind"] for entry in listed} == {"intermediate", "scores"}
    assert all(entry["size"] > 0 and entry["seconds"] > 0 for entry in listed)
    assert any("seed" in entry["label"] for entry in listed)
    sums = json.loads(inside("store", "du", str(folder), "--json").stdout)["kinds"]
    assert sum(row["bytes"] for row in sums.values()) == sum(entry["size"] for entry in listed)
    whole = inside("store", "verify", str(folder), "--json")
    assert whole.returncode == 0 and json.loads(whole.stdout)["damaged"] == []
    dry = json.loads(inside("store", "prune", str(folder), "--budget", "0MB", "--dry-run", "--json").stdout)
    assert sorted(dry["removed"]) == sorted(entry["name"] for entry in listed)


def test_a_second_study_over_the_same_store_trains_nothing_it_holds(study, tmp_path):
    folder, said = study
    options = ["--out", str(tmp_path / "second"), "--store", str(folder / "store"), "--name", "second", "--json"]
    done = tasksearch("run", "--space", "joint", *TINY, *LAB, *ONE_WORKER, *options)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"]["choices"] == said["verdict"]["choices"]
    for path in (tmp_path / "second" / "trials").glob("[0-9]*[0-9].json"):
        seconds = dict(json.loads(path.read_text())["seconds"])
        assert "target" not in seconds and "intermediate" not in seconds and seconds["reused"] > 0
    assert not (tmp_path / "second" / "store").exists()


def test_the_mix_is_written_as_toml_that_reads_back(study, tmp_path, inside):
    folder, _ = study
    wanted = ["--language", "near1", "--select", "target-dev", "--out", str(tmp_path / "mix.toml")]
    done = inside("best", str(folder), *wanted)
    assert done.returncode == 0, done.stderr
    assert "Adaptive" in done.stdout
    assert "The search was not worth its" in " ".join(done.stdout.split()) or "cannot be said" in done.stdout
    assert "generated, code-mixed world" in " ".join(done.stdout.split())
    assert read_mix(tmp_path / "mix.toml").steps > 0


def test_every_trial_is_in_mlflow_once_and_none_is_left_running(study):
    from mlflow import MlflowClient

    folder, _ = study
    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    experiment = next(e for e in client.search_experiments() if e.name != "Default")
    runs = client.search_runs([experiment.experiment_id])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    assert len(children) == 9
    assert len(runs) == 10
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_optuna_opens_the_study(study):
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    folder, _ = study
    storage = JournalStorage(JournalFileBackend(str(folder / "optuna.journal")))
    [name] = optuna.get_all_study_names(storage)
    loaded = optuna.load_study(study_name=name, storage=storage)
    assert [trial.state.name for trial in loaded.trials] == ["COMPLETE"] * 9


def test_the_table_of_trials_is_plain_text_where_there_is_no_terminal(study, inside):
    folder, _ = study
    done = inside("trials", str(folder))
    assert done.returncode == 0
    assert "baseline" in done.stdout
    assert "\x1b" not in done.stdout


def test_nothing_is_written_outside_the_study_and_the_cache(study, tmp_path):
    assert list(tmp_path.iterdir()) == []


SMALLER = {
    "--trials +16": "--trials +1 --concurrency 1",
    "--kills 100": "--kills 2",
    "plan --space ladder": "plan --space ladder --phase1-steps 30 --target topic --language near1",
    "run --space joint_vs_seq": "run --print-config",
    "--target tag": "--target topic --features cls",  # the small study has no tagging; transformers has no head on pair-diff
}
"""What the test changes in a command of the README, so that it takes seconds. The study itself is run by the fixture."""


IN_A_PROCESS = ("extend", "torture")
"""Commands that start Ray, or fork; nothing is left to resume."""


def readme_commands():
    """The lines of the README's section "Use", without their comments."""
    text = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    block = text.partition("## Use")[2].partition("```\n")[2].partition("```")[0]
    return [line.partition("#")[0].strip() for line in block.splitlines()]


def test_the_commands_of_the_readme_succeed_in_the_order_in_which_they_stand(study, tmp_path, monkeypatch):
    here = shutil.copytree(study[0], tmp_path / "here" / "STUDY").parent
    monkeypatch.chdir(here)
    (here / "STUDY" / "readings.json").unlink()
    commands = readme_commands()
    assert len(commands) == 20 and all(line.startswith("tasksearch ") and "…" not in line for line in commands)
    extended = False
    for line in commands:
        words = shlex.split(functools.reduce(lambda text, pair: text.replace(*pair), SMALLER.items(), line).partition(">")[0])[
            1:
        ]
        if words[0] == "ui" or "--effects" in words:
            # `ui` serves until it is stopped (tests/study/test_compare_page.py opens it); effects need eight mixes, more than
            # the small study has (tests/study/test_task_effects.py)
            continue
        if words[0] in IN_A_PROCESS:
            done = tasksearch(*words, cwd=here)
            assert done.returncode == 0, (line, done.stderr)
        else:
            answered = CliRunner().invoke(app, words)
            assert answered.exit_code == 0, (line, answered.output, answered.exception)
        extended |= words[0] == "extend"
        if "--out" in words and words[0] == "best":
            assert read_mix(here / "mix.toml").steps > 0
            (here / "mix.toml").rename(here / f"{extended}.toml") if extended else None
    assert (here / "models" / "tag" / "model.safetensors").exists() and (here / "True.toml").exists()
    assert (here / "STUDY" / "report.html").exists() and list((here / "tables").glob("*.tex"))
    uses = holdout_uses(here / "STUDY")
    assert uses[0].rule == "pivot-dev" and not uses[0].adaptive
    assert any(use.rule == "target-dev" and use.adaptive for use in uses)

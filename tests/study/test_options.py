"""Every option of a study through every door: flags, config file, Python; and the command that asks for the study again."""

import dataclasses
import inspect
import json
import shlex
import shutil
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tasksearch.cli.app import app
from tasksearch.cli.from_table import IN_A_FILE
from tasksearch.core.errors import BadInput, TasksearchError, UnknownName
from tasksearch.core.mixture import Mixture
from tasksearch.core.option import options_of
from tasksearch.core.options import HEADINGS, Changes, Growth, Places, Resources, StudyOptions
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.study import StudyConfig
from tasksearch.models.encoder import Shape
from tasksearch.records.ledger import Ledger
from tasksearch.study import forecast as forecasting
from tasksearch.study import run as running
from tasksearch.study.config_file import config_text, read_config
from tasksearch.study.configuration import Asked, command_of, configure, slots_here
from tasksearch.study.settings import settings_of
from tasksearch.tasks.catalogue import load_suite

SAMPLES = {
    "space": "joint", "from_study": "small", "confirm": 3, "suite": "lowres", "targets": ["nli", "tag"],
    "languages": ["near1"], "steps": [8, 16],
    "continuous": True, "rules": ["explicit", "capped(16)", "uniform->temperature(2.5)"],
    "intermediate_epochs": [0.5], "available": True,
    "objective": "nli=2,tagging=1,sov", "sampler": "random", "select": "target-dev",
    "scheduler": "asha", "lag": 7, "trials": 9,
    "baseline_seeds": 4, "leaders": 2, "leader_seeds": 3, "most_seeds": 4, "half_width": 1.5, "max_trainings": 199,
    "controls": "length,soup", "few_shot": 12, "untrained": True,
    "pairs": 0,
    "twins": 3, "twin_seeds": 4, "seed": 5, "model": "some/model", "data": "data", "preset": "small", "head_lr_factor": 10.0,
    "batch_size": 8, "target_steps": 7, "search_target_steps": 0.25, "early_stopping": 20, "patience": 2,
    "epochs": 1.5, "learning_rate": 3e-4, "intermediate_learning_rate": [1e-5, 2e-4],
    "arm_learning_rate": ["joint=2e-05", "sequential=1e-05,5e-05"],
    "target_learning_rate": 2e-5, "warmup": 0.25,
    "lr_policy": "stage", "mixing": "mixed", "precision": "bf16", "max_length": 64, "features": "cls", "head": "warm",
    "methods": ["adversarial:steps=2,phase=both", "smoothing:sigma=0.05"],
    "train_examples": 9, "evaluation_examples": 11, "retrieval_layer": 1, "retrieval_pooling": "mean-content",
    "retrieval_prefix": "query: ",
    "intermediate_average": 3, "target_average": 4, "average_every": 0.2,
    "target": {"nli": {"batch_size": 4, "learning_rate": 1e-3}, "topic": {"epochs": 2.0}}, "name": "mine",
    "tracking_uri": "http://host:5000", "deterministic": True, "pretraining_text": ["text.txt"], "allow_leakage": True,
    "allow_trimmed": True,
    "skip_bad": 2, "world_seed": 3, "phase1_steps": 30, "shuffled_labels": True,
    "max_hours": 2.0, "max_gpu_hours": 3.0, "concurrency": 6, "cpus_per_trial": 2.0,
    "memory_per_trial": "1.5GB", "gpus_per_trial": 0.5, "address": "auto",
    "snapshot_minutes": 0.0, "store": "s3://bucket/store", "store_budget": "20GB", "optuna_storage": "journal",
    "keep_targets": True, "tensorboard": True, "out": "there", "accept_versions": True, "retrain": True,
    "translations": ["english", "all"], "mlm_shares": ["0", "1/4"], "mlm_languages": ["near1", "sov"], "language_exponent": 0.5,
    "picker": "parts.py:picker", "trainable": "parts.py:Trainable", "encoder": "parts.py:Encoder",
}  # fmt: skip
BESIDE = {
    "confirm": {"from_study": "small"},
    "patience": {"early_stopping": 20},
    "suite": {"model": "some/model"}, "max_gpu_hours": {"gpus_per_trial": 0.5}, "data": {"model": "some/model"},
    "translations": {"suite": "lowres", "model": "some/model"}, "mlm_shares": {"mlm_languages": ["near1"]},
    "intermediate_epochs": {"space": "singles_and_all"},
    "available": {"suite": "xtreme", "model": "some/model", "space": "phang2020", "data": "."},
    "average_every": {"target_average": 2},
}  # fmt: skip
"""What an option needs beside itself."""
PARTS = """
from tasksearch.models.families.bert import Bert
from trainables.three_phase import ThreePhase


class Encoder(Bert):
    pass


class Trainable(ThreePhase):
    pass


def picker(shown):
    return shown.gains
"""


@pytest.fixture(scope="module")
def small_study(tmp_path_factory, toy):
    """A study whose mixes another one may take over: three seeds of the baseline and eight mixes."""
    config = configure(space="joint", targets=["nli"], languages=["near1"], trials=11, baseline_seeds=3)
    ledger = Ledger(tmp_path_factory.mktemp("small") / "study")
    ledger.save_config(config)
    for number in range(11):
        mix = Schedule.none() if number < 3 else Schedule.joint(Mixture.uniform(*config.space.tasks[: number - 2]), 128)
        role, scores = "baseline" if number < 3 else "search", toy.table({("nli", "near1"): 50.0 + number})
        ledger.write(toy.record(number, role=role, schedule=mix, seed=number, scores=scores, objective=0.0))
    return ledger.folder


@pytest.fixture(autouse=True)
def _data(tmp_path, monkeypatch, request):
    if any(name in request.node.name for name in ("from_study", "confirm")):
        shutil.copytree(request.getfixturevalue("small_study"), tmp_path / "small")
    monkeypatch.setenv("TASKSEARCH_DATA", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "mnli").mkdir()
    (tmp_path / "mnli/multinli_1.0_train.jsonl").touch()  # the one task that is there, of those of `--available`


@pytest.fixture
def command(monkeypatch):
    """Runs a command up to where it would call the study: (configuration, resources, folder)."""
    seen = []

    def note(config, folder=None, *, resources=None, **_):
        seen.append((config, resources, folder))
        raise BadInput("noted")

    monkeypatch.setattr(running, "run_study", note)
    monkeypatch.setattr(forecasting, "forecast_study", note)

    def ask(*arguments):
        seen.clear()
        result = CliRunner().invoke(app, list(arguments))
        if not seen:
            raise result.exception or AssertionError(result.output)
        return seen[0]

    return ask


def flags_of(words):
    """Flags from the table's names, not by the code that prints commands."""
    found = []
    for name, value in words.items():
        one = next(o for table in IN_A_FILE for o in options_of(table) if o.name == name)
        if name == "target":
            found += [w for t, own in value.items() for s, v in own.items() for w in ("--set", f"{t}.{s}={v}")]
        elif isinstance(value, bool):
            found.append(one.flag if value else one.flag.replace("--", "--no-"))
        else:
            found += [word for each in (value if isinstance(value, list) else [value]) for word in (one.flag, str(each))]
    return found


def file_of(path, words):
    plain = {name: value for name, value in words.items() if name != "target"}
    lines = [f"{name} = {json.dumps(value)}" for name, value in plain.items()]
    for target, own in words.get("target", {}).items():
        lines += [f"[target.{target}]", *(f"{name} = {json.dumps(value)}" for name, value in own.items())]
    path.write_text("\n".join(lines))
    return str(path)


def in_python(words):
    parts = [table(**{o.name: words[o.name] for o in options_of(table) if o.name in words}) for table in IN_A_FILE]
    config = configure(**{name: value for name, value in words.items() if name in vars(parts[0])})
    at_once = 2 * slots_here(parts[1]) if parts[0].lag is None else parts[0].lag
    config = dataclasses.replace(config, lag=max(at_once, parts[1].concurrency or 1))
    return config, parts[1], Asked(study=parts[0], resources=parts[1], places=parts[2]).folder(config)


def test_every_option_has_a_sample():
    assert set(SAMPLES) == {one.name for table in IN_A_FILE for one in options_of(table)}


@pytest.mark.parametrize("name", SAMPLES)
def test_an_option_means_the_same_through_every_door(name, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    words = BESIDE.get(name, {}) | {name: SAMPLES[name]}
    asked = in_python(words)
    assert asked != in_python(BESIDE.get(name, {})), "the sample asks for something"
    file = file_of(tmp_path / "study.toml", words)
    assert command("run", *flags_of(words)) == asked
    assert command("run", "--config", file) == asked
    assert command("plan", *flags_of(words)) == command("plan", "--config", file) == asked
    printed = CliRunner().invoke(app, ["run", *flags_of(words), "--print-config"])
    (tmp_path / "again.toml").write_text(printed.stdout)
    assert command("run", "--config", str(tmp_path / "again.toml")) == asked


def test_defaults_are_one():
    assert in_python({})[0] == configure() == Asked.read({}).config()
    signature = inspect.signature(configure)
    assert all(signature.parameters[one.name].default == one.default for one in options_of(StudyOptions))
    defaults = configure()
    assert (defaults.leader_seeds, defaults.most_seeds, defaults.controls) == (2, 5, ("length", "exposure", "soup"))


def test_a_default_of_a_stored_study_is_the_table_s_but_where_it_was_another_once():
    once = {"leader_seeds", "most_seeds", "controls", "untrained", "objective", "data", "pairs", "lag", "preset", "sampler"}
    fields = {one.name: one.default for one in dataclasses.fields(StudyConfig)}
    same = {one.name: one.default for one in options_of(StudyOptions) if one.name in fields and one.name not in once}
    unset = {name: None if default == "" else default for name, default in fields.items()}
    differ = {name for name, value in same.items() if unset[name] not in (value, dataclasses.MISSING)}
    assert not differ


OF_A_STUDY = [one.name for one in options_of(StudyOptions)]


@pytest.mark.parametrize("name", OF_A_STUDY)
def test_the_command_that_a_report_prints_asks_for_an_equal_study(name, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    config = configure(**BESIDE.get(name, {}), **{name: SAMPLES[name]})
    words = shlex.split(command_of(config))
    assert words[:2] == ["tasksearch", "run"]
    assert command(*words[1:])[0] == config


def test_the_command_of_everything_at_once_asks_for_an_equal_study(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    everything = {name: value for name, value in SAMPLES.items() if name in OF_A_STUDY}
    for alone in (
        "from_study",
        "confirm",
        "suite",
        "data",
        "epochs",
        "target",
        "languages",
        "intermediate_epochs",
        "available",
        "early_stopping",
        "patience",
        "translations",
        "arm_learning_rate",  # of matched pairs, of which there are none beside the rest
    ):
        everything.pop(alone)
    config = configure(**everything, target={"nli": {"batch_size": 4}})
    assert command(*shlex.split(command_of(config))[1:])[0] == config


def test_the_command_of_a_study_whose_space_has_no_name_takes_it_from_the_study(command, tmp_path):
    config = configure(space="joint")
    config = dataclasses.replace(config, space=dataclasses.replace(config.space, tasks=("find", "sort"), name="mine"))
    Ledger(tmp_path / "my study").save_config(config)
    assert command(*shlex.split(command_of(config, tmp_path / "my study"))[1:])[0] == config


def test_flags_go_before_the_file(command, tmp_path):
    words = {"trials": 9, "continuous": True, "target": {"nli": {"steps": 5, "batch_size": 4}}, "controls": "none"}
    file = file_of(tmp_path / "study.toml", words)
    config, _, _ = command("run", "--config", file, "--trials", "12", "--no-continuous", "--set", "nli.steps=6")
    assert (config.trials, config.space.denominator, config.controls) == (12, 8, ())
    assert config.overrides.target == (("nli", (("batch_size", 4), ("steps", 6))),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trails = 9", r"study.toml: no option 'trails'; did you mean 'trials'\?"),
        ("trials = '9'", "study.toml: --trials is '9'; expected an integer"),
        ("trials = true", "--trials is True; expected an integer"),
        ("targets = 'nli'", r"--target is 'nli'; expected a list of values, such as \['nli'\]"),
        ("sampler = 'tpf'", "no value for --sampler 'tpf'; did you mean 'tpe'"),
        ("warmup = 1", r"--warmup is 1; expected a share in \[0, 1\)"),
        ("learning_rate = inf", "--learning-rate is inf; expected a positive number"),
        ("target = ['nli']", "--set 'nli'; expected settings of single targets"),
        ("target = 'nli'", "targets to be scored are named by `targets`"),
        ("[target.nli]\nbatchsize = 3", r"no setting of target 'nli' 'batchsize'; did you mean 'batch_size'\?"),
        ("[target.nli]\nbatch_size = 0", "target 'nli': batch_size is 0; expected at least 1"),
        ("[target.nli]\nsteps = 'many'", "steps of target 'nli' is 'many'; expected an integer"),
        ("trials = 9 9", "study.toml is not TOML"),
        ("epochs = 2\ntarget_steps = 9", "--epochs 2 with --target-steps 9; expected one of them"),
        ("store_budget = '20'", "'20' is no size"),
    ],
)
def test_a_mistake_in_a_file_is_one_line(text, said, tmp_path):
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(TasksearchError, match=said) as caught:
        read_config(tmp_path / "study.toml")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_target_that_is_not_asked_for():
    with pytest.raises(BadInput, match=r"cannot read nowhere\.toml"):
        read_config("nowhere.toml")
    with pytest.raises(UnknownName, match="no target of the study 'nly'; did you mean 'nli'"):
        configure(target={"nly": {"steps": 3}})
    with pytest.raises(UnknownName, match="no option 'trails'; did you mean 'trials'"):
        configure(trails=3)


@pytest.mark.parametrize("name", ["world_seed", "phase1_steps", "shuffled_labels"])
def test_the_lab_s_options_are_refused_for_other_suites(name, tmp_path):
    with pytest.raises(BadInput, match="expected suite lab"):
        configure(suite="lowres", model="m", **{name: SAMPLES[name]})


def test_no_password_is_printed(tmp_path):
    secrets = {"tracking_uri": "http://me:word1@host/x", "optuna_storage": "postgresql://me:word2@host/x"}
    text = config_text(Asked.read(secrets))
    assert "word1" not in text and "word2" not in text and "host/x" in text
    assert "word2" not in repr(Resources(optuna_storage=secrets["optuna_storage"]))
    assert "word1" not in repr(StudyOptions(tracking_uri=secrets["tracking_uri"]))
    assert "word1" not in command_of(configure(tracking_uri=secrets["tracking_uri"]))


def test_headings_belong_to_question_training_resources_or_places():
    assert set(HEADINGS.values()) == {"question", "training", "resources", "places"}
    tables = (StudyOptions, Resources, Places, Growth, Changes)
    assert {one.heading for table in tables for one in options_of(table)} <= set(HEADINGS)


def offered(info, text):
    """What the shell offers for a value that begins so."""
    return [value for value, _ in info.autocompletion(SimpleNamespace(params={}), text)]


@pytest.mark.parametrize("name", ["run", "plan", "resume", "extend"])
def test_choices_are_shown_and_completed(name):
    [info] = [one for one in app.registered_commands if one.callback.__name__ == name]
    hints = {key: hint.__metadata__[0] for key, hint in info.callback.__annotations__.items() if hasattr(hint, "__metadata__")}
    for table in (StudyOptions, Growth, Changes):
        for one in options_of(table):
            if one.choices and one.name in hints and not hints[one.name].hidden:
                words = "|".join(one.choices)
                assert words == hints[one.name].metavar or all(word in hints[one.name].help for word in one.choices)
                assert offered(hints[one.name], one.choices[0][:2])[0].startswith(one.choices[0][:2])
    if name == "run":
        assert offered(hints["controls"], "l") == ["length"]
        assert "lowres" in offered(hints["suite"], "") and "nli" in offered(hints["targets"], "n")
        assert "joint" in offered(hints["space"], "jo") and "sw" in offered(hints["languages"], "sw")


def test_other_commands_show_and_complete_their_choices_too():
    for name, option, words in (
        ("best", "select", ("pivot-dev", "english-dev", "target-dev")), ("train", "features", ("cls", "pair-diff")),
        ("pretrain", "precision", ("fp32", "bf16")), ("languages", "group", ("low", "low+", "unseen")),
        ("report", "question", ("joint-vs-sequential",)),
        ("torture", "layer", ("store", "drivers", "workers", "trainer", "commands", "all")),
    ):  # fmt: skip
        [callback] = [one.callback for one in app.registered_commands if one.callback.__name__ == name]
        info = inspect.get_annotations(callback, eval_str=True)[option].__metadata__[0]
        assert "|".join(words) == info.metavar or all(word in info.help for word in words)
        assert offered(info, words[-1][:3])[-1] == words[-1]


RECORDED = {
    ("lab", False): "3443c0dcd325fcdeecf932ab", ("lab", True): "1288a8a9ecac649f0da8d0c2",
    ("lowres", False): "1a92d47e29f13f27b050240e", ("lowres", True): "c0efd6ffd16e604caca4f2c1",
    ("xtreme", False): "b81fe97438baa0d7950e5b5b", ("xtreme", True): "7236e1372cdeff3258666e02",
}  # fmt: skip
"""Signatures of plans by the code before there were options for batch size, warmup and the like."""


@pytest.mark.parametrize(("suite", "overridden"), RECORDED)
def test_studies_that_use_no_new_option_keep_their_signatures(suite, overridden):
    old = {
        "learning_rate": 3e-4, "target_steps": 7, "train_examples": 9, "precision": "bf16", "evaluation_examples": 11,
    }  # fmt: skip
    config = configure(suite=suite, model="m", **(old if overridden else {}))
    task = "restate" if suite == "lab" else "mnli"
    plan = Plan(
        suite=suite, schedule=Schedule.joint(Mixture.uniform(task), 8), targets=config.targets[:2],
        languages=config.languages[:2], settings=settings_of(load_suite(suite), config, Shape(layers=24, tokens=512)), seed=0,
    )  # fmt: skip
    assert plan.signature == RECORDED[suite, overridden]


def test_a_study_that_uses_no_new_option_is_stored_as_before():
    stored = configure(learning_rate=1e-4).to_json()["overrides"]
    assert set(stored) == {
        "learning_rate", "precision", "target_steps", "train_examples", "evaluation_examples", "retrieval_layer", "every_target"
    }  # fmt: skip
    config = configure(batch_size=8, target={"nli": {"steps": 3}})
    assert StudyConfig.from_json(json.loads(json.dumps(config.to_json()))) == config

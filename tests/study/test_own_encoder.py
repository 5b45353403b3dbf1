"""An encoder family of the user's own: what the study keeps of it, what the model's name becomes, and what is refused."""

import json
import shutil

import pytest
import torch

from tasksearch.core.errors import BadInput, ModelUnusable, UnknownName
from tasksearch.core.own_files import is_reference
from tasksearch.core.schedule import Schedule
from tasksearch.models.encoder import load_pretrained, shape_of
from tasksearch.models.families import family_of
from tasksearch.study.configuration import command_of, configure
from tasksearch.study.setup import files_of
from trainables.three_phase import ThreePhase

MINE = '''
from tasksearch.models.families import EncoderFamily
from tasksearch.models.families.roberta import RobertaLayout, XlmR


class Halved(XlmR):
    """XLM-R whose sequences may be half as long."""

    def longest(self, config):
        return super().longest(config) // 2


class Other(RobertaLayout):
    model_types = ("nothing-like-it",)


class Dear(XlmR):
    def settle(self, model, tokenizer):
        raise ValueError("the tokenizer is too dear")


class No:
    pass
'''


@pytest.fixture
def file(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path / "mine.py"


def study(file, name, tiny_lab, **more):
    asked = {"encoder": f"{file}:{name}", "model": str(tiny_lab.model), "data": str(tiny_lab.data)}
    return configure(**asked, name="own", **more)


def test_the_study_keeps_the_family_and_the_model_is_another_one_by_it(file, tiny_lab):
    config = study(file, "Halved", tiny_lab)
    assert is_reference(config.encoder) and [f.name for f in files_of(config)] == ["mine.py"]
    assert f"--encoder {file}:Halved" in command_of(config)
    plain, own = load_pretrained(str(tiny_lab.model)), load_pretrained(str(tiny_lab.model), config.encoder)
    assert type(own.family).__name__ == type(family_of(own.model)).__name__ == "Halved"
    assert shape_of(str(tiny_lab.model), config.encoder).tokens == shape_of(str(tiny_lab.model)).tokens // 2
    assert all(torch.equal(a, b) for a, b in zip(own.model.parameters(), plain.model.parameters(), strict=True))
    assert own.fingerprint != plain.fingerprint
    file.write_text(MINE.replace("half as long", "half as long."))
    again = study(file, "Halved", tiny_lab)
    assert load_pretrained(str(tiny_lab.model), again.encoder).fingerprint not in (own.fingerprint, plain.fingerprint)


def test_a_worker_that_has_no_file_trains_with_the_family_it_was_sent(file, tiny_lab, tmp_path, monkeypatch):
    """The trainable as Ray makes it on another node: the reference and the packed text are all that it has."""
    from tasksearch.core import own_files
    from tasksearch.study.setup import prepare

    config = study(file, "Halved", tiny_lab, targets=["topic"], languages=["near1"], target_steps=2, max_length=32)
    setup = prepare(config)
    context = json.loads(json.dumps(setup.context(config, tmp_path / "study")))
    plan = setup.plan_of(config)(Schedule.none(), 0)
    file.unlink()
    monkeypatch.setattr(own_files, "_known", {})
    actor = ThreePhase(
        {"number": 0, "role": "baseline", "plan": plan.to_json(), "context": context | {"study_folder": str(tmp_path)}}
    )
    report = actor.step()
    while not report.get("done"):
        report = actor.step()
        assert "failed" not in report, report
    assert json.loads(report["scores"])
    assert type(actor._run.context.pretrained.family).__name__ == "Halved"


def test_what_is_no_family_or_not_this_models_is_one_line(file, tiny_lab, tmp_path):
    for name, error, said in (
        ("No", BadInput, r"expected a class derived from tasksearch\.models\.families\.EncoderFamily"),
        ("Halvd", UnknownName, "Halved"),
    ):
        with pytest.raises(error, match=said) as caught:
            study(file, name, tiny_lab)
        assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match=r"--encoder 'mine'; expected FILE\.py:NAME"):
        configure(encoder="mine", model=str(tiny_lab.model), data=str(tiny_lab.data))
    for name, said in (
        ("Other", r"holds a 'xlm-roberta' model; --encoder .*mine\.py:Other serves nothing-like-it"),
        ("Dear", "too dear"),
    ):
        with pytest.raises(ModelUnusable, match=said):
            load_pretrained(str(tiny_lab.model), study(file, name, tiny_lab).encoder)
    folder = shutil.copytree(tiny_lab.model, tmp_path / "other")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "luke"}))
    with pytest.raises(ModelUnusable, match=r"known encoder families are .*; another is given by --encoder FILE\.py:NAME"):
        load_pretrained(str(folder))

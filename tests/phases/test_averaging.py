"""Averaged snapshots: the mean of the stated states to the bit of fp32, the same after any kill, and a name of their own."""

import dataclasses

import pytest
import torch

from tasksearch.core.errors import BadInput
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan, TrainSettings
from tasksearch.core.schedule import Schedule
from tasksearch.core.space import sequential_twin
from tasksearch.phases.checkpoints import CheckpointPolicy
from tasksearch.phases.context import open_context
from tasksearch.phases.resumable import weights
from tasksearch.phases.run import PlanRun
from tasksearch.store.segment_store import SegmentStore
from tasksearch.tasks.lab_suite import lab_suite
from tasksearch.training.averaging import WeightAverage

SUITE = lab_suite()
BOTH = Mixture.uniform("restate", "find")
JOINT, CHAIN = Schedule.joint(BOTH, 6), sequential_twin(BOTH, ["find", "restate"], 12)
EVERY = 0.34  # of six steps: after steps 2, 4 and 6
SHORT = dataclasses.replace(
    SUITE.settings,
    intermediate=dataclasses.replace(SUITE.settings.intermediate, batch_size=4),
    target=dataclasses.replace(SUITE.settings.target, batch_size=4, steps=6),
    target_overrides=(),
)
AVERAGED = dataclasses.replace(
    SHORT,
    intermediate=dataclasses.replace(SHORT.intermediate, average_last=3, average_every=EVERY),
    target=dataclasses.replace(SHORT.target, average_last=3, average_every=EVERY),
)


class Killed(Exception):
    """Stands for a process that ends."""


@pytest.fixture(scope="module")
def context(tiny_lab):
    return open_context(SUITE, str(tiny_lab.data), str(tiny_lab.model), None)


def plan(schedule, settings, **changes):
    fields = {"suite": "lab", "targets": ("topic",), "languages": ("en", "near1"), "seed": 1}
    return Plan(schedule=schedule, settings=settings, **(fields | changes))


def stored(context, folder, every):
    return dataclasses.replace(
        context, store=SegmentStore(folder), snapshots=CheckpointPolicy(every_steps=every, every_seconds=None)
    )


def states_of(settings, context, folder, part, steps):
    """The weights after these steps of an unaveraged training: what a kill in the next step leaves, and the end."""
    found = []
    for step in steps[:-1]:
        with_store = stored(context, folder / str(step), 1)
        run = PlanRun(plan(JOINT, settings), with_store)
        for name in run.parts[: run.parts.index(part)]:
            run.run(name)

        def on_step(_, now, __, last=step):
            if now > last:
                raise Killed

        with pytest.raises(Killed):
            run.run(part, on_step)
        [name] = [name for name in with_store.store.names() if name.endswith(f".{step:08d}")]
        found.append(with_store.store.tensors(name, "model"))
    whole = PlanRun(plan(JOINT, settings), context)
    last = whole.encoder() if part.startswith("intermediate") else whole.trained("topic").model
    return [*found, weights(last)]


def test_the_steps_are_evenly_spaced_from_the_end():
    settings = TrainSettings(average_last=3, average_every=EVERY)
    assert settings.averaged_steps(6) == (2, 4, 6)
    assert TrainSettings(average_last=5).averaged_steps(200) == (120, 140, 160, 180, 200)
    assert TrainSettings().averaged_steps(200) == ()


@pytest.mark.parametrize("part", ["intermediate/0", "target/topic"])
def test_a_phase_ends_in_the_mean_of_its_last_states_and_not_in_the_last_one(context, tmp_path, part):
    phase = "intermediate" if part.startswith("intermediate") else "target"
    settings = dataclasses.replace(SHORT, **{phase: getattr(AVERAGED, phase)})
    states = states_of(SHORT, context, tmp_path / "states", part, (2, 4, 6))
    run = PlanRun(plan(JOINT, settings), context)
    found = weights(run.encoder()) if phase == "intermediate" else weights(run.trained("topic").model)
    differs = 0
    for name, tensor in found.items():
        mean = (states[0][name] + states[1][name] + states[2][name]) / 3
        assert torch.equal(tensor, mean), name
        differs += int(not torch.equal(tensor, states[2][name]))
    assert differs > 10


@pytest.mark.parametrize("kills", [[1], [3], [5], [2, 2]])
def test_a_killed_training_ends_in_the_same_average_to_the_bit(context, tmp_path, lives, kills):
    calm = weights(PlanRun(plan(JOINT, AVERAGED), context).encoder())
    with_store = stored(context, tmp_path, 1)
    lives(lambda on_step: PlanRun(plan(JOINT, AVERAGED), with_store).run("intermediate/0", on_step), kills)
    signature = PlanRun(plan(JOINT, AVERAGED), with_store).intermediate[0].signature
    kept = with_store.store.tensors(signature, "model")
    assert kept.keys() == calm.keys() and all(torch.equal(kept[name], calm[name]) for name in calm)


def test_an_average_has_a_name_of_its_own_and_shares_the_segments_before_the_last(context):
    bare, averaged = (PlanRun(plan(CHAIN, settings), context) for settings in (SHORT, AVERAGED))
    assert bare.intermediate[0].signature == averaged.intermediate[0].signature
    assert bare.intermediate[1].signature != averaged.intermediate[1].signature
    targets_alone = dataclasses.replace(SHORT, target=AVERAGED.target)
    assert PlanRun(plan(CHAIN, targets_alone), context).intermediate == bare.intermediate
    names = {PlanRun(plan(JOINT, one), context).targets[0].signature for one in (SHORT, AVERAGED, targets_alone)}
    assert len(names) == 3


def test_settings_without_an_average_keep_their_plain_form_and_signature():
    assert "average_last" not in TrainSettings().to_json()
    assert TrainSettings(average_every=0.3).to_json() == TrainSettings().to_json()
    again = Plan.from_json(plan(JOINT, AVERAGED).to_json())
    assert again == plan(JOINT, AVERAGED)
    assert plan(JOINT, AVERAGED).signature != plan(JOINT, SHORT).signature


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"average_last": 0}, "average_last is 0; expected at least 2 snapshots"),
        ({"average_last": 3, "average_every": 1.5}, "average_every is 1.5; expected a share"),
        ({"average_last": 11}, "average_last is 11 with a snapshot after every 0.1 of the phase; expected at most 10"),
    ],
)
def test_an_average_that_means_nothing_is_refused(changes, told):
    with pytest.raises(BadInput, match=told):
        TrainSettings(**changes)


def test_more_snapshots_than_the_phase_has_steps_is_refused_before_anything_trains(context):
    many = dataclasses.replace(SHORT, intermediate=dataclasses.replace(SHORT.intermediate, average_last=9))
    with pytest.raises(BadInput, match=r"9 snapshots to average in the intermediate phase of .* 6 steps; expected fewer"):
        PlanRun(plan(JOINT, many), context)
    many = dataclasses.replace(SHORT, target=dataclasses.replace(SHORT.target, average_last=9))
    with pytest.raises(BadInput, match="9 snapshots to average in the target phase of topic"):
        PlanRun(plan(JOINT, many), context)


def test_a_soup_over_seeds_is_the_mean_of_one_mix_on_these_seeds(context):
    parts = [weights(PlanRun(plan(JOINT, SHORT, seed=seed), context).encoder()) for seed in (1, 2)]
    run = PlanRun(plan(Schedule.none(), SHORT, soup=(JOINT,), soup_seeds=(1, 2)), context)
    soup = weights(run.encoder())
    assert any(not torch.equal(parts[0][name], parts[1][name]) for name in soup)
    for name, tensor in soup.items():
        assert torch.allclose(tensor.double(), (parts[0][name].double() + parts[1][name].double()) / 2, rtol=0, atol=1e-7)
    members = [PlanRun(plan(JOINT, SHORT, seed=seed), context).intermediate[0].signature for seed in (1, 2)]
    assert [segment.signature for segment in run.soup.segments] == members
    again = Plan.from_json(run.plan.to_json())
    assert again == run.plan and run.plan.words == f"average of {JOINT} over 2 seeds"


@pytest.mark.parametrize("wrong", [{"soup": (JOINT,), "soup_seeds": (1,)}, {"soup_seeds": (1, 2)}])
def test_a_soup_over_seeds_that_means_nothing_is_refused(wrong):
    with pytest.raises(BadInput):
        Plan(suite="lab", schedule=Schedule.none(), targets=("topic",), languages=("en",), settings=PhaseSettings(), **wrong)


def test_sums_are_in_fp32_whatever_the_weights_are():
    class Learner:
        def __init__(self, value):
            self.weight = torch.nn.Parameter(torch.full((2,), value, dtype=torch.bfloat16))

        def named_parameters(self):
            return [("w", self.weight)]

    average, learner = WeightAverage((1, 2, 3)), Learner(1.0)
    for value in (1.0, 2.0, 6.0):
        with torch.no_grad():
            learner.weight.fill_(value)
        average.add(learner)
    assert average.tables["w"].dtype == torch.float32
    average.apply(learner)
    assert learner.weight.tolist() == [3.0, 3.0]

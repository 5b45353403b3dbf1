"""Deterministic kernels: nothing that training needs lacks one, and on a CPU they change no score."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import dataclasses, json, sys
import torch
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import Plan
from tasksearch.core.schedule import Schedule
from tasksearch.phases.context import open_context
from tasksearch.phases.run import run_plan
from tasksearch.tasks.lab_suite import lab_suite

suite = lab_suite()
small = dict(batch_size=8)
settings = dataclasses.replace(
    suite.settings,
    intermediate=dataclasses.replace(suite.settings.intermediate, **small),
    target=dataclasses.replace(suite.settings.target, steps=3, **small),
    target_overrides=(),
)
mix = Mixture.of({card.name: 1 for card in suite.intermediates})
plan = Plan(suite="lab", schedule=Schedule.joint(mix, 12), targets=tuple(c.name for c in suite.targets),
            languages=("en", "near1"), settings=settings)
found = {}
for wish in ("no", "yes"):  # a process that was told to stays deterministic
    context = open_context(suite, sys.argv[1], sys.argv[2], None, deterministic=wish == "yes")
    scores = run_plan(plan, context).scores
    state = torch.are_deterministic_algorithms_enabled(), torch.backends.cuda.flash_sdp_enabled()
    found[wish] = [state, context.numerics, scores.to_json()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def outputs(tiny_lab):
    command = [sys.executable, "-c", SCRIPT, str(tiny_lab.data), str(tiny_lab.model)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_every_kind_of_task_trains_under_deterministic_kernels_to_the_same_scores(outputs):
    assert outputs["yes"][0] == [True, False] and outputs["no"][0] == [False, True]
    assert outputs["yes"][2] == outputs["no"][2]


def test_on_a_cpu_segments_keep_their_names(outputs):
    assert outputs["yes"][1] == outputs["no"][1]

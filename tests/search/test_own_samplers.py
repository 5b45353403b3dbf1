"""Samplers of Optuna's and of the user's: proposals stay a pure function of what was told; what cannot be used is one line."""

import dataclasses

import pytest

from tasksearch.core.errors import BadInput, UnknownName
from tasksearch.search.optuna_samplers import takes_seed
from tasksearch.search.proposals import Finished, Proposal, Wait, propose
from tasksearch.study.own_parts import reproducible, sampler_name, unseeded_note

FILE = '''
import itertools
import random

import optuna


class Greedy(optuna.samplers.RandomSampler):
    """Of ten draws the one that is nearest to the best trial so far."""


def seeded(seed):
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=2)


def grid_of_its_own(seed):
    return optuna.samplers.PartialFixedSampler({"schedule": "joint"}, optuna.samplers.RandomSampler(seed=seed))


def unseeded():
    return optuna.samplers.RandomSampler(seed=random.randrange(2**31))


def needy(seed, weights):
    return optuna.samplers.RandomSampler(seed=seed)


def wrong(seed):
    return seed


class Fails(optuna.samplers.RandomSampler):
    def sample_independent(self, *_):
        raise LookupError("nothing\\nthere")


NUMBER = 3
'''


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "mine.py"
    path.write_text(FILE)
    return str(path)


def history(toy, config, most):
    records = []
    while len(records) < most:
        found = propose(config, toy.sizes, toy.plan_of, len(records), records)
        assert isinstance(found, Proposal), found
        value = len(found.plan.schedule.tasks) - found.plan.schedule.steps / 100
        record = toy.record(found.number, role=found.role, plan=found.plan, params=found.params, objective=value)
        records.append(record)
    return records


@pytest.mark.parametrize(
    "name", ["optuna.samplers.GPSampler", "optuna.samplers.NSGAIISampler", "optuna.samplers.QMCSampler", "Greedy", "seeded",
             "grid_of_its_own"],
)  # fmt: skip
def test_a_seeded_sampler_proposes_the_same_whatever_happened_within_the_lag(toy, file, name):
    sampler = sampler_name(name if "." in name else f"{file}:{name}")
    config = toy.config(sampler=sampler, trials=18)
    records = history(toy, config, 18)
    mixes = [r.plan.schedule for r in records if r.role == "search"]
    assert len(set(mixes)) == len(mixes) == 9
    for n in (12, 17):
        unknown = [
            dataclasses.replace(r, objective=None, status="running") if n - r.number < config.lag else r for r in records
        ]
        assert propose(config, toy.sizes, toy.plan_of, n, unknown).plan == records[n].plan, "nobody knew these results"
        early = [dataclasses.replace(r, objective=None, status="running") if r.number == n - config.lag else r for r in records]
        assert isinstance(propose(config, toy.sizes, toy.plan_of, n, early), Wait)
    assert reproducible(config) and unseeded_note(config) == ""
    other = history(toy, dataclasses.replace(config, seed=7), 18)
    if "QMC" not in name:
        assert [r.plan.schedule for r in other] != [r.plan.schedule for r in records], "the study's seed varies the draws"


def test_a_sampler_learns_from_what_it_is_told(toy, file):
    config = toy.config(sampler=sampler_name("optuna.samplers.GPSampler"), trials=24)
    records = history(toy, config, 24)
    turned = [dataclasses.replace(r, objective=-r.objective) for r in records[:23]]
    assert propose(config, toy.sizes, toy.plan_of, 23, turned).plan != records[23].plan


def test_one_that_takes_no_seed_is_marked_in_every_place(toy, file):
    config = toy.config(sampler=sampler_name(f"{file}:unseeded"))
    assert not takes_seed(config.sampler) and not reproducible(config)
    assert unseeded_note(config).startswith("not reproducible: the sampler mine.py:unseeded takes no seed")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("optuna.samplers.GPsampler", "did you mean 'optuna.samplers.GPSampler'?"),
        ("optuna.samplers.GridSampler", "needs search_space; expected one that a seed alone makes"),
        ("optuna.study.Study", "no sampler 'optuna.study.Study'"),
        ("tpf", "did you mean 'tpe'?"),
        ("{file}", "expected FILE.py:NAME"),
        ("{file}:needy", "needs weights"),
        ("{file}:wrong", "gave int; expected a class of Optuna samplers"),
        ("{file}:NUMBER", "is 3; expected a class of Optuna samplers"),
        ("{file}:seedet", "did you mean 'seeded'?"),
        ("./gone.py:x", "cannot read gone.py: No such file"),
    ],
)
def test_a_sampler_that_cannot_be_used_is_one_line(file, name, said):
    with pytest.raises((BadInput, UnknownName)) as told:
        sampler_name(name.format(file=file))
    assert said in str(told.value) and "\n" not in str(told.value)


def test_a_sampler_that_fails_ends_the_proposal_with_one_line(toy, file):
    config = toy.config(sampler=sampler_name(f"{file}:Fails"))
    with pytest.raises(BadInput, match=r"sampler mine\.py:Fails@.* failed: LookupError: nothing$"):
        history(toy, config, 20)


def test_a_space_that_is_used_up_ends_under_any_sampler(toy, file):
    config = toy.config(space=toy.space(max_tasks=1), sampler=sampler_name(f"{file}:seeded"), trials=50, leaders=0)
    records = history(toy, config, 9)
    assert isinstance(propose(config, toy.sizes, toy.plan_of, 9, records), Finished)

"""What the twins say, on outcomes with a planted effect of joint training."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from tasksearch.analysis.clustering import Documents
from tasksearch.analysis.estimates import score_of
from tasksearch.analysis.matched_comparison.comparison import advice, compare_schedules
from tasksearch.analysis.matched_comparison.matched_runs import MatchedStudy
from tasksearch.core.errors import BadInput, StudyNotReady
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.signature import seed_from
from tasksearch.reports.matched_comparison import matched_table
from tasksearch.results.estimate import interval_text
from tasksearch.search.matched_pairs import drawn_pairs, matched_plan, per_mixture

GROUPS = {"nli": "classification"}
EXAMPLES = 400


class Planted:
    """A study's twins without training: who trains jointly scores `effect` points more, every training has noise of its own.

    Attributes:
        losing: numbers of twins whose training failed.
    """

    def __init__(self, toy, *, effect, seed=0, noise=0.5, losing=(), sizes=None, kinds=None):
        self.config = toy.config(twins=6, seed=seed)
        self.toy, self.noise, self.losing, self.sizes = toy, noise, losing, toy.sizes if sizes is None else sizes
        self.effects = {"joint": effect, "annealed": effect / 2} | (kinds or {})
        self.records = [self.record(place) for place in range(6 * per_mixture(self.config))]

    @cache  # noqa: B019 - a test's value
    def outcomes(self, number):
        plan, found = self.plan(number), {}
        for half in ("select", "report"):
            difficulty = np.random.default_rng(seed_from("examples", half)).permutation(EXAMPLES) / EXAMPLES
            drawn = np.random.default_rng(seed_from("noise", self.config.seed, number, half)).normal() * self.noise
            right = difficulty < (60 + self.effects.get(plan.schedule.kind, 0.0) + drawn) / 100
            for language in ("en", "xx"):
                found["nli", language, half] = np.stack([right, np.ones(EXAMPLES)], axis=1).astype(np.float32)
        return found

    def plan(self, place):
        def shifted(schedule, seed):
            return self.toy.plan_of(schedule, 1000 * self.config.seed + seed)

        return matched_plan(self.config, shifted, place)

    def record(self, place):
        rows = [
            Score(target=t, language=language, half=half, metric="accuracy", value=score_of(d), examples=len(d), seed=0)
            for (t, language, half), d in self.outcomes(place).items()
        ]
        status = "failed" if place in self.losing else "done"
        return self.toy.record(place, role="twin", plan=self.plan(place), scores=ScoreTable.of(rows), status=status)

    def study(self, records=None):
        chosen = self.records if records is None else records
        return MatchedStudy(
            name=f"toy{self.config.seed}",
            records=chosen,
            outcomes=self.outcomes,
            sizes=self.sizes,
            per_mixture=per_mixture(self.config),
        )


@pytest.mark.parametrize(("effect", "verdict"), [(3.0, "joint"), (-3.0, "sequential"), (0.0, "no difference at this budget")])
def test_the_verdict_is_what_was_planted(toy, effect, verdict):
    found = compare_schedules([Planted(toy, effect=effect).study()], GROUPS)
    assert found.verdict == verdict
    assert found.main.low <= effect <= found.main.high
    assert (found.main.mixtures, found.main.seeds, found.main.examples) == (6, 3, EXAMPLES)
    assert verdict in found.sentence and found.cost.phase == 72 and found.cost.stage == 36


def test_every_contrast_has_its_own_effect_in_languages_groups_and_targets(toy):
    found = compare_schedules(
        [Planted(toy, effect=4.0).study()], GROUPS, language_groups={"low-resource": ("xx", "yy"), "none": ("yy",)}
    )
    assert [(c.other, c.lr_policy) for c in found.contrasts] == [
        ("sequential", "phase"),
        ("annealed", "phase"),
        ("sequential", "stage"),
    ]
    assert [(row.name, row.kind) for row in found.contrasts[0].rows] == [
        ("xx", "language"),
        ("all", "group"),
        ("low-resource", "group"),
        ("nli", "target"),
    ]
    for contrast, planted in zip(found.contrasts, (4.0, 2.0, 4.0), strict=True):
        assert contrast.row("all").value == pytest.approx(planted, abs=0.7)


def test_the_difference_is_the_mean_over_mixtures_of_the_score_tables(toy):
    study = Planted(toy, effect=1.0, noise=2.0)
    means = {}
    for record in study.records:
        policy, schedule = record.plan.settings.intermediate.lr_policy, record.plan.schedule
        if policy == "phase" and schedule.kind in ("joint", "sequential"):
            means.setdefault((schedule.mixture(), schedule.steps, schedule.kind), []).append(
                record.scores.values("report")["nli", "xx"]
            )
    joint, other = (np.mean([np.mean(v) for k, v in means.items() if k[2] == kind]) for kind in ("joint", "sequential"))
    assert compare_schedules([study.study()], GROUPS).main.value == pytest.approx(joint - other)


def test_a_mixture_with_a_failed_training_is_left_out_and_counted(toy):
    found = compare_schedules([Planted(toy, effect=3.0, losing=(2,)).study()], GROUPS)  # a sequential twin of the first mixture
    assert [contrast.left_out for contrast in found.contrasts] == [1, 0, 0]
    assert found.main.mixtures == 5


def test_a_mixture_that_is_still_being_trained_is_passed_over(toy):
    study = Planted(toy, effect=3.0)
    found = compare_schedules([study.study(study.records[:60])], GROUPS, complete=False)
    assert found.main.mixtures == 3
    assert "early look" in found.sentence
    with pytest.raises(StudyNotReady, match="no matched training is finished"):
        compare_schedules([study.study(study.records[:10])], GROUPS)


def test_two_mixtures_give_a_number_and_no_verdict(toy):
    study = Planted(toy, effect=3.0)
    found = compare_schedules([study.study(study.records[:36])], GROUPS)
    assert found.verdict == "not enough to say" and found.main.low is None


def test_studies_of_several_seeds_are_pooled_and_the_same_twins_count_once(toy):
    first, second = Planted(toy, effect=3.0), Planted(toy, effect=3.0, seed=1)
    pooled = compare_schedules([first.study(), second.study()], GROUPS)
    assert pooled.main.mixtures == 12 and pooled.studies == ("toy0", "toy1")
    assert compare_schedules([first.study(), first.study()], GROUPS).main == compare_schedules([first.study()], GROUPS).main


def test_the_size_rule_is_asked_of_every_order(toy):
    study = Planted(toy, effect=3.0)
    rule = compare_schedules([study.study()], GROUPS).size_rule
    orders = {r.plan.schedule.order for r in study.records if r.plan.schedule.kind == "sequential"}
    assert rule.pairs == 12 == rule.joint and rule.sequential == 0
    assert 0 < rule.advised_joint < 12, orders
    assert rule.hits == rule.advised_joint, "joint is always right here"
    assert rule.advantage.value == pytest.approx(3.0 * (2 * rule.hits / 12 - 1), abs=0.7)


def test_the_size_rule_advises_by_the_last_task_and_nothing_where_sizes_are_equal(toy):
    sizes = {"a": 10, "b": 20, "c": 20}
    assert advice(("b", "a"), sizes) == "joint"
    assert advice(("a", "b"), sizes) == "sequential"
    assert advice(("a", "c", "b"), sizes) is None
    equal = compare_schedules([Planted(toy, effect=0.0, sizes=dict.fromkeys(toy.sizes, 7)).study()], GROUPS)
    assert equal.size_rule is None and "equal size" in equal.size_note
    unknown = compare_schedules([Planted(toy, effect=0.0, sizes={}).study()], GROUPS)
    assert unknown.size_rule is None and "does not know the sizes" in unknown.size_note


def test_the_effect_of_choosing_is_read_on_fresh_seeds_of_each_kinds_best(toy):
    study = Planted(toy, effect=0.0)
    joint, other = study.records[0].plan.schedule, study.records[2].plan.schedule
    number, extra = len(study.records), []

    def add(schedule, seed, role, level):
        nonlocal number
        right = np.random.default_rng(0).permutation(EXAMPLES) < level * EXAMPLES / 100
        outcomes[number] = {
            ("nli", "xx", half): np.stack([right, right >= 0], axis=1).astype(np.float32) for half in ("select", "report")
        }
        table = toy.table({("nli", "xx"): level}) + toy.table({("nli", "xx"): level}, half="report")
        record = toy.record(number, role=role, schedule=schedule, seed=seed, scores=table, objective=level)
        extra.append(record)
        number += 1

    outcomes = {}
    for schedule, level in ((joint, 70.0), (other, 65.0)):
        add(schedule, 0, "search", 90.0)  # lucky in the search: no reported number
        for seed in (1, 2, 3):
            add(schedule, seed, "best-of", level + seed % 2)
    records = [*study.records, *extra]
    whole = dataclasses.replace(study.study(records), outcomes=lambda n: outcomes.get(n) or study.outcomes(n))
    (found,) = compare_schedules([whole], GROUPS).choosing
    assert (found.tried, found.seeds, found.joint, found.sequential) == (1, 3, joint, other)
    rows = {row.name: row.difference for row in found.rows}
    assert rows["all"].value == pytest.approx(5.0)
    assert rows["all"].low < 5.0 < rows["all"].high


def test_examples_of_one_document_are_one_draw(toy):
    study = Planted(toy, effect=0.0).study()
    alone = dataclasses.replace(study, documents=Documents({("nli", "xx"): np.arange(EXAMPLES)}))
    tens = dataclasses.replace(study, documents=Documents({("nli", "xx"): np.arange(EXAMPLES) // 10}))
    few = dataclasses.replace(study, documents=Documents({("nli", "xx"): np.arange(EXAMPLES) // 100}))
    unknown = compare_schedules([study], GROUPS).main
    assert unknown.documents is None
    assert compare_schedules([alone], GROUPS).main.error == pytest.approx(unknown.error)
    assert compare_schedules([tens], GROUPS).main.documents == 40
    assert compare_schedules([few], GROUPS).main.low is None, "four documents say nothing"


def test_studies_of_different_examples_are_one_line(toy):
    study = Planted(toy, effect=0.0).study()
    other = dataclasses.replace(
        Planted(toy, effect=0.0, seed=1).study(), documents=Documents({("nli", "xx"): np.arange(EXAMPLES)})
    )
    with pytest.raises(BadInput, match="different numbers of examples or documents"):
        compare_schedules([study, other], GROUPS)


# Matched pairs, one training of each kind on a seed of its own.


class PlantedPairs(Planted):
    """The same for `count` matched pairs, in two kinds of target and three languages.

    Attributes:
        extra: points more for joint training in the cells of language `xx`.
    """

    def __init__(self, toy, *, effect, count=8, extra=0.0, **fields):
        self.drawn, self.extra = drawn_pairs(toy.config().space, fields.get("seed", 0), count), extra
        super().__init__(toy, effect=effect, **fields)
        self.records = [self.record(place) for place in range(2 * count)]

    def plan(self, place):
        pair = self.drawn[place // 2] if place // 2 < len(self.drawn) else self.drawn[0]
        return self.toy.plan_of(pair.sequential if place % 2 else pair.joint, pair.seed)

    @cache  # noqa: B019 - a test's value
    def outcomes(self, number):
        plan, found = self.plan(number), {}
        drawn = np.random.default_rng(seed_from("noise", self.config.seed, number)).normal() * self.noise
        for target in ("nli", "qa"):
            difficulty = np.random.default_rng(seed_from("examples", target)).permutation(EXAMPLES) / EXAMPLES
            for language in ("en", "xx", "yy", "zz"):
                more = (self.effects.get(plan.schedule.kind, 0.0) + self.extra * (language == "xx")) * (
                    plan.schedule.kind == "joint"
                )
                right = difficulty < (60 + more + drawn) / 100
                found[target, language, "report"] = np.stack([right, np.ones(EXAMPLES)], axis=1).astype(np.float32)
        return found

    def record(self, place):
        return dataclasses.replace(super().record(place), role="pair")


KINDS_OF = {"nli": "classification", "qa": "qa"}
LOW = {"low": ("xx",)}


@pytest.mark.parametrize(("effect", "verdict"), [(3.0, "joint"), (-3.0, "sequential"), (0.0, "no difference at this budget")])
def test_pairs_give_the_verdict_that_was_planted_and_say_what_they_average_over(toy, effect, verdict):
    found = compare_schedules([PlantedPairs(toy, effect=effect).study()], KINDS_OF, language_groups=LOW)
    assert found.verdict == verdict and found.main.low <= effect <= found.main.high
    assert (found.main.mixtures, found.main.seeds, found.main.seed_error) == (8, 1, 0.0)
    assert [contrast.other for contrast in found.contrasts] == ["sequential"], "pairs have no third arm"
    assert "on average over 8 mixtures as drawn from the space" in found.answer
    ends = interval_text(found.main.low, found.main.high)
    assert ends in found.answer and ends in str(matched_table(found)), "one rounding for sentence and table"
    assert found.joint_ahead == {3.0: 8, -3.0: 0}.get(effect, found.joint_ahead)
    assert found.cost.pairs == 16 and found.cost.phase == 0
    shown = found.to_json()
    assert shown["answer"] == found.answer and shown["equivalence"]["margin"] == 1


def test_arms_at_rates_of_their_own_are_pairs_and_the_answer_says_so(toy):
    shared, own = PlantedPairs(toy, effect=3.0), PlantedPairs(toy, effect=3.0)
    one = compare_schedules([shared.study()], KINDS_OF)
    assert one.own_rates == () and "rate" not in one.answer + one.sentence + str(matched_table(one))
    own.drawn = [
        dataclasses.replace(pair, sequential=pair.sequential.at_rate((1e-5, 5e-5)[place % 2]))
        for place, pair in enumerate(own.drawn)
    ]
    own.records = [own.record(place) for place in range(16)]
    found = compare_schedules([own.study()], KINDS_OF)
    assert found.contrasts[0].rows == one.contrasts[0].rows and found.joint_ahead == 8
    words = "each schedule at its own learning rate (joint the usual one, sequential 1e-05 or 5e-05)"
    assert found.own_rates == (("joint", (None,)), ("sequential", (1e-5, 5e-5))) and words in found.answer
    assert words in found.sentence and "effect of order and rate" in matched_table(found).title
    assert any("a difference is of both together" in note for note in matched_table(found).notes)
    assert found.to_json()["own_rates"] == [["joint", [None]], ["sequential", [1e-5, 5e-5]]]


def test_a_pair_without_one_of_its_arms_is_left_out(toy):
    study = PlantedPairs(toy, effect=3.0, losing=(2,))
    found = compare_schedules([study.study()], KINDS_OF)
    assert found.main.mixtures == 7 and found.contrasts[0].left_out == 1
    assert compare_schedules([study.study(study.records[:9])], KINDS_OF).main.mixtures == 3
    two = compare_schedules([study.study(study.records[4:8])], KINDS_OF)
    assert two.main.low is None and two.answer == "Joint or sequential: not enough to say from 2 mixtures."


def test_a_pair_with_a_collapsed_training_is_left_out_and_counted_and_the_number_with_it_is_kept(toy):
    study = PlantedPairs(toy, effect=0.0)
    english = [
        Score(target="nli", language="en", half="select", metric="accuracy", value=70 + n % 3, examples=400, seed=0)
        for n in range(16)
    ]
    records = [
        dataclasses.replace(r, scores=r.scores + ScoreTable.of([s])) for r, s in zip(study.records, english, strict=True)
    ]
    whole = compare_schedules([study.study(records)], KINDS_OF)
    assert whole.collapsed == () and whole.of_all_runs is None and "collapsed" not in whole.answer
    low = dataclasses.replace(english[3], value=33.0)
    records[3] = dataclasses.replace(study.records[3], scores=study.records[3].scores + ScoreTable.of([low]))
    found = compare_schedules([study.study(records)], KINDS_OF)
    assert found.collapsed == (("sequential", 3),) and found.main.mixtures == 7
    assert found.of_all_runs.value == whole.main.value and found.contrasts[0].left_out == 1
    assert "Pairs with a collapsed training are left out (1 sequential)." in found.answer


def test_contrasts_of_rows_say_where_joint_training_helps_more(toy):
    found = compare_schedules([PlantedPairs(toy, effect=1.0, extra=4.0).study()], KINDS_OF, language_groups=LOW)
    told = {(row.name, row.kind): row.difference for row in found.contrasts[0].rows}
    assert [name for name, kind in told if kind == "kind"] == ["classification", "qa"]
    for name in ("low - others", "low - others, classification", "low - others, qa"):
        assert told[name, "contrast"].low <= 4.0 <= told[name, "contrast"].high and told[name, "contrast"].value > 3
    for name in ("classification - others", "qa - others"):
        assert told[name, "contrast"].finding() == "no difference seen"
    low, rest = told["low", "group"].value, (told["yy", "language"].value + told["zz", "language"].value) / 2
    assert told["low - others", "contrast"].value == pytest.approx(low - rest)


def test_equivalence_is_said_within_the_margin_and_no_sooner(toy):
    study = PlantedPairs(toy, effect=0.2, noise=0.3).study()
    found = compare_schedules([study], KINDS_OF, margin=1.0)
    same = found.equivalence
    assert same.shown and same.low > -1 and same.high < 1
    assert same.high - same.low < found.main.high - found.main.low, "a 90 % interval"
    assert "equivalent within ±1 points" in found.sentence
    narrow = compare_schedules([study], KINDS_OF, margin=0.05)
    assert not narrow.equivalence.shown and "not shown to be equivalent within ±0.05 points" in narrow.sentence


def test_pairs_and_sets_are_pooled_and_a_mixture_that_both_hold_counts_once(toy):
    study = Planted(toy, effect=3.0)
    first = study.records[0].plan.schedule
    order = next(r.plan.schedule for r in study.records if r.plan.schedule.kind == "sequential")
    pairs = PlantedPairs(toy, effect=3.0, count=4)
    renumbered = [dataclasses.replace(r, number=500 + r.number) for r in pairs.records]
    again = [toy.record(600 + i, role="pair", plan=toy.plan_of(s, 900)) for i, s in enumerate((first, order))]

    def outcomes(number):
        return study.outcomes(number) if number < 500 else pairs.outcomes(number - 500)

    both = dataclasses.replace(study.study([*study.records, *renumbered, *again]), outcomes=outcomes)
    found = compare_schedules([both], GROUPS | KINDS_OF)
    mixtures = {(r.plan.schedule.mixture(), r.plan.schedule.steps) for r in [*study.records, *pairs.records]}
    assert found.main.mixtures == len(mixtures) > 6 and [contrast.left_out for contrast in found.contrasts] == [0, 0, 0]
    assert found.contrasts[1].row("all").mixtures == 6

"""The verdict: chosen on one set of trainings and halves, reported on another, and never more than was seen."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasksearch.analysis.estimates import score_of
from tasksearch.analysis.picking import cell_weights, pick
from tasksearch.core.errors import BadInput, StudyNotReady, UnknownName
from tasksearch.core.mixture import Mixture
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.schedule import Schedule
from tasksearch.core.score import Score, ScoreTable
from tasksearch.core.study import Objective, TrialRecord
from tasksearch.records.mix_file import mix_toml, read_mix, schedule_toml
from tasksearch.search.objective import Baseline, objective

GROUPS = {"nli": "classification", "topic": "classification", "bitext": "retrieval"}
LANGUAGES = ("en", "qu", "sw", "yo")
CELLS = [(t, language) for t in GROUPS for language in LANGUAGES if (t, language) != ("bitext", "en")]
QQP = Schedule.joint(Mixture.uniform("qqp"), 80)
MNLI = Schedule.joint(Mixture.uniform("mnli"), 80)
N = 300


class Study:
    """A small study with planted accuracies: `plant(schedule, seed, target, language, half)` in [0, 1]."""

    def __init__(self, plant, *, baseline_seeds=5, leaders=(QQP, MNLI), leader_seeds=3, n=N):
        self.plant, self.n = plant, n
        self.records, self.tables = [], {}
        for seed in range(baseline_seeds):
            self.add("baseline", Schedule.none(), seed)
        for schedule in leaders:
            self.add("search", schedule, 0)
        for schedule in leaders:
            for seed in range(1, leader_seeds + 1):
                self.add("finalist", schedule, seed)

    def add(self, role, schedule, seed, status="done"):
        plan = Plan(
            suite="lab", schedule=schedule, targets=tuple(GROUPS), languages=LANGUAGES, settings=PhaseSettings(), seed=seed
        )
        number = len(self.records)
        self.tables[number], rows = {}, []
        for target, language in CELLS:
            for half in ("select", "report"):
                data = self.outcomes_of(schedule, seed, target, language, half)
                self.tables[number][target, language, half] = data
                rows.append(
                    Score(
                        target=target,
                        language=language,
                        half=half,
                        metric="accuracy",
                        value=score_of(data),
                        examples=self.n,
                        seed=seed,
                    )
                )
        self.records.append(TrialRecord(number=number, role=role, status=status, plan=plan, scores=ScoreTable.of(rows)))

    def outcomes_of(self, schedule, seed, target, language, half):
        trained = schedule.stages or target != "bitext"
        rng = np.random.default_rng(
            [seed if trained else 0, len(schedule.tasks), half == "select", CELLS.index((target, language))]
        )
        right = rng.random(self.n) < self.plant(schedule, seed, target, language, half)
        return np.stack([right, np.ones(self.n)], axis=1).astype(np.float32)

    def pick(self, **options):
        return pick(self.records, self.tables.__getitem__, GROUPS, **options)


def helpful(schedule, seed, target, language, half):
    """QQP helps everywhere by 20 points, MNLI by nothing."""
    return 0.7 if schedule == QQP else 0.5


def flat(schedule, seed, target, language, half):
    return 0.5


@pytest.fixture(scope="module")
def clear():
    return Study(helpful)


def test_a_planted_gain_is_found_and_named_for_every_language(clear):
    verdict = clear.pick()
    assert [choice.name for choice in verdict.choices] == ["qu", "sw", "yo", "all"]
    for choice in verdict.choices:
        assert choice.best_mix == QQP
        assert choice.gain.low < 20 < choice.gain.high
        # seeds that both have weigh more in the difference than in the two means
        assert choice.gain.value == pytest.approx(choice.score.value - choice.baseline.value, abs=0.2)


def test_english_is_no_row_unless_asked_for(clear):
    assert clear.pick(languages=["en"]).choices[0].name == "en"


def test_no_gain_is_no_best_mix():
    choice = Study(flat).pick(languages=["all"]).choices[0]
    assert choice.finding == "no difference seen"
    assert choice.best_mix is None
    assert choice.to_json()["best_mix"] is None


def test_a_loss_is_called_one():
    choice = Study(lambda s, *_: 0.3 if s.stages else 0.6).pick(languages=["sw"]).choices[0]
    assert choice.finding == "worse"
    assert choice.best_mix is None


def test_the_numbers_come_from_fresh_seeds_and_reporting_halves_alone():
    """The search's own seed and all selection halves are made perfect: the reported score must not notice."""

    def lucky(schedule, seed, target, language, half):
        return 1.0 if half == "select" or (schedule.stages and seed == 0) else 0.5

    choice = Study(lucky).pick(languages=["sw"]).choices[0]
    assert choice.score.value == pytest.approx(50, abs=5)
    assert choice.trials in ((7, 8, 9), (10, 11, 12))


def test_the_choice_never_reads_the_fresh_seeds():
    """On fresh seeds MNLI is far better; the search saw QQP ahead, and so QQP is the choice."""

    def turned(schedule, seed, target, language, half):
        ahead = QQP if seed == 0 else MNLI
        return 0.9 if schedule == ahead else 0.5

    assert Study(turned).pick(languages=["sw"])["sw"].schedule == QQP


def only_here(schedule, seed, target, language, half):
    """QQP is best for Swahili, MNLI for all others; English sides with Swahili."""
    best = QQP if language in ("sw", "en") else MNLI
    return 0.8 if schedule == best else 0.5


@pytest.mark.parametrize(
    ("rule", "mix", "labels"), [("pivot-dev", MNLI, 0), ("english-dev", QQP, 0), ("target-dev", QQP, 3 * N)]
)
def test_each_rule_reads_its_own_labels_and_counts_them(rule, mix, labels):
    choice = Study(only_here).pick(rule=rule, languages=["sw"])["sw"]
    assert (choice.schedule, choice.labels, choice.rule) == (mix, labels, rule)


def test_the_labels_that_made_the_shortlist_are_told_too():
    study = Study(only_here)
    assert study.pick(languages=["sw"])["sw"].shortlist_labels == 3 * N
    assert study.pick(languages=["sw"], objective=Objective(languages=("qu",)))["sw"].shortlist_labels == 0


def test_a_group_is_chosen_on_languages_outside_it_and_all_says_that_it_cannot(clear):
    verdict = clear.pick(language_groups={"low-resource": ["qu", "yo", "absent"]})
    assert verdict["low-resource"].languages == ("qu", "yo")
    assert (verdict["low-resource"].rule, verdict["low-resource"].labels) == ("pivot-dev", 0)
    assert (verdict["all"].rule, verdict["all"].labels) == ("target-dev", 3 * 3 * N)


def test_retrieval_without_training_has_no_seed_variance(clear):
    target = {t.target: t for t in clear.pick(languages=["sw"])["sw"].targets}["bitext"]
    assert target.baseline.seed_error == 0
    assert target.baseline.low is not None
    assert target.gain.noise_df in (2, 4)  # the leaders' seeds alone, 2 each


def test_every_target_stands_with_its_score_its_baseline_and_its_gain(clear):
    for target in clear.pick(languages=["all"])["all"].targets:
        assert target.gain.value == pytest.approx(target.score.value - target.baseline.value, abs=0.3)
        assert target.languages == ("qu", "sw", "yo")
        assert target.gain.examples == 3 * N


def test_shared_training_data_is_marked(clear):
    targets = clear.pick(languages=["sw"], same_data=[("qqp", "nli")])["sw"].targets
    assert [t.same_data for t in targets] == [False, True, False]


def test_two_fresh_seeds_give_an_interval_even_where_the_baseline_needs_no_training():
    assert Study(helpful, leader_seeds=2).pick(languages=["sw"])["sw"].gain.low is not None
    alone = Study(helpful, leader_seeds=2, leaders=(QQP,), baseline_seeds=3)
    for choice in alone.pick().choices:
        assert choice.gain.low is not None
        assert all(target.gain.low is not None for target in choice.targets)
    gain = {t.target: t.gain for t in alone.pick(languages=["sw"])["sw"].targets}["bitext"]
    assert gain.noise_df == 1  # two trainings tell how much retrieval varies here; other languages lend the rest


def test_a_seed_trained_twice_counts_once(clear):
    doubled = Study(helpful)
    doubled.add("finalist", QQP, 1)
    assert doubled.pick(languages=["sw"])["sw"].gain == clear.pick(languages=["sw"])["sw"].gain


def test_a_finalist_on_a_seed_of_the_search_is_refused():
    study = Study(helpful)
    study.add("finalist", QQP, 0)
    with pytest.raises(BadInput, match="fresh seeds"):
        study.pick()


def test_outcomes_that_contradict_the_score_table_are_refused():
    study = Study(helpful)
    study.tables[8]["nli", "sw", "report"][:50, 0] = 0
    with pytest.raises(BadInput, match="trial 8, nli/sw"):
        study.pick()


def test_failed_trainings_are_no_evidence():
    study = Study(helpful)
    study.add("finalist", QQP, 4, status="failed")
    assert study.pick(languages=["sw"])["sw"].seeds == 3


@pytest.mark.parametrize(("role", "message"), [("baseline", "baseline"), ("finalist", "fresh seeds"), ("search", "finalist")])
def test_what_is_missing_is_said(role, message):
    study = Study(helpful)
    study.records = [record for record in study.records if record.role != role]
    with pytest.raises(StudyNotReady, match=message):
        study.pick()


def test_unknown_names_get_the_nearest(clear):
    with pytest.raises(UnknownName, match="did you mean 'pivot-dev'"):
        clear.pick(rule="pivot-def")
    with pytest.raises(UnknownName, match="no language 'xx'"):
        clear.pick(languages=["xx"])
    with pytest.raises(UnknownName, match="no language 'zz'"):
        clear.pick()["zz"]


def test_the_json_holds_no_nan_and_says_what_the_rule_means(clear):
    text = json.dumps(clear.pick().to_json(), allow_nan=False)
    data = json.loads(text)
    assert data["rule"] == "pivot-dev"
    assert data["choices"][0]["mix"] == "qqp, 80 steps"
    assert data["choices"][0]["gain"]["low"] > 0


def test_records_in_any_order_give_the_same_verdict(clear):
    shuffled = Study(helpful)
    shuffled.records.reverse()
    assert shuffled.pick() == clear.pick()


@given(st.sets(st.sampled_from(CELLS), min_size=1))
def test_groups_weigh_the_same_and_weights_sum_to_one(cells):
    weights = cell_weights(cells, GROUPS)
    assert math.isclose(sum(weights.values()), 1)
    shares = {group: sum(w for (t, _), w in weights.items() if GROUPS[t] == group) for group in {GROUPS[t] for t, _ in cells}}
    assert all(math.isclose(share, 1 / len(shares)) for share in shares.values())


@pytest.mark.long
def test_under_no_effect_the_tool_rarely_claims_one():
    """Two mixes that do nothing, chosen by target-dev: a claim either way should come in about one study of twenty."""
    claims = 0
    for world in range(200):

        def noise(schedule, seed, target, language, half, world=world):
            rng = np.random.default_rng([world, seed, len(schedule.tasks), schedule == QQP])
            return 0.5 + 0.04 * rng.normal()

        study = Study(noise, n=100)
        rng = np.random.default_rng(world)
        study.outcomes_of = lambda schedule, seed, target, language, half, study=study, rng=rng: np.stack(
            [rng.random(100) < study.plant(schedule, seed, target, language, half), np.ones(100)], axis=1
        )
        redone = [(r.role, r.plan.schedule, r.plan.seed) for r in study.records]
        study.records, study.tables = [], {}
        for job in redone:
            study.add(*job)
        claims += study.pick(languages=["sw"], rule="target-dev")["sw"].finding in ("better", "worse")
    assert claims / 200 <= 0.09  # 0.05 and 2.6 standard errors


SCHEDULES = [
    Schedule.none(),
    QQP,
    Schedule.joint(Mixture.of({"mnli": 1, "odd name\n": "2/3"}), 7),
    Schedule.sequential([("qqp", 150), ("mnli", 50)]),
    Schedule.annealed(Mixture.of({"qqp": 3, "mnli": 1}), Mixture.uniform("mnli"), 96),
]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: s.kind)
def test_a_mix_file_gives_the_schedule_back(schedule, tmp_path):
    path = tmp_path / "mix.toml"
    path.write_text(schedule_toml(schedule), encoding="utf-8")
    assert read_mix(path) == schedule


def test_a_chosen_mix_is_written_with_its_worth(clear, tmp_path):
    path = tmp_path / "mix.toml"
    path.write_text(mix_toml(clear.pick()["sw"]), encoding="utf-8")
    text = path.read_text()
    assert "chose for sw by pivot-dev" in text
    assert "better; +" in text
    assert read_mix(path) == QQP


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stage = 3", "expected"),
        ("[[stage]]\nsteps = 3", "mixture and steps"),
        ('[[stage]]\nsteps = "3"\nmixture = { a = 1 }', "whole number"),
        ("[[stage]]\nsteps = 3\nmixture = { a = -1 }", "positive number"),
        ("[[stage]]\nsteps = 3\nmixture = 4", "shares by task"),
        ("[[stage]]\nsteps = 3\nmixture = { a = 1 }\nspeed = 2", "speed"),
        ("[[stage", "not TOML"),
        ("other = 1", "expected"),
    ],
)
def test_a_damaged_mix_file_is_one_clear_line(text, message, tmp_path):
    path = tmp_path / "mix.toml"
    path.write_text(text)
    with pytest.raises(BadInput, match=message) as caught:
        read_mix(path)
    assert "\n" not in str(caught.value)


def test_a_missing_mix_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"nowhere\.toml"):
        read_mix(tmp_path / "nowhere.toml")


# ---- languages too small to select: reported, under the mix that the others chose


@pytest.fixture(scope="module")
def gappy():
    """Yoruba has no selection half in any target, Quechua none in one."""
    made = Study(helpful)
    gone = {("nli", "qu"), *((target, "yo") for target in GROUPS)}
    for number, record in enumerate(made.records):
        kept = [row for row in record.scores if row.half == "report" or (row.target, row.language) not in gone]
        made.records[number] = dataclasses.replace(record, scores=ScoreTable.of(kept))
        made.tables[number] = {
            cell: data for cell, data in made.tables[number].items() if cell[2] == "report" or cell[:2] not in gone
        }
    return made


def test_the_objective_is_a_mean_over_the_languages_that_select(gappy):
    baseline = Baseline.of(gappy.records)
    assert baseline.languages("nli", ()) == ("sw",)
    assert objective(gappy.records[5].scores, baseline, GROUPS, Objective()) > 1


def test_it_is_reported_under_the_mix_that_helps_the_others_and_read_no_label_of_its_own(gappy):
    verdict = gappy.pick(rule="pivot-dev", language_groups={"small": ("yo",)})
    for name in ("yo", "small", "sw", "qu"):
        assert verdict[name].schedule == QQP
        assert verdict[name].gain.low > 0
    assert verdict["yo"].labels == 0
    assert verdict["yo"].targets
    assert set(LANGUAGES) - {"en"} <= {choice.name for choice in verdict.choices}

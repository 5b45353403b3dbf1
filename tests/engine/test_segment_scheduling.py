"""Who may train what: never two at once, nobody waits for ever, no slot idles that somebody could use. Without Ray."""

import math
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasksearch.core.required_segments import RequiredSegment, from_text, missing_of_average, missing_segments, to_text
from tasksearch.engine.segment_scheduling import SegmentScheduling
from tasksearch.engine.simulation import Costs, SimulatedTrial, bound, simulate_run
from tasksearch.engine.start_order import StartOrder


def journey(path, targets=2, work=1.0):
    """Stages by their names; a segment is named by its work and its path from the root, as a signature holds its parent's."""
    chain = tuple(RequiredSegment("/".join([str(work), *path[: i + 1]]), work * (i + 1)) for i in range(len(path)))
    end = chain[-1].signature if chain else str(work)
    return SimulatedTrial(chain, tuple(RequiredSegment(f"{end}>{t}", work) for t in range(targets)))


paths = st.lists(st.sampled_from("abc"), max_size=3)
journeys = st.lists(st.builds(journey, paths, st.integers(1, 2), st.sampled_from([0.5, 1.0, 3.0])), min_size=1, max_size=14)
costs = st.builds(Costs, start=st.sampled_from([0.0, 0.2]), pause=st.sampled_from([0.0, 0.1]), resume=st.sampled_from([0, 1]))


@settings(max_examples=300, deadline=None)
@given(journeys, st.integers(1, 5), st.integers(1, 6), costs)
def test_every_segment_is_trained_once_and_every_trial_ends(trials, slots, ahead, costs):
    done = simulate_run(trials, slots, ahead, costs)  # it asserts itself that every trial ended
    distinct = {need.signature for trial in trials for need in trial.parts}
    assert Counter(name for name, _, _ in done.trained) == dict.fromkeys(distinct, 1)
    assert done.pauses == done.resumes
    if not any(Counter(n.signature for t in trials for n in t.parts)[name] > 1 for name in distinct):
        assert done.pauses == 0


@settings(max_examples=300, deadline=None)
@given(journeys, st.integers(1, 5), st.integers(1, 6), costs)
def test_no_parent_is_trained_after_its_child_and_no_slot_twice_at_once(trials, slots, ahead, costs):
    done = simulate_run(trials, slots, ahead, costs)
    spans = {name: (begin, end) for name, begin, end in done.trained}
    for trial in trials:
        for parent, child in zip(trial.chain, (*trial.chain[1:], *trial.leaves[:1]), strict=False):
            assert spans[parent.signature][1] <= spans[child.signature][0]
    for moment in {begin for _, begin, _ in done.trained}:
        assert sum(begin <= moment < end for _, begin, end in done.trained) <= slots


@settings(max_examples=200, deadline=None)
@given(journeys, st.integers(1, 5))
def test_without_costs_the_makespan_keeps_grahams_bound(trials, slots):
    """List scheduling that leaves no slot idle while something is ready: at most the longest trial plus the work over slots."""
    done = simulate_run(trials, slots, ahead=len(trials))
    longest = max(sum(need.work for need in trial.parts) for trial in trials)
    assert bound(trials, slots) <= done.makespan + 1e-9
    assert done.makespan <= longest + done.busy_seconds / slots + 1e-9


@settings(max_examples=200, deadline=None)
@given(journeys, st.integers(1, 5), st.integers(1, 8), st.integers(0, 6), costs)
def test_a_search_that_waits_for_results_begins_no_trial_before_it_is_known_and_ends(trials, slots, lag, designed, costs):
    done = simulate_run(trials, slots, 2 * slots, costs, lag=lag, designed=designed)
    assert bound(trials, slots) <= done.makespan + 1e-9
    times = Counter(need.signature for trial in trials for need in trial.parts)
    spans = {name: (begin, end) for name, begin, end in done.trained}
    for n in range(max(lag, designed), len(trials)):
        own = [spans[need.signature][0] for need in trials[n].parts if times[need.signature] == 1]
        before = [spans[need.signature][1] for trial in trials[: n - lag + 1] for need in trial.parts]
        assert min(own, default=math.inf) >= max(before) - 1e-9


def test_the_baseline_begins_first_unless_another_trains_its_next_segment():
    starts = StartOrder()
    for number, work in enumerate([1.0, 2.0, 9.0, 5.0]):
        starts.know(number, [RequiredSegment(f"own {number}", work)], early=number < 2)
    starts.know(4, [RequiredSegment("own 1", 1.0), RequiredSegment("more", 90.0)])
    left, order = {0, 1, 2, 3, 4}, []
    while left:
        order.append(starts.choose(left, search_goes_on=False))
        left.remove(order[-1])
        starts.begin(order[-1])
    assert order == [1, 0, 2, 3, 4]
    starts = StartOrder()
    for number in (0, 1):
        starts.know(number, [RequiredSegment("shared", 1.0)], early=number == 1)
    starts.begin(0)
    starts.know(2, [RequiredSegment("own", 0.5)])
    assert starts.choose([1, 2], search_goes_on=False) == 2


def test_trials_that_are_all_known_begin_longest_first_to_the_very_last_one():
    trials = [journey("", targets=1, work=float(work)) for work in (1, 2, 6, 3, 4, 5)]
    done = simulate_run(trials, 1, 1)
    assert [end - begin for _, begin, end in sorted(done.trained, key=lambda one: one[1])] == [6, 5, 4, 3, 2, 1]
    late = simulate_run(trials, 1, 1, lag=3)
    assert [end - begin for _, begin, end in sorted(late.trained, key=lambda one: one[1])] == [1, 2, 6, 5, 4, 3]


@pytest.mark.parametrize(
    ("search_goes_on", "expected"),
    [(True, [0, 1, 2, 3]), (False, [2, 1, 0, 3])],
)
def test_the_lowest_number_begins_while_the_search_goes_on_and_then_the_longest(search_goes_on, expected):
    starts = StartOrder()
    for number, work in enumerate((2.0, 3.0, 5.0, 1.0)):
        starts.know(number, [RequiredSegment(f"own {number}", work)])
    left, order = [0, 1, 2, 3], []
    while left:
        order.append(starts.choose(left, search_goes_on=search_goes_on))
        starts.begin(order[-1])
        left.remove(order[-1])
    assert order == expected


def test_a_trial_whose_next_segment_is_being_trained_begins_last_and_what_is_trained_is_no_work():
    starts = StartOrder()
    starts.know(0, [RequiredSegment("shared", 9.0), RequiredSegment("a", 1.0)])
    starts.know(1, [RequiredSegment("shared", 9.0), RequiredSegment("b", 2.0)])
    starts.know(2, [RequiredSegment("c", 3.0)])
    starts.begin(0)
    assert [starts.choose([1, 2], search_goes_on=goes_on) for goes_on in (True, False)] == [2, 2]
    starts.passed(0, 1)
    assert starts.choose([1, 2], search_goes_on=True) == 1
    assert starts.choose([1, 2], search_goes_on=False) == 2, "of trial 1 less is left than of trial 2"
    starts.end(0, whole=True)
    assert starts.choose([1], search_goes_on=False) == 1


def test_a_trial_that_lost_its_worker_holds_nothing_back():
    starts = StartOrder()
    starts.know(0, [RequiredSegment("shared", 1.0)])
    starts.know(1, [RequiredSegment("shared", 1.0), RequiredSegment("b", 1.0)])
    starts.begin(0)
    starts.end(0, whole=False)
    assert starts.choose([1, 5], search_goes_on=True) == 1
    assert starts.choose([0, 1], search_goes_on=False) == 1, "the shared segment was not trained"


@dataclass(frozen=True)
class Average:
    """A trial that averages what chains end with, and then trains its targets."""

    roots: tuple
    leaves: tuple

    @property
    def parts(self):
        return (RequiredSegment("the average itself", 0), *self.leaves)


def average(paths):
    ends = [journey(path) for path in paths]
    return Average(tuple({need.signature: need for end in ends for need in end.chain}.values()), ends[0].leaves)


class Model:
    """Trials at random: they begin, train, wait, fail, lose their workers and find segments evicted."""

    def __init__(self, slots, ahead):
        self.scheduling = SegmentScheduling(slots, ahead)
        self.where, self.position, self.plans, self.stored = {}, {}, {}, set()

    def begin(self, plan):
        if self.scheduling.room():
            trial = f"t{len(self.plans)}"
            self.plans[trial], self.position[trial] = plan, 0
            self.restart(trial)

    def restart(self, trial):
        self.scheduling.enter(trial)
        self.where[trial] = "on its way"

    def resume(self):
        trial = self.scheduling.next()
        if trial is not None:
            self.where[trial] = "on its way"

    def missing(self, trial):
        plan, at = self.plans[trial], self.position[trial]
        if isinstance(plan, Average):
            return missing_of_average(plan.roots, plan.leaves, at, self.stored.__contains__)
        return missing_segments(plan.chain, plan.leaves, at, self.stored.__contains__)

    def front(self, trial):
        """What the trial trains in the part it is at."""
        return [need.signature for need in self.missing(trial) if need.part == self.position[trial]]

    def report(self, trial):
        if self.where[trial] == "on its way":
            may = self.scheduling.arrive(trial, self.missing(trial))
        else:
            self.stored.update(self.front(trial))
            self.position[trial] += 1
            if self.position[trial] == len(self.plans[trial].parts):
                self.end(trial, self.position[trial])
                return
            may = self.scheduling.passed(trial, self.position[trial])
        self.where[trial] = "trains" if may else "waits"

    def end(self, trial, position=0):
        self.scheduling.leave(trial, position)
        del self.where[trial]


def _chain(plan):
    return plan.roots if isinstance(plan, Average) else plan.chain


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 4), st.integers(1, 5))
def test_through_failures_lost_workers_and_evictions_nobody_trains_what_another_does(data, slots, ahead):
    model, plans = Model(slots, ahead), st.one_of(st.builds(journey, paths), st.builds(average, st.lists(paths, min_size=2)))
    for _ in range(data.draw(st.integers(5, 60))):
        moving = [t for t, where in model.where.items() if where != "waits"]
        acts = ["begin", "resume", *(["report"] * 3 + ["fail", "lose"] if moving else []), *(["evict"] if model.stored else [])]
        match data.draw(st.sampled_from(acts)):
            case "begin":
                model.begin(data.draw(plans))
            case "resume":
                model.resume()
            case "report":
                model.report(data.draw(st.sampled_from(moving)))
            case "fail":
                model.end(data.draw(st.sampled_from(moving)))
            case "lose":
                model.restart(data.draw(st.sampled_from(moving)))
            case "evict":  # never what a trial under way needs
                needed = {need.signature for t in model.where for need in (*_chain(model.plans[t]), *model.plans[t].leaves)}
                model.stored -= {data.draw(st.sampled_from(sorted(model.stored)))} - needed
        in_slots = [t for t, where in model.where.items() if where != "waits"]
        assert len(in_slots) == model.scheduling.running <= slots
        trains = [name for t, where in model.where.items() if where == "trains" for name in model.front(t)]
        assert len(trains) == len(set(trains))
        assert all(model.scheduling.owner(name) in in_slots for name in trains)
        waits = [t for t, where in model.where.items() if where == "waits"]
        assert set(waits) == set(model.scheduling.waiting)
        if waits and not in_slots:
            assert model.scheduling.next() is not None, "nobody trains, so nobody can wait"
            break


def in_turn(*needs):
    """A part for each."""
    return [RequiredSegment(name, work, part) for part, (name, work) in enumerate(needs)]


def test_of_those_that_wait_the_longest_missing_chain_goes_first_and_the_earlier_of_equals():
    scheduling = SegmentScheduling(1, ahead=4)
    scheduling.enter("first")
    assert scheduling.arrive("first", in_turn(("a", 1)))
    for name, rest in (("short", 1), ("long", 5), ("as long", 5)):
        scheduling.enter(name)
        assert not scheduling.arrive(name, in_turn(("a", 1), (name, rest)))
    assert scheduling.next() is None, "the one slot is taken"
    scheduling.leave("first", 1)
    assert [scheduling.next(), scheduling.next()] == ["long", None]
    scheduling.leave("long")
    assert scheduling.next(lambda name: name != "as long") == "short"
    assert (scheduling.pauses, scheduling.resumes) == (3, 2)


def test_a_failed_trial_hands_its_segment_on_and_a_finished_one_does_not():
    scheduling = SegmentScheduling(2, ahead=2)
    for name in ("one", "two"):
        scheduling.enter(name)
    assert scheduling.arrive("one", in_turn(("a", 1), ("b", 1))) and not scheduling.arrive("two", in_turn(("a", 1), ("c", 1)))
    scheduling.leave("one")
    assert scheduling.next() == "two" and scheduling.owner("a") == "two"
    assert scheduling.arrive("two", in_turn(("a", 1), ("c", 1))) and scheduling.passed("two", 1)
    assert (scheduling.owner("a"), scheduling.owner("c")) == (None, "two")


def test_a_part_that_needs_several_segments_owns_them_all_or_waits_with_none():
    scheduling = SegmentScheduling(2, ahead=2)
    scheduling.enter("chain")
    assert scheduling.arrive("chain", in_turn(("b", 1)))
    scheduling.enter("average")
    assert not scheduling.arrive("average", [RequiredSegment("a", 1), RequiredSegment("b", 1), RequiredSegment("target", 1, 1)])
    assert scheduling.owner("a") is None
    scheduling.leave("chain", 1)
    assert scheduling.next() == "average" and scheduling.owner("a") == "average"


@pytest.mark.parametrize("free", [1, 0])
def test_a_further_trial_is_begun_only_where_a_slot_is_free_that_no_waiting_one_can_use(free):
    scheduling = SegmentScheduling(1 + free, ahead=1)
    assert scheduling.room()
    scheduling.enter("one")
    assert scheduling.room() == bool(free)
    scheduling.arrive("one", [RequiredSegment("a", 1)])
    scheduling.enter("two")
    assert not scheduling.arrive("two", [RequiredSegment("a", 1)])
    assert not scheduling.room(), "as many wait as may"


def parts(needs):
    return [(need.signature, need.part) for need in needs]


def test_what_is_missing_is_counted_back_to_what_can_be_loaded():
    chain, leaves = (
        [RequiredSegment("a", 1), RequiredSegment("b", 2), RequiredSegment("c", 3)],
        [RequiredSegment("x", 4), RequiredSegment("y", 5)],
    )
    everything = [("a", 0), ("b", 1), ("c", 2), ("x", 3), ("y", 4)]
    assert parts(missing_segments(chain, leaves, 0, set().__contains__)) == everything
    assert parts(missing_segments(chain, leaves, 0, {"a"}.__contains__)) == everything[1:]
    assert parts(missing_segments(chain, leaves, 2, {"b"}.__contains__)) == everything[2:]
    evicted = missing_segments(chain, leaves, 2, set().__contains__)
    assert parts(evicted) == [("a", 2), ("b", 2), ("c", 2), ("x", 3), ("y", 4)]
    assert from_text(to_text(evicted)) == evicted
    parent = missing_segments(chain, leaves, 3, {"x"}.__contains__)
    assert parts(parent) == [("a", 4), ("b", 4), ("c", 4), ("y", 4)], "a target's parent is trained for it alone"
    assert parts(missing_segments(chain, leaves, 0, {"c", "x", "y"}.__contains__)) == everything[:2]
    assert parts(missing_segments((), leaves, 1, set().__contains__)) == [("y", 1)]


def test_an_average_needs_all_that_it_averages():
    roots, leaves = [RequiredSegment("a", 1), RequiredSegment("b", 2)], [RequiredSegment("x", 4), RequiredSegment("y", 5)]
    assert parts(missing_of_average(roots, leaves, 0, {"b"}.__contains__)) == [("a", 0), ("x", 1), ("y", 2)]
    assert parts(missing_of_average(roots, leaves, 1, {"a", "b", "x"}.__contains__)) == [("y", 2)]
    assert parts(missing_of_average(roots, leaves, 1, {"x"}.__contains__)) == [("a", 2), ("b", 2), ("y", 2)]

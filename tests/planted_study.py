"""A small study over the recorded trainable; run as a script it is a driver that tests can kill.

python planted_study.py FOLDER CONCURRENCY CONTEXT_JSON [OPTUNA_URL]
"""

import json
import sys
from pathlib import Path

from tasksearch.core.errors import Interrupted
from tasksearch.core.plan import PhaseSettings, Plan
from tasksearch.core.space import SearchSpace
from tasksearch.core.study import StudyConfig
from tasksearch.records.ledger import Ledger

TASKS = ("ccg", "mnli", "qqp")
SIZES = {"ccg": 1000, "mnli": 4000, "qqp": 2000}
TARGETS = ("nli", "tag")
LANGUAGES = ("en", "far", "near")
GROUPS = {"nli": "classification", "tag": "tagging"}
SPACE = SearchSpace(name="planted", summary="", tasks=TASKS, steps=(64, 128))


class SilentTracker:
    """Notes the numbers it was given; may be told to fail."""

    def __init__(self, fail_at=None):
        self.opened, self.written, self.fail_at = 0, [], fail_at

    def open_study(self, config, tags):
        self.opened += 1
        return []

    def write_trial(self, record, artefacts):
        if record.number == self.fail_at:
            raise ConnectionError("planted: the tracking server went away")
        self.written.append((record.number, record.status, record.objective))

    def close_study(self, summary, artefacts, *, complete):
        raise AssertionError("closing is the caller's")


def config(**changes):
    fields = {"name": "planted", "space": SPACE, "suite": "lab", "model": "lab", "targets": TARGETS, "languages": LANGUAGES}
    fields |= {"trials": 16, "baseline_seeds": 3, "leaders": 2, "leader_seeds": 1}
    return StudyConfig(**(fields | changes))


def plan_of(schedule, seed, targets=TARGETS, languages=LANGUAGES, few_shot=0):
    settings = PhaseSettings(few_shot=few_shot)
    return Plan(suite="lab", schedule=schedule, targets=targets, languages=languages, settings=settings, seed=seed)


def plans_of(settings):
    """(schedule, seed) → plan, of a study that may have grown."""
    return lambda schedule, seed: plan_of(schedule, seed, settings.targets, settings.languages, settings.few_shot)


class Watch:
    """Calls `then` when that many trials were judged; notes what was said, and after how many."""

    def __init__(self, **then):
        self.then, self.judged, self.notices = {int(key[2:]): act for key, act in then.items()}, 0, []

    def __call__(self, event):
        if type(event).__name__ == "Notice":
            self.notices.append((self.judged, event.text))
        if type(event).__name__ == "TrialJudged":
            self.judged += 1
            self.then.get(self.judged, lambda: None)()


def run(
    folder,
    *,
    concurrency=2,
    context=None,
    tracker=None,
    on_event=None,
    address=None,
    resources=None,
    limits=None,
    patience=None,
    optuna_storage=None,
    accept_versions=False,
    **changes,
):
    from tasksearch.raytune.driver import run_trials
    from trainables.recorded import RecordedTrainable

    return run_trials(
        Ledger(Path(folder)),
        config(**changes),
        RecordedTrainable,
        context or {},
        sizes=SIZES,
        groups=GROUPS,
        plan_of=plans_of(config(**changes)),
        tracker=tracker or SilentTracker(),
        concurrency=concurrency,
        address=address,
        resources=resources,
        limits=limits,
        on_event=on_event,
        patience=patience,
        optuna_storage=optuna_storage,
        accept_versions=accept_versions,
    )


def open_manager(folder, *, write=lambda record: None, on_event=lambda event: None, **changes):
    from tasksearch.engine.optuna_storage import OptunaMirror, open_storage
    from tasksearch.engine.trial_manager import TrialManager

    ledger, settings = Ledger(Path(folder)), config(**changes)
    mirror = OptunaMirror(open_storage(ledger.optuna_path), settings.optuna_name, settings.space)
    tables = {"sizes": SIZES, "groups": GROUPS, "plan_of": plans_of(settings)}
    return TrialManager(ledger, settings, mirror, **tables, write=write, on_event=on_event)


def last_report(folder, record, context=None):
    """The last report of a trial, run in this process without Ray."""
    from trainables.recorded import RecordedTrainable

    where = {**(context or {}), "study_folder": str(folder)}
    told = {"number": record.number, "role": record.role, "addition": record.addition, "context": where}
    actor = RecordedTrainable(told | {"plan": record.plan.to_json()})
    report = actor.step()
    while not report.get("done"):
        report = actor.step()
    return report


def run_in_process(manager, folder, context=None, at_once=1, most=1000):
    """What the driver does, with `at_once` trials in flight that finish last-in first-out."""
    flying, started = [], 0
    while not manager.halted:
        found = manager.next() if len(flying) < at_once and started < most else None
        if found is not None and found != "finished":
            flying.append(found)
            started += 1
        elif flying:
            record = flying.pop()
            manager.finish(record.number, last_report(folder, record, context), record.addition)
        else:
            return


if __name__ == "__main__":
    from tasksearch.engine.optuna_database import OptunaDatabase

    place = OptunaDatabase(url=sys.argv[4], study="planted-0") if len(sys.argv) > 4 else None
    try:
        run(sys.argv[1], concurrency=int(sys.argv[2]), context=json.loads(sys.argv[3]), optuna_storage=place)
    except Interrupted as error:
        print(error)
        sys.exit(error.exit_code)

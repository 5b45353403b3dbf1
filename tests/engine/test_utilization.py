from tasksearch.engine.utilization import SlotClock, Utilization


def test_idle_is_what_no_part_filled_from_the_first_report_to_the_last():
    now = [10.0]
    clock = SlotClock(2, lambda: now[0])

    def at(moment, act, trial):
        now[0] = moment
        return act(trial)

    assert clock.use(0, 0).seconds == 0.0
    at(11, clock.report, "a")  # Ray's start, before it, is no slot's idleness
    at(11, clock.go, "a")
    at(12, clock.report, "b")
    at(12, clock.pause, "b")
    at(15, clock.report, "a")
    at(15, clock.go, "a")
    assert at(16, clock.resume, "b") == 4.0
    at(17, clock.report, "b")
    at(17, clock.go, "b")
    at(18, clock.report, "a")
    at(21, clock.report, "b")
    assert clock.use(1, 1) == Utilization(slots=2, pauses=1, resumes=1, seconds=20.0, idle_seconds=9.0, resume_seconds=1.0)

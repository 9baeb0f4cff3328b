"""Threads, cages and the run end, as observed (JUDGE-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.conformance.oracle.verdict import Contradiction
from lindref.system.events import End
from lindref.system.outcome import Ending
from lindref.system.threads import AtomicBlocked, Blocked, Ready, Retry
from lindref.trace.format import Record

if TYPE_CHECKING:
    from lindref.conformance.oracle.course import Course


def on_end(course: Course, record: Record, later: Record | None) -> None:
    """A thread or cage ended."""
    del later
    cage = course.names.cages.get(record["cage"])
    whole = record["whole"]
    event = _ended(course, record, cage)
    if event is None:
        _end_unasked(course, record)
        event = _ended(course, record, cage)
    if event is None:
        what = f"cage {record['cage']}" if whole else f"thread {record.get('tid', 1)} of cage {record['cage']}"
        raise Contradiction("EXIT-3" if whole else "EXIT-1", f"{what} ends", "not to end")
    course.out.ends.remove(event)
    if whole:
        course.gone(record["cage"])
        if record.get("signal", event.signal) != event.signal:
            raise Contradiction("EXIT-3", f"the cage ends by signal {record['signal']}", f"signal {event.signal}")
        if not event.signal and record.get("status", event.status) != event.status:
            raise Contradiction("EXIT-3", f"the cage ends with status {record['status']}", f"status {event.status}")


def _ended(course: Course, record: Record, cage: int | None) -> End | None:
    """The end of the model that was observed."""
    found = [e for e in course.out.ends if e.cage == cage and e.whole == record["whole"]]
    if record["whole"]:
        return found[0] if found else None
    key = course.names.threads.get((record["cage"], record.get("tid", 1)))
    place = (record["cage"], record.get("tid", 1))
    del key
    exact = [e for e in found if (course.seen_cage(e.cage), e.tid) == place]
    return next(iter(exact or found), None)


def _end_unasked(course: Course, record: Record) -> None:
    """A program ended by itself: it trapped, could not be loaded, or had returned."""
    key = course.names.threads.get((record["cage"], record.get("tid", 1)))
    thread = course.system.threads.get(key or 0)
    if thread is None or record["whole"]:
        return
    if "trap" in record and isinstance(thread.status, Ready | AtomicBlocked):
        course.system.trapped(thread, record["trap"], ())
        course.gather()


def on_outcome(course: Course, record: Record, later: Record | None) -> None:
    """The run is over."""
    del later
    system = course.system
    ending = record["ending"]
    if ending == Ending.LIMIT.value:
        return
    if system.outcome is None and not any(not t.slot for t in system.threads.values()):
        system.outcome = system.first
    model = system.outcome
    if ending == Ending.DEADLOCK.value:
        _deadlock(course)
        return
    if model is None:
        alive = sorted({course.seen_cage(t.cage) for t in system.threads.values() if not t.slot})
        raise Contradiction("RUN-1", f"the run ends ({ending})", f"cages {alive} go on")
    seen = Ending.TRAP.value if ending == Ending.LOAD.value else ending
    if seen != model.ending:
        raise Contradiction("RUN-2", f"the run ends: {ending}", f"{model.ending} {model.text}".strip())
    if record.get("status", model.status) != model.status:
        raise Contradiction("RUN-3", f"the run's status is {record['status']}", str(model.status))
    leftover(course)


def _deadlock(course: Course) -> None:
    """Nobody can go on: no call of the model may be able to come back."""
    for thread in list(course.system.threads.values()):
        status = thread.status
        if course.system.stopped(thread.cage):
            continue
        if isinstance(status, Retry):
            course.try_again(thread)
            status = thread.status
        if isinstance(status, Blocked) and status.deadline is not None:
            what = f"nothing goes on, although a thread of cage {course.seen_cage(thread.cage)} could"
            raise Contradiction("SCHED-6", what, f"{status.pending.name} to come back")


def leftover(course: Course) -> None:
    """The trace is over: what the model did and the producer would have seen must have been seen."""
    if "end" in course.observes and course.out.ends:
        event = course.out.ends[0]
        rule = "EXIT-3" if event.whole else "EXIT-1"
        raise Contradiction(rule, f"cage {course.seen_cage(event.cage)} is not seen to end", "its end")
    if "spawn" in course.observes and course.out.spawns:
        raise Contradiction("FORK-1", "a new thread is not seen to begin", "its beginning")
    if "signal" in course.observes and course.out.signals:
        event_ = course.out.signals[0]
        raise Contradiction("SIG-1", f"signal {event_.signo} is not seen", f"its delivery ({event_.action})")

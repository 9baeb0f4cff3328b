"""Signals are delivered, as observed; where none is, they are when they can be (JUDGE-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.conformance.oracle.observed import ObservedRunner
from lindref.conformance.oracle.verdict import Contradiction
from lindref.posix import signals, timers
from lindref.posix.cage import Cage
from lindref.posix.signals import Action
from lindref.system import delivery
from lindref.system.threads import Ready, Retry, Thread
from lindref.trace.format import Record

if TYPE_CHECKING:
    from lindref.conformance.oracle.course import Course

#: Deliveries that are tried for one signal.
_TRIES = 8


def on_signal(course: Course, record: Record, later: Record | None) -> None:
    """A signal is delivered, or its handler returns."""
    del later
    cage = course.names.cages.get(record["cage"], 0)
    if _take_signal(course, record, cage):
        return
    thread = course.thread_of(record)
    if record["action"] == "return":
        token = thread.runner.pop_handler() if isinstance(thread.runner, ObservedRunner) else None
        if token is None:
            raise Contradiction("SIG-11", "a signal handler returns", "none that runs")
        delivery.returned(course.system, thread, token)
        course.gather()
        _take_signal(course, record, cage)
        return
    for _ in range(_TRIES):
        if not _deliver(course, thread):
            break
        course.gather()
        if _take_signal(course, record, cage):
            return
    rule = "SIG-1" if record["action"] != Action.HANDLER.value else "SIG-3"
    raise Contradiction(rule, f"signal {record['signo']} is delivered ({record['action']})", "no such signal")


def _take_signal(course: Course, record: Record, cage: int) -> bool:
    """Whether the model has delivered the signal that is observed."""
    for event in course.out.signals:
        if event.cage == cage and (event.signo, event.action) == (record["signo"], record["action"]):
            course.out.signals.remove(event)
            return True
    return False


def _deliver(course: Course, thread: Thread) -> bool:
    """Have the model deliver what it can to ``thread`` now, or let a timer go off; whether anything happened."""
    status = thread.status
    before = len(course.out.signals)
    if isinstance(status, Retry):
        course.try_again(thread)
        return True
    if isinstance(status, Ready):
        delivery.deliver(course.system, thread)
        course.gather()
        if len(course.out.signals) > before:
            return True
    alarm = timers.next_deadline(course.system.kernel)
    if alarm is None:
        return False
    course.let_pass(alarm)
    return True


def quiet_signals(course: Course, thread: Thread, cage: Cage) -> None:
    """Signals that nobody sees are taken: those that ask for nothing, and where no signal is observed, all."""
    if "signal" not in course.observes:
        _unseen_signals(course, thread)
    elif all(signals.silent(course.system.kernel, cage, signo) for signo in signals.deliverable(cage)):
        delivery.take(course.system, thread)


def _unseen_signals(course: Course, thread: Thread) -> None:
    """Signals are not observed: what is pending is delivered now, and its handlers return at once."""
    if thread.slot or not isinstance(thread.status, Ready):
        return
    delivery.deliver(course.system, thread)
    while isinstance(thread.runner, ObservedRunner) and (token := thread.runner.pop_handler()) is not None:
        delivery.returned(course.system, thread, token)
    course.gather()
    course.out.signals.clear()

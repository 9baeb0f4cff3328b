"""One thing tried from a state of the model: the states it leads to, and what it touched (JUDGE-8, EXP-6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lindref import classes
from lindref.conformance.oracle.course import Course
from lindref.conformance.oracle.observed import JudgedKernel, ObservedSystem
from lindref.conformance.oracle.verdict import Contradiction
from lindref.explore.turn import TurnChooser, others
from lindref.explore.watch.footprint import CLOCK, RUN, Footprint, Places, Touches
from lindref.explore.watch.watched import Before, WatchedKernel, WatchedSystem
from lindref.system import pools
from lindref.system import state as states

#: What has to do with everything.
ANYTHING = -1


class _WatchedKernel(WatchedKernel, JudgedKernel):
    """A judged kernel whose maps are views."""


class _WatchedObserved(WatchedSystem, ObservedSystem):
    """A system played by the judge whose parts are views."""


@classes.frozen
class Attempt:
    """What came of trying something: the states after it, one for each way that the model's choices allow and the trace
    does not contradict, and all that it touched. ``why``: what the trace contradicted.
    """

    after: tuple[Course, ...]
    touched: Footprint
    why: Contradiction | None


def fork(course: Course) -> Course:
    """Another state like this one, to go on from by itself."""
    system = course.system
    other = states.thaw(states.freeze(system), chooser=TurnChooser(), like=system)
    assert isinstance(other, ObservedSystem)
    other.continues(system)
    return course.copy(other)


def attempt(
    course: Course, act: Callable[[Course], None], places: Places, spend: Callable[[], None], *, noting: bool
) -> Attempt:
    """``act`` done from ``course`` in each way. ``spend`` is told of each; ``noting``: say what it touches."""
    ways: list[tuple[int, ...]] = [()]
    after: list[Course] = []
    touched, why = Footprint(), None
    while ways:
        answers = ways.pop()
        spend()
        one = fork(course)
        chooser = TurnChooser(answers)
        one.system.choices.chooser = chooser
        touches = Touches(places)
        try:
            if noting:
                with _noting(one.system, touches):
                    act(one)
            else:
                act(one)
        except Contradiction as found:
            why = why or found
            _needs(one, found, touches)
        else:
            after.append(one)
        if noting:
            touched |= _own(touches.footprint(), places)
        ways += others(chooser.points, len(answers), None)
    return Attempt(tuple(after), touched, why)


def _needs(course: Course, found: Contradiction, touches: Touches) -> None:
    """What could have made it otherwise."""
    if found.told:
        return  # the call was done: what it looked at is noted
    if found.blocked in course.system.threads:
        touches.read(("woken", found.blocked))
        touches.read(("thread", found.blocked))
    else:
        touches.reads = ANYTHING


def _own(found: Footprint, places: Places) -> Footprint:
    """Without what tells nothing apart here: times can be any, and the run's end is seen as such."""
    rest = ~(places.bit(CLOCK) | places.bit(RUN) | places.bit(("backings",)))
    return Footprint(found.reads if found.reads < 0 else found.reads & rest, found.changes & rest, found.adds & rest)


@contextmanager
def _noting(system: ObservedSystem, touches: Touches) -> Iterator[None]:
    """What is done meanwhile is noted in ``touches``."""
    kernel = system.kernel
    pools.settle(system)
    before = Before(system)  # type: ignore[arg-type]  # it is about to be watched
    system.__class__, kernel.__class__ = _WatchedObserved, _WatchedKernel
    system.touches = kernel.touches = touches  # type: ignore[attr-defined]  # both are watched now
    try:
        yield
    finally:
        system.touches = kernel.touches = None  # type: ignore[attr-defined]  # as above
        system.__class__, kernel.__class__ = ObservedSystem, JudgedKernel
        pools.settle(system)
        before.changed(system, touches)  # type: ignore[arg-type]  # it was watched


__all__ = ["Attempt", "attempt", "fork"]

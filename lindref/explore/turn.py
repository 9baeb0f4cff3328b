"""One turn of a system as a function: from a state and answers to the next state and the choice points (EXP-2)."""

from __future__ import annotations

from lindref import classes
from lindref.state.records import replace
from lindref.system import schedule
from lindref.system import state as states
from lindref.system.choices import ChoicesState
from lindref.system.state import Counters, SystemState
from lindref.system.system import System
from lindref.system.threads import Thread, ThreadState


@classes.frozen
class Point:
    """A choice point that was passed: its kind, how many options it had, and which was taken."""

    kind: str
    options: int
    answer: int


class TurnChooser:
    """Gives prepared answers, then 0; keeps what was asked. Kinds that are not explored get 0 and are kept all the
    same, since their answers are part of a schedule.
    """

    def __init__(self, answers: tuple[int, ...] = ()) -> None:
        self.answers = answers
        self.points: list[Point] = []

    def choose(self, index: int, kind: str, options: int) -> int:
        """The prepared answer, or 0."""
        del index
        place = len(self.points)
        answer = self.answers[place] if place < len(self.answers) else 0
        answer = min(answer, options - 1)
        self.points.append(Point(kind, options, answer))
        return answer


def take(system: System, answers: tuple[int, ...] = ()) -> list[Point]:
    """Take one turn with these answers to its first choice points; what was passed."""
    chooser = TurnChooser(answers)
    system.choices.chooser = chooser
    system.step()
    return chooser.points


def goes_on(system: System) -> bool:
    """Whether another answer than 0 to the next choice of a thread would take the processor from one that could go on
    (a preemption), rather than say who follows one that waits or has had its time.
    """
    order = schedule.candidates(system)
    return bool(order) and not system.yielded and order[0].key in (system.current, system.preferred)


def others(points: list[Point], fixed: int, kinds: frozenset[str] | None) -> list[tuple[int, ...]]:
    """The other ways to go from where a turn began: each choice point from ``fixed`` on, answered otherwise."""
    found = []
    for place in range(fixed, len(points)):
        point = points[place]
        if kinds is None or point.kind in kinds:
            before = tuple(p.answer for p in points[:place])
            found += [(*before, other) for other in range(point.options) if other != point.answer]
    return found


def bare(state: SystemState) -> SystemState:
    """A state without what the way to it left and the way on does not ask for: numbers of events and calls, answers,
    what is left of the quantum (every turn has a whole one, ``Config.accesses``). Equal ones have the same future.
    """
    counters = state.counters
    threads = state.threads
    for key, thread in threads.items():
        threads = threads.set(key, _bare_thread(thread))
    return replace(
        state,
        choices=ChoicesState(),
        counters=Counters(0, 0, counters.threads, counters.ticks, counters.drawn),
        threads=threads,
        turn=replace(state.turn, quantum=0),
    )


def _bare_thread(thread: ThreadState) -> ThreadState:
    pending = getattr(thread.status, "pending", None)
    if pending is None or not (pending.id or pending.within):
        return thread
    status = replace(thread.status, pending=replace(pending, id=0, within=0))
    return replace(thread, status=status)


def branch(state: SystemState, like: System) -> System:
    """A live system in ``state``; images are lent by ``like``."""
    return states.thaw(state, chooser=TurnChooser(), like=like)


__all__ = ["Point", "Thread", "TurnChooser", "bare", "branch", "goes_on", "others", "take"]

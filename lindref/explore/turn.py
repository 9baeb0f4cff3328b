"""One turn of a system as a function: from a state and answers to the next state and the choice points (EXP-2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lindref import classes
from lindref.posix.futex import FutexWait
from lindref.posix.kernel import IdKind
from lindref.posix.result import Key, WaitKey
from lindref.state.codec import digest
from lindref.state.pmap import PMap
from lindref.state.records import replace
from lindref.system import schedule
from lindref.system import state as states
from lindref.system.state import SystemState
from lindref.system.system import System
from lindref.system.threads import Blocked, Thread, ThreadState


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


def key(state: SystemState, *, ordered: bool = True, timed: bool = True) -> bytes:
    """A digest of a state without what the way to it left and the way on does not ask for: numbers of events and
    calls, answers, what is left of the quantum (every turn has a whole one, ``Config.accesses``), how many waits for
    futexes there were, and what is the same in all states of a run. Equal ones have the same future. Not ``ordered``:
    nor which thread ran last, which says in which order the next may be picked, but not which may. Not ``timed``: nor
    what time it is (EXP-7).
    """
    counters, turn, kernel = state.counters, state.turn, state.kernel
    tickets = {ticket: rank for rank, ticket in enumerate(kernel.futexes, 1)}
    threads = state.threads
    for number, thread in threads.items():
        threads = threads.set(number, _bare_thread(thread, tickets))
    none: PMap[Any] = PMap()
    kernel = replace(
        kernel,
        now=kernel.now if timed else 0,
        counters=kernel.counters.set(IdKind.FUTEX_TICKET, 0),
        futexes=none.update({tickets[ticket]: waiter for ticket, waiter in kernel.futexes.items()}),
    )
    return digest(
        (
            kernel,
            state.tables,
            threads,
            state.runtimes,
            state.memories,
            state.ending,
            state.grates,
            state.first,
            (counters.threads, counters.ticks if timed else 0, counters.drawn),
            (turn.current, turn.preferred, turn.yielded) if ordered else (),
        )
    )


def _bare_thread(thread: ThreadState, tickets: Mapping[int, int]) -> ThreadState:
    """A thread without numbers of calls, and with the ranks of tickets; 0 stands for one that is gone."""
    pending = getattr(thread.status, "pending", None)
    if pending is None:
        return thread
    memo = pending.memo
    rank = tickets.get(memo.ticket, 0) if isinstance(memo, FutexWait) else 0
    known = _BARE.get((id(thread), rank))
    if known is None:
        if len(_BARE) > _MANY:
            _BARE.clear()
        if isinstance(memo, FutexWait):
            memo = replace(memo, ticket=rank)
        changes: dict[str, Any] = {"pending": replace(pending, id=0, within=0, memo=memo)}
        if isinstance(memo, FutexWait) and isinstance(thread.status, Blocked):
            changes["keys"] = (WaitKey(Key.FUTEX, rank),)
        bare = replace(thread, status=replace(thread.status, **changes))
        known = _BARE[id(thread), rank] = (thread, bare)
    return known[1]


#: States of threads by identity (they are kept, so it is theirs), and what is left of them.
_BARE: dict[tuple[int, int], tuple[ThreadState, ThreadState]] = {}
_MANY = 10_000


def branch(state: SystemState, like: System) -> System:
    """A live system in ``state``; images are lent by ``like``."""
    return states.thaw(state, chooser=TurnChooser(), like=like)


__all__ = ["Point", "Thread", "TurnChooser", "branch", "goes_on", "key", "others"]

"""Every outcome of a system, by trying everything: each option of each choice point from each state that is reached.

It shares nothing with exploration but the system: no reduction, no bound, no order of threads, and a set of states of
its own. It is what exploration is held against (EXP-3, EXP-6).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lindref import classes
from lindref.explore.outcomes import Result, result_of
from lindref.posix.futex import FutexWait
from lindref.posix.kernel import IdKind
from lindref.posix.result import Key, WaitKey
from lindref.state.codec import digest
from lindref.state.pmap import PMap
from lindref.state.records import replace
from lindref.system import state as states
from lindref.system.state import SystemState
from lindref.system.system import System
from lindref.system.threads import Blocked


class Answers:
    """Gives the answers of a list, then 0; keeps how many options there were."""

    def __init__(self, answers: tuple[int, ...]) -> None:
        self.answers = answers
        self.options: list[int] = []

    def choose(self, index: int, kind: str, options: int) -> int:
        del index, kind
        place = len(self.options)
        self.options.append(options)
        return self.answers[place] if place < len(self.answers) else 0


@classes.frozen
class Reached:
    """All results, and how many states and turns there were on the way."""

    results: frozenset[Result]
    states: int
    turns: int


def name(state: SystemState) -> bytes:
    """What a state is known by: all of it that the future can depend on. Calls under way and waits for futexes are
    numbered by their rank: which numbers they have depends on the way. Who ran last only says in which order threads
    are offered, and all are tried.
    """
    pending = [getattr(thread.status, "pending", None) for thread in state.threads.values()]
    calls = sorted({number for one in pending if one is not None for number in (one.id, one.within)})
    ranks = {number: rank for rank, number in enumerate(calls)}
    tickets = {ticket: 1000 + rank for rank, ticket in enumerate(state.kernel.futexes.keys())}
    threads = []
    for number, thread in state.threads.items():
        status: Any = thread.status
        call = getattr(status, "pending", None)
        if call is not None:
            memo = call.memo
            if isinstance(memo, FutexWait):
                if isinstance(status, Blocked):
                    status = replace(status, keys=(WaitKey(Key.FUTEX, tickets[memo.ticket]),))
                memo = replace(memo, ticket=tickets.get(memo.ticket, 0))
            call = replace(call, id=ranks[call.id], within=ranks[call.within], memo=memo)
            thread = replace(thread, status=replace(status, pending=call))
        threads.append((number, thread))
    none: PMap[Any] = PMap()
    waiters = none.update({tickets[ticket]: waiter for ticket, waiter in state.kernel.futexes.items()})
    counters = state.kernel.counters.set(IdKind.FUTEX_TICKET, 0)
    rest = (state.tables, state.runtimes, state.memories, state.ending, state.grates, state.first)
    kernel = replace(state.kernel, futexes=waiters, counters=counters)
    return digest((kernel, tuple(threads), rest, state.counters.threads, state.counters.ticks, state.counters.drawn))


def reach(make: Callable[[], System], told: Callable[[int], None] | None = None) -> Reached:
    """Go from the first state wherever one can. A turn is run once for each way to answer what it asks."""
    like = make()
    first = states.freeze(like)
    seen = {name(first)}
    todo = [first]
    results: set[Result] = set()
    turns = 0
    while todo:
        state = todo.pop()
        ways: list[tuple[int, ...]] = [()]
        while ways:
            way = ways.pop()
            answers = Answers(way)
            system = states.thaw(state, chooser=answers, like=like)
            system.step()
            turns += 1
            for place in range(len(way), len(answers.options)):
                before = (*way, *(0,) * (place - len(way)))
                ways += [(*before, other) for other in range(1, answers.options[place])]
            if system.outcome is not None:
                results.add(result_of(system))
                continue
            after = states.freeze(system)
            key = name(after)
            if key not in seen:
                seen.add(key)
                todo.append(after)
        if told is not None:
            told(len(seen))
    return Reached(frozenset(results), len(seen), turns)

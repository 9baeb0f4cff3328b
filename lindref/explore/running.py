"""Running turns from states, and remembering what came of them: a turn is a function of the state it goes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from lindref import classes
from lindref.explore.outcomes import Result, result_of
from lindref.explore.races import Spot, Steps, spot_of
from lindref.explore.turn import TurnChooser, branch, goes_on, others
from lindref.explore.turn import key as key_of
from lindref.explore.watch.footprint import CLOCK, Footprint, Places
from lindref.explore.watch.watched import WatchedSystem, watch, watched_step
from lindref.system import schedule
from lindref.system import state as states
from lindref.system.state import SystemState
from lindref.system.system import System
from lindref.system.threads import Ready
from lindref.system.wasm_runner import WasmRunner

#: A state and how many preemptions are left there (-1: any number): what follows is a function of it.
Key = tuple[bytes, int]

#: A thread, and the answers that its turn begins with.
Way = tuple[int, tuple[int, ...]]


@classes.frozen
class Standing:
    """What a search needs of a state: the keys of threads that can run, in their order (with reduction: by number);
    whether something waits for its time; whether another thread than the first is a preemption; threads so far.
    """

    order: tuple[int, ...]
    timed: bool
    preemptible: bool
    threads: int


@classes.frozen(eq=False)
class Turned:
    """A turn, or some of one thread taken as one: where it leads and what that is like (nothing where the run is over),
    the preemptions left there, all answers, other ways that it showed, the turns with the threads that could run before
    each, and from where the next would have gone, had it not been one that must not be joined (``None``: it could not).
    """

    to: Key | Result
    standing: Standing | None
    left: int
    answers: tuple[int, ...]
    others: tuple[Way, ...]
    steps: Steps
    able: tuple[tuple[int, ...], ...]
    end: Spot | None

    def holds(self, racy: set[Spot]) -> bool:
        """Whether it would be the same now."""
        return (self.end is None or self.end in racy) and racy.isdisjoint(spot for _, spot in self.steps[1:])

    @property
    def turns(self) -> int:
        """How many turns were taken as one."""
        return len(self.able)


class OnWay(Protocol):
    """A state on the way of a search (``exhaustive.Node``)."""

    state: SystemState | None

    @property
    def key(self) -> Key:
        """Its key."""

    @property
    def left(self) -> int:
        """The preemptions left there."""

    @property
    def way(self) -> Way:
        """The way that was chosen there."""

    @property
    def turns(self) -> int:
        """How many turns that has, once it was gone."""

    @property
    def order(self) -> tuple[int, ...]:
        """The threads that can run."""

    @property
    def preemptible(self) -> bool:
        """Whether another thread than the first is a preemption."""


#: So many turns are taken as one at most: a thread may go round and round.
_MOST = 500

Remembered = dict[tuple[bool, Key, Way], list[Turned]]


class Turns:
    """Runs turns from the states of a run that begins in ``first``."""

    def __init__(self, system: System, kinds: frozenset[str] | None, *, reduces: bool) -> None:
        self.reduces = reduces
        self.kinds = kinds
        self.places = Places()
        self.system: System = watch(system)
        schedule.wake_due(system)
        self.first = states.freeze(system)
        #: What came of turns, by whether the time belongs to states, the state, and the way that was gone.
        self.remembered: Remembered = {}
        #: Turns that were run.
        self.count = 0
        # The one object for all equal footprints, spots, places of turns: most come again and again.
        self._same: dict[Any, Any] = {}
        #: Told after each that was.
        self.told: Callable[[], None] | None = None

    # States.

    def key(self, state: SystemState, left: int, *, timed: bool) -> Key:
        """The key of a state."""
        return key_of(state, ordered=not self.reduces, timed=timed), left

    def standing(self, system: System) -> Standing:
        """What the present state is like."""
        order = [thread.key for thread in schedule.candidates(system)]
        waits = self.reduces and schedule.next_deadline(system) is not None
        preemptible = not self.reduces and goes_on(system)
        return Standing(tuple(sorted(order) if self.reduces else order), waits, preemptible, system.thread_count)

    def at(self, path: Sequence[OnWay]) -> System:
        """A live system in the state at the end of ``path``: run again from the last one that is at hand."""
        start = next(i for i in range(len(path) - 1, -1, -1) if path[i].state is not None)
        state = path[start].state
        assert state is not None
        if self.system.outcome is not None or self.system.last_state is not state:
            self.system = watch(branch(state, self.system))
        for place in range(start, len(path) - 1):
            node = path[place]
            go(self.system, node.way, node.turns)
            schedule.wake_due(self.system)
            path[place + 1].state = states.freeze(self.system)
        return self.system

    # Turns.

    def turn(self, path: Sequence[OnWay], racy: set[Spot], *, timed: bool) -> tuple[Turned, SystemState | None]:
        """The turn that goes the way chosen at the end of ``path``; the state it led to, where that is at hand."""
        node = path[-1]
        known = self.remembered.setdefault((timed, node.key, node.way), [])
        for turned in known:
            if turned.holds(racy):
                return turned, None
        turned, state = self._run(self.at(path), node, racy, timed=timed)
        known.append(turned)
        self.count += turned.turns
        if self.told is not None:
            self.told()
        return turned, state

    def _run(self, system: System, node: OnWay, racy: set[Spot], *, timed: bool) -> tuple[Turned, SystemState | None]:
        thread, more = node.way
        chooser = choose(system, thread, more)
        steps: list[tuple[Footprint, Spot]] = []
        able = [node.order]
        end: Spot | None = None
        if self.reduces:
            assert isinstance(system, WatchedSystem)
            spot = spot_of(system, thread)
            steps.append((watched_step(system, self.places), spot))
            points = chooser.points
            while len(steps) < _MOST and joins(system, thread):
                spot = spot_of(system, thread)
                if spot in racy:
                    end = spot
                    break
                able.append(tuple(sorted(one.key for one in schedule.candidates(system))))
                chooser = choose(system, thread)
                steps.append((watched_step(system, self.places), spot))
                points = points + chooser.points
        else:
            assert isinstance(system, WatchedSystem)
            system.listens = True
            system.forget_clock()
            system.step()
            points = chooser.points
            if system.clock_read:
                steps.append((Footprint(reads=self.places.bit(CLOCK)), None))
        skip = 1 if len(node.order) > 1 else 0
        asked = [point for place, point in enumerate(points) if place < skip or point.kind != "thread"]
        further = others(asked, max(len(more) + skip, skip), self.kinds)
        ways = tuple((thread, way[skip:]) for way in further)
        # Where the order of threads is not part of the state, which answer picks one depends on the way.
        answers = tuple(point.answer for point in points)
        if self.reduces:
            picked = (node.order.index(thread),) if skip else ()
            answers = (*picked, *(point.answer for point in asked[skip:]), *(0,) * (len(steps) - 1))
        left = node.left - (node.left > 0 and node.preemptible and bool(skip) and bool(answers[0]))
        if system.outcome is not None:
            turned = Turned(result_of(system), None, left, answers, ways, self.one(steps), self.one(able), end)
            return turned, None
        schedule.wake_due(system)
        state = states.freeze(system)
        to = self.key(state, left, timed=timed)
        standing = self.one((self.standing(system),))[0]
        return Turned(to, standing, left, answers, ways, self.one(steps), self.one(able), end), state

    def one(self, values: Iterable[Any]) -> tuple[Any, ...]:
        """A tuple of values, pairs among them, that shares what is equal with all others."""
        same = self._same
        parts = [tuple([same.setdefault(p, p) for p in one]) if isinstance(one, tuple) else one for one in values]
        whole = tuple([same.setdefault(part, part) for part in parts])
        return same.setdefault(whole, whole)  # type: ignore[no-any-return]  # a tuple as it was put there

    def answers(self, ways: Sequence[tuple[Way, int]]) -> tuple[int, ...]:
        """The answers of a schedule that goes these ways, of so many turns each, from the first state."""
        system = branch(self.first, self.system)
        answers: list[int] = []
        for way, turns in ways:
            schedule.wake_due(system)
            answers += go(system, way, turns)
        return tuple(answers)


def choose(system: System, thread: int, more: tuple[int, ...] = ()) -> TurnChooser:
    """Have ``thread`` take the next turn, with answers ``more`` to what it asks."""
    order = [one.key for one in schedule.candidates(system)]
    chooser = TurnChooser((order.index(thread), *more) if len(order) > 1 else more)
    system.choices.chooser = chooser
    return chooser


def go(system: System, way: Way, turns: int) -> list[int]:
    """Take turns that were taken before: their answers."""
    answers: list[int] = []
    for number in range(turns):
        chooser = choose(system, way[0], () if number else way[1])
        system.step()
        answers += [point.answer for point in chooser.points]
    return answers


def joins(system: System, key: int) -> bool:
    """Whether the thread that has just had a turn could have its next one along with it."""
    thread = system.threads.get(key)
    if system.outcome is not None or thread is None or schedule.next_deadline(system) is not None:
        return False
    if not isinstance(thread.status, Ready) or not isinstance(thread.runner, WasmRunner):
        return False
    return not system.stopped(thread.cage)

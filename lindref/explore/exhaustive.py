"""All schedules within bounds, each state once: a search in depth (EXP-3, EXP-4, EXP-6).

With reduction, one thread is tried in each state, and another where what follows shows that the order matters
(``races``). Without, every thread that can run is tried, within a bound of preemptions if there is one.
"""

from __future__ import annotations

from collections.abc import Callable

from lindref import classes
from lindref.explore.graph import Edge, Graph, Key, Known, Way
from lindref.explore.outcomes import Outcomes, Result, result_of
from lindref.explore.races import Backwards, Spot, Steps, spot_of
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


@classes.frozen
class Bounds:
    """What is searched: at most ``preemptions`` per schedule (``None``: any number), ``states`` altogether; ``kinds``
    of choice points that are explored (``None``: all); whether fewer threads than all that can run may be tried in a
    state, which goes without a bound of preemptions only.
    """

    preemptions: int | None = None
    states: int = 100_000
    kinds: frozenset[str] | None = None
    reduction: bool = False


Progress = Callable[[int], None]


#: Turns taken as one, and the threads that could run before each.
Moved = tuple[Steps, tuple[frozenset[int], ...]]


@classes.define(eq=False)
class Node:
    """A state on the way: its key, what is known of it, the preemptions left there, ways yet to try, threads that were
    tried; the state itself where it is at hand, the way that is being tried, and what comes after.
    """

    key: Key
    known: Known
    left: int
    todo: list[Way]
    tried: set[int] = classes.field(factory=set)
    state: SystemState | None = None
    way: Way = (0, ())
    moved: Moved = ((), ())
    after: Backwards | None = None


class Search:
    """A search. ``run`` gives the outcomes; ``complete`` says whether all within the bounds was seen."""

    def __init__(self, system: System, bounds: Bounds, progress: Progress | None = None) -> None:
        self.bounds = bounds
        self.reduces = bounds.reduction and bounds.preemptions is None
        self.complete = True
        #: Whether a way was left out because it would have been one preemption too many.
        self.cut = False
        self.places = Places()
        self.graph = Graph()
        #: Turns that were run, and how often one led to a state that was known.
        self.turns = 0
        self.merged = 0
        #: How often a thread was not tried in a state where it could have run.
        self.spared = 0
        self._system: System = watch(system)
        schedule.wake_due(system)
        self._first = states.freeze(system)
        self._progress = progress
        self._on = 0
        # From where turns go whose order was seen to matter: they are not joined to the one before. From where turns
        # went that were joined; at how many states to begin again since one of them is such a one (0: no).
        self._racy: set[Spot] = set()
        #: Whether the time belongs to a state: not as long as nobody looks at a clock, and no state comes again.
        self._timed = not self.reduces or schedule.next_deadline(self._system) is not None
        self._looked = self.places.bit(CLOCK)
        self._joined: set[Spot] = set()
        self._again = 0

    @property
    def visited(self) -> int:
        """How many states there were."""
        return len(self.graph.states)

    def run(self) -> Outcomes:
        """Search from the present state on."""
        if self._system.outcome is not None:
            over = Outcomes()
            over.add(result_of(self._system), ())
            return over
        while True:
            first = self._attempt()
            if first is not None:
                return self.graph.outcomes(first, self._answers)

    def _attempt(self) -> Key | None:
        """Search all; the key of the first state, or nothing where turns were taken for one that must not be."""
        self.graph = Graph()
        self.complete, self.cut = True, False
        self.merged = self.spared = 0
        self._joined = set()
        self._again = 0
        budget = -1 if self.bounds.preemptions is None else self.bounds.preemptions
        self._system = watch(branch(self._first, self._system))
        first = self._enter(self._first, budget)
        path = [self._node(first, budget, self._first)]
        self._open = {first}
        while path:
            node = path[-1]
            if not node.todo and not self._more(node):
                self._leave(path)
                continue
            if self._again and self.visited >= self._again:
                return None
            if self._full(node):
                self.complete = False
                node.todo.clear()
                node.tried.update(node.known.order)
                continue
            node.way = node.todo.pop()
            edge, state, moved = self._run(node)
            node.todo += edge.others
            if not self._timed and self._needs_time(edge, moved):
                self._timed = True
                return None
            if isinstance(edge.to, Result):
                self._behind(node, moved, None)
            elif edge.to in self.graph.futures:
                self.merged += 1
                self._behind(node, moved, self.graph.states[edge.to])
            else:
                node.moved = moved
                path.append(self._node(edge.to, edge.left, state))
                self._open.add(edge.to)
        return None if self._again and self.complete else first

    def _needs_time(self, edge: Edge, moved: Moved) -> bool:
        """Whether time must belong to states (EXP-7): a clock was looked at, or a state of the way came again."""
        again = not isinstance(edge.to, Result) and edge.to not in self.graph.futures and edge.to in self._open
        return again or any(footprint.reads & self._looked for footprint, _ in moved[0])

    def _leave(self, path: list[Node]) -> None:
        """All has been tried at the end of ``path``."""
        node = path.pop()
        self._open.discard(node.key)
        self.spared += len(node.known.order) - len(node.tried)
        self.graph.close(node.key)
        if node.after is not None:
            node.known.laters = node.after.laters()
        if path:
            self._behind(path[-1], path[-1].moved, node.known)

    def _behind(self, node: Node, moved: Moved, after: Known | None) -> None:
        """A turn from ``node`` is done with, and so is all that comes after it."""
        if node.after is not None:
            later, able = ((), ()) if after is None else (after.laters, after.order)
            node.after.turns(node.way[0], *moved, later, able)
            self._racy |= node.after.racy
            if not self._again and not node.after.racy.isdisjoint(self._joined):
                self._again = 2 * self.visited + _SOON

    def _node(self, key: Key, left: int, state: SystemState | None) -> Node:
        self._on = 0 if self.visited < self.bounds.states else self._on + 1
        known = self.graph.states[key]
        assert state is not None
        after = Backwards(known.order, (2 << state.counters.threads) - 2) if self.reduces else None
        return Node(key, known, left, [], state=state, after=after)

    def _full(self, node: Node) -> bool:
        """Whether no more may be tried here: the bound is reached, and what has begun has been gone to its end, or
        for as long again."""
        far = self._on > max(self.bounds.states, _FAR)
        return self.visited >= self.bounds.states and (far or bool(node.known.ways))

    # Which ways there are.

    def _more(self, node: Node) -> bool:
        """Ways from a state that are still to be tried: whether there are any."""
        known = node.known
        order = known.order
        kinds = self.bounds.kinds
        if not order:
            wanted = [0]
        elif kinds is not None and "thread" not in kinds:
            wanted = [order[0]]
        elif node.after is not None and not known.timed:
            wanted = node.after.wanted or [min(order)]
            if not node.tried:
                node.after.wanted.append(min(order))
        else:
            wanted = list(order)
        new = [key for key in wanted if key not in node.tried]
        if node.left == 0 and known.preemptible and len(new) > 1:
            self.cut = True
            new = new[:1]
            node.tried.update(wanted)
        node.tried.update(new)
        node.todo += [(key, ()) for key in reversed(new)]
        return bool(new)

    # Turns.

    def _enter(self, state: SystemState, left: int) -> Key:
        """The key of the present state, which is known from now on."""
        key = (key_of(state, ordered=not self.reduces, timed=self._timed), left)
        if key not in self.graph.states:
            system = self._system
            order = tuple(thread.key for thread in schedule.candidates(system))
            self.graph.states[key] = Known(
                order,
                self.reduces and schedule.next_deadline(system) is not None,
                not self.reduces and goes_on(system),
            )
            if self._progress is not None:
                self._progress(self.visited)
        return key

    def _run(self, node: Node) -> tuple[Edge, SystemState | None, Moved]:
        """Go the way that was chosen at ``node``: the turn, where it led, what it touched."""
        if self._system.outcome is not None or self._system.last_state is not node.state:
            assert node.state is not None
            self._system = watch(branch(node.state, self._system))
        system = self._system
        order = node.known.order
        thread = node.way[0]
        answers = self._index(order, node.way)
        chooser = TurnChooser(answers)
        system.choices.chooser = chooser
        steps: list[tuple[Footprint, Spot]] = []
        ables = [frozenset(order)]
        if self.reduces:
            assert isinstance(system, WatchedSystem)
            spot = spot_of(system, thread)
            steps.append((watched_step(system, self.places), spot))
            points = chooser.points
            while (spot := self._joins(system, thread)) is not None:
                ables.append(frozenset(one.key for one in schedule.candidates(system)))
                chooser = self._same(system, thread)
                steps.append((watched_step(system, self.places), spot))
                self._joined.add(spot)
                points = points + chooser.points
        else:
            system.step()
            points = chooser.points
        turns = len(steps) or 1
        self.turns += turns
        told = tuple(point.answer for point in points)
        skip = 1 if len(order) > 1 else 0
        asked = [point for place, point in enumerate(points) if place < skip or point.kind != "thread"]
        further = tuple((thread, way[skip:]) for way in others(asked, max(len(answers), skip), self.bounds.kinds))
        left = node.left
        if node.known.preemptible and skip and told[0] and left > 0:
            left -= 1
        if system.outcome is not None:
            edge = Edge(self.graph.result(result_of(system)), left, told, further, turns)
            state = None
        else:
            schedule.wake_due(system)
            state = states.freeze(system)
            edge = Edge(self._enter(state, left), left, told, further, turns)
        node.known.ways[node.way] = edge
        return edge, state, (tuple(steps), tuple(ables))

    def _joins(self, system: WatchedSystem, key: int) -> Spot | None:
        """From where the thread that has just had a turn can have its next one along with it, since nobody else can
        tell; nothing where it cannot."""
        thread = system.threads.get(key)
        if system.outcome is not None or thread is None or schedule.next_deadline(system) is not None:
            return None
        if not isinstance(thread.status, Ready) or not isinstance(thread.runner, WasmRunner):
            return None
        spot = spot_of(system, key)
        return None if system.stopped(thread.cage) or spot in self._racy else spot

    @staticmethod
    def _same(system: System, thread: int) -> TurnChooser:
        """Have ``thread`` take the next turn."""
        order = [one.key for one in schedule.candidates(system)]
        chooser = TurnChooser((order.index(thread),) if len(order) > 1 else ())
        system.choices.chooser = chooser
        return chooser

    @staticmethod
    def _index(order: tuple[int, ...], way: Way) -> tuple[int, ...]:
        return (order.index(way[0]), *way[1]) if len(order) > 1 else way[1]

    def _answers(self, ways: list[tuple[Way, int]]) -> tuple[int, ...]:
        """The answers of a schedule that goes these ways from the first state."""
        system = branch(self._first, self._system)
        answers: list[int] = []
        for (thread, more), turns in ways:
            schedule.wake_due(system)
            order = tuple(one.key for one in schedule.candidates(system))
            chooser = TurnChooser(self._index(order, (thread, more)))
            system.choices.chooser = chooser
            system.step()
            answers += [point.answer for point in chooser.points]
            for _ in range(turns - 1):
                chooser = self._same(system, thread)
                system.step()
                answers += [point.answer for point in chooser.points]
        return tuple(answers)


#: Beyond the bound of states what has begun goes on for so many.
_FAR = 10_000

#: A search that is to begin again does so after this many states more than it had twice over.
_SOON = 100

#: What the first rounds of a search without a bound on preemptions may cost of all states, and their bounds.
_ROUNDS = (0, 1, 2)
_SHARE = 5


def deepen(system: System, bounds: Bounds, progress: Progress | None = None) -> tuple[Outcomes, Search]:
    """A search in rounds, so that what takes few preemptions is found even where not everything can be. The outcomes,
    and the last round; where that is complete, so are they.

    With reduction: none, then everything, and where that is too much, within what is left, one and two. Without: none,
    one, two, then within ``bounds``.
    """
    start = states.freeze(system)
    early = Outcomes()
    spent = 0
    rounds: tuple[int, ...] = _ROUNDS if bounds.preemptions is None else tuple(range(bounds.preemptions))
    whole: Search | None = None
    for allowed in rounds:
        limits = Bounds(allowed, max(bounds.states // _SHARE, 1), bounds.kinds)
        search = Search(branch(start, system), limits, progress)
        early.take(search.run())
        spent += search.visited
        if search.complete and not search.cut:
            return early, search
        if bounds.reduction and bounds.preemptions is None and whole is None:
            whole = Search(branch(start, system), Bounds(None, bounds.states // 2, bounds.kinds, True), progress)
            found = whole.run()
            found.take(early, counted=False)
            if whole.complete:
                return found, whole
            early = found
            spent += whole.visited
    left = Bounds(bounds.preemptions, max(bounds.states - spent, 1), bounds.kinds)
    last = Search(branch(start, system), left, progress)
    outcomes = last.run()
    outcomes.take(early, counted=False)
    return outcomes, last

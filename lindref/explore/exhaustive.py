"""All schedules within bounds, each state once: a search in depth whose results are kept by state (EXP-3, EXP-4)."""

from __future__ import annotations

from collections.abc import Callable

from lindref import classes
from lindref.explore.outcomes import Found, Outcomes, Result, result_of, simpler
from lindref.explore.turn import bare, branch, goes_on, others, take
from lindref.state.codec import digest
from lindref.system import state as states
from lindref.system.state import SystemState
from lindref.system.system import System


@classes.frozen
class Bounds:
    """What is searched: at most ``preemptions`` per schedule (``None``: any number), ``states`` altogether; ``kinds``
    of choice points that are explored (``None``: all).
    """

    preemptions: int | None = None
    states: int = 100_000
    kinds: frozenset[str] | None = None


#: A state and how many preemptions are left there: what follows is a function of it.
Key = tuple[bytes, int]
Futures = dict[Result, Found]


@classes.define(eq=False)
class Node:
    """A state on the way: ways yet to try from it, the way that is being tried, and what was found so far."""

    key: Key
    state: SystemState
    preemptible: bool
    left: int
    todo: list[tuple[int, ...]]
    taken: tuple[int, ...] = ()
    futures: Futures = classes.field(factory=dict)


#: What the first rounds of a search without a bound on preemptions may cost of all states, and their bounds.
_ROUNDS = (0, 1, 2)
_SHARE = 5


def deepen(system: System, bounds: Bounds, progress: Callable[[int], None] | None = None) -> tuple[Outcomes, Search]:
    """A search in rounds, so that what takes few preemptions is found even where not everything can be: with none, with
    one, with two, then within ``bounds``. The outcomes, and the last round; where that is complete, so are they.
    """
    start = states.freeze(system)
    early = Outcomes()
    spent = 0
    for allowed in _ROUNDS if bounds.preemptions is None else range(bounds.preemptions):
        limits = Bounds(allowed, max(bounds.states // _SHARE, 1), bounds.kinds)
        search = Search(branch(start, system), limits, progress)
        for result, found in search.run().found.items():
            early.add(result, found.answers, found.count)
        spent += search.visited
        if search.complete and not search.cut:
            return early_as_last(early, search)
    left = Bounds(bounds.preemptions, max(bounds.states - spent, 1), bounds.kinds)
    last = Search(branch(start, system), left, progress)
    outcomes = last.run()
    for result, found in early.found.items():
        known = outcomes.found.get(result)
        if known is None:
            outcomes.found[result] = found
        else:
            outcomes.found[result] = Found(known.count, simpler(known.answers, found.answers))
    return outcomes, last


def early_as_last(early: Outcomes, search: Search) -> tuple[Outcomes, Search]:
    """A round that had nothing to leave out has seen everything: its own counts are the counts."""
    whole = search.outcomes
    for result, found in whole.found.items():
        whole.found[result] = Found(found.count, simpler(found.answers, early.found[result].answers))
    return whole, search


class Search:
    """A search. ``run`` gives the outcomes; ``complete`` says whether all within the bounds was seen."""

    def __init__(self, system: System, bounds: Bounds, progress: Callable[[int], None] | None = None) -> None:
        self.bounds = bounds
        self.complete = True
        #: Whether a way was left out because it would have been one preemption too many.
        self.cut = False
        self.outcomes = Outcomes()
        #: Results by state; states whose futures are all known.
        self.known: dict[Key, Futures] = {}
        self.visited = 0
        self.merged = 0
        self._first = system
        self._system = system
        self._progress = progress

    def run(self) -> Outcomes:
        """Search from the present state on."""
        budget = -1 if self.bounds.preemptions is None else self.bounds.preemptions
        path: list[Node] = []
        found = self._enter(path, budget)
        while path:
            node = path[-1]
            if found is not None:
                self._gather(node, found)
            # The way that has begun is gone to its end whatever the bound.
            if not node.todo or (self.visited >= self.bounds.states and node.todo[-1]):
                self.complete &= not node.todo
                path.pop()
                self.known[node.key] = found = node.futures
                continue
            found = self._try(path, node, node.todo.pop())
        for result, how in (found or {}).items():
            self.outcomes.add(result, how.answers, how.count)
        return self.outcomes

    def _enter(self, path: list[Node], left: int) -> Futures | None:
        """The present state: its futures if they are known (or it is an end), else it goes on the path."""
        system = self._system
        if system.outcome is not None:
            return {result_of(system): Found(1, ())}
        state = states.freeze(system)
        key = (digest(bare(state)), left)
        known = self.known.get(key)
        if known is not None:
            self.merged += 1
            return known
        self.visited += 1
        if self._progress is not None:
            self._progress(self.visited)
        path.append(Node(key, state, goes_on(system), left, [()]))
        return None

    def _try(self, path: list[Node], node: Node, answers: tuple[int, ...]) -> Futures | None:
        """Go one turn from ``node`` with ``answers``; other ways that this shows are noted."""
        if answers or self._system.last_state is not node.state:
            self._system = branch(node.state, self._first)
        points = take(self._system, answers)
        node.taken = tuple(point.answer for point in points)
        spent = 0
        if node.preemptible and points and points[0].kind == "thread" and points[0].answer:
            spent = 1
        for way in others(points, len(answers), self.bounds.kinds):
            preempts = node.preemptible and points[0].kind == "thread" and len(way) == 1
            if preempts and node.left == 0:
                self.cut = True
            else:
                node.todo.append(way)
        return self._enter(path, node.left - spent if node.left > 0 else node.left)

    def _gather(self, node: Node, futures: Futures) -> None:
        """What follows the way just tried belongs to what follows ``node``."""
        for result, how in futures.items():
            answers = (*node.taken, *how.answers)
            known = node.futures.get(result)
            if known is None:
                node.futures[result] = Found(how.count, answers)
            else:
                node.futures[result] = Found(known.count + how.count, simpler(known.answers, answers))

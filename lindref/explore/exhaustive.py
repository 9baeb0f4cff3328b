"""All schedules within bounds, each state once: a search in depth (EXP-3, EXP-4, EXP-6).

With reduction, one thread is tried in each state, and another where what follows shows that the order matters
(``races``). Without, every thread that can run is tried, within a bound of preemptions if there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lindref import classes
from lindref.explore import rounds
from lindref.explore.graph import Graph, Known
from lindref.explore.outcomes import Found, Outcomes, Result, result_of, trimmed
from lindref.explore.races import Backwards, Spot
from lindref.explore.running import Key, Standing, Turned, Turns, Way
from lindref.explore.turn import branch
from lindref.explore.watch.footprint import CLOCK, Footprint
from lindref.explore.watch.watched import watch
from lindref.system import schedule
from lindref.system import state as states
from lindref.system.state import SystemState
from lindref.system.system import System


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


@classes.define(eq=False)
class Node:
    """A state on the way: its key, what is known of it, the preemptions left there, ways yet to try, threads that were
    tried; the state itself where it is at hand, the way that is being tried and what came of it, and what comes after.
    """

    key: Key
    known: Known
    left: int
    todo: list[Way]
    tried: set[int] = classes.field(factory=set)
    state: SystemState | None = None
    way: Way = (0, ())
    turned: Turned | None = None
    after: Backwards | None = None

    @property
    def turns(self) -> int:
        """How many turns the way has that is being tried."""
        return 1 if self.turned is None else self.turned.turns

    @property
    def order(self) -> tuple[int, ...]:
        """The threads that can run."""
        return self.known.standing.order

    @property
    def preemptible(self) -> bool:
        """Whether another thread than the first is a preemption."""
        return self.known.standing.preemptible


class _Everywhere(set[Spot]):
    """All spots."""

    def __contains__(self, spot: object) -> bool:
        return True

    def isdisjoint(self, spots: Iterable[object]) -> bool:
        """Whether there are none of ``spots``."""
        return not any(True for _ in spots)


_EVERYWHERE = _Everywhere()


class Search:
    """A search. ``run`` gives the outcomes; ``complete`` says whether all within the bounds was seen.

    ``running`` runs the turns; what it remembers need not be run again.
    """

    def __init__(self, system: System, bounds: Bounds, progress: Progress | None = None) -> None:
        self.bounds = bounds
        self.reduces = bounds.reduction and bounds.preemptions is None
        self.complete = True
        #: Whether a way was left out because it would have been one preemption too many.
        self.cut = False
        self.graph = Graph()
        self.running = Turns(system, bounds.kinds, reduces=self.reduces)
        #: How often a turn led to a state that was known, and a thread was not tried where it could have run.
        self.merged = 0
        self.spared = 0
        self._progress = progress
        self._on = 0
        # Whether the time belongs to a state: not as long as nobody looks at a clock.
        self._timed = schedule.next_deadline(system) is not None
        # Whether states come again on a way: then every thread is tried in each, and no turns are joined.
        self._round = False
        self._looked = self.running.places.bit(CLOCK)
        # From where turns go whose order was seen to matter: they are not joined to the one before. From where turns
        # went that were joined; at how many states to begin again since one of them is such a one (0: no).
        self._racy: set[Spot] = set()
        self._joined: set[Spot] = set()
        self._again = 0
        self._open: set[Key] = set()
        self._same: dict[Footprint, Footprint] = {}
        #: Told of the way before each turn; the way that a search which is only ahead of another begins with.
        self.watching: Callable[[list[Node]], None] | None = None
        self._begin: Way | None = None

    @property
    def timed(self) -> bool:
        """Whether the time belongs to states."""
        return self._timed

    @property
    def racy(self) -> set[Spot]:
        """From where turns go whose order was seen to matter."""
        return self._racy

    def ahead(self, begin: Way, racy: set[Spot], *, timed: bool) -> None:
        """Run what another search may need that knows so much already: from the first state on, by way ``begin``."""
        if self.running.system.outcome is None:
            self._begin, self._racy, self._timed = begin, racy, timed
            self._attempt()

    def untried(self, node: Node) -> list[Way]:
        """Ways from a state that have not been gone, and may have to be."""
        if self.reduces:
            return [*node.todo, *((key, ()) for key in node.order if key not in node.tried)]
        return list(node.todo)

    @property
    def visited(self) -> int:
        """How many states there were."""
        return len(self.graph.states)

    @property
    def turns(self) -> int:
        """How many turns there were to the states."""
        return sum(turned.turns for known in self.graph.states.values() for turned in known.ways.values())

    def run(self) -> Outcomes:
        """Search from the first state on."""
        over = self.running.system
        if over.outcome is not None:
            outcomes = Outcomes()
            outcomes.add(result_of(over), ())
            return outcomes
        while True:
            first = self._attempt()
            if first is not None:
                outcomes = self.graph.outcomes(first, self.running.answers)
                self._add_rounds(outcomes, first)
                return outcomes

    def _add_rounds(self, outcomes: Outcomes, first: Key) -> None:
        """Runs that have no end, where all was seen (EXP-10)."""
        if not self.complete or self.cut or self.bounds.kinds is not None:
            return
        for ways in rounds.endless(self.graph, first):
            answers = trimmed(self.running.answers(ways))
            outcomes.add(rounds.run(branch(self.running.first, self.running.system), answers), answers)

    def _attempt(self) -> Key | None:
        """Search all; the key of the first state, or nothing where turns were taken for one that must not be."""
        self.graph = Graph()
        self.complete, self.cut = True, False
        self.merged = self.spared = 0
        self._joined = set()
        self._open = set()
        self._again = 0
        running = self.running
        budget = -1 if self.bounds.preemptions is None else self.bounds.preemptions
        running.system = watch(branch(running.first, running.system))
        first = running.key(running.first, budget, timed=self._timed)
        path = [self._node(first, running.standing(running.system), budget)]
        path[0].state = running.first
        if self._begin is not None:
            path[0].todo.append(self._begin)
            path[0].tried.update(path[0].order)
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
                node.tried.update(node.order)
                continue
            node.way = node.todo.pop()
            if self.watching is not None:
                self.watching(path)
            racy = _EVERYWHERE if self._round else self._racy
            turned, state = running.turn(path, racy, timed=self._timed)
            if isinstance(turned.to, Result):
                turned = classes.evolve(turned, to=self.graph.result(turned.to))
            node.turned = node.known.ways[node.way] = turned
            node.todo += turned.others
            self._joined.update(spot for _, spot in turned.steps[1:])
            if not self._timed and any(footprint.reads & self._looked for footprint, _ in turned.steps):
                self._timed = True  # EXP-7
                return None
            if turned.to in self._open:
                if self.reduces and not self._round:
                    self._round = True
                    return None
                continue  # nothing follows that does not follow the state as it was before
            if isinstance(turned.to, Result):
                self._behind(node, None)
            elif turned.to in self.graph.futures:
                self.merged += 1
                self._behind(node, self.graph.states[turned.to])
            else:
                assert turned.standing is not None
                path.append(self._node(turned.to, turned.standing, turned.left))
                path[-1].state = state
        return None if self._again and self.complete else first

    def _leave(self, path: list[Node]) -> None:
        """All has been tried at the end of ``path``."""
        node = path.pop()
        self._open.discard(node.key)
        self.spared += max(len(node.order) - len(node.tried), 0)
        self.graph.close(node.key)
        if node.after is not None:
            node.known.laters = node.after.laters()
        if path:
            self._behind(path[-1], node.known)

    def _behind(self, node: Node, after: Known | None) -> None:
        """A turn from ``node`` is done with, and so is all that comes after it."""
        turned = node.turned
        if node.after is not None and turned is not None:
            later, able = ((), ()) if after is None else (after.laters, after.standing.order)
            node.after.turns(node.way[0], turned.steps, turned.able, later, able)
            self._racy |= node.after.racy
            if not self._again and not node.after.racy.isdisjoint(self._joined):
                self._again = 2 * self.visited + _SOON

    def _node(self, key: Key, standing: Standing, left: int) -> Node:
        self._on = 0 if self.visited < self.bounds.states else self._on + 1
        known = self.graph.states.get(key)
        if known is None:
            known = self.graph.states[key] = Known(standing)
            if self._progress is not None:
                self._progress(self.visited)
        self._open.add(key)
        after = Backwards(standing.order, (2 << standing.threads) - 2, self._same) if self.reduces else None
        return Node(key, known, left, [], after=after)

    def _full(self, node: Node) -> bool:
        """Whether no more may be tried here: the bound is reached, and what has begun has been gone to its end, or
        for as long again."""
        far = self._on > max(self.bounds.states, _FAR)
        return self.visited >= self.bounds.states and (far or bool(node.known.ways))

    def _more(self, node: Node) -> bool:
        """Ways from a state that are still to be tried: whether there are any."""
        order = node.order
        kinds = self.bounds.kinds
        if not order:
            wanted = [0]
        elif kinds is not None and "thread" not in kinds:
            wanted = [order[0]]
        elif node.after is not None and not node.known.standing.timed and not self._round:
            if not node.tried:
                node.after.wanted.append(order[0])
            wanted = node.after.wanted
        else:
            wanted = list(order)
        new = [key for key in wanted if key not in node.tried]
        if node.left == 0 and node.preemptible and len(new) > 1:
            self.cut = True
            new = new[:1]
            node.tried.update(wanted)
        node.tried.update(new)
        node.todo += [(key, ()) for key in reversed(new)]
        return bool(new)


#: Beyond the bound of states what has begun goes on for so many.
_FAR = 10_000

#: A search that is to begin again does so after this many states more than it had twice over.
_SOON = 100

#: What the first rounds of a search without a bound on preemptions may cost of all states, and their bounds.
_ROUNDS = (0, 1, 2)
_SHARE = 5


def deepen(
    system: System, bounds: Bounds, progress: Progress | None = None, begins: Callable[[Search], None] | None = None
) -> tuple[Outcomes, Search]:
    """A search in rounds, so that what takes few preemptions is found even where not everything can be. The outcomes,
    and the last round; where that is complete, so are they. ``begins`` is told of each search before it begins.

    With reduction: everything, and where that is too much, within what is left, none, one and two. Without: none, one,
    two, then within ``bounds``.
    """
    start = states.freeze(system)

    def search(preemptions: int | None, most: int, *, reduction: bool = False) -> Search:
        limits = Bounds(preemptions, max(most, 1), bounds.kinds, reduction)
        made = Search(branch(start, system), limits, progress)
        if begins is not None:
            begins(made)
        return made

    early = Outcomes()
    spent = 0
    rounds: tuple[int, ...] = _ROUNDS if bounds.preemptions is None else tuple(range(bounds.preemptions))
    if bounds.reduction and bounds.preemptions is None:
        whole = search(None, bounds.states // 2, reduction=True)
        early = whole.run()
        _plain_run(branch(start, system), early)
        if whole.complete:
            return early, whole
        spent = whole.visited
    for allowed in rounds:
        one = search(allowed, bounds.states // _SHARE)
        early.take(one.run(), counted=not bounds.reduction)
        spent += one.visited
        if one.complete and not one.cut:
            return early, one
    last = search(bounds.preemptions, bounds.states - spent)
    outcomes = last.run()
    outcomes.take(early, counted=False)
    return outcomes, last


def _plain_run(system: System, outcomes: Outcomes) -> None:
    """The run without an answer other than 0, if it is not too long: the simplest schedule of what it comes to."""
    for _ in range(_FAR):
        if not system.step():
            break
    if system.outcome is not None:
        known = outcomes.found.get(result_of(system))
        if known is not None:
            outcomes.found[result_of(system)] = Found(known.count, ())

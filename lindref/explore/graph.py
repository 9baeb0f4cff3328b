"""The states of a search and the turns between them, and what follows each (EXP-4)."""

from __future__ import annotations

from collections.abc import Callable

from lindref import classes
from lindref.explore.outcomes import Outcomes, Result, trimmed
from lindref.explore.races import Laters
from lindref.explore.running import Key, Standing, Turned, Way


@classes.define(eq=False)
class Known:
    """What is known of a state: what it is like, turns that were tried, and those that come after it."""

    standing: Standing
    ways: dict[Way, Turned] = classes.field(factory=dict)
    laters: Laters = ()


@classes.frozen
class Future:
    """How one result follows a state: by how many schedules, what the simplest costs (answers other than 0, answers),
    and how it begins.
    """

    count: int
    cost: tuple[int, int]
    answers: tuple[int, ...]
    way: Way


class Graph:
    """All states that were reached; ``futures`` of those that are done with."""

    def __init__(self) -> None:
        self.states: dict[Key, Known] = {}
        self.futures: dict[Key, dict[Result, Future]] = {}
        self._results: dict[Result, Result] = {}

    def result(self, result: Result) -> Result:
        """The one object for all equal results."""
        return self._results.setdefault(result, result)

    def close(self, key: Key) -> None:
        """All that is to be tried from a state has been."""
        found: dict[Result, Future] = {}
        for way, edge in self.states[key].ways.items():
            nonzero, length = sum(1 for answer in edge.answers if answer), len(edge.answers)
            if isinstance(edge.to, Result):
                _note(found, edge.to, Future(1, (nonzero, length), edge.answers, way))
                continue
            for result, future in self.futures.get(edge.to, {}).items():
                cost = (nonzero + future.cost[0], length + future.cost[1])
                _note(found, result, Future(future.count, cost, edge.answers, way))
        self.futures[key] = found

    def outcomes(self, first: Key, answers: Callable[[list[tuple[Way, int]]], tuple[int, ...]]) -> Outcomes:
        """What follows the first state; ``answers`` makes a schedule of ways."""
        outcomes = Outcomes()
        for result, future in self.futures[first].items():
            outcomes.add(result, trimmed(answers(self._ways(first, result))), future.count)
        return outcomes

    def _ways(self, key: Key, result: Result) -> list[tuple[Way, int]]:
        """The ways of the simplest schedule that leads to ``result``, and how many turns each takes."""
        ways = []
        at: Key | Result = key
        while not isinstance(at, Result):
            way = self.futures[at][result].way
            edge = self.states[at].ways[way]
            ways.append((way, edge.turns))
            at = edge.to
        return ways


def _note(found: dict[Result, Future], result: Result, future: Future) -> None:
    known = found.get(result)
    if known is None:
        found[result] = future
        return
    count = known.count + future.count
    best = min(known, future, key=lambda f: (f.cost, f.answers))
    found[result] = Future(count, best.cost, best.answers, best.way)

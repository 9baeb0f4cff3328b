"""Others that run turns ahead of a search: processes on this machine, or the workers of a Dask cluster (EXP-8).

The search goes its way as it would alone, turn by turn, and takes what others ran in the meantime from what it
remembers. So what it reports does not depend on how many there are, where they run, or how fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lindref import classes
from lindref.explore.exhaustive import Bounds, Node, Search
from lindref.explore.packing import entries, pack, remember, unpack
from lindref.explore.pools import Future, Pool, first_state
from lindref.explore.running import Way, go
from lindref.system import schedule
from lindref.system import state as states

#: How many states a task explores, at most.
_SIZE = 300

#: How often the search looks at its helpers: once in so many states on its way.
_LOOKS = 8


@classes.frozen
class Task:
    """To explore from a state: how to get there from the first (ways, and how many turns each has), with which way to
    begin, within which bounds, and what is known of races and time (``Search``).
    """

    ways: tuple[tuple[Way, int], ...]
    begin: Way
    left: int
    reduction: bool
    kinds: tuple[str, ...] | None
    timed: bool
    racy: tuple[Any, ...]


def run_task(first: bytes, libraries: Callable[[], Sequence[str]] | None, task: Task) -> Any:
    """Explore for a task, in whatever process: the turns that were run, as plain data."""
    state, like = first_state(first, libraries)
    system = states.thaw(state, like=like)
    for way, turns in task.ways:
        schedule.wake_due(system)
        go(system, way, turns)
    schedule.wake_due(system)
    kinds = None if task.kinds is None else frozenset(task.kinds)
    bounds = Bounds(None if task.left < 0 else task.left, _SIZE, kinds, task.reduction)
    search = Search(system, bounds)
    search.ahead(task.begin, set(task.racy), timed=task.timed)
    return pack(search.running.places, entries(search.running.remembered))


class Helpers:
    """Gives a search's helpers their tasks, and the search what they ran."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._under_way: list[Future] = []
        self._given: set[tuple[Any, ...]] = set()
        self._search: Search | None = None
        self._looked = 0
        #: Turns that helpers ran and the search had not.
        self.helped = 0
        #: What became of a helper that failed; no more tasks are given then.
        self.lost = ""

    def help(self, search: Search) -> None:
        """The next search begins."""
        self._search = search
        self._under_way.clear()
        self._given.clear()
        search.watching = self._look

    def _look(self, path: Sequence[Node]) -> None:
        """``path`` is the way of the search at present."""
        self._looked += 1
        if self._looked % _LOOKS:
            return
        search = self._search
        assert search is not None
        for future in [future for future in self._under_way if future.done()]:
            self._under_way.remove(future)
            try:
                packed = future.result()
            except Exception as error:  # noqa: BLE001  # whatever became of a helper, the search goes on without
                self._lose(error)
                continue
            self.helped += remember(search.running, unpack(packed, search.running.places))
        free = 0 if self.lost else self._pool.size + 1 - len(self._under_way)
        if free > 0:
            for key, task in self._tasks(search, path):
                self._given.add(key)
                try:
                    self._under_way.append(self._pool.submit(run_task, task))
                except Exception as error:  # noqa: BLE001  # as above
                    self._lose(error)
                    return
                free -= 1
                if not free:
                    break

    def _lose(self, error: Exception) -> None:
        self.lost = self.lost or f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"

    def _tasks(self, search: Search, path: Sequence[Node]) -> Iterator[tuple[tuple[Any, ...], Task]]:
        """What may have to be explored, from the beginning of the way on."""
        kinds = None if search.bounds.kinds is None else tuple(sorted(search.bounds.kinds))
        ways: list[tuple[Way, int]] = []
        for node in path[:-1]:
            for way in search.untried(node):
                key = (node.key, way)
                if key not in self._given and (search.timed, *key) not in search.running.remembered:
                    racy = tuple(search.racy)
                    yield key, Task(tuple(ways), way, node.left, search.reduces, kinds, search.timed, racy)
            ways.append((node.way, node.turns))

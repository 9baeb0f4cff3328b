"""Many runs, one after the other or by several at once, from a file and into it (EXP-5, EXP-8).

What is reported is put together in the order of the runs' numbers: it does not depend on who made which.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from lindref.explore.outcomes import Outcomes, Result
from lindref.explore.pools import Future, Pool, first_state
from lindref.explore.sampled import Plan, Progress, Sample, measured, sample
from lindref.system import state as states
from lindref.system.system import System

#: So many runs are a task for a helper, and so many tasks each has before it.
_BATCH = 5
_AHEAD = 2


def run_batch(first: bytes, libraries: Callable[[], Sequence[str]] | None, task: tuple[Plan, int, int]) -> Any:
    """Some runs, in whatever process: plan, number of the first, how many; as plain data."""
    plan, begin, count = task
    start, like = first_state(first, libraries)
    return [_plain(sample(start, like, plan, number)) for number in range(begin, begin + count)]


def _plain(one: Sample) -> tuple[Any, ...]:
    result, answers = one
    return (result.stdout, result.stderr, result.exit_status, result.ending, result.text, answers)


def _sample(data: tuple[Any, ...]) -> Sample:
    return Result(*data[:5]), data[5]


class Sampling:
    """Runs ``runs`` runs by ``plan`` from the present state of ``system``. ``taken`` says how many of them are in
    ``outcomes``: those of the smallest numbers.
    """

    def __init__(self, system: System, plan: Plan, runs: int) -> None:
        self.plan = plan
        self.runs = runs
        self.taken = 0
        self.outcomes = Outcomes()
        #: What became of helpers that failed; the search goes on without.
        self.lost = ""
        #: Runs that helpers made.
        self.helped = 0
        #: Told after each run that was taken.
        self.told: Callable[[], None] | None = None
        self._system = system
        self._start = states.freeze(system)
        self._ready: dict[int, Sample] = {}
        self._given = 0
        self._free: deque[int] = deque()

    def run(self, pool: Pool | None = None, progress: Progress | None = None) -> Outcomes:
        """All runs that are not in yet."""
        if self.taken < self.runs:
            self.plan = measured(self.plan, self._system)
        self._given = self.taken
        under_way: dict[Future, tuple[int, int]] = {}
        while self.taken < self.runs:
            self._collect(under_way)
            if pool is not None and not self.lost:
                self._give(pool, under_way)
            number = self._next()
            if number is None:
                self._collect(under_way, wait=True)
            else:
                self._ready[number] = sample(self._start, self._system, self.plan, number)
            self._take()
            if progress is not None:
                progress(self.taken)
        return self.outcomes

    def _next(self) -> int | None:
        """A run for this process; none where all are given or done."""
        if self._free:
            return self._free.popleft()
        if self._given < self.runs:
            self._given += 1
            return self._given - 1
        return None

    def _give(self, pool: Pool, under_way: dict[Future, tuple[int, int]]) -> None:
        """Tasks for helpers who have none before them."""
        while len(under_way) < _AHEAD * pool.size and self._given < self.runs:
            count = min(_BATCH, self.runs - self._given)
            task = (self._given, count)
            try:
                future = pool.submit(run_batch, (self.plan, *task))
            except Exception as error:  # noqa: BLE001  # as in _collect
                self._lose(error)
                return
            under_way[future] = task
            self._given += count

    def _collect(self, under_way: dict[Future, tuple[int, int]], *, wait: bool = False) -> None:
        """What helpers have done by now; ``wait``: by the time that one has."""
        for future in list(under_way):
            if not (future.done() or wait):
                continue
            begin, count = under_way.pop(future)
            wait = False
            try:
                done = future.result()
            except Exception as error:  # noqa: BLE001  # whatever became of a helper, the search goes on without
                self._lose(error)
                self._free.extend(range(begin, begin + count))
                continue
            self.helped += count
            self._ready |= {begin + place: _sample(data) for place, data in enumerate(done)}

    def _lose(self, error: Exception) -> None:
        self.lost = self.lost or f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"

    def _take(self) -> None:
        """Put into the outcomes what is there, in order."""
        while self.taken in self._ready:
            self.outcomes.add(*self._ready.pop(self.taken))
            self.taken += 1
            if self.told is not None:
                self.told()

    # Plain data, for a file.

    def packed(self) -> tuple[Any, ...]:
        """What is in the outcomes, as numbers, strings and tuples."""
        found = [(*_plain((result, how.answers)), how.count) for result, how in self.outcomes.found.items()]
        return tuple(found)

    def unpack(self, packed: Any) -> None:
        """Go on from what was packed; whatever is wrong with it is a ``ValueError``."""
        try:
            outcomes = Outcomes()
            for *data, count in packed:
                outcomes.add(*_sample(tuple(data)), count)
            taken = sum(how.count for how in outcomes.found.values())
        except (TypeError, ValueError, IndexError) as error:
            raise ValueError(f"no runs: {error}") from None
        if taken > self.runs:
            raise ValueError(f"holds {taken} runs already, more than --runs {self.runs}")
        self.taken, self.outcomes = taken, outcomes

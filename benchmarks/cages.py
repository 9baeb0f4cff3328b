"""What cages take: memory while they are idle; and how much of a long loop runs compiled though it is interrupted."""

from __future__ import annotations

import gc
import time
import tracemalloc
from typing import Any, Self

from benchmarks.whole import C
from lindref.system.boot import boot
from lindref.vm.pages import PAGE

#: Idle cages that the memory is measured over.
CAGES = 40

#: Rounds of the interrupted loop; it is interrupted twenty times.
ROUNDS = 10_000_000


def idle(engine: str) -> float:
    """Bytes of one idle cage beyond the pages that it has touched itself.

    A program forks children that wait for ever; what Python's memory grows by is shared among them.
    """
    tracemalloc.start()
    _waiting(1, engine)  # what is made once for all runs
    few, few_pages = _waiting(1, engine)
    many, many_pages = _waiting(CAGES + 1, engine)
    tracemalloc.stop()
    return (many - few - (many_pages - few_pages) * PAGE) / CAGES


def _waiting(cages: int, engine: str) -> tuple[int, int]:
    """Bytes of memory, and pages touched, when so many children wait."""
    before = tracemalloc.get_traced_memory()[0]
    system = boot(C / "idle.wasm", [str(cages)], root_mode="blank", engine=engine)
    outcome = system.run()  # they all wait: a deadlock
    assert len(system.memories) == cages + 1, outcome
    gc.collect()
    pages = len({id(page) for memory in system.memories.values() for page in memory.pages.live.values()})
    return tracemalloc.get_traced_memory()[0] - before, pages


class Clock:
    """Counts the seconds that are spent in compiled code."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __enter__(self) -> Self:
        from lindref.vm.compiled.machine import CompilingMachine

        self._cls: Any = CompilingMachine
        self._enter = enter = CompilingMachine._enter

        def timed(machine: Any, *args: Any) -> Any:
            begun = time.process_time()
            try:
                return enter(machine, *args)
            finally:
                self.seconds += time.process_time() - begun

        self._cls._enter = timed
        return self

    def __exit__(self, *error: object) -> None:
        self._cls._enter = self._enter


def share(how: str, rounds: int = ROUNDS) -> tuple[float, float]:
    """The share of a run's time that compiled code takes, and the seconds: ``how`` is block, fork or signal."""
    with Clock() as clock:
        begun = time.process_time()
        outcome = boot(C / "loops.wasm", [how, str(rounds)], root_mode="blank", engine="auto").run()
        if outcome.status:
            raise SystemExit(f"loops {how}: {outcome}")
        passed = time.process_time() - begun
    return clock.seconds / passed, passed



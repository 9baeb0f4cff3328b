"""The workers of a grate while a run goes on: which are free, and who waits for one.

A pool is the live form of three fields of ``CageRuntime``, to which it is written back when the system freezes:
leasing and returning a worker happens with every call into a grate.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from lindref import classes
from lindref.state.records import replace

if TYPE_CHECKING:
    from lindref.system.runtime import CageRuntime
    from lindref.system.system import System


@classes.define(eq=False)
class Pool:
    """Workers of one grate. ``serves``: whether it can serve calls at all (3I-GRATE-6); ``made`` of its workers there
    are; ``free`` are the threads of those without a call, the longest free first; ``queue`` the threads that wait for
    one, in order of arrival (3I-GRATE-4).
    """

    serves: bool
    made: int
    free: deque[int]
    queue: deque[int]


def of(runtime: CageRuntime) -> Pool:
    """The pool that a cage's record says there is."""
    return Pool(runtime.serves, runtime.workers, deque(runtime.free), deque(runtime.queue))


def settle(system: System) -> None:
    """Write back what has changed, so that ``system.runtimes`` says it all."""
    for cage, found in system.pools.items():
        runtime = system.runtimes[cage]
        now = (found.made, tuple(found.free), tuple(found.queue))
        if now != (runtime.workers, runtime.free, runtime.queue):
            changed = replace(runtime, workers=now[0], free=now[1], queue=now[2])
            system.runtimes = system.runtimes.set(cage, changed)

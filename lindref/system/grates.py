"""Calls into grates: a worker is leased, runs the handler on its own stack, and gives the result to the caller.

Rules 3I-GRATE-1 … 3I-GRATE-6, 3I-ROUTE-4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix.errno import ESRCH
from lindref.system import calls, delivery, lifecycle
from lindref.system.events import Exit
from lindref.system.image import ImageError
from lindref.system.pools import Pool
from lindref.system.threads import IDLE, READY, InGrate, Pending, Queued, Thread
from lindref.threei.numbers import ThreeIError
from lindref.threei.tables import Handler

if TYPE_CHECKING:
    from lindref.system.system import System


def call(system: System, thread: Thread, pending: Pending, handler: Handler) -> None:
    """``pending`` is served by a grate: lease a worker, or wait for one."""
    grate = handler.cage
    workers = system.pool(grate)
    if workers is None or grate in system.tables.exiting:
        calls.complete(system, thread, pending, -ESRCH, "3I-ROUTE-4")
        return
    if not workers.serves:
        if system.profile.has("3I-FORKED-GRATE"):
            system.fault(thread, f"grate handler {grate} not found", "3I-GRATE-6")
        else:
            calls.complete(system, thread, pending, -ESRCH, "3I-GRATE-6")
        return
    more = workers.made < system.config.workers
    if workers.free and not (more and system.profile.has("GRATE-ROTATION")):  # as recorded the unused come first
        worker = system.threads[workers.free.popleft()]
    elif more:
        try:
            worker = system.new_worker(grate, workers.made + 1)
        except ImageError as error:
            system.note(thread, f"grate {grate}: no worker: {error}")
            calls.complete(system, thread, pending, ThreeIError.GRATE_ERROR, "3I-GRATE-3")
            return
        workers.made += 1
    else:
        thread.status = Queued(pending, grate, handler.address)  # 3I-GRATE-4
        workers.queue.append(thread.key)
        delivery.interrupt_served(system, thread)
        return
    _serve(system, worker, thread, pending, handler.address)
    delivery.interrupt_served(system, thread)


def _serve(system: System, worker: Thread, caller: Thread, pending: Pending, address: int) -> None:
    """Start ``worker`` on the call (3I-GRATE-1)."""
    caller.status = InGrate(pending, worker.cage, worker.key)
    worker.serving = caller.key
    if not worker.runner.serve(address, worker.cage, pending.args, pending.target):
        finish(system, worker, ThreeIError.GRATE_ERROR, "3I-GRATE-3")
        return
    worker.status = READY
    system.preferred = worker.key  # SCHED-4


def finish(system: System, worker: Thread, value: int, rule: str = "3I-GRATE-2") -> None:
    """``worker`` is done: its caller gets ``value``, the next call in the queue gets the worker."""
    caller = system.threads.get(worker.serving)
    worker.serving = 0
    worker.status = IDLE
    workers = system.pool(worker.cage)
    assert workers is not None, "its cage is there for as long as calls into it are served"
    waiting = _longest_waiting(system, workers) if workers.queue else None
    if waiting is not None:
        queued = waiting.status
        assert isinstance(queued, Queued)
        _serve(system, worker, waiting, queued.pending, queued.address)
    else:
        workers.free.append(worker.key)
    if caller is not None:
        status = caller.status
        if isinstance(status, InGrate) and status.worker == worker.key:
            system.preferred = caller.key
            calls.complete(system, caller, status.pending, value, rule)
    lifecycle.drained(system, worker)


def _longest_waiting(system: System, workers: Pool) -> Thread | None:
    """The thread that has waited longest for a worker, taken out of the queue."""
    while workers.queue:
        thread = system.threads.get(workers.queue.popleft())
        if thread is not None:
            return thread
    return None


def worker_ended(system: System, worker: Thread, pending: Pending) -> None:
    """A handler ended its own grate (or just itself): it goes no further, and its caller is told as of a trap."""
    if system.observers:
        system.emit(Exit, worker, call=pending.id, result=None)
    finish(system, worker, ThreeIError.GRATE_ERROR, "3I-GRATE-3")


def abandon(system: System, grate: int) -> None:
    """The grate is gone with calls under way: their callers are told so (3I-ROUTE-4)."""
    for thread in list(system.threads.values()):
        status = thread.status
        if isinstance(status, InGrate | Queued) and status.grate == grate:
            calls.complete(system, thread, status.pending, -ESRCH, "3I-ROUTE-4")

"""Calls into grates: a worker is leased, runs the handler on its own stack, and gives the result to the caller.

Rules 3I-GRATE-1 … 3I-GRATE-6, 3I-ROUTE-4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix.errno import ESRCH
from lindref.system import calls, lifecycle
from lindref.system.events import Exit
from lindref.system.image import ImageError
from lindref.system.threads import Idle, InGrate, Pending, Queued, Ready, Thread
from lindref.threei.numbers import ThreeIError
from lindref.threei.tables import Handler

if TYPE_CHECKING:
    from lindref.system.system import System


def call(system: System, thread: Thread, pending: Pending, handler: Handler) -> None:
    """``pending`` is served by a grate: lease a worker, or wait for one."""
    grate = handler.cage
    runtime = system.runtimes.get(grate)
    if runtime is None or grate in system.tables.exiting:
        calls.complete(system, thread, pending, -ESRCH, "3I-ROUTE-4")
        return
    if not runtime.serves:
        if system.profile.has("3I-FORKED-GRATE"):
            system.fault(thread, f"grate handler {grate} not found", "3I-GRATE-6")
        else:
            calls.complete(system, thread, pending, -ESRCH, "3I-GRATE-6")
        return
    try:
        worker = _free_worker(system, grate)
    except ImageError as error:
        system.note(thread, f"grate {grate}: no worker: {error}")
        calls.complete(system, thread, pending, ThreeIError.GRATE_ERROR, "3I-GRATE-3")
        return
    if worker is None:
        thread.status = Queued(pending, grate, handler.address)  # 3I-GRATE-4
        system.enqueue(thread)
        return
    _serve(system, worker, thread, pending, handler.address)


def _free_worker(system: System, grate: int) -> Thread | None:
    """The worker that has been free the longest, a new one where there may be more, or ``None``."""
    runtime = system.runtimes[grate]
    free = runtime.free
    if free:
        system.set_runtime(grate, free=free[1:])
        return system.threads[free[0]]
    if runtime.workers >= system.config.workers:
        return None
    slot = runtime.workers + 1
    worker = system.new_worker(grate, slot)
    system.set_runtime(grate, workers=slot)
    return worker


def _serve(system: System, worker: Thread, caller: Thread, pending: Pending, address: int) -> None:
    """Start ``worker`` on the call (3I-GRATE-1)."""
    caller.status = InGrate(pending, worker.cage, worker.key)
    worker.serving = caller.key
    pairs = [n for arg in pending.args for n in (arg.value, arg.cage)]
    if not worker.runner.serve(address, worker.cage, tuple(pairs)):
        finish(system, worker, ThreeIError.GRATE_ERROR, "3I-GRATE-3")
        return
    worker.status = Ready()
    system.prefer(worker)


def finish(system: System, worker: Thread, value: int, rule: str = "3I-GRATE-2") -> None:
    """``worker`` is done: its caller gets ``value``, the next call in the queue gets the worker."""
    caller = system.threads.get(worker.serving)
    worker.serving = 0
    worker.status = Idle()
    grate = worker.cage
    waiting = system.dequeue(grate)
    if waiting is not None:
        queued = waiting.status
        assert isinstance(queued, Queued)
        _serve(system, worker, waiting, queued.pending, queued.address)
    else:
        system.set_runtime(grate, free=(*system.runtimes[grate].free, worker.key))
    if caller is not None and isinstance(caller.status, InGrate) and caller.status.worker == worker.key:
        system.prefer(caller)
        calls.complete(system, caller, caller.status.pending, value, rule)
    lifecycle.drained(system, worker)


def worker_ended(system: System, worker: Thread, pending: Pending) -> None:
    """A handler ended its own grate (or just itself): it goes no further, and its caller is told as of a trap."""
    if system.observed:
        system.emit(Exit, worker, call=pending.id, result=None)
    finish(system, worker, ThreeIError.GRATE_ERROR, "3I-GRATE-3")


def abandon(system: System, grate: int) -> None:
    """The grate is gone with calls under way: their callers are told so (3I-ROUTE-4)."""
    for thread in list(system.threads.values()):
        status = thread.status
        if isinstance(status, InGrate | Queued) and status.grate == grate:
            calls.complete(system, thread, status.pending, -ESRCH, "3I-ROUTE-4")

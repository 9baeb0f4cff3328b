"""What a handler of a grate does to the grate itself: forks, execs or ends it.

The worker is no thread of the program. In profile ``spec`` it acts as one (FORK-5, EXEC-9, EXIT-2); as recorded the
runtime takes the main thread for it, and the handler goes on (deviation ``GRATE-OWN-FATE``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref.posix.cage import INIT_CAGE
from lindref.state.records import replace
from lindref.system import calls
from lindref.system.outcome import Ending, Outcome
from lindref.system.threads import Blocked, Forked, InGrate, Pending, Queued, Retry, Thread
from lindref.threei import tables

if TYPE_CHECKING:
    from lindref.system.system import System

#: What the main thread's program meets when the runtime rewinds it without having unwound it.
_TRAP = "unreachable"


def is_own(thread: Thread, cage: int) -> bool:
    """Whether ``thread`` is a handler of the grate ``cage``."""
    return bool(thread.slot) and thread.cage == cage


def as_recorded(system: System, thread: Thread, cage: int) -> bool:
    """Whether ``thread`` is a handler of the grate ``cage``, whose main thread is taken for it."""
    return is_own(thread, cage) and system.profile.has("GRATE-OWN-FATE")


def forked(system: System, worker: Thread, pending: Pending, child: int) -> None:
    """The child has an id and a table, and nothing that would run in it; the main thread traps when the call that it
    waits in comes back.
    """
    system.tables = tables.on_fork(system.tables, worker.cage, child)
    _at_return(system.main_thread(worker.cage), traps=_TRAP)
    calls.complete(system, worker, pending, child)


def befalls_main(system: System, worker: Thread, pending: Pending, **fate: Any) -> None:
    """A new image, or the end of a thread, is the main thread's when the call that it waits in comes back."""
    _at_return(system.main_thread(worker.cage), **fate)
    calls.complete(system, worker, pending, 0)


def ended(system: System, worker: Thread, pending: Pending) -> None:
    """exit_group: the program has stopped with the status that was given, but its main thread traps over it."""
    if worker.cage == INIT_CAGE:
        system.first = Outcome(Ending.TRAP.value, text=_TRAP)
    system.note(worker, f"trap: {_TRAP} in the main thread, after a handler's exit_group")
    calls.complete(system, worker, pending, 0)


def _at_return(thread: Thread | None, **fate: Any) -> None:
    if thread is not None and isinstance(thread.status, Blocked | Retry | InGrate | Queued | Forked):
        thread.status = replace(thread.status, pending=replace(thread.status.pending, **fate))

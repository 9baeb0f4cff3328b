"""How RawPOSIX hands fork, exec and exit on to the runtime: in profile ``lind`` by a handler table, that of the cage
which stands for RawPOSIX, and as open to registrations as any (deviation ``3I-RUNTIME-TABLE``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix.call import Arg
from lindref.posix.result import Exec, Fork, GroupEnd, NewThread, ThreadEnd
from lindref.state.records import replace
from lindref.system import calls, grates, lifecycle
from lindref.system.outcome import ABORTS
from lindref.threei import tables
from lindref.threei.numbers import CLONE, EXECVE, EXIT, RAWPOSIX_CAGE, RUNTIME_CAGE, UNUSED, UNUSED_ID
from lindref.threei.tables import Handler, NoHandler

if TYPE_CHECKING:
    from lindref.system.system import System
    from lindref.system.threads import Pending, Thread

Made = Fork | NewThread | Exec | ThreadEnd | GroupEnd

_NUMBER = {Fork: CLONE, NewThread: CLONE, Exec: EXECVE, ThreadEnd: EXIT, GroupEnd: EXIT}


def rerouted(system: System, thread: Thread, pending: Pending, made: Made) -> bool:
    """Let whoever is registered there have what only the runtime can finish; whether it is not the runtime."""
    number = _NUMBER[type(made)]
    handler = tables.route(system.tables, RAWPOSIX_CAGE, number)
    if isinstance(handler, Handler) and handler.cage == RUNTIME_CAGE and not handler.wild:
        return False
    if isinstance(made, GroupEnd):  # by then RawPOSIX has stopped the cage
        system.tables = tables.on_exit(system.tables, made.cage)
        lifecycle.stop_cage(system, made.cage, keep=lifecycle.served_thread(system, thread, made.cage))
        handler = tables.route(system.tables, RAWPOSIX_CAGE, number)
    handed = replace(pending, args=_arguments(pending, made))
    if isinstance(handler, NoHandler):
        text = f"{handler.value}: syscall_num {number} in self_cageid {RAWPOSIX_CAGE}"
        system.fault(thread, text, "3I-ROUTE-3", code=ABORTS)
    elif handler.wild:
        calls.jump(system, thread, handed, handler)
    else:
        grates.call(system, thread, handed, handler)
    return True


def _arguments(pending: Pending, made: Made) -> tuple[Arg, ...]:
    """What the runtime is handed: a fork with the two cages, exec as it came, an end with the thread."""
    rest = Arg(UNUSED, UNUSED_ID)
    match made:
        case Fork(parent, child):
            return (pending.args[0], Arg(parent, parent), Arg(child, UNUSED_ID), rest, rest, rest)
        case NewThread(cage):
            return (pending.args[0], Arg(cage, cage), Arg(0, UNUSED_ID), rest, rest, rest)
        case Exec():
            return pending.args
        case ThreadEnd() | GroupEnd():
            return (pending.args[0], Arg(pending.args[1].value, UNUSED), rest, rest, rest, rest)

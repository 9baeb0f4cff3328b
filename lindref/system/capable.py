"""The capability rules at the gate (CAP-1, CAP-2) and where 3i serves its own calls (CAP-3 … CAP-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix.errno import EPERM
from lindref.system import calls
from lindref.system.threads import InGrate
from lindref.threei import capabilities
from lindref.threei.numbers import COPY_HANDLER_TABLE_TO_CAGE, REGISTER_HANDLER

if TYPE_CHECKING:
    from lindref.system.system import System
    from lindref.system.threads import Pending, Thread


def handed(system: System, thread: Thread) -> frozenset[int]:
    """The cages that the calls which ``thread`` serves name: their targets, and the owners of their arguments."""
    found: set[int] = set()
    seen = thread
    while seen.serving and seen.serving in system.threads:
        seen = system.threads[seen.serving]
        if isinstance(seen.status, InGrate):
            pending = seen.status.pending
            found |= {pending.target, *(arg.cage for arg in pending.args)}
    return frozenset(found)


def refuse_call(system: System, thread: Thread, pending: Pending) -> bool:
    """Answer a call that names whom it may not; whether it was one."""
    me = thread.cage
    if pending.caller == pending.target == me and all(arg.cage == me for arg in pending.args):
        return False
    owners = [arg.cage for arg in pending.args if arg.cage in system.kernel.cages]
    rule = capabilities.call(
        system.tables, me, pending.number, pending.caller, pending.target, owners, handed(system, thread)
    )
    return _refused(system, thread, pending, rule)


def refuse_service(system: System, thread: Thread, pending: Pending) -> bool:
    """Answer a call of 3i itself that asks for what its maker may not have; whether it was one."""
    args, me = pending.args, thread.cage
    if pending.number == REGISTER_HANDLER:
        rule = capabilities.registration(system.tables, me, args[0].value, args[0].cage, args[1].cage)
    elif pending.number == COPY_HANDLER_TABLE_TO_CAGE:
        rule = capabilities.copy(system.tables, me, args[0].value, args[0].cage)
    else:
        rule = capabilities.data(system.tables, me, (args[0].cage, args[1].cage), handed(system, thread))
    return _refused(system, thread, pending, rule)


def _refused(system: System, thread: Thread, pending: Pending, rule: str) -> bool:
    if not rule:
        return False
    system.note(thread, f"{pending.name} refused: self {pending.caller}, target {pending.target} [{rule}]")
    calls.complete(system, thread, pending, -EPERM, rule)
    return True

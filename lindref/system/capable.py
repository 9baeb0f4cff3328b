"""The capability rules at the gate (CAP-1, CAP-2) and where 3i serves its own calls (CAP-3 … CAP-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix.errno import EPERM
from lindref.system import calls
from lindref.system.threads import InGrate
from lindref.threei import capabilities
from lindref.threei.numbers import COPY_HANDLER_TABLE_TO_CAGE, REGISTER_HANDLER
from lindref.threei.tables import Handler

if TYPE_CHECKING:
    from lindref.system.system import System
    from lindref.system.threads import Pending, Thread

#: The deviation with which each rule is not there.
DEVIATION = {
    "CAP-1": "3I-ANY-CAGE",
    "CAP-2": "3I-ANY-OWNER",
    "CAP-3": "3I-ANY-ROW",
    "CAP-4": "3I-ANY-TABLE",
    "CAP-5": "3I-ANY-MEMORY",
}


def served(system: System, thread: Thread) -> Pending | None:
    """The call that ``thread`` serves, if it is a worker that serves one."""
    caller = system.threads.get(thread.serving) if thread.serving else None
    return caller.status.pending if caller is not None and isinstance(caller.status, InGrate) else None


def handed(system: System, thread: Thread) -> frozenset[int]:
    """The cages that the calls which ``thread`` serves name: their targets, and the owners of their arguments."""
    found: set[int] = set()
    seen = thread
    while (pending := served(system, seen)) is not None:
        found |= {pending.target, *(arg.cage for arg in pending.args)}
        seen = system.threads[seen.serving]
    return frozenset(found)


def master(system: System, cage: int) -> int:
    """The cage whose program ``cage`` runs: itself, unless it was forked and has not exec'd."""
    runtime = system.runtimes.get(cage)
    return cage if runtime is None else runtime.master or cage


def refuse_call(system: System, thread: Thread, pending: Pending) -> bool:
    """Answer a call that names whom it may not; whether it was one."""
    me, target = thread.cage, pending.target
    if pending.caller == me:
        if target != me:
            outer = served(system, thread)
            if outer is None or outer.target != target:
                return _refuse_call(system, thread, pending)
        for arg in pending.args:
            if arg.cage not in (me, target):
                return _refuse_call(system, thread, pending)
        return False
    return _refuse_call(system, thread, pending)


def _refuse_call(system: System, thread: Thread, pending: Pending) -> bool:
    """The same for what is not the cage's own, nor passed on for whom it serves."""
    me, living = thread.cage, system.kernel.cages
    owners = [arg.cage for arg in pending.args if arg.cage in living]
    # Ids of no living cage mean nothing, but a table is there for longer than its cage.
    caller = pending.caller if pending.caller in system.tables.rows and pending.caller not in system.common else me
    target = pending.target if pending.target == caller or pending.target in living else me
    names = (pending.number, caller, target)
    known = handed(system, thread)
    rule = capabilities.call(system.tables, me, master(system, me), *names, owners, known)
    return _refused(system, thread, pending, rule)


def refuse_service(system: System, thread: Thread, pending: Pending) -> bool:
    """Answer a call of 3i itself that asks for what its maker may not have; whether it was one.

    A handler that passes such a call on as it came asks for nothing of its own: whoever made it is judged.
    """
    maker = thread
    while (outer := served(system, maker)) is not None and (outer.number, outer.args) == (pending.number, pending.args):
        if outer.then != "guest":
            return False
        maker = system.threads[maker.serving]
    args, me = pending.args, maker.cage
    runs = master(system, me)
    if pending.number == REGISTER_HANDLER:
        to = Handler(args[1].cage, args[2].value)
        rule = capabilities.registration(system.tables, me, runs, args[0].value, args[0].cage, to)
    elif pending.number == COPY_HANDLER_TABLE_TO_CAGE:
        rule = capabilities.copy(system.tables, me, runs, args[0].value, args[0].cage)
    else:
        cages = [arg.cage for arg in args[:2] if system.memory(arg.cage) is not None]
        rule = capabilities.data(system.tables, me, runs, cages, handed(system, thread))
    return _refused(system, thread, pending, rule)


def _refused(system: System, thread: Thread, pending: Pending, rule: str) -> bool:
    if not rule or not (system.config.capabilities or not system.profile.has(DEVIATION[rule])):
        return False
    system.note(thread, f"{pending.name} refused: self {pending.caller}, target {pending.target} [{rule}]")
    calls.complete(system, thread, pending, -EPERM, rule)
    return True

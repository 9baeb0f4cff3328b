"""The capability rules at the gate (CAP-1, CAP-2) and where 3i serves its own calls (CAP-3 … CAP-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix.call import Call
from lindref.posix.errno import EPERM
from lindref.posix.table import NUMBERS
from lindref.system import calls
from lindref.system.threads import InGrate, Pending
from lindref.threei import capabilities
from lindref.threei.numbers import COPY_HANDLER_TABLE_TO_CAGE, REGISTER_HANDLER
from lindref.threei.tables import Handler

if TYPE_CHECKING:
    from lindref.system.abi import SyscallRequest
    from lindref.system.system import System
    from lindref.system.threads import Thread

#: The one call that changes a cage which it names by a number among its arguments.
PRLIMIT64 = NUMBERS["prlimit64"]

#: The deviation with which each rule is not there.
DEVIATION = {
    "CAP-1": "3I-ANY-CAGE",
    "CAP-2": "3I-ANY-OWNER",
    "CAP-3": "3I-ANY-ROW",
    "CAP-4": "3I-ANY-TABLE",
    "CAP-5": "3I-ANY-MEMORY",
}


def service(system: System, thread: Thread) -> tuple[Thread, Pending] | None:
    """Whose call ``thread`` serves, and the call, if it is a worker that serves one."""
    caller = system.threads.get(thread.serving) if thread.serving else None
    if caller is None or not isinstance(caller.status, InGrate) or caller.status.worker != thread.key:
        return None
    return caller, caller.status.pending


def handed(system: System, thread: Thread) -> frozenset[int]:
    """The cages that the call which ``thread`` serves hands over: its target and the owners of its arguments, as far as
    who made it may name them. An id that means no cage yet, and a number beside an argument that is no id at all
    (1001), give nothing, whichever cage comes to have it.
    """
    found = service(system, thread)
    if found is None:
        return frozenset()
    maker, pending = found
    named = {pending.target, *(arg.cage for arg in pending.args)}
    me, tables = maker.cage, system.tables
    theirs = {cage for cage in named if cage == me or capabilities.below(tables, cage, me)}
    if len(theirs) < len(named) and maker.serving:
        theirs |= named & handed(system, maker)
    return frozenset(theirs)


def lent(system: System, thread: Thread) -> frozenset[int]:
    """The cages whose memory pointers may mean in a call that ``thread`` makes as a worker (ABI-8): what is handed over
    to it, who made the call that it serves, and those that passed it on, as far as they are beneath it.
    """
    found = set(handed(system, thread))
    me = thread.cage
    seen = service(system, thread)
    direct = True
    while seen is not None:
        maker = seen[0]
        if direct or capabilities.below(system.tables, maker.cage, me):
            found.add(maker.cage)
        seen, direct = service(system, maker), False
    return frozenset(found)


def master(system: System, cage: int) -> int:
    """The cage whose program ``cage`` runs: itself, unless it was forked and has not exec'd."""
    runtime = system.runtimes.get(cage)
    return cage if runtime is None else runtime.master or cage


def refuse_call(system: System, thread: Thread, pending: Pending) -> bool:
    """Answer a call that names whom it may not; whether it was one."""
    return _refused(system, thread, pending, _wrong(system, thread, pending))


def refuse_again(system: System, thread: Thread, pending: Pending) -> bool:
    """The same for a call that waited in RawPOSIX, which then forgets it."""
    rule = _wrong(system, thread, pending)
    if not rule or not _holds(system, rule):
        return False
    call = Call(pending.number, pending.target, thread.tid, pending.args, memo=pending.memo)
    system.kernel.abandon(call)
    return _refused(system, thread, pending, rule)


def foreign(system: System, thread: Thread, request: SyscallRequest) -> bool:
    """Whether a call that is about to be made will be refused for whom it names."""
    asked = Pending(0, request.number, "", request.caller, request.target, request.args)
    rule = _wrong(system, thread, asked)
    return bool(rule) and _holds(system, rule)


def _wrong(system: System, thread: Thread, pending: Pending) -> str:
    """The rule that the ids of a call break, "" if none: at once for what is the cage's own or for one beneath."""
    me, target = thread.cage, pending.target
    own = pending.caller == me and pending.number != PRLIMIT64
    if own and (target == me or capabilities.below(system.tables, target, me)):
        for arg in pending.args:
            if arg.cage not in (me, target):
                break
        else:
            return ""
    living = system.kernel.cages
    owners = [arg.cage for arg in pending.args if arg.cage in living]
    if pending.number == PRLIMIT64 and pending.args[2].value and pending.args[0].value in living:
        owners.append(pending.args[0].value)
    # Ids of no living cage mean nothing, but a table is there for longer than its cage.
    caller = pending.caller if pending.caller in system.tables.rows and pending.caller not in system.common else me
    target = pending.target if pending.target == caller or pending.target in living else me
    names = (pending.number, caller, target)
    return capabilities.call(system.tables, me, master(system, me), *names, owners, handed(system, thread))


def refuse_service(system: System, thread: Thread, pending: Pending) -> bool:
    """Answer a call of 3i itself that asks for what its maker may not have; whether it was one.

    A handler that passes such a call on as it came asks for nothing of its own: whoever made it is judged.
    """
    maker = thread
    while (found := service(system, maker)) is not None:
        who, outer = found
        if (outer.number, outer.args) != (pending.number, pending.args):
            break
        if outer.then != "guest":
            return False
        maker = who
    args, me = pending.args, maker.cage
    runs = master(system, me)
    if pending.number == REGISTER_HANDLER:
        to = Handler(args[1].cage, args[2].value)
        rule = capabilities.registration(system.tables, me, runs, args[0].value, args[0].cage, to)
    elif pending.number == COPY_HANDLER_TABLE_TO_CAGE:
        rule = capabilities.copy(system.tables, me, runs, args[0].value, args[0].cage)
    else:
        cages = [arg.cage for arg in args[:2] if system.memory(arg.cage) is not None]
        rule = capabilities.data(system.tables, me, runs, cages, handed(system, maker))
    return _refused(system, thread, pending, rule)


def _holds(system: System, rule: str) -> bool:
    """Whether a rule is in force."""
    return system.config.capabilities or not system.profile.has(DEVIATION[rule])


def _refused(system: System, thread: Thread, pending: Pending, rule: str) -> bool:
    if not rule or not _holds(system, rule):
        return False
    system.note(thread, f"{pending.name} refused: self {pending.caller}, target {pending.target} [{rule}]")
    calls.complete(system, thread, pending, -EPERM, rule)
    return True

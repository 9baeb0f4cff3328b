"""The way of one call: out of the cage, through 3i, to who serves it, and back.

``begin`` → ``dispatch`` → (a grate's worker | RawPOSIX | 3i itself) → ``complete``. Rules 3I-ROUTE-*, ABI-7.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lindref.posix.call import Arg, Call, i32
from lindref.posix.errno import EINTR, ENOSYS, ESRCH
from lindref.posix.result import (
    Done,
    Exec,
    Fork,
    GroupEnd,
    NewThread,
    Result,
    RuntimeFault,
    ThreadEnd,
    Wait,
)
from lindref.posix.signals import Delivery
from lindref.state.records import replace
from lindref.system import capable, completion, delivery, grates, lifecycle, panics, threecalls
from lindref.system.events import Enter, Exit, Route
from lindref.system.outcome import SEGFAULTS
from lindref.system.threads import READY, Blocked, InGrate, Pending, Retry, Thread
from lindref.threei import tables
from lindref.threei.numbers import RAWPOSIX_CAGE, THREEI_CAGE
from lindref.threei.tables import Handler, NoHandler

if TYPE_CHECKING:
    from lindref.system.abi import SyscallRequest
    from lindref.system.system import System

#: clone, exit, exit_group: where a cage calls for itself, argument 2 is the calling thread (ABI-7).
_WITH_TID = frozenset({56, 60, 231})

SCHED_YIELD, EXECVE = 24, 59


def begin(system: System, thread: Thread, request: SyscallRequest, then: str = "guest", memo: object = None) -> None:
    """A call leaves ``thread``'s cage; ``memo`` is for who is to get its result."""
    if system.shelf and request.number == EXECVE:
        from lindref.system.python import stack

        own = then != "guest" or not capable.foreign(system, thread, request)
        if own and stack.execs_word(system, thread, request):
            return
    args = request.args
    if request.number in _WITH_TID and request.caller == request.target:
        args = (args[0], Arg(thread.tid, args[1].cage), *args[2:])
    within = 0
    if thread.serving:
        caller = system.threads.get(thread.serving)
        if caller is not None and isinstance(caller.status, InGrate):
            within = caller.status.pending.id
    number = request.number
    name = system.call_name(number)
    pending = Pending(system.new_call(), number, name, request.caller, request.target, args, memo, within, then)
    system.spend_call()
    if system.observers:
        system.emit(
            Enter,
            thread,
            call=pending.id,
            number=pending.number,
            name=pending.name,
            caller=pending.caller,
            target=pending.target,
            args=tuple((a.value, a.cage) for a in args),
            within=pending.within,
        )
    if then == "guest" and capable.refuse_call(system, thread, pending):
        return
    dispatch(system, thread, pending)


def dispatch(system: System, thread: Thread, pending: Pending) -> None:
    """Find who serves the call, and hand it over (3I-ROUTE-1 … 3I-ROUTE-5)."""
    number, caller = pending.number, pending.caller
    if system.overrides and pending.id in system.overrides:
        complete(system, thread, pending, system.overrides[pending.id], "TRAVEL-4")
        return
    if tables.unreachable(system.tables, caller, number, pending.target):
        complete(system, thread, pending, -ESRCH, "3I-ROUTE-1")
        return
    if len(system.tables.panicked):
        panics.panic(system, thread, "PoisonError: the lock of the handler tables", "3I-ROUTE-3")
        return
    handler = tables.route(system.tables, caller, number)
    if isinstance(handler, NoHandler):
        if system.profile.has("3I-MISSING"):
            text = f"{handler.value}: syscall_num {number} in self_cageid {caller}"
            panics.panic(system, thread, text, "3I-ROUTE-3", poisons=handler is not NoHandler.EMPTY_ROW)
        else:
            errno = ESRCH if handler is NoHandler.EMPTY_ROW else ENOSYS
            complete(system, thread, pending, -errno, "3I-ROUTE-3")
        return
    if system.observers:
        system.emit(Route, thread, call=pending.id, handler=handler.cage, address=handler.address)
    if handler.wild:
        jump(system, thread, pending, handler)
    elif handler.cage == RAWPOSIX_CAGE:
        ask_kernel(system, thread, pending)
    elif handler.cage == THREEI_CAGE:
        threecalls.serve(system, thread, pending)
    else:
        grates.call(system, thread, pending, handler)


def jump(system: System, thread: Thread, pending: Pending, handler: Handler) -> None:
    """A guest registered a cage beneath all grates as a handler: a jump to an address that is no function."""
    if system.profile.has("3I-WILD"):
        text = f"call {pending.number}: jump to {handler.address:#x} for handler cage {handler.cage}"
        system.fault(thread, text, "3I-ROUTE-5", code=SEGFAULTS)
    else:
        complete(system, thread, pending, -ENOSYS, "3I-ROUTE-5")


def ask_kernel(
    system: System, thread: Thread, pending: Pending, *, timed_out: bool = False, interrupted: bool = False
) -> None:
    """RawPOSIX does the call, or does another try of it."""
    how = (pending.memo, timed_out, interrupted, thread.cage)
    call = Call(pending.number, pending.target, thread.tid, pending.args, *how)
    result = system.kernel.call(call, capable.lent(system, thread) if thread.serving else ())
    if system.kernel.touched:
        system.wake_changed()
    _answer(system, thread, pending, result)


def again(system: System, thread: Thread, status: Retry) -> None:
    """Another try of a call that waited. It is judged again: what was no cage when it was made may be one by now."""
    pending = status.pending
    if pending.then == "guest" and capable.refuse_again(system, thread, pending):
        return
    ask_kernel(system, thread, pending, timed_out=status.timed_out, interrupted=status.interrupted)


def _answer(system: System, thread: Thread, pending: Pending, result: Result) -> None:
    """What RawPOSIX said, and what of it is the system's work."""
    match result:
        case Done(value, restart):
            taken: list[Delivery] = []
            rule = ""
            if value < 0:
                rule = next((f.rule for f in result.failures if f.errno == -value), "")
                if value == -EINTR and pending.then == "guest":
                    taken = delivery.take(system, thread)
                    if restart and taken and all(d.restart for d in taken):  # SIG-9
                        delivery.push(system, thread, taken, Retry(replace(pending, memo=None)))
                        return
            if pending.number == SCHED_YIELD:
                system.yielded = True
            complete(system, thread, pending, value, rule, taken)
        case Wait(keys, deadline, memo, why, interruptible):
            status = Blocked(replace(pending, memo=memo), keys, deadline, why, interruptible)
            system.block(thread, status)
        case RuntimeFault(text, rule, code):
            system.fault(thread, text, rule, code=code)
        case made if system.profile.has("3I-RUNTIME-TABLE") and completion.rerouted(system, thread, pending, made):
            pass
        case Fork():
            lifecycle.fork(system, thread, pending, result)
        case NewThread():
            lifecycle.new_thread(system, thread, pending, result)
        case Exec():
            lifecycle.exec_(system, thread, pending, result)
        case ThreadEnd():
            lifecycle.end_thread(system, thread, pending, result)
        case GroupEnd():
            lifecycle.end_group(system, thread, pending, result)


def complete(
    system: System,
    thread: Thread,
    pending: Pending,
    value: int,
    rule: str = "",
    taken: Sequence[Delivery] = (),
) -> None:
    """The call is back with ``value``: whoever made it goes on.

    ``taken`` are signals that interrupted it; with EINTR, whoever made it up, handlers run before the guest sees it.
    """
    if pending.child and value <= 0:
        value = pending.child  # 3I-GRATE-7
    if pending.child and system.profile.has("FORK-SLOT"):
        late = lifecycle.slot_result(system, thread, pending, value)
        if late is None:
            return
        value = late
    if not -0x80000000 <= value < 0x80000000:
        value = i32(value)
    gone = pending.ended or pending.image is not None
    if system.observers:
        system.emit(Exit, thread, call=pending.id, result=None if gone else value, rule=rule)
    if pending.ended:
        lifecycle.remove_thread(system, thread)
    elif pending.image is not None:
        lifecycle.start_image(system, thread, pending.image)
    elif pending.traps:
        system.trapped(thread, pending.traps, ())
    elif pending.then == "load":
        thread.status = READY
        lifecycle.mapped(system, thread)
    elif pending.then == "returned":
        lifecycle.not_ended(system, thread, pending)
    elif pending.then == "attach":
        from lindref.system.python import stack

        stack.registered(system, thread, pending, value)
    else:
        thread.status = READY
        thread.runner.resume(value)
        if value == -EINTR:
            delivery.push(system, thread, taken or delivery.take(system, thread), READY)

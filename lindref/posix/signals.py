"""Signals: who gets which when, and what a cage does with them.

A cage has one mask, one table of actions and one list of pending signals for all its threads; its main thread takes
them (SIG-1). The system asks `interrupts` whether a waiting call must come back, takes signals one at a time with
`next_delivery` at each delivery point, and reports `handler_returned`. Rules SIG-1 to SIG-18 in spec/signals.md.
"""

from __future__ import annotations

from enum import Enum

from lindref import classes
from lindref.posix import usermem as user
from lindref.posix.cage import Cage, SigAction
from lindref.posix.call import Call
from lindref.posix.constants import (
    CAGE_MAX,
    SA_NOCLDSTOP,
    SA_NODEFER,
    SA_RESETHAND,
    SA_RESTART,
    SIG_BLOCK,
    SIG_DFL,
    SIG_IGN,
    SIG_SETMASK,
    SIG_UNBLOCK,
    SIGCHLD,
    SIGCONT,
    SIGKILL,
    SIGPIPE,
    SIGSTOP,
    SIGTSTP,
    SIGTTIN,
    SIGTTOU,
    SIGURG,
    SIGWINCH,
)
from lindref.posix.errno import EFAULT, EINTR, EINVAL, ESRCH
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.kernel import ChoiceKind, Hooks, Kernel
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.result import Done, Key, Result, Wait, WaitKey
from lindref.posix.structs import SIGACTION
from lindref.state.records import replace

#: Signals are 1 to this one; a cage cannot be sent others.
LAST_SIGNAL = 31

#: Actions can be set for numbers up to this one (the real-time signals, which nothing sends).
LAST_ACTION = 64

_IGNORED = frozenset({SIGCHLD, SIGURG, SIGWINCH})
_STOPPING = frozenset({SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU})

#: Wait status of a cage that went on after a stop.
CONTINUED = 0xFFFF


def bit(signo: int) -> int:
    """The bit of ``signo`` in a mask."""
    return 1 << (signo - 1)


#: Signals that nothing blocks or catches (SIG-5).
UNSTOPPABLE = bit(SIGKILL) | bit(SIGSTOP)


class Action(Enum):
    """What the system must do about a delivered signal."""

    HANDLER = "handler"  # call it; then `handler_returned`
    TERMINATE = "terminate"  # end all threads: the cage's status is set
    STOP = "stop"  # no thread runs until the cage's record says it is not stopped any more
    FAULT = "fault"  # the host process dies (SIG-DEFAULT-FAULT)


@classes.frozen
class Delivery:
    """One signal taken from a cage's pending list. ``handler``: function-table index to call with ``signo``;
    ``saved_mask``: the mask to put back when it returns; ``restart``: whether the call that was interrupted, if its
    result says so too, is started again afterwards (SIG-9).
    """

    cage: int
    signo: int
    action: Action
    handler: int = 0
    saved_mask: int = 0
    restart: bool = True


# Sending.


def default_ignores(signo: int) -> bool:
    """Whether the default action of ``signo`` is to do nothing (a stopped cage goes on by the sending of SIGCONT)."""
    return signo in _IGNORED or signo == SIGCONT


def _ignored(cage: Cage, signo: int) -> bool:
    """Whether the cage's present action for ``signo`` is to do nothing."""
    action = cage.actions.get(signo)
    handler = SIG_DFL if action is None else action.handler
    return handler == SIG_IGN or (handler == SIG_DFL and default_ignores(signo))


def send(kernel: Kernel, number: int, signo: int) -> bool:
    """Send ``signo`` (1 to 31) to cage ``number``; False when there is no such cage."""
    cage = kernel.cages.get(number)
    if cage is None:
        return False
    if kernel.profile.has("SIG-QUEUE"):
        action = cage.actions.get(signo)
        if (action is None or action.handler == SIG_DFL) and signo in _IGNORED:
            return True  # dropped; an explicit SIG_IGN is queued all the same (SIG-IGN-BLOCKS)
        triggered = kernel.profile.has("SIG-TRIGGER") and (cage.triggered or not cage.mask & bit(signo))
        kernel.update(number, pending=(*cage.pending, signo), triggered=triggered)
    else:
        cage = _job_control(kernel, cage, signo)
        if _ignored(cage, signo) and not cage.mask & bit(signo):
            return True  # SIG-3
        if signo in cage.pending:
            return True  # SIG-2
        kernel.update(number, pending=(*cage.pending, signo))
    kernel.touch(Key.SIGNAL, number)
    return True


def _job_control(kernel: Kernel, cage: Cage, signo: int) -> Cage:
    """What sending a stop or SIGCONT does at once, whatever the action and mask (SIG-4); the new record."""
    if signo in _STOPPING:
        return kernel.update(cage.id, pending=tuple(n for n in cage.pending if n != SIGCONT))
    if signo == SIGCONT:
        cage = kernel.update(cage.id, pending=tuple(n for n in cage.pending if n not in _STOPPING))
    if cage.stopped and signo in (SIGCONT, SIGKILL):
        cage = kernel.update(cage.id, stopped=False, report=CONTINUED if signo == SIGCONT else 0)
        kernel.touch(Key.SIGNAL, cage.id)
        if signo == SIGCONT:
            _tell_parent(kernel, cage)
    return kernel.cages[cage.id]


def _tell_parent(kernel: Kernel, cage: Cage) -> None:
    """The parent learns that a child stopped or went on: it can be waited for, and SIGCHLD unless SA_NOCLDSTOP."""
    parent = kernel.cages.get(cage.parent)
    if parent is None or cage.orphan or parent.id == cage.id:
        return
    kernel.touch(Key.CHILDREN, parent.id)
    action = parent.actions.get(SIGCHLD)
    if action is None or not action.flags & SA_NOCLDSTOP:
        send(kernel, parent.id, SIGCHLD)


def broken_pipe(kernel: Kernel, cage: int, *, by_write: bool) -> None:
    """A transfer to a pipe or socket without readers failed with EPIPE: SIGPIPE for ``cage`` (SIG-14). ``by_write``
    says that the call was write(2) itself.
    """
    if by_write or not kernel.profile.has("SIGPIPE-WRITE"):
        send(kernel, cage, SIGPIPE)


# Taking.


def deliverable(cage: Cage) -> tuple[int, ...]:
    """The pending signals that the mask lets through, in the order they came."""
    return tuple(signo for signo in cage.pending if not cage.mask & bit(signo))


def somewhere(kernel: Kernel) -> bool:
    """Whether a signal waits in any cage; what knows of them (``Kernel.signalled``) forgets those that have none."""
    for number in [*kernel.signalled]:
        cage = kernel.cages.get(number)
        if cage is None or not (cage.pending or cage.triggered):
            kernel.signalled.discard(number)
    return bool(kernel.signalled)


def interrupts(kernel: Kernel, number: int) -> bool:
    """Whether a call that waits in the main thread of cage ``number`` must come back now (SIG-8)."""
    cage = kernel.cages.get(number)
    if cage is None or cage.stopped:
        return False
    if kernel.profile.has("SIG-TRIGGER"):
        return cage.triggered
    waiting = deliverable(cage)
    if kernel.profile.has("SIG-IGN-BLOCKS"):
        return bool(waiting)
    # A stop holds the call where it is; what is ignored is as if never sent.
    return any(not _ignored(cage, signo) and not _stops(cage, signo) for signo in waiting)


def _stops(cage: Cage, signo: int) -> bool:
    """Whether delivering ``signo`` would stop the cage."""
    action = cage.actions.get(signo)
    return signo in _STOPPING and (action is None or action.handler == SIG_DFL)


def silent(kernel: Kernel, cage: Cage, signo: int) -> bool:
    """Whether taking ``signo`` would ask for nothing to be done: nobody could see that it was taken."""
    if _stops(cage, signo):
        return kernel.profile.has("SIG-NO-STOP")
    action = cage.actions.get(signo)
    if action is not None and action.handler != SIG_DFL:
        return action.handler == SIG_IGN
    return default_ignores(signo) and not kernel.profile.has("SIG-DEFAULT-FAULT")


def next_delivery(kernel: Kernel, number: int) -> Delivery | None:
    """Take the next signal of cage ``number`` that asks for something to be done, or None when there is none.

    Ask again until None at each delivery point, pushing a frame for each handler, before any guest code runs: the
    bodies then run in reverse order of delivery (SIG-7).
    """
    queueing = kernel.profile.has("SIG-QUEUE")
    while True:
        cage = kernel.cages.get(number)
        if cage is None or cage.status is not None or cage.stopped:
            return None
        waiting = deliverable(cage)
        if not waiting:
            return None
        if queueing:
            signo = waiting[0]  # SIG-QUEUE: first come, first served
        else:
            order = sorted(set(waiting), key=lambda n: (n != SIGKILL, n))
            signo = order[kernel.choose(ChoiceKind.SIGNAL, len(order))]  # SIG-6
        at = cage.pending.index(signo)
        cage = kernel.update(number, pending=cage.pending[:at] + cage.pending[at + 1 :])
        delivery = _deliver(kernel, cage, signo)
        if cage.triggered and not deliverable(kernel.cages[number]):
            kernel.update(number, triggered=False)
        if delivery is not None:
            return delivery


def next_fatal(kernel: Kernel, number: int) -> Delivery | None:
    """Take a signal that ends cage ``number``, the main thread of which can run no handler now, or None."""
    cage = kernel.cages.get(number)
    if cage is None or cage.status is not None or cage.stopped:
        return None
    for signo in sorted(deliverable(cage), key=lambda n: (n != SIGKILL, n)):
        action = cage.actions.get(signo)
        by_default = action is None or action.handler == SIG_DFL
        if by_default and signo not in _STOPPING and not default_ignores(signo):
            kernel.update(number, pending=tuple(n for n in cage.pending if n != signo))
            return _deliver(kernel, kernel.cages[number], signo)
    return None


def _deliver(kernel: Kernel, cage: Cage, signo: int) -> Delivery | None:
    """Do what the action of ``signo`` says as far as records go; None when nothing is left to do."""
    explicit = cage.actions.get(signo)
    action = explicit or SigAction()
    saved = cage.mask if cage.parked_mask is None else cage.parked_mask
    if action.handler > SIG_IGN:
        mask = cage.mask | action.mask
        if not action.flags & SA_NODEFER:
            mask |= bit(signo)
        if not kernel.profile.has("SIG-KILL-MASK"):
            mask &= ~UNSTOPPABLE
        actions = cage.actions
        if action.flags & SA_RESETHAND:
            actions = actions.set(signo, replace(action, handler=SIG_DFL))
        kernel.update(cage.id, mask=mask, actions=actions, parked_mask=None)
        restart = bool(action.flags & SA_RESTART) and not kernel.profile.has("SIG-NO-RESTART")
        return Delivery(cage.id, signo, Action.HANDLER, action.handler, saved, restart)
    if kernel.profile.has("SIG-IGN-BLOCKS") and explicit is not None and (
        action.handler == SIG_IGN or signo in _STOPPING or signo == SIGCONT
    ):
        # The mask of the delivery is put on before the action is looked at, and stays.
        kernel.update(cage.id, mask=saved | action.mask | (0 if action.flags & SA_NODEFER else bit(signo)))
    if action.handler == SIG_IGN:
        return None
    if signo in _STOPPING:
        if kernel.profile.has("SIG-NO-STOP"):
            return None
        stopped = kernel.update(cage.id, stopped=True, report=signo << 8 | 0x7F)
        _tell_parent(kernel, stopped)
        return Delivery(cage.id, signo, Action.STOP)
    if signo in _IGNORED and kernel.profile.has("SIG-DEFAULT-FAULT"):
        return Delivery(cage.id, signo, Action.FAULT)
    if default_ignores(signo):
        return None
    kernel.update(cage.id, status=signo & 0x7F)  # SIG-10
    return Delivery(cage.id, signo, Action.TERMINATE)


def unpark(kernel: Kernel, number: int) -> None:
    """What interrupted a call with a mask of its own has been taken: the old mask is back, unless a handler brings it
    (POLL-6)."""
    cage = kernel.cages.get(number)
    if cage is not None and cage.parked_mask is not None:
        kernel.update(number, parked_mask=None)
        set_mask(kernel, number, cage.parked_mask)


def handler_returned(kernel: Kernel, number: int, saved_mask: int) -> None:
    """The handler of a delivery came back: the mask is what it was before, whatever the handler did (SIG-11)."""
    if number in kernel.cages:
        set_mask(kernel, number, saved_mask)
        cage = kernel.cages[number]
        trigger(kernel, cage, ~cage.mask)  # they are taken before the program goes on


# Across fork and exec.


def _forked(kernel: Kernel, parent: int, child: int) -> None:
    """A child starts with nothing pending, and with the mask and actions of its parent (SIG-12)."""
    del parent
    cage = kernel.cages[child]
    kernel.update(child, pending=(), mask=0 if kernel.profile.has("FORK-MASK") else cage.mask, stopped=False, report=0)
    kernel.update(child, triggered=False, parked_mask=None)


def _execed(kernel: Kernel, number: int) -> None:
    """A new image has no handlers; what was ignored stays ignored, mask and pending signals stay (SIG-13)."""
    cage = kernel.cages[number]
    keep = not kernel.profile.has("EXEC-SIGNALS")
    ignored = {signo: action for signo, action in cage.actions.items() if action.handler == SIG_IGN and keep}
    actions = type(cage.actions)(ignored)
    kernel.update(number, actions=actions, mask=cage.mask if keep else 0, triggered=False)
    trigger(kernel, cage, -1)
    kernel.touch(Key.SIGNAL, number)


# Calls.


def rt_sigaction(kernel: Kernel, call: Call) -> Result:
    """Read and set the action of a signal (SIG-15)."""
    # Arguments.
    signo, new, old = call.i32(0), call.value(1), call.value(2)
    cage = kernel.cage(call.target)
    unchecked = kernel.profile.has("SIGACTION-UNCHECKED")
    held = cage.actions.get(signo & 0xFFFFFFFF)
    data = user.copy_in(kernel, new, SIGACTION.size) if new else None
    # Errors.
    if new:
        user.require_mapped(kernel, data is not None, "sigaction: the new action")
    if old:
        user.require_mapped(kernel, user.writable(kernel, old, SIGACTION.size), "sigaction: the old action")
    errors = ErrorSet()
    errors.add(not unchecked and not 1 <= signo <= LAST_ACTION, EINVAL, "SIG-15")
    errors.add(bool(new) and signo in (SIGKILL, SIGSTOP), EINVAL, "SIG-5")
    errors.add(bool(new) and data is None, EFAULT, "SIG-15")
    errors.add(bool(old) and not user.writable(kernel, old, SIGACTION.size), EFAULT, "SIG-15")
    failed = errors.first()
    # Effect.
    if old and (failed is None or unchecked):
        _write_action(kernel, old, held)
    if failed is not None:
        return failed
    if data is not None:
        fields = SIGACTION.unpack(data)
        action = SigAction(fields["sa_handler"], fields["sa_mask"], fields["sa_flags"])
        cage = kernel.update(cage.id, actions=cage.actions.set(signo & 0xFFFFFFFF, action))
        if not kernel.profile.has("SIG-QUEUE") and _ignored(cage, signo):
            kernel.update(cage.id, pending=tuple(n for n in cage.pending if n != signo))  # SIG-3
    # Result.
    return Done(0)


def _write_action(kernel: Kernel, address: int, action: SigAction | None) -> None:
    """Put an action into the caller's structure; of one never set only the fields are written, not the padding."""
    if action is None:
        before = user.copy_in(kernel, address, SIGACTION.size) or bytes(SIGACTION.size)
        user.copy_out(kernel, address, bytes(4) + before[4:8] + bytes(12) + before[20:])
    else:
        packed = SIGACTION.pack(sa_handler=action.handler, sa_mask=action.mask, sa_flags=action.flags)
        user.copy_out(kernel, address, packed)


def rt_sigprocmask(kernel: Kernel, call: Call) -> Result:
    """Read and change the mask of the cage (SIG-16)."""
    # Arguments.
    how, new, old = call.i32(0), call.value(1), call.value(2)
    cage = kernel.cage(call.target)
    data = user.copy_in(kernel, new, 8) if new else None
    # Errors.
    if new:
        user.require_mapped(kernel, data is not None, "sigprocmask: the new set")
    if old:
        user.require_mapped(kernel, user.writable(kernel, old, 8), "sigprocmask: the old set")
    errors = ErrorSet()
    errors.add(bool(new) and data is None, EFAULT, "SIG-16")
    errors.add(bool(new) and how not in (SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK), EINVAL, "SIG-16")
    errors.add(bool(old) and not user.writable(kernel, old, 8), EFAULT, "SIG-16")
    failed = errors.first()
    # Effect.
    if old and (failed is None or kernel.profile.has("SIGPROCMASK-OLD-FIRST")):
        user.copy_out(kernel, old, cage.mask.to_bytes(8, "little"))
    if failed is not None:
        return failed
    if data is not None:
        given = int.from_bytes(data, "little")
        mask = {SIG_BLOCK: cage.mask | given, SIG_UNBLOCK: cage.mask & ~given, SIG_SETMASK: given}[how]
        set_mask(kernel, cage.id, mask)
        trigger(kernel, cage, given if how == SIG_UNBLOCK else cage.mask & ~mask)
    # Result.
    return Done(0)


def trigger(kernel: Kernel, cage: Cage, unblocked: int) -> None:
    """Of the signals in ``unblocked`` one is pending: the main thread is to look (deviation ``SIG-TRIGGER``)."""
    if kernel.profile.has("SIG-TRIGGER") and any(unblocked & bit(signo) for signo in cage.pending):
        kernel.update(cage.id, triggered=True)


def set_mask(kernel: Kernel, number: int, mask: int) -> None:
    """Make ``mask`` the mask of a cage; SIGKILL and SIGSTOP stay out of it (SIG-5). Pending signals that were kept only
    because they were blocked go (SIG-3)."""
    cage = kernel.update(number, mask=mask if kernel.profile.has("SIG-KILL-MASK") else mask & ~UNSTOPPABLE)
    if cage.pending and not kernel.profile.has("SIG-IGN-BLOCKS"):
        kept = tuple(signo for signo in cage.pending if cage.mask & bit(signo) or not _ignored(cage, signo))
        kernel.update(number, pending=kept)
    kernel.touch(Key.SIGNAL, number)


def rt_sigsuspend(kernel: Kernel, call: Call) -> Result:
    """Put on a mask and wait for a signal (SIG-17). The old mask goes to the second argument; the caller puts it
    back.
    """
    # Arguments.
    new, old = call.value(0), call.value(1)
    cage = kernel.cage(call.target)
    if call.first():
        data = user.copy_in(kernel, new, 8)
        # Errors.
        user.require_mapped(kernel, data is not None, "sigsuspend: the set")
        if old:
            user.require_mapped(kernel, user.writable(kernel, old, 8), "sigsuspend: the old set")
        errors = ErrorSet()
        errors.add(data is None, EFAULT, "SIG-17")
        errors.add(bool(old) and not user.writable(kernel, old, 8), EFAULT, "SIG-17")
        failed = errors.first()
        if failed is not None or data is None:
            return failed or Done(-EFAULT)
        # Effect.
        if old:
            user.copy_out(kernel, old, cage.mask.to_bytes(8, "little"))
        given = int.from_bytes(data, "little")
        set_mask(kernel, cage.id, given)
        trigger(kernel, cage, cage.mask & ~given)
    # Result.
    if call.interrupted or interrupts(kernel, cage.id):
        return fail(EINTR, "SIG-17")
    return Wait((WaitKey(Key.SIGNAL, cage.id),), None, True, "for a signal")


def kill(kernel: Kernel, call: Call) -> Result:
    """Send a signal to a cage, or ask whether it exists (SIG-18)."""
    # Arguments.
    pid, signo = call.i32(0), call.i32(1)
    lone = kernel.profile.has("KILL-STRICT")
    if pid == 0:
        targets = [call.target]  # each cage is a process group of its own
    elif pid > 0:
        targets = [pid]
    elif pid == -1:
        targets = [number for number in kernel.cages if number != call.target and number < CAGE_MAX]
    else:
        targets = [-pid]
    # Errors.
    errors = ErrorSet()
    errors.add(lone and pid < 0, EINVAL, "SIG-18")
    errors.add(not (1 if lone else 0) <= signo <= LAST_SIGNAL, EINVAL, "SIG-18")
    errors.add(not any(_exists(kernel, number) for number in targets), ESRCH, "SIG-18")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    if signo:
        for number in targets:
            send(kernel, number, signo)
    # Result.
    return Done(0)


def _exists(kernel: Kernel, number: int) -> bool:
    """Whether there is a cage ``number`` to signal; one that ended and was not waited for counts, to no effect."""
    if number in kernel.cages:
        return True
    if kernel.profile.has("KILL-STRICT"):
        return False
    return any(zombie.cage == number for cage in kernel.cages.values() for zombie in cage.zombies)


HOOKS = Hooks(fork=_forked, execed=_execed)

CALLS: tuple[CallRow, ...] = (
    CallRow(
        13,
        "rt_sigaction",
        (
            Param("sig", ParamKind.SIGNAL),
            Param("act", ParamKind.STRUCT, struct="sigaction"),
            Param("oldact", ParamKind.STRUCT, Direction.OUT, struct="sigaction"),
        ),
        rt_sigaction,
    ),
    CallRow(
        14,
        "rt_sigprocmask",
        (
            Param("how", ParamKind.ENUM, names="sigmask-how"),
            Param("set", ParamKind.SIGSET),
            Param("oldset", ParamKind.SIGSET, Direction.OUT),
        ),
        rt_sigprocmask,
    ),
    CallRow(62, "kill", (Param("pid", ParamKind.PID), Param("sig", ParamKind.SIGNAL)), kill),
    CallRow(
        130,
        "rt_sigsuspend",
        (Param("mask", ParamKind.SIGSET), Param("oldset", ParamKind.SIGSET, Direction.OUT)),
        rt_sigsuspend,
    ),
)

"""Signals reach a thread: at delivery points, and where a call is interrupted.

RawPOSIX decides what is delivered; here handlers become frames on the thread's continuation. Rules SIG-* in
spec/signals.md; the delivery points are a function's entry, a loop's head, before a return and before a function's end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from lindref.posix import signals
from lindref.posix.result import Key, WaitKey
from lindref.posix.signals import Action, Delivery
from lindref.state.records import replace
from lindref.system import lifecycle, panics
from lindref.system.events import Signal
from lindref.system.threads import Blocked, InGrate, Queued, Ready, Retry, SignalBarrier, Status, Thread

if TYPE_CHECKING:
    from lindref.system.abi import SyscallRequest
    from lindref.system.system import System


def takes_signals(system: System, thread: Thread) -> bool:
    """Whether signals of its cage are delivered to ``thread``: its main thread, never a worker (SIG-1)."""
    cage = system.kernel.cages.get(thread.cage)
    return cage is not None and not thread.slot and cage.main_thread == thread.tid


def attend(system: System, thread: Thread) -> None:
    """Before ``thread`` runs: have it stop at the next delivery point if something can be delivered."""
    cage = system.kernel.cages.get(thread.cage)
    if cage is None or not cage.pending:
        thread.runner.attend(wanted=False)
    else:
        thread.runner.attend(takes_signals(system, thread) and bool(signals.deliverable(cage)))


def deliver(system: System, thread: Thread) -> None:
    """``thread`` stands at a delivery point: deliver all that can be."""
    push(system, thread, take(system, thread), Ready())


def take(system: System, thread: Thread) -> list[Delivery]:
    """Everything to be delivered now, in the order it is taken."""
    found: list[Delivery] = []
    if takes_signals(system, thread):
        while (delivery := signals.next_delivery(system.kernel, thread.cage)) is not None:
            found.append(delivery)
            if delivery.action is not Action.HANDLER:
                break
        signals.unpark(system.kernel, thread.cage)
    return found


def push(system: System, thread: Thread, deliveries: Sequence[Delivery], resume: Status) -> None:
    """Act on ``deliveries``; beneath the first handler's frame ``thread`` is to go on with ``resume``."""
    thread.status = resume
    for delivery in deliveries:
        action = delivery.action
        system.emit(Signal, thread, signo=delivery.signo, action=action.value)
        if action is Action.HANDLER:
            forks = system.runtimes[thread.cage].forks
            token = SignalBarrier(delivery.signo, delivery.saved_mask, thread.status, forks)
            if not thread.runner.push_handler(delivery.handler, delivery.signo, token):
                system.trapped(thread, "a signal handler is set, but the program exports no signal_callback", ())
                return
            thread.status = Ready()
        elif action is Action.TERMINATE:
            lifecycle.kill_cage(system, thread)
            return
        elif action is Action.FAULT:
            panics.panic(system, thread, f"signal {delivery.signo} without an action", "SIG-DEFAULT-FAULT")
            return
    system.wake_changed()


def returned(system: System, thread: Thread, token: SignalBarrier) -> None:
    """A handler has returned: the mask is restored, the thread goes on with what it did (SIG-11)."""
    forked = token.forks != system.runtimes[thread.cage].forks
    if not (forked and system.profile.has("FORK-IN-HANDLER")):
        signals.handler_returned(system.kernel, thread.cage, token.saved_mask)
    system.emit(Signal, thread, signo=token.signo, action="return")
    thread.status = token.resume
    system.wake_changed()


def interrupt_waiting(system: System) -> None:
    """Wake the threads whose waits a signal interrupts (SIG-8): of a cage's main thread, and of the workers that
    serve its call. A signal that ends the cage does so at once, whoever serves (deviation ``GRATE-HOLDS-CALLER``).
    """
    if not signals.somewhere(system.kernel):
        return
    for thread in list(system.threads.values()):
        status = thread.status
        if isinstance(status, InGrate | Queued):
            interrupt_served(system, thread)
        elif isinstance(status, Blocked) and status.interruptible and _interrupted(system, thread):
            if status.pending.deaf:
                continue  # SIG-LOST
            thread.status = Retry(status.pending, interrupted=True)


def interrupt_served(system: System, thread: Thread) -> None:
    """``thread``, whose call a grate serves, ends with its cage if a signal has come that says so (SIG-8)."""
    cage = system.kernel.cages.get(thread.cage)
    if cage is None or not cage.pending or not isinstance(thread.status, InGrate | Queued):
        return
    if takes_signals(system, thread) and not system.profile.has("GRATE-HOLDS-CALLER"):
        delivery = signals.next_fatal(system.kernel, thread.cage)
        if delivery is not None:
            push(system, thread, [delivery], thread.status)


def interrupt_handler(system: System, thread: Thread) -> None:
    """``thread``'s cage ends: what the handler that serves it waits in comes back with EINTR (EXIT-2)."""
    seen = thread
    while isinstance(seen.status, InGrate):
        worker = system.threads.get(seen.status.worker)
        if worker is None or worker.serving != seen.key:
            return  # it has answered
        seen = worker
    if isinstance(seen.status, Blocked) and seen.status.interruptible:
        seen.status = Retry(seen.status.pending, interrupted=True)


#: The choice of deviation ``SIG-LOST``: the signal is seen before the call is made, or came too late to be seen and
#: too early to wake it.
SIGNAL_WAKE = "signal-wake"

#: Calls in which the real system's thread sleeps in the host (rawposix.md 5.2); select does where it has no limit.
_SLEEPS = frozenset(
    "read readv write writev futex accept accept4 connect flock fcntl clock_nanosleep open openat recvfrom recvmsg "
    "sendto sendmsg".split()
)


def too_early(system: System, thread: Thread, request: SyscallRequest | None) -> bool:
    """Whether the signals that are there for ``thread`` come between its last look and the call that it stands before,
    which they do not wake (SIG-8, deviation ``SIG-LOST``).
    """
    if request is None or not system.profile.has("SIG-LOST") or not takes_signals(system, thread):
        return False
    name = system.call_name(request.number)
    sleeps = name in _SLEEPS or (name == "select" and not request.args[4].value)
    if not sleeps or not signals.deliverable(system.kernel.cages[thread.cage]):
        return False
    return bool(system.choices.choose(SIGNAL_WAKE, 2))


def hear(system: System, changed: Collection[WaitKey]) -> None:
    """A further signal wakes who did not hear the one before."""
    if not any(key.kind == Key.SIGNAL for key in changed):
        return
    for thread in system.threads.values():
        status = thread.status
        if isinstance(status, Blocked) and status.pending.deaf and WaitKey(Key.SIGNAL, thread.cage) in changed:
            thread.status = replace(status, pending=replace(status.pending, deaf=False))


def _interrupted(system: System, thread: Thread) -> bool:
    """Whether a signal waits for ``thread``, or for one on whose behalf it makes its call."""
    seen: Thread | None = thread
    while seen is not None:
        if takes_signals(system, seen) and signals.interrupts(system.kernel, seen.cage):
            return True
        seen = system.threads.get(seen.serving) if seen.serving else None
    return False

"""Who runs next, when time passes, and what it means that nobody can run.

Rules SCHED-1 … SCHED-6, TIME-* in spec/system.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix import timers
from lindref.system import worldly
from lindref.system.threads import (
    READY,
    AtomicBlocked,
    Blocked,
    Calling,
    Forked,
    Idle,
    InGrate,
    Lost,
    Queued,
    Ready,
    Retry,
    Status,
    Thread,
)

if TYPE_CHECKING:
    from lindref.system.system import System

#: Virtual time that passes with each call and each tick, ns (SCHED-5).
CALL_NS = 1_000
TICK_NS = 10


def candidates(system: System) -> list[Thread]:
    """The threads that can run next, option 0 first (SCHED-3, SCHED-4)."""
    runnable = list(system.threads.runnable.values())
    cages = system.kernel.cages
    if any((cage := cages.get(t.cage)) is not None and cage.stopped for t in runnable):
        runnable = [t for t in runnable if not system.stopped(t.cage)]
    if len(runnable) < 2:
        return runnable
    last = system.preferred or system.current
    if system.yielded and not system.preferred:
        return sorted(runnable, key=lambda t: (t.key <= last, t.key))
    return sorted(runnable, key=lambda t: (t.key < last, t.key))


def pick(system: System) -> Thread | None:
    """The thread to run next (SCHED-3): a choice among those that can.

    Option 0 is the one that ran last, unless it yielded or used up its quantum; the others follow in the order of their
    keys, beginning after it.
    """
    order = candidates(system)
    if len(order) < 2:
        return order[0] if order else None
    system.preferred = 0
    return order[system.choices.choose("thread", len(order))]


def turn(system: System) -> Thread | None:
    """Who has the next turn; what happens in the world, and what is due, comes first."""
    worldly.attend(system)
    wake_due(system)
    return pick(system)


def allowed(system: System) -> int:
    """Ticks that the next turn of the present thread may take; 0 if ``max_ticks`` forbids any."""
    ticks = max(system.quantum, 1)
    if system.config.max_ticks is not None:
        ticks = min(ticks, max(system.config.max_ticks - system.ticks, 0))
    return ticks


def wake_due(system: System) -> None:
    """Deadlines that have passed: waits end, timers fire (SCHED-5)."""
    kernel = system.kernel
    now = kernel.now
    if kernel.alarm is not None or not kernel.alarm_known:
        timers.advance(kernel, now)
    for thread in sorted(system.threads.timed.values(), key=lambda t: t.key) if system.threads.timed else ():
        status = thread.status
        if isinstance(status, Blocked) and status.deadline is not None and status.deadline <= now:
            thread.status = Retry(status.pending, timed_out=True)
        elif isinstance(status, AtomicBlocked) and status.deadline is not None and status.deadline <= now:
            thread.status = READY
            thread.runner.resume(2)
    if kernel.touched:
        system.wake_changed()


def wake_sleepers(system: System, cage: int, address: int, count: int) -> int:
    """Wake up to ``count`` threads of ``cage`` that sleep in ``memory.atomic.wait`` at ``address``; how many there
    were.
    """
    woken = 0
    for thread in system.threads.values():
        status = thread.status
        if woken < count and isinstance(status, AtomicBlocked):
            if thread.cage == cage and status.address == address:
                thread.status = Ready()
                thread.runner.resume(0)
                woken += 1
    return woken


def next_deadline(system: System) -> int | None:
    """The earliest time at which something happens by itself."""
    times = [timers.next_deadline(system.kernel)]
    times += [t.status.deadline for t in system.threads.timed.values()]
    known = [t for t in times if t is not None]
    return min(known) if known else None


def report(system: System) -> str:
    """Who waits on what, one line a thread (SCHED-6)."""
    lines = []
    for thread in system.threads.values():
        status = thread.status
        if isinstance(status, Idle):
            continue
        kind = "worker" if thread.slot else "thread"
        number = thread.slot or thread.tid
        lines.append(f"cage {thread.cage} {kind} {number}: {waits_for(system, status)}")
    return "\n".join(lines)


def waits_for(system: System, status: Status) -> str:
    """What a thread waits for, for people."""
    match status:
        case Blocked(pending, _, _, why, _):
            return f"in {pending.name}, waiting {why}"
        case InGrate(pending, grate, worker):
            return f"in {pending.name}, served by grate {grate} (worker {system.threads[worker].slot})"
        case Queued(pending, grate, _):
            return f"in {pending.name}, waiting for a free worker of grate {grate}"
        case AtomicBlocked(address, _):
            return f"in memory.atomic.wait at {address:#x}"
        case Ready() | Retry() | Calling() | Forked():
            return "stopped by a signal"
        case Lost(text):
            return f"gone: {text}"
        case Idle():
            return "idle"

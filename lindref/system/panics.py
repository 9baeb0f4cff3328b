"""3i panics in a call: whom the real host process takes down with it (3i.md 2.9), in profile ``lind``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.posix.cage import INIT_CAGE, MAIN_THREAD
from lindref.state.records import replace
from lindref.system import schedule
from lindref.system.outcome import ABORTS, HANGS, PANICS, Ending, Outcome
from lindref.system.threads import Lost, Thread

if TYPE_CHECKING:
    from lindref.system.system import System


def panic(system: System, thread: Thread, text: str, rule: str, *, poisons: bool = False) -> None:
    """What becomes of ``thread``, in whose call 3i panics.

    A worker's call is made from within a function that cannot unwind: the host aborts. The first thread is the
    process's own, which ends with it. Any other just goes, and nobody is told: its cage never ends (deviation
    ``3I-LOST``).
    ``poisons``: it held the lock of the handler tables, so that every later call panics.
    """
    if thread.slot:
        system.fault(thread, text, rule, code=ABORTS)
    elif (thread.cage, thread.tid) == (INIT_CAGE, MAIN_THREAD) or not system.profile.has("3I-LOST"):
        system.fault(thread, text, rule, code=PANICS)
    else:
        system.note(thread, f"runtime fault: {text} [{rule}]")
        if poisons:
            held = system.tables
            system.tables = replace(held, panicked=held.panicked.set(thread.cage, True))
        thread.status = Lost(text)


def stuck(system: System) -> Outcome:
    """How a run ends in which nobody can go on: a deadlock (SCHED-6), unless a thread is lost that others wait for."""
    for thread in system.threads.values():
        if isinstance(thread.status, Lost):
            system.note(thread, "never ends, so the host waits for ever: its thread is lost (deviation 3I-LOST)")
            return Outcome(Ending.FAULT.value, HANGS, thread.status.text)
    return Outcome(Ending.DEADLOCK.value, text=schedule.report(system))

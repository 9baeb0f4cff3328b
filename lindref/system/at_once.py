"""A call that begins while the thread that makes it runs, so that compiled code need not be left for it.

Nothing but time depends on that: what happens is what happens in two turns, the one that ends with the call and the one
that the scheduler gives next. Where that is not the same thread's, or somebody wants to know what the thread is in the
middle of, the runner stops (``runner.TurnOver``) and the system goes on with the turn that was begun here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lindref.system import calls, delivery, schedule
from lindref.system.runner import TurnOver
from lindref.system.threads import Ready, Thread
from lindref.system.wasm_runner import WasmRunner

if TYPE_CHECKING:
    from lindref.system.abi import SyscallRequest
    from lindref.system.system import System


def run(system: System, thread: Thread, ticks: int) -> None:
    """A turn of a thread: its runner runs, for at most ``ticks`` ticks; where the system goes through turns, perhaps
    several that follow each other."""
    runner = thread.runner
    if system.through and isinstance(runner, WasmRunner):
        event = runner.run(ticks, at_once=partial(begin, system, thread, runner))
        if isinstance(event, TurnOver):
            return
    else:
        event = runner.run(ticks)
    system.ran(thread, event)


def begin(system: System, thread: Thread, runner: WasmRunner, request: SyscallRequest) -> int:
    """The call, and the thread's next turn if it has that: how many ticks it may take (``runner.AtOnce``)."""
    system.spend(runner.ticks - system.began)
    system.began = runner.ticks
    calls.begin(system, thread, request)
    there = system.outcome is None and thread.runner is runner and system.threads.get(thread.key) is thread
    if not (there and isinstance(thread.status, Ready) and runner.may_go_on()) or system.yielded:
        return 0
    picked = schedule.turn(system)
    if picked is thread:
        delivery.attend(system, thread)
        allowed = schedule.allowed(system)
        if allowed and runner.may_go_on():
            system.began = runner.ticks
            return allowed
    system.picked.append(picked)
    return 0

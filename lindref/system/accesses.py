"""Choice points before accesses to memory that other threads can reach (SCHED-7).

A turn then is: the instruction where the thread stands, and all up to the next access, call or end. So a thread that
stopped before an access makes it when it is picked again, and nothing has to be remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.system.runner import AtAccess, Preempted, RunnerEvent
from lindref.system.runner import Stepped as Taken
from lindref.system.wasm_runner import WasmRunner
from lindref.vm import ops_atomic, ops_memory
from lindref.vm.hooks import hooked
from lindref.vm.outcomes import Stepped

if TYPE_CHECKING:
    from lindref.system.system import System
    from lindref.system.threads import Thread

#: Handler of a plain access -> how far below the top of the operands its address lies.
_ADDRESS = {handler: 2 if ".store" in name else 1 for name, handler in ops_memory.AT_ZERO.items()}

#: Handlers of accesses whose address is not looked at.
_TABLES = (ops_memory.ANYWHERE, ops_memory.SEVERAL, ops_memory.BULK, ops_atomic.HANDLERS)
_ANY = frozenset(handler for table in _TABLES for handler in table.values())


def shared(system: System, thread: Thread) -> bool:
    """Whether somebody else can reach the memory of ``thread``'s cage: another thread, or a worker that serves."""
    if not isinstance(thread.runner, WasmRunner):
        return False
    others = (other for other in system.threads.values() if other.cage == thread.cage and other is not thread)
    return any(not other.slot or other.serving for other in others)


def run(
    system: System, thread: Thread, ticks: int, *, until: int | None = None, steps: int | None = None
) -> RunnerEvent:
    """Run ``thread`` from where it stands to the next access to shared memory, or to what it has to say; or only
    ``until`` its ticks are so many, or for so many ``steps`` (``Stepped``: the turn is not over)."""
    runner = thread.runner
    assert isinstance(runner, WasmRunner)
    runner.changed = True
    everywhere = system.config.accesses == "all"
    machine = runner.machine
    limit = machine.ticks + ticks
    while machine.ticks < limit:
        if (until is not None and machine.ticks >= until) or steps == 0:
            return Taken()
        steps = None if steps is None else steps - 1
        said = runner.prepare()
        if said is not None:
            return said
        if machine.frame is None:
            return runner.run(1)  # between two calls of its plan
        outcome = machine.run(limit - machine.ticks, steps=1)
        if not isinstance(outcome, Stepped):
            event = runner._event(outcome)  # noqa: SLF001  # two halves of one runner
            if event is not None:
                return event
        elif stands_before(runner, everywhere=everywhere):
            return AtAccess()
    return Preempted()


def stands_before(runner: WasmRunner, *, everywhere: bool) -> bool:
    """Whether the next entry is an access to memory, other than (unless ``everywhere``) one to the thread's stack."""
    machine = runner.machine
    handler, imm = machine.code[machine.pc]
    if handler is hooked:
        _, handler, imm = imm
    if handler in _ANY:
        return True
    below = _ADDRESS.get(handler)
    if below is None:
        return False
    if everywhere:
        return True
    address = machine.stack[-below] + imm
    pointer = runner.global_value("__stack_pointer")
    return pointer is None or not pointer <= address < runner.stack_top


__all__ = ["run", "shared", "stands_before"]

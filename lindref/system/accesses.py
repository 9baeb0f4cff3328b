"""Choice points before accesses to memory that other threads can reach (SCHED-7).

A turn then is: the instruction where the thread stands, and all up to the next access, call or end. So a thread that
stopped before an access makes it when it is picked again, and nothing has to be remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from lindref.system.runner import AtAccess, Preempted, RunnerEvent
from lindref.system.runner import Stepped as Taken
from lindref.system.wasm_runner import WasmRunner
from lindref.vm import ops_atomic, ops_memory
from lindref.vm.hooks import hooked
from lindref.vm.outcomes import HostCall, Stepped

if TYPE_CHECKING:
    from lindref.system.system import System
    from lindref.system.threads import Thread
    from lindref.vm.machine import Machine
    from lindref.vm.memory import Memory


class Watcher(Protocol):
    """Wants to know what is accessed."""

    def accessed(self, thread: Thread, start: int, count: int, *, write: bool) -> None:
        """``thread`` is about to access ``count`` bytes of its memory; -1: any of it, it may be."""


def _width(name: str) -> int:
    """How many bytes an instruction accesses."""
    digits = name.partition(".")[2].removeprefix("atomic.").removeprefix("rmw")
    for bits, width in (("32", 4), ("16", 2), ("8", 1)):
        if digits.startswith(bits) or digits.removeprefix("load").removeprefix("store").startswith(bits):
            return width
    return 4 if "32" in name[:3] else 8


#: Handler of a plain access -> how far below the top of the operands its address lies, bytes, whether it writes.
_PLAIN = {
    handler: (2 if ".store" in name else 1, _width(name), ".store" in name)
    for name, handler in ops_memory.AT_ZERO.items()
}

#: The same of accesses whose immediate names a memory, too, and which always count.
_INDEXED = {
    handler: (2 if ".store" in name else 1, _width(name), ".store" in name)
    for name, handler in ops_memory.ANYWHERE.items()
}


def _atomic(name: str) -> tuple[int, int, bool]:
    if name.endswith((".wait32", ".wait64")):
        return 3, 8 if name.endswith("64") else 4, False
    if name.endswith(".notify"):
        return 2, 4, False
    if ".cmpxchg" in name:
        return 3, _width(name), True
    return (1, _width(name), False) if ".load" in name else (2, _width(name), True)


_INDEXED |= {handler: _atomic(name) for name, handler in ops_atomic.HANDLERS.items() if name != "atomic.fence"}

#: Handlers of accesses whose address is not looked at.
_TABLES = (ops_memory.ANYWHERE, ops_memory.SEVERAL, ops_memory.BULK, ops_atomic.HANDLERS)
_ANY = frozenset(handler for table in _TABLES for handler in table.values())

_FILL = ops_memory.BULK["memory.fill"]
_COPY = ops_memory.SEVERAL["memory.copy"]
_INIT = ops_memory.SEVERAL["memory.init"]
_ELSEWHERE = frozenset({*ops_memory.BULK.values(), *ops_memory.SEVERAL.values()})


def shared(system: System, thread: Thread) -> bool:
    """Whether somebody else can reach the memory of ``thread``'s cage, or some of it: its cage has had another thread,
    or a worker, or maps what other cages may map. That stays so when the others are gone, so that where a turn ends
    does not depend on it.
    """
    if not isinstance(thread.runner, WasmRunner):
        return False
    return _peopled(system, thread.cage) or _maps_shared(system.memories.get(thread.cage))


def _peopled(system: System, cage: int) -> bool:
    record = system.kernel.cages.get(cage)
    pool = system.pools.get(cage)  # before it is written back to the cage's record
    runtime = system.runtimes.get(cage)
    workers = pool.made if pool is not None else 0 if runtime is None else runtime.workers
    return (record is not None and record.next_thread > 2) or workers > 0


def _maps_shared(memory: Memory | None) -> bool:
    regions = memory.regions.values() if memory is not None else ()
    return any(region.backing is not None and not region.private for region in regions)


def run(
    system: System,
    thread: Thread,
    ticks: int,
    *,
    until: int | None = None,
    steps: int | None = None,
    watcher: Watcher | None = None,
) -> RunnerEvent:
    """Run ``thread`` from where it stands to the next access to shared memory, or to what it has to say; or only
    ``until`` its ticks are so many, or for so many ``steps`` (``Stepped``: the turn is not over)."""
    runner = thread.runner
    assert isinstance(runner, WasmRunner)
    runner.changed = True
    everywhere = system.config.accesses == "all"
    peopled = _peopled(system, thread.cage)
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
            if watcher is not None:
                watcher.accessed(thread, 0, -1, write=True)
            return runner.run(1)  # between two calls of its plan
        if watcher is not None and machine.awaiting is None:
            tell(watcher, thread, machine)
        outcome = machine.run(limit - machine.ticks, steps=1)
        if not isinstance(outcome, Stepped):
            event = runner._event(outcome)  # noqa: SLF001  # two halves of one runner
            if event is not None:
                return event
            if watcher is not None and isinstance(outcome, HostCall):
                watcher.accessed(thread, 0, -1, write=True)  # answered at once, whatever it was
        elif _stands_before(runner, everywhere=everywhere, peopled=peopled):
            return AtAccess()
    return Preempted()


def tell(watcher: Watcher, thread: Thread, machine: Machine) -> None:
    """Tell what the next instruction accesses."""
    frame = machine.frame
    assert frame is not None
    if frame.view is None:
        return  # a call by the host, about to begin or to return
    assert frame.body.code is not None
    handler, imm = frame.body.code[frame.pc]
    if handler is hooked:
        _, handler, imm = imm
    stack = frame.stack
    found = _PLAIN.get(handler)
    if found is not None:
        below, width, write = found
        watcher.accessed(thread, stack[-below] + imm, width, write=write)
        return
    if handler not in _ANY:
        return
    indexed = _INDEXED.get(handler)
    if indexed is not None:
        below, width, write = indexed
        watcher.accessed(thread, stack[-below] + imm[1], width, write=write)
    elif handler in (_FILL, _COPY, _INIT):
        if stack[-1]:
            watcher.accessed(thread, stack[-3], stack[-1], write=True)
            if handler is _COPY:
                watcher.accessed(thread, stack[-2], stack[-1], write=False)
    elif handler in _ELSEWHERE:
        watcher.accessed(thread, 0, -1, write=True)  # how large it is


def _stands_before(runner: WasmRunner, *, everywhere: bool, peopled: bool) -> bool:
    """Whether the next entry is an access to memory, other than (unless ``everywhere``) one to the thread's stack, or,
    where nobody else is in the cage (not ``peopled``), to what no other cage may map."""
    machine = runner.machine
    handler, imm = machine.code[machine.pc]
    if handler is hooked:
        _, handler, imm = imm
    if handler in _ANY:
        return True
    plain = _PLAIN.get(handler)
    if plain is None:
        return False
    if everywhere:
        return True
    address = machine.stack[-plain[0]] + imm
    if not peopled:
        region: Any = machine.memory.region_at(address >> 12)
        return region is not None and region.backing is not None and not region.private
    pointer = runner.global_value("__stack_pointer")
    return pointer is None or not pointer <= address < runner.stack_top


__all__ = ["Watcher", "run", "shared", "tell"]

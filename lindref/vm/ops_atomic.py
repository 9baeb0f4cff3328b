"""Atomic accesses, wait and notify (the threads proposal). The immediate is memory index and offset.

One thread runs at a time and a handler is never interrupted, so every access is atomic and in order. What sets these
apart is the demand for natural alignment, and that a thread may have to sleep, which is an outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lindref.vm.handler import Handler
from lindref.vm.outcomes import AtomicNotify, AtomicWait, Stop
from lindref.vm.traps import EXPECTED_SHARED, UNALIGNED_ATOMIC, Trap
from lindref.wasm.instructions import TABLE

if TYPE_CHECKING:
    from lindref.vm.machine import Machine
    from lindref.vm.memory import Memory

#: What the read-modify-write instructions store, from what was there and the operand.
_RMW: dict[str, Callable[[int, int], int]] = {
    "add": lambda old, v: old + v,
    "sub": lambda old, v: old - v,
    "and": lambda old, v: old & v,
    "or": lambda old, v: old | v,
    "xor": lambda old, v: old ^ v,
    "xchg": lambda _old, v: v,
}


def _cell(m: Machine, imm: tuple[int, int], base: int, width: int) -> tuple[Memory, int]:
    """The memory and effective address of an access; traps unless it is aligned."""
    assert m.view is not None
    memory = m.view.memories[imm[0]]
    address = base + imm[1]
    if address % width:
        raise Trap(UNALIGNED_ATOMIC)
    return memory, address


def _load(width: int) -> Handler:
    def load(m: Machine, imm: tuple[int, int]) -> None:
        memory, a = _cell(m, imm, m.stack[-1], width)
        m.stack[-1] = memory.load_slow(a, width)

    return load


def _store(width: int) -> Handler:
    mask = (1 << 8 * width) - 1

    def store(m: Machine, imm: tuple[int, int]) -> None:
        value = m.stack.pop() & mask
        memory, a = _cell(m, imm, m.stack.pop(), width)
        memory.store_slow(a, width, value)

    return store


def _rmw(width: int, change: Callable[[int, int], int]) -> Handler:
    """What was there is the result."""
    mask = (1 << 8 * width) - 1

    def rmw(m: Machine, imm: tuple[int, int]) -> None:
        value = m.stack.pop()
        memory, a = _cell(m, imm, m.stack[-1], width)
        old = memory.load_slow(a, width)
        memory.store_slow(a, width, change(old, value) & mask)
        m.stack[-1] = old

    return rmw


def _cmpxchg(width: int) -> Handler:
    """The store happens where the old value is the whole expected operand; a store that does not is no access."""
    mask = (1 << 8 * width) - 1

    def cmpxchg(m: Machine, imm: tuple[int, int]) -> None:
        value = m.stack.pop() & mask
        expected = m.stack.pop()
        memory, a = _cell(m, imm, m.stack[-1], width)
        old = memory.load_slow(a, width)
        if old == expected:
            memory.store_slow(a, width, value)
        m.stack[-1] = old

    return cmpxchg


def _wait(width: int) -> Handler:
    """1 at once when the cell does not hold what was expected; otherwise the thread sleeps."""

    def wait(m: Machine, imm: tuple[int, int]) -> None:
        timeout, expected = m.stack.pop(), m.stack.pop()
        memory, a = _cell(m, imm, m.stack.pop(), width)
        value = memory.load_slow(a, width)
        if not memory.shared:
            raise Trap(EXPECTED_SHARED)
        if value != expected:
            m.stack.append(1)
            return
        m.awaiting = 1
        forever = timeout >= 1 << 63  # negative
        raise Stop(AtomicWait(memory, a, width, expected, None if forever else timeout))

    return wait


def _notify(m: Machine, imm: tuple[int, int]) -> None:
    """``memory.atomic.notify``: nobody can sleep on a memory that is not shared."""
    count = m.stack.pop()
    memory, a = _cell(m, imm, m.stack.pop(), 4)
    memory.load_slow(a, 4)  # traps out of bounds
    if not memory.shared:
        m.stack.append(0)
        return
    m.awaiting = 1
    raise Stop(AtomicNotify(memory, a, count))


def _handler(name: str, width: int) -> Handler:
    """The handler of an atomic instruction, from its name."""
    what = name.split(".")
    match what[2].rstrip("0123456789"):
        case "notify":
            return _notify
        case "wait":
            return _wait(width)
        case "load" | "load8_u" | "load16_u" | "load32_u":
            return _load(width)
        case "store":
            return _store(width)
    operation = what[3].removesuffix("_u")
    return _cmpxchg(width) if operation == "cmpxchg" else _rmw(width, _RMW[operation])


HANDLERS: dict[str, Handler] = {op.name: _handler(op.name, op.width) for op in TABLE if op.atomic}

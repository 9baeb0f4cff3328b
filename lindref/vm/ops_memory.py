"""Loads, stores and bulk memory instructions (spec §4.4.7).

``rp`` and ``wp`` are the pages of memory 0 that may be read (written) without further checks. Whatever does not
hit one of them whole - a first touch, an edge, a protected page, the end of the memory - goes to the memory's own
``load_slow`` and ``store_slow``, which trap or do it. Other memories have handlers of their own, through the same two.

Letters: ``s`` the operand stack, ``a`` the effective address, ``v`` the value.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from lindref.vm.handler import Handler
from lindref.vm.numeric.floats import f32_from_bits, f32_to_bits, f64_from_bits, f64_to_bits
from lindref.vm.traps import MEMORY_BOUNDS, Trap

if TYPE_CHECKING:
    from lindref.vm.machine import Machine
    from lindref.vm.memory import Memory

_CODES = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}
_MISS = (KeyError, struct.error)


def _load(width: int) -> Handler:
    """``width`` bytes as an unsigned number."""
    unpack = struct.Struct(_CODES[width]).unpack_from

    def load(m: Machine, offset: int) -> None:
        s = m.stack
        a = s[-1] + offset
        try:
            s[-1] = unpack(m.rp[a >> 12], a & 4095)[0]
        except _MISS:
            s[-1] = m.memory.load_slow(a, width)

    return load


def _load_byte(m: Machine, offset: int) -> None:
    """One byte: a page is a sequence of them."""
    s = m.stack
    a = s[-1] + offset
    try:
        s[-1] = m.rp[a >> 12][a & 4095]
    except KeyError:
        s[-1] = m.memory.load_slow(a, 1)


def _load_signed(width: int, bits: int) -> Handler:
    """``width`` bytes as a signed number, extended to ``bits``."""
    load = _load(width)
    sign = 1 << 8 * width - 1
    extension = (1 << bits) - 2 * sign

    def load_signed(m: Machine, offset: int) -> None:
        load(m, offset)
        if m.stack[-1] & sign:
            m.stack[-1] |= extension

    return load_signed


def _load_f32(m: Machine, offset: int) -> None:
    """``f32.load``."""
    _LOAD_4(m, offset)
    m.stack[-1] = f32_from_bits(m.stack[-1])


_unpack_double = struct.Struct("<d").unpack_from


def _load_f64(m: Machine, offset: int) -> None:
    """``f64.load``."""
    s = m.stack
    a = s[-1] + offset
    try:
        s[-1] = _unpack_double(m.rp[a >> 12], a & 4095)[0]
    except _MISS:
        s[-1] = f64_from_bits(m.memory.load_slow(a, 8))


def _store(width: int, bits: int) -> Handler:
    """The low ``width`` bytes of a value of ``bits``."""
    pack = struct.Struct(_CODES[width]).pack_into
    mask = (1 << 8 * width) - 1

    def store(m: Machine, offset: int) -> None:
        s = m.stack
        v = s.pop()
        a = s.pop() + offset
        try:
            pack(m.wp[a >> 12], a & 4095, v)
        except _MISS:
            m.memory.store_slow(a, width, v)

    def store_low(m: Machine, offset: int) -> None:
        m.stack[-1] &= mask
        store(m, offset)

    return store if width * 8 == bits else store_low


def _store_f32(m: Machine, offset: int) -> None:
    """``f32.store``."""
    m.stack[-1] = f32_to_bits(m.stack[-1])
    _STORE_4(m, offset)


_pack_double = struct.Struct("<d").pack_into


def _store_f64(m: Machine, offset: int) -> None:
    """``f64.store``."""
    s = m.stack
    v = s.pop()
    a = s.pop() + offset
    try:
        _pack_double(m.wp[a >> 12], a & 4095, v)
    except _MISS:
        m.memory.store_slow(a, 8, f64_to_bits(v))


_LOAD_4 = _load(4)
_STORE_4 = _store(4, 32)

#: Handlers of accesses to memory 0; the immediate is the offset.
AT_ZERO: dict[str, Handler] = {
    "i32.load": _LOAD_4,
    "i64.load": _load(8),
    "f32.load": _load_f32,
    "f64.load": _load_f64,
    "i32.store": _STORE_4,
    "i64.store": _store(8, 64),
    "f32.store": _store_f32,
    "f64.store": _store_f64,
    "i64.load32_s": _load_signed(4, 64),
    "i64.load32_u": _LOAD_4,
    "i64.store32": _store(4, 64),
}
for _bits in (32, 64):
    AT_ZERO |= {
        f"i{_bits}.load8_s": _load_signed(1, _bits),
        f"i{_bits}.load8_u": _load_byte,
        f"i{_bits}.load16_s": _load_signed(2, _bits),
        f"i{_bits}.load16_u": _load(2),
        f"i{_bits}.store8": _store(1, _bits),
        f"i{_bits}.store16": _store(2, _bits),
    }


def _elsewhere(handler: Handler) -> Handler:
    """The same access to any memory; the immediate is its index and the offset."""

    def access(m: Machine, imm: tuple[int, int]) -> None:
        index, offset = imm
        kept = m.memory, m.rp, m.wp
        m.memory = memory = _memory(m, index)
        m.rp = memory.rp
        m.wp = memory.wp
        try:
            handler(m, offset)
        finally:
            m.memory, m.rp, m.wp = kept

    return access


def _memory(m: Machine, index: int) -> Memory:
    """Memory ``index`` of the present instance."""
    assert m.view is not None
    return m.view.memories[index]


#: The same for the others.
ANYWHERE: dict[str, Handler] = {name: _elsewhere(handler) for name, handler in AT_ZERO.items()}


def memory_size(m: Machine, index: int) -> None:
    """``memory.size x``, in pages of 64 KiB."""
    m.stack.append(_memory(m, index).size)


def memory_grow(m: Machine, index: int) -> None:
    """``memory.grow x``: the size before, or -1."""
    m.stack[-1] = _memory(m, index).grow(m.stack[-1]) & 0xFFFF_FFFF


def memory_fill(m: Machine, index: int) -> None:
    """``memory.fill x``."""
    s = m.stack
    count, value, start = s.pop(), s.pop(), s.pop()
    _memory(m, index).fill(start, value & 0xFF, count)


def memory_copy(m: Machine, imm: tuple[int, int]) -> None:
    """``memory.copy x y``: to ``x`` from ``y``, which may be the same and overlap."""
    s = m.stack
    count, source, target = s.pop(), s.pop(), s.pop()
    _memory(m, imm[0]).copy(target, source, count, _memory(m, imm[1]))


def memory_init(m: Machine, imm: tuple[int, int]) -> None:
    """``memory.init y x``: the immediate is the segment, then the memory."""
    s = m.stack
    count, source, target = s.pop(), s.pop(), s.pop()
    assert m.view is not None
    segment = m.view.datas[imm[0]]
    if source + count > len(segment):
        raise Trap(MEMORY_BOUNDS)
    _memory(m, imm[1]).init(target, segment[source : source + count])


def data_drop(m: Machine, index: int) -> None:
    """``data.drop x``: the segment is empty from now on."""
    assert m.view is not None
    m.view.datas[index] = b""


#: Those with one immediate, an index.
BULK: dict[str, Handler] = {
    "memory.size": memory_size,
    "memory.grow": memory_grow,
    "memory.fill": memory_fill,
    "data.drop": data_drop,
}

#: Those with two.
SEVERAL: dict[str, Handler] = {"memory.copy": memory_copy, "memory.init": memory_init}

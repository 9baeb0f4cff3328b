"""Where a value is: in memory, in a local, global or operand of wasm, or nowhere but computed. DWARF's location
expressions (DWARF 5, 2.5 and 2.6, with LLVM's ``DW_OP_WASM_location``) say which."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from elftools.dwarf.dwarf_expr import DWARFExprParser
from elftools.dwarf.structs import DWARFStructs

from lindref import classes

if TYPE_CHECKING:
    from lindref.vm.memory import Memory


class Unavailable(Exception):
    """A value cannot be had; one line."""


@classes.frozen
class InMemory:
    """At ``address`` of a memory."""

    memory: Memory
    address: int

    def read(self, size: int) -> bytes:
        """The bytes; raises ``Unavailable`` where they cannot be read."""
        data = self.memory.try_read(self.address, size) if size else b""
        if data is None:
            raise Unavailable(f"{self.address:#x} cannot be read")
        return data

    def plus(self, offset: int) -> InMemory:
        """So many bytes further."""
        return InMemory(self.memory, self.address + offset & 0xFFFFFFFF)


@classes.frozen
class InSlot:
    """In a slot of the machine: ``holder[index]``, a list of locals or operands; ``slot`` says which in words that the
    debugger can go back to: kind (``local``, ``operand``, ``global``), level of the frame, number. ``offset``: bytes
    into it."""

    value: Any
    slot: tuple[str, int, int]
    offset: int = 0

    def read(self, size: int) -> bytes:
        """The bytes of the slot's value."""
        value = self.value
        if isinstance(value, float):
            whole = struct.pack("<f" if size == 4 else "<d", value)
        elif isinstance(value, int):
            whole = (value & (1 << 128) - 1).to_bytes(16, "little")
        else:
            raise Unavailable("a reference has no bytes")
        return whole[self.offset : self.offset + size].ljust(size, b"\0")

    def plus(self, offset: int) -> InSlot:
        """So many bytes further."""
        return InSlot(self.value, self.slot, self.offset + offset)


@classes.frozen
class Bytes:
    """Nowhere: computed, or put together of pieces."""

    data: bytes

    def read(self, size: int) -> bytes:
        """The first bytes."""
        return self.data[:size].ljust(size, b"\0")

    def plus(self, offset: int) -> Bytes:
        """So many bytes further."""
        return Bytes(self.data[offset:])


Where = InMemory | InSlot | Bytes


@classes.frozen
class Surroundings:
    """What an expression is evaluated in. ``slot(kind, number)`` gives the value and name of a slot of the frame's
    (kinds as in ``DW_OP_WASM_location``: 0 local, 1 global, 2 operand; of a position-independent module, expressions
    name the global that addresses count from); ``frame_base`` evaluates the frame's base."""

    memory: Memory | None
    slot: Callable[[int, int], InSlot]
    frame_base: Callable[[], int] | None = None


_PARSER = DWARFExprParser(DWARFStructs(little_endian=True, dwarf_format=32, address_size=4, dwarf_version=4))
_BINARY: dict[str, Callable[[int, int], int]] = {
    "DW_OP_and": lambda a, b: a & b,
    "DW_OP_or": lambda a, b: a | b,
    "DW_OP_xor": lambda a, b: a ^ b,
    "DW_OP_plus": lambda a, b: a + b,
    "DW_OP_minus": lambda a, b: a - b,
    "DW_OP_mul": lambda a, b: a * b,
    "DW_OP_shl": lambda a, b: a << min(b, 64),
    "DW_OP_shr": lambda a, b: a >> min(b, 64),
}
_M64 = (1 << 64) - 1
#: What the linker threw away is given addresses from here on.
_GONE = 0xFFFFFFF0


def locate(expression: bytes, around: Surroundings) -> Where:
    """The place that a location expression means; raises ``Unavailable`` for what is not to be had."""
    try:
        return _locate(expression, around)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 -- a foreign parser on foreign data: whatever it trips over
        raise Unavailable(f"location: {type(error).__name__}") from None


def _locate(expression: bytes, around: Surroundings) -> Where:
    stack: list[int] = []
    single: InSlot | None = None  # the slot that the only entry of the stack was taken from
    value = False
    pieces: list[bytes] = []
    for op in _PARSER.parse_expr(expression):
        name, args = op.op_name, op.args
        if name == "DW_OP_WASM_location":
            single = around.slot(1 if args[0] == 3 else args[0], args[1])
            stack.append(_number(single))
            continue
        if name == "DW_OP_stack_value":
            value = True
            continue
        if name == "DW_OP_piece":
            pieces.append(_finish(stack, single, value, around).read(args[0]) if stack else bytes(args[0]))
            stack, single, value = [], None, False
            continue
        if name == "DW_OP_implicit_value":
            return Bytes(bytes(args[1]))
        single = None
        if name == "DW_OP_fbreg":
            if around.frame_base is None:
                raise Unavailable("no frame base")
            stack.append(around.frame_base() + args[0])
        elif name == "DW_OP_addr":
            if args[0] >= _GONE:
                raise Unavailable("optimised away")
            stack.append(args[0])
        elif name.startswith("DW_OP_lit"):
            stack.append(int(name[9:]))
        elif name.startswith("DW_OP_const"):
            stack.append(args[0] & _M64)
        elif name == "DW_OP_plus_uconst":
            stack.append(stack.pop() + args[0])
        elif name in _BINARY:
            second = stack.pop()
            stack.append(_BINARY[name](stack.pop(), second) & _M64)
        elif name == "DW_OP_neg":
            stack.append(-stack.pop() & _M64)
        elif name == "DW_OP_not":
            stack.append(~stack.pop() & _M64)
        elif name in ("DW_OP_deref", "DW_OP_deref_size"):
            size = args[0] if args else 4
            stack.append(int.from_bytes(_memory(around, stack.pop()).read(size), "little"))
        elif name == "DW_OP_dup":
            stack.append(stack[-1])
        elif name == "DW_OP_drop":
            stack.pop()
        elif name == "DW_OP_swap":
            stack[-2:] = [stack[-1], stack[-2]]
        elif name in ("DW_OP_convert", "DW_OP_nop"):
            pass
        else:
            raise Unavailable(f"{name} is not known here")
    if pieces:
        return Bytes(b"".join(pieces))
    if not stack:
        raise Unavailable("optimised away")
    return _finish(stack, single, value, around)


def _finish(stack: list[int], single: InSlot | None, value: bool, around: Surroundings) -> Where:
    if value:
        return single if single is not None else Bytes((stack[-1] & _M64).to_bytes(8, "little"))
    return _memory(around, stack[-1])


def _memory(around: Surroundings, address: int) -> InMemory:
    if around.memory is None:
        raise Unavailable("no memory")
    return InMemory(around.memory, address & 0xFFFFFFFF)


def _number(slot: InSlot) -> int:
    return slot.value if isinstance(slot.value, int) else int.from_bytes(slot.read(8), "little")


def frame_base(expression: bytes, around: Surroundings) -> int:
    """The number that a frame's base is."""
    where = locate(expression, around)
    return where.address if isinstance(where, InMemory) else int.from_bytes(where.read(4), "little")


__all__ = ["Bytes", "InMemory", "InSlot", "Surroundings", "Unavailable", "Where", "frame_base", "locate"]

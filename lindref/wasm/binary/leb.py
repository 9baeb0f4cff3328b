"""LEB128 integers (spec §5.2.2): the exact rules about length and unused bits, both ways.

Readers take the bytes and a position and give the value and the position after it. Past the end of the data they
raise ``IndexError``, which callers that own the data turn into ``Malformed`` ("unexpected end").
"""

from __future__ import annotations

from lindref.wasm.errors import Malformed


def read_unsigned(data: bytes, pos: int, bits: int) -> tuple[int, int]:
    """An unsigned integer of at most ``bits`` bits; raises ``Malformed`` for one too long or too large."""
    value = shift = 0
    while shift < bits:
        byte = data[pos]
        if bits - shift < 7 and byte & ((0x7F >> (bits - shift)) << (bits - shift)):
            raise Malformed("integer too large", f"offset 0x{pos:x}")
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7
    raise Malformed("integer representation too long", f"offset 0x{pos:x}")


def read_signed(data: bytes, pos: int, bits: int) -> tuple[int, int]:
    """A two's-complement integer of ``bits`` bits; raises ``Malformed`` for one too long or too large."""
    value = shift = 0
    while shift < bits:
        byte = data[pos]
        if bits - shift < 7:
            # The sign bit and everything above it in the last byte must agree.
            mask = (0x7F >> (bits - shift - 1)) << (bits - shift - 1)
            if byte & mask not in (0, mask):
                raise Malformed("integer too large", f"offset 0x{pos:x}")
        pos += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value - (1 << shift) if byte & 0x40 else value), pos
    raise Malformed("integer representation too long", f"offset 0x{pos:x}")


def unsigned(value: int) -> bytes:
    """The shortest encoding of a non-negative integer."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """The shortest encoding of a signed integer."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)

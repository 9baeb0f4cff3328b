"""The checks of call 1002 (3I-DATA-1 … 3I-DATA-6) against a plain model of two memories."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lindref.threei.copydata import copy_data
from lindref.threei.numbers import ThreeIError

SIZE = 64
BASE = {1: 1000, 2: 0x1_0000_0000, 3: 0x7FFF_FFE0}


class Plain:
    """Three memories of 64 bytes; the last 8 of each cannot be written, the first 8 not be read."""

    def __init__(self) -> None:
        self.bytes = {cage: bytearray((i * 7 + cage) % 5 for i in range(SIZE)) for cage in BASE}

    def exists(self, cage: int) -> bool:
        return cage in self.bytes

    def _ok(self, cage: int, address: int, length: int, low: int, high: int) -> bool:
        return cage in self.bytes and BASE[cage] + low <= address and address + length <= BASE[cage] + high

    def read(self, cage: int, address: int, length: int) -> bytes | None:
        if not self._ok(cage, address, length, 8, SIZE):
            return None
        at = address - BASE[cage]
        return bytes(self.bytes[cage][at : at + length])

    def read_string(self, cage: int, address: int, limit: int) -> bytes | None:
        out = b""
        for i in range(limit):
            byte = self.read(cage, address + i, 1)
            if byte is None:
                return None
            out += byte
            if byte == b"\0":
                return out
        return None

    def write(self, cage: int, address: int, data: bytes) -> bool:
        if not self._ok(cage, address, len(data), 0, SIZE - 8):
            return False
        at = address - BASE[cage]
        self.bytes[cage][at : at + len(data)] = data
        return True


PLACES = st.tuples(st.sampled_from([1, 2, 3, 9]), st.integers(-4, SIZE + 4)).map(
    lambda p: (BASE.get(p[0], 5) + p[1], p[0])
)


@given(PLACES, PLACES, st.integers(0, 70) | st.just(1 << 32), st.integers(0, 3))
def test_all_or_nothing(source: tuple[int, int], dest: tuple[int, int], length: int, kind: int) -> None:
    """Success exactly where every condition holds, and then exactly those bytes; else nothing changes."""
    memories, before = Plain(), Plain()
    got = copy_data(memories, *source, *dest, length, kind)
    ok = source[1] != dest[1] and length <= 0xFFFFFFFF and kind in (0, 1) and source[0] != 0
    data: bytes | None = None
    if ok and kind == 0:
        both = before.exists(source[1]) and before.exists(dest[1])
        data = (before.read(source[1], source[0], length) if length else b"") if both else None
    elif ok:
        data = before.read_string(source[1], source[0], length)
    ok = data is not None and (not data or before.write(dest[1], dest[0], data))
    if ok:
        low = dest[0] & 0xFFFFFFFF
        assert got.result == (low - (1 << 32) if low >= 1 << 31 else low)  # 3I-DATA-6
        assert got.rule == "3I-DATA-6"
    else:
        assert got.result == ThreeIError.ABORTED
        assert got.rule in {"3I-DATA-1", "3I-DATA-2", "3I-DATA-4", "3I-DATA-5"}
    assert memories.bytes == before.bytes


def test_null_destination() -> None:
    """3I-DATA-3: refused, and named as what would end the real runtime."""
    got = copy_data(Plain(), BASE[1] + 8, 1, 0, 2, 4, 0)
    assert got.result == ThreeIError.ABORTED
    assert got.fault

"""Call 1002, copy_data_between_cages: its checks in their order, against a memory interface.

Rules 3I-DATA-1 … 3I-DATA-6 in spec/3i.md.
"""

from __future__ import annotations

from typing import Protocol

from lindref import classes
from lindref.threei.numbers import ThreeIError

COPY_BYTES = 0
COPY_STRING = 1
MAX_LENGTH = 0xFFFFFFFF


class Memories(Protocol):
    """What the copy needs of the cages' memories; addresses are host addresses, as handlers receive them."""

    def read(self, cage: int, address: int, length: int) -> bytes | None:
        """``length`` bytes at ``address`` of ``cage``, or ``None`` if any is unreadable or there is no such cage."""

    def read_string(self, cage: int, address: int, limit: int) -> bytes | None:
        """The bytes up to and with the first NUL within ``limit``, or ``None``."""

    def write(self, cage: int, address: int, data: bytes) -> bool:
        """Store all of ``data`` or, where any byte is not writable or there is no such cage, nothing."""

    def exists(self, cage: int) -> bool:
        """Whether the cage has a memory."""


@classes.frozen
class Copied:
    """The result of a copy: what the caller gets, or why the real runtime would die."""

    result: int
    fault: str = ""
    rule: str = "3I-DATA-1"


def copy_data(
    memories: Memories, source: int, source_cage: int, dest: int, dest_cage: int, length: int, kind: int
) -> Copied:
    """Copy ``length`` bytes (kind 0) or a string of at most that many (kind 1) from cage to cage.

    Success returns the low 32 bits of the destination's host address as a signed integer (3I-DATA-6).
    """
    aborted = ThreeIError.ABORTED
    if source_cage == dest_cage:
        return Copied(aborted, rule="3I-DATA-1")
    if length > MAX_LENGTH:
        return Copied(aborted, rule="3I-DATA-2")
    if dest == 0:
        return Copied(aborted, "copy_data: allocation of the destination is not supported", "3I-DATA-3")
    if kind == COPY_STRING:
        text = memories.read_string(source_cage, source, length) if source else None
        if text is None:
            return Copied(aborted, rule="3I-DATA-4")
        data = text
    elif kind == COPY_BYTES:
        if not (memories.exists(source_cage) and memories.exists(dest_cage)):
            return Copied(aborted, rule="3I-DATA-5")
        got = memories.read(source_cage, source, length) if length else b""
        if got is None:
            return Copied(aborted, rule="3I-DATA-5")
        data = got
    else:
        return Copied(aborted, rule="3I-DATA-4")
    if source == 0 or (data and not memories.write(dest_cage, dest, data)):
        return Copied(aborted, rule="3I-DATA-5")
    low = dest & 0xFFFFFFFF
    return Copied(low - (1 << 32) if low >> 31 else low, rule="3I-DATA-6")

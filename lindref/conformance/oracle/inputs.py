"""What a call finds in memory, put there before the model makes it (JUDGE-3).

Sources are what the trace has: ``data`` of the event (host address and bytes), and the texts of its arguments. What was
not observed is filled so that the model can do what was observed, where the value is the program's own to choose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref import classes
from lindref.conformance.oracle.names import Pairs
from lindref.posix import memory as posix_memory
from lindref.posix import vmmap
from lindref.posix.call import i32, i64, u32
from lindref.posix.constants import MAP_FIXED, MAP_FIXED_NOREPLACE, PAGE
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.structs import IOVEC, MSGHDR
from lindref.posix.usermem import model_base, model_resolve
from lindref.system.threads import Thread
from lindref.threei import tables
from lindref.threei.numbers import RAWPOSIX_CAGE
from lindref.threei.tables import Handler
from lindref.trace import encode
from lindref.trace.format import Record
from lindref.vm.memory import Memory

if TYPE_CHECKING:
    from lindref.conformance.oracle.course import Course

_MMAP, _BRK, _IOCTL, _SHMAT, _SENDMSG, _RECVMSG, _FCNTL, _FUTEX = 9, 12, 16, 30, 46, 47, 72, 202
_READ_WRITE = 3
#: Where buffers lie whose place was not observed: above anything that programs map.
SCRATCH, SCRATCH_END = 0xFF00_0000, 0xFFFF_F000
#: Stands for bytes that were not observed.
UNSEEN = b"\xa5"
_FUTEX_FLAGS = 0x180
_WAITS, _COMPARES = (0, 9), (4,)
_EAGAIN, _ETIMEDOUT = -11, -110
#: fcntl commands whose argument is a lock.
_LOCKS = frozenset({5, 6, 7, 12, 13, 14, 36, 37, 38})


def deposit(course: Course, address: int, data: bytes) -> bool:
    """Put ``data`` where a call will read it, whatever the protection; false where nothing is mapped."""
    place = model_resolve(address)
    memory = course.system.memories.get(place.cage) if place is not None else None
    if memory is None or place is None or not data:
        return False
    if memory.try_write(place.offset, data):
        return True
    if course.world.is_bare(place.cage):
        _map(memory, place.offset, len(data))
        return memory.try_write(place.offset, data)
    first, last = place.offset // PAGE, (place.offset + len(data) - 1) // PAGE
    rights = [(page, region.prot) for page in range(first, last + 1) if (region := memory.region_at(page)) is not None]
    if len(rights) <= last - first or not all(right for _, right in rights):
        return False
    for page, _ in rights:
        memory.protect(page, 1, _READ_WRITE)
    done = memory.try_write(place.offset, data)
    for page, right in rights:
        memory.protect(page, 1, right)
    return done


def _map(memory: Memory, offset: int, size: int) -> None:
    """Map the pages of a range that are not."""
    for page in range(offset // PAGE, (offset + max(size, 1) - 1) // PAGE + 1):
        if memory.region_at(page) is None:
            memory.map(page, 1, _READ_WRITE)


class _Scratch:
    """Places for buffers of one call whose own place was not observed."""

    def __init__(self, course: Course, cage: int) -> None:
        self.course, self.cage, self.at = course, cage, SCRATCH

    def take(self, size: int, data: bytes = b"") -> int:
        """The host address of ``size`` bytes that begin with ``data``."""
        memory = self.course.system.memories[self.cage]
        size = min(size, SCRATCH_END - self.at)
        _map(memory, self.at, size)
        memory.try_write(self.at, data[:size])
        address = model_base(self.cage) + self.at
        self.at += (size + 15) & ~15
        return address


def prepare(
    course: Course,
    thread: Thread,
    record: Record,
    later: Record | None,
    row: CallRow | None,
    pairs: Pairs,
    target: int,
) -> Pairs:
    """Put a call's inputs in place; its arguments, with places filled in that the implementation may choose."""
    seen: dict[int, int] = {}
    for address, data in record.get("data", ()):
        where = course.names.address(address)
        deposit(course, where, bytes.fromhex(data))
        seen[where] = len(data) // 2
    if row is None:
        return pairs
    shown = record.get("shown", ())
    scratch = _Scratch(course, thread.cage)
    for at, param in enumerate(row.params):
        address = pairs[at][0]
        if at >= len(shown) or not address:
            continue
        if param.kind is ParamKind.IOVEC:
            if address not in seen:
                _scattered(scratch, param, shown[at] or _after(later, at), address)
            elif param.direction is Direction.IN:
                _rest_of_buffers(course, address, seen)
        elif param.kind is ParamKind.STRINGS and address not in seen:
            _strings(scratch, shown[at], address)
        elif param.kind is ParamKind.BUFFER and param.direction is Direction.IN and address in seen:
            _rest(course, address, seen[address], course.system.decoder.size(param, row, pairs))
        elif shown[at] is not None and address not in seen:
            for piece in encode.plain(param, shown[at], address):
                _piece(course, piece, _length(param, row, pairs, piece))
    _outputs(course, row, pairs)
    special = _SPECIAL.get(row.number)
    if special is not None:
        return special(_Call(course, thread, record, later, pairs, target, seen))
    return pairs


def _rest(course: Course, address: int, known: int, size: int) -> None:
    """Fill what of a buffer was not observed."""
    size = min(size, 1 << 24)
    if size > known:
        course.world.unseen = True
        deposit(course, address + known, UNSEEN * (size - known))


def _rest_of_buffers(course: Course, address: int, seen: dict[int, int]) -> None:
    """The same for each of the buffers of a list that was observed."""
    table = course.system.read(address, seen[address]) or b""
    for at in range(0, len(table) - 15, 16):
        base, length = (int.from_bytes(table[at + i : at + i + 8], "little") for i in (0, 8))
        if base in seen:
            _rest(course, base, seen[base], length)


def _after(later: Record | None, at: int) -> str | None:
    text = later.get("shown", {}).get(str(at)) if later is not None else None
    return text if isinstance(text, str) else None


def _length(param: Param, row: CallRow, pairs: Pairs, piece: encode.Piece) -> int:
    """How many bytes a buffer has that was cut."""
    if not piece.cut or not isinstance(param.length, str):
        return len(piece.data)
    index = next((i for i, p in enumerate(row.params) if p.name == param.length), None)
    return len(piece.data) if index is None else min(u32(pairs[index][0]), 1 << 24)


def _piece(course: Course, piece: encode.Piece, length: int) -> None:
    if length > len(piece.data):
        course.world.unseen = True
    deposit(course, piece.address, piece.data + UNSEEN * (length - len(piece.data)))


def _strings(scratch: _Scratch, text: str | None, address: int) -> None:
    """A list of strings, which lie somewhere."""
    found = encode.strings(text) if text is not None else None
    if found is not None:
        places = [scratch.take(len(one) + 1, one + b"\0") for one in found]
        deposit(scratch.course, address, b"".join(place.to_bytes(8, "little") for place in [*places, 0]))


def _scattered(scratch: _Scratch, param: Param, text: str | None, address: int) -> None:
    """The list of buffers of a scattered transfer, and what they hold."""
    buffers = encode.iovec(text) if text is not None else None
    if buffers is None:
        return
    course = scratch.course
    out = b""
    for buffer in buffers:
        base = buffer.address
        if buffer.data is not None:
            filled = buffer.data
            if param.direction is Direction.IN and len(filled) < buffer.length:
                course.world.unseen = True
                filled += UNSEEN * (buffer.length - len(filled))
            base = scratch.take(buffer.length, filled if param.direction is Direction.IN else b"")
        out += IOVEC.pack(iov_base=base, iov_len=buffer.length)
    deposit(course, address, out)


def _outputs(course: Course, row: CallRow, pairs: Pairs) -> None:
    """In a memory whose map was not observed, a place that a call writes is there."""
    if not course.world.bare:
        return
    for at, param in enumerate(row.params):
        address = pairs[at][0]
        place = model_resolve(address) if param.direction is not Direction.IN and address else None
        if place is not None and course.world.is_bare(place.cage):
            size = course.system.decoder.size(param, row, pairs) or 8
            _map(course.system.memories[place.cage], place.offset, min(size, 1 << 22))


# Calls of which the trace says too little, or in which the implementation chooses a place.


@classes.frozen
class _Call:
    """An observed call whose inputs are put in place: ``record`` as it entered, ``later`` as it came back, its
    arguments so far, the cage it acts on, and what was observed to lie in memory: how many bytes, by host address.
    """

    course: Course
    thread: Thread
    record: Record
    later: Record | None
    pairs: Pairs
    target: int
    seen: dict[int, int]

    @property
    def ret(self) -> int | None:
        """Its result, None where that was not observed."""
        ret = self.later.get("ret") if self.later is not None else None
        return ret if isinstance(ret, int) else None


def beneath(course: Course, record: Record) -> bool:
    """Whether RawPOSIX will serve the call itself."""
    seen: int = record["self"] if "self" in record else record["cage"]
    caller = course.names.cage(seen)
    handler = tables.route(course.system.tables, caller, record["number"])
    return isinstance(handler, Handler) and handler.cage == RAWPOSIX_CAGE


def _free(course: Course, cage: int, address: int, length: int) -> bool:
    found = course.system.kernel.cages.get(cage)
    first, count = address // PAGE, (length + PAGE - 1) // PAGE
    if found is None or address % PAGE or not address or first + count > 1 << 20:
        return False
    return not any(True for _ in vmmap.overlapping(found.vmmap, first, first + count))


def _place_mapping(call: _Call) -> Pairs:
    """Where a mapping goes that may go anywhere is the implementation's choice (MEM-2)."""
    ret, pairs = call.ret, call.pairs
    flags = i32(pairs[3][0])
    if ret is None or flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) or (-PAGE < ret < 0):
        return pairs
    if not beneath(call.course, call.record) or not _free(call.course, call.target, u32(ret), pairs[1][0]):
        return pairs
    return ((u32(ret), pairs[0][1]), *pairs[1:3], (pairs[3][0] | MAP_FIXED, pairs[3][1]), *pairs[4:])


def _attach(call: _Call) -> Pairs:
    """The same for a segment of shared memory."""
    ret = call.ret
    if ret is None or call.pairs[1][0] or -PAGE < ret < 0 or not beneath(call.course, call.record):
        return call.pairs
    if not _free(call.course, call.target, u32(ret), PAGE):
        return call.pairs
    return (call.pairs[0], (model_base(call.target) + u32(ret), call.pairs[1][1]), *call.pairs[2:])


def _heap(call: _Call) -> Pairs:
    """The heap of a program whose layout was not observed begins where it is first seen to end."""
    ret = call.ret
    if ret is not None and not u32(call.pairs[0][0]) and call.target in call.course.heapless:
        call.course.heapless.discard(call.target)
        posix_memory.set_heap(call.course.system.kernel, call.target, u32(ret))
    return call.pairs


def _futex(call: _Call) -> Pairs:
    """A word that was not observed has the value that makes the call do what it did."""
    ret, command = call.ret, u32(call.pairs[1][0]) & ~_FUTEX_FLAGS
    expected = {**dict.fromkeys(_WAITS, call.pairs[2][0]), **dict.fromkeys(_COMPARES, call.pairs[5][0])}.get(command)
    if expected is not None and call.pairs[0][0] not in call.seen:
        deposit(call.course, call.pairs[0][0], (u32(expected) ^ (ret == _EAGAIN)).to_bytes(4, "little"))
    if command in _WAITS and call.pairs[3][0] and call.pairs[3][0] not in call.seen:
        seconds = 0 if ret == _ETIMEDOUT else 1 << 40
        deposit(call.course, call.pairs[3][0], seconds.to_bytes(8, "little") + bytes(8))
    return call.pairs


def _lock(call: _Call) -> Pairs:
    """A lock that was not observed: whether it can be had is not judged."""
    command = i32(call.pairs[1][0])
    if command in _LOCKS and not call.seen and "data" not in call.record and beneath(call.course, call.record):
        call.course.world.opaque(call.course, call.later)
    return call.pairs


def _message(call: _Call) -> Pairs:
    """A message whose parts were not observed is as long as what was moved."""
    ret, address = call.ret, call.pairs[1][0]
    if address in call.seen or not address or ret is None or ret < 0:
        return call.pairs
    scratch = _Scratch(call.course, call.thread.cage)
    call.course.world.unseen = True
    base = scratch.take(ret, UNSEEN * ret)
    iov = scratch.take(16, IOVEC.pack(iov_base=base, iov_len=ret))
    deposit(call.course, address, MSGHDR.pack(msg_iov=iov, msg_iovlen=1))
    return call.pairs


def _control(call: _Call) -> Pairs:
    """An argument of ioctl that was not observed: whether the call works is not judged."""
    if call.pairs[2][0] and call.pairs[2][0] not in call.seen and i64(call.pairs[2][0]) >> 32:
        deposit(call.course, call.pairs[2][0], (1).to_bytes(4, "little"))
    return call.pairs


_SPECIAL = {
    _MMAP: _place_mapping,
    _BRK: _heap,
    _SHMAT: _attach,
    _FUTEX: _futex,
    _FCNTL: _lock,
    _SENDMSG: _message,
    _RECVMSG: _message,
    _IOCTL: _control,
}

__all__ = ["SCRATCH", "UNSEEN", "beneath", "deposit", "prepare"]

"""What a call reads from memory where its shown arguments do not say it all: for those who make the call again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lindref.posix.call import i32, u32
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.structs import FLOCK, LAYOUTS, MSGHDR, TIMESPEC
from lindref.system.events import Pair
from lindref.trace.decode import BRIEF, MAX_ITEMS, MAX_STRING, Decoder

#: Most bytes of one piece that are written down: of data, and of what decides what a call does.
MOST, MOST_OF_LISTS = 4096, 16384
_IOCTL, _SENDMSG, _RECVMSG, _FCNTL, _FUTEX = 16, 46, 47, 72, 202
_LOCKS = frozenset({5, 6, 7, 12, 13, 14, 36, 37, 38})
_INT_REQUESTS = frozenset({0x5421, 0x5452})
_FUTEX_FLAGS = 0x180
#: Futex operations that look at their word, and that have a time to wait; those with a second word.
_LOOKS, _TIMED, _SECOND = frozenset({0, 9, 4}), frozenset({0, 9}), frozenset({5})

Reader = Callable[[int, int], bytes | None]
Wanted = Iterator[tuple[int, int]]


def pieces(decoder: Decoder, row: CallRow, args: Sequence[Pair]) -> list[list[object]]:
    """Host address and bytes in hexadecimal of each piece, as far as pieces go; none that cannot be read."""
    found: list[list[object]] = []
    for address, size in _wanted(decoder, row, args):
        data = decoder.read(address, min(size, MOST_OF_LISTS)) if address and size > 0 else None
        if data is not None:
            found.append([address, data.hex()])
    return found


def _wanted(decoder: Decoder, row: CallRow, args: Sequence[Pair]) -> Wanted:
    for param, (value, _) in zip(row.params, args, strict=False):
        if value:
            yield from _of_param(decoder, row, param, value, args)
    special = _SPECIAL.get(row.number)
    if special is not None:
        yield from special(decoder.read, [value for value, _ in args])


def _of_param(decoder: Decoder, row: CallRow, param: Param, value: int, args: Sequence[Pair]) -> Wanted:
    match param.kind:
        case ParamKind.BUFFER | ParamKind.SOCKADDR if param.direction is Direction.IN:
            size = decoder.size(param, row, args)
            if size > MAX_STRING:
                yield value, min(size, MOST)
        case ParamKind.PATH | ParamKind.CSTRING if param.direction is Direction.IN:
            yield from _long_string(decoder.read, value)
        case ParamKind.STRUCT if param.struct in BRIEF and param.direction is not Direction.OUT:
            yield value, LAYOUTS[param.struct or ""].size
        case ParamKind.ARRAY if param.direction is not Direction.OUT:
            size = decoder.size(param, row, args)
            if size > MAX_ITEMS * LAYOUTS[param.struct or ""].size:
                yield value, size
        case ParamKind.IOVEC:
            count = next((v for p, (v, _) in zip(row.params, args, strict=False) if p.name == param.length), 0)
            yield from _vector(decoder.read, value, u32(count), contents=param.direction is Direction.IN)
        case _:
            return


def _vector(read: Reader, address: int, count: int, *, contents: bool) -> Wanted:
    """A list of buffers, and what is in them."""
    count = min(count, 1024)
    yield address, 16 * count
    table = read(address, 16 * count) if contents and count else None
    for at in range(0, len(table or b""), 16):
        assert table is not None
        base, length = (int.from_bytes(table[at + i : at + i + 8], "little") for i in (0, 8))
        yield base, min(length, MOST)


def _long_string(read: Reader, address: int) -> Wanted:
    """A string that is not shown because it is as long as no path may be."""
    head = read(address, MOST)
    if head is None or b"\0" in head:
        return
    size = MOST
    while size < MOST_OF_LISTS and (more := read(address + size, 256)) is not None:
        end = more.find(b"\0")
        if end >= 0:
            yield address, size + end + 1
            return
        size += 256
    yield address, size


def _message(read: Reader, values: Sequence[int], *, sends: bool) -> Wanted:
    address = values[1]
    header = read(address, MSGHDR.size) if address else None
    if header is None:
        return
    fields = MSGHDR.unpack(header)
    yield address, MSGHDR.size
    yield from _vector(read, fields["msg_iov"], fields["msg_iovlen"], contents=sends)
    if sends:
        yield fields["msg_name"], fields["msg_namelen"]
        yield fields["msg_control"], fields["msg_controllen"]


def _sent(read: Reader, values: Sequence[int]) -> Wanted:
    yield from _message(read, values, sends=True)


def _received(read: Reader, values: Sequence[int]) -> Wanted:
    yield from _message(read, values, sends=False)


def _lock(read: Reader, values: Sequence[int]) -> Wanted:
    del read
    if i32(values[1]) in _LOCKS:
        yield values[3] if values[3] >> 32 else values[2], FLOCK.size
        yield values[2], FLOCK.size


def _request(read: Reader, values: Sequence[int]) -> Wanted:
    del read
    if u32(values[1]) in _INT_REQUESTS:
        yield values[2], 4


def _futex(read: Reader, values: Sequence[int]) -> Wanted:
    del read
    command = u32(values[1]) & ~_FUTEX_FLAGS
    if command in _LOOKS:
        yield values[0], 4
    if command in _TIMED:
        yield values[3], TIMESPEC.size
    if command in _SECOND:
        yield values[4], 4


_SPECIAL: dict[int, Callable[[Reader, Sequence[int]], Wanted]] = {
    _SENDMSG: _sent,
    _RECVMSG: _received,
    _FCNTL: _lock,
    _IOCTL: _request,
    _FUTEX: _futex,
}


def copied(read: Reader, args: Sequence[Pair]) -> list[list[object]]:
    """The same of a call that copies data between cages (3I-DATA-1)."""
    address, size = args[0][0], min(args[2][0], MOST)
    while size > 0:  # a string may end before what cannot be read
        data = read(address, size)
        if data is not None:
            return [[address, data.hex()]]
        size = min(size - 1, -address % 4096) if size > -address % 4096 else 0
    return []


__all__ = ["MOST", "copied", "pieces"]

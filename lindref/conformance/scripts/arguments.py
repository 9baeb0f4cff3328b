"""Arguments of calls by what the call table says that they are: likely ones, and now and then odd ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from lindref import classes
from lindref.posix.flags import SETS
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.structs import LAYOUTS
from lindref.posix.table import NUMBERS

#: Where arguments live in a script's memory: a buffer for what goes in, one for what comes out, one for small cells,
#: one for structures with times.
IN, OUT, CELLS, TIMES = 4, 5, 6, 7
#: Bytes of a buffer that is shown after a call that wrote to it.
SHOWN = 32

_PATHS = ("/w/a", "/w/b", "/w/d", "/w/d/e", "/w/l", "/w/nothing", "/w/a/x", "/w", "/", ".", "", "/w/../w/a", "/w/d/")
_NAMES = ("user.x", "hello", "")
_LENGTHS = (0, 1, 4, 7, 16, 100, 4096)
_ODD_LENGTHS = (1 << 20, (1 << 64) - 1)
_OFFSETS = (0, 1, 5, 100, 4096, -1, -100, 1 << 40)
_ODD_PLACES: tuple[Any, ...] = (0, {"guest": 0x7000_0000}, {"guest": 0xFFFF_F000}, {"buf": [15, 262140]})
_O_NONBLOCK, _O_CREAT = 0x800, 0x40
#: Flags that keep a call from waiting, by call and parameter.
_NEVER_WAITS = {
    ("pipe2", "flags"): _O_NONBLOCK,
    ("open", "flags"): _O_NONBLOCK,
    ("openat", "flags"): _O_NONBLOCK,
    ("socket", "type"): _O_NONBLOCK,
    ("socketpair", "type"): _O_NONBLOCK,
    ("flock", "operation"): 4,
    ("recvfrom", "flags"): 0x40,
    ("recvmsg", "flags"): 0x40,
    ("sendto", "flags"): 0x4040,
    ("sendmsg", "flags"): 0x4040,
}
#: Values of parameters that would wait, or would show what changes from run to run, and what stands for them.
_FIXED: dict[tuple[str, str], tuple[int, ...]] = {
    ("fcntl", "cmd"): (0, 1, 2, 3, 4, 6, 1030, 1032, 99),
    ("ioctl", "request"): (0x541B, 0x5421, 0x5451, 0x5450, 0),
    ("futex", "op"): (1, 129, 3, 99),
    ("mmap", "flags"): (0x22, 0x21, 0x02, 0x01, 0x20, 0),
    ("epoll_ctl", "op"): (1, 2, 3, 4),
    ("socket", "domain"): (1, 2, 10, 99),
    ("socketpair", "domain"): (1, 2),
    ("wait4", "options"): (1,),
    ("getpgid", "pid"): (0,),
    ("brk", "addr"): (0,),
    ("mprotect", "prot"): (3, 1, 0, 2, 99),
    ("shmctl", "cmd"): (0, 1, 2, 99),
    ("shmget", "shmflg"): (0o1666, 0o3600, 0o666, 0, 0o1000),
}


@classes.define(eq=False)
class Known:
    """What a script has made so far: values that are descriptors."""

    source: random.Random
    descriptors: list[Any] = classes.field(factory=lambda: [0, 1, 2])
    #: Results that are numbers of segments, whose values no specification gives; and two that are none.
    segments: list[Any] = classes.field(factory=lambda: [-1, 1 << 30])

    def chance(self, percent: int) -> bool:
        """True in so many cases of a hundred."""
        return self.source.randrange(100) < percent

    def pick(self, options: Sequence[Any]) -> Any:
        """One of several, those that come first a little more often."""
        return options[min(self.source.randrange(len(options)), self.source.randrange(len(options) + 1))]


@classes.define(eq=False)
class Built:
    """A call's arguments: steps that are to come before it, the values, and what to look at afterwards."""

    before: list[dict[str, Any]] = classes.field(factory=list)
    args: list[Any] = classes.field(factory=list)
    dump: list[dict[str, Any]] = classes.field(factory=list)


def build(row: CallRow, known: Known) -> Built:
    """Arguments of a call."""
    built = Built()
    for param in row.params:
        fixed = _FIXED.get((row.name, param.name))
        if fixed is not None:
            value: Any = known.pick(fixed)
        elif param.name == "shmid":
            value = known.source.choice(known.segments[-4:])
        elif row.name in ("poll", "ppoll", "epoll_wait", "select") and param.name == "timeout":
            value = 0 if row.name != "select" else _zero_time(built)
        else:
            value = _KINDS.get(param.kind, _integer)(row, param, known, built)
        always = _NEVER_WAITS.get((row.name, param.name))
        if always is not None and isinstance(value, int):
            value |= always
        built.args.append(value)
    return built


def _integer(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, param, built
    return known.pick((0, 1, 2, 3, -1, 255, 1 << 31))


def _length(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    """How much: never more than is there, where what lies behind it could be seen."""
    del built
    if param.name == "iovcnt":
        return known.pick((1, 2, 0, -1, 1025))
    if any(one.kind is ParamKind.BUFFER and one.direction is Direction.IN for one in row.params):
        return known.pick((3, 1, 2, 0))
    if row.name in _MAPS:
        return known.pick((4096, 1, 100, 0, (1 << 64) - 1))
    return known.pick(_ODD_LENGTHS) if known.chance(5) else known.pick(_LENGTHS)


#: Calls that take pages away: what lies behind the buffers is not the script's.
_MAPS = frozenset({"munmap", "mprotect", "mmap"})


def _offset(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, param, built
    return known.pick(_OFFSETS)


def _names(param: Param) -> list[int]:
    """The numbers of a parameter that have names."""
    return sorted(SETS.get(param.names or "", ()))


def _size(param: Param, otherwise: int) -> int:
    """How many bytes its structure has."""
    layout = LAYOUTS.get(param.struct or "")
    return otherwise if layout is None else layout.size


def _flags(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    """A few bits of the set, sometimes one that it has not."""
    del row, built
    bits = _names(param) or [1, 2, 4]
    value = 0
    if param.names == "open":
        value = known.pick((2, 0, 1, 3)) | (_O_CREAT if known.chance(50) else 0)
    for _ in range(known.pick((1, 0, 2))):
        value |= known.pick(bits)
    return value | (1 << 30) if known.chance(3) else value


def _enum(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, built
    values = _names(param) or [0, 1, 2]
    return known.pick((99, -1)) if known.chance(8) else known.pick(values)


def _mode(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, param, built
    return known.pick((0o644, 0o600, 0o755, 0o000, 0o7777, 0o100644))


def _descriptor(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del built
    if param.name == "newfd":
        return known.pick((7, 9, 3, 1023, 1024, -1))
    if known.chance(10):
        return known.pick((-1, 99, 1 << 20, -100))
    found = known.source.choice(known.descriptors[-6:])
    # The standard output is for observing: what was closed there cannot be seen any more.
    found = 0 if found in (1, 2) and param.name != "oldfd" else found
    # Whose the standard streams are is not the script's business.
    return 99 if found == 0 and row.name == "fchmod" else found


def _dirfd(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    return -100 if known.chance(70) else _descriptor(row, param, known, built)


def _path(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, param, built
    if known.chance(4):
        return known.pick(_ODD_PLACES)
    if known.chance(3):
        return {"str": "/w/" + "n" * known.pick((256, 4096))}
    return {"str": known.pick(_PATHS)}


def _text(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    if param.direction is not Direction.IN:
        return _out(row, param, known, built)
    return {"str": known.pick(_NAMES if param.name == "name" else _PATHS)}


def _out(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    """A place to write to, which is looked at afterwards."""
    if known.chance(5):
        return known.pick(_ODD_PLACES)
    shows_times = row.name in ("stat", "fstat", "lstat", "newfstatat")
    # What lies there is looked at later on, and times change from run to run.
    place = {"buf": [TIMES if shows_times else OUT, 512 * len(built.args)]}
    size = _size(param, SHOWN)
    if shows_times:
        built.dump.append({"at": place, "len": size, "as": "stat"})
    elif row.name not in _CHANGES:
        built.dump.append({"at": place, "len": min(size, SHOWN)})
    return place


#: Calls whose answers in memory change from run to run, or from system to system.
_CHANGES = frozenset({
    *("getdents64", "clock_gettime", "getrandom", "statfs", "fstatfs", "gethostname", "prlimit64", "epoll_wait"),
    *("getsockname", "getpeername", "recvfrom", "getsockopt", "setitimer", "rt_sigaction", "pipe", "pipe2"),
    *("socketpair", "poll", "ppoll"),
})  # fmt: skip


def _buffer(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    if param.direction is Direction.OUT:
        return _out(row, param, known, built)
    if known.chance(5):
        return known.pick(_ODD_PLACES)
    return {"str": known.pick(("hello, world", "xyz", "0123456789abcdef"))}


def _struct(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    """A structure: nothing, zeros, or bytes of small numbers."""
    if param.direction is Direction.OUT:
        return _out(row, param, known, built)
    if known.chance(25):
        return 0
    size = _size(param, 16)
    place = {"buf": [IN, 512 * len(built.args)]}
    if row.name in ("clock_nanosleep", "setitimer"):
        return _zero_time(built)
    words = [known.pick((0, 1, 2, 100)) for _ in range((size + 7) // 8)]
    data = b"".join(word.to_bytes(8, "little") for word in words)[:size]
    built.before.append({"op": "set", "at": place, "hex": data.hex()})
    return place


def _zero_time(built: Built) -> Any:
    place = {"buf": [IN, 512 * len(built.args)]}
    built.before.append({"op": "set", "at": place, "hex": bytes(32).hex()})
    return place


def _iovec(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    """Two pieces."""
    place = [IN, 512 * len(built.args)]
    for number in range(2):
        base: Any = {"buf": [OUT, 2048 + 64 * number]}
        if param.direction is Direction.IN:
            base = {"str": known.pick(("first of two pieces", "second of two pieces"))}
        at = place[1] + 16 * number
        built.before.append({"op": "put", "at": {"buf": [place[0], at]}, "width": 8, "value": base})
        size = known.pick((5, 1, 0, 16))
        built.before.append({"op": "put", "at": {"buf": [place[0], at + 8]}, "width": 8, "value": size})
    if param.direction is not Direction.IN and row.name != "getrandom":
        built.dump.append({"at": {"buf": [OUT, 2048]}, "len": 16})
    return {"buf": place}


def _cell(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, param
    if known.chance(20):
        return 0
    place = {"buf": [CELLS, 64 * len(built.args)]}
    built.before.append({"op": "put", "at": place, "width": 8, "value": known.pick((16, 0, 4, 128))})
    return place


def _address(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    """A socket's address: of the loopback interface, or a name below /w."""
    if param.direction is Direction.OUT:
        return _out(row, param, known, built)
    place = {"buf": [IN, 512 * len(built.args)]}
    unix = (1).to_bytes(2, "little") + b"/w/s" + bytes(10)
    inet = (2).to_bytes(2, "little") + (4000).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    built.before.append({"op": "set", "at": place, "hex": known.pick((unix, inet, bytes(16))).hex()})
    return place


def _guest_address(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, param, built
    return known.pick((0, 0, 0x6000_0000, 0x6000_0001, {"bufaddr": [15, 4096]}))  # where nobody looks afterwards


def _pointer(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del param, built
    # What lies at the beginning of a memory is the implementation's own business.
    first = {"guest": 0x7000_1000} if row.name in _MAPS else 0
    return known.pick(({"buf": [15, 4096]}, {"buf": [15, 8192]}, {"guest": 0x7000_0000}, first, {"buf": [15, 1]}))


def _pid(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, param, built
    return known.pick((-1, "self", 0, 77, 2047))


def _signal(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del param, built
    return 0 if row.name == "kill" else known.pick((10, 12, 17, 9, 0, 65))


def _varies(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    if row.name == "ioctl":
        return _cell(row, param, known, built)
    return known.pick((0, 1, 3, 10, 2048))


def _array(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    """Entries of poll: a descriptor and what is asked of it."""
    if param.direction is Direction.OUT:
        return _out(row, param, known, built)
    place = [IN, 512 * len(built.args)]
    for number in range(2):
        at = place[1] + 8 * number
        fd = _descriptor(row, param, known, built)
        built.before.append({"op": "put", "at": {"buf": [place[0], at]}, "width": 4, "value": fd})
        built.before.append({"op": "put", "at": {"buf": [place[0], at + 4]}, "width": 4, "value": 5})
    if row.name in ("poll", "ppoll"):
        built.dump.append({"at": {"buf": place}, "len": 16, "as": "u16"})
    return {"buf": place}


def _none(row: CallRow, param: Param, known: Known, built: Built) -> Any:
    del row, param, known, built
    return 0


_Make = Callable[[CallRow, Param, Known, Built], Any]
_KINDS: dict[ParamKind, _Make] = {
    ParamKind.SIZE: _length,
    ParamKind.INT: _integer,
    ParamKind.UINT: _length,
    ParamKind.LONG: _offset,
    ParamKind.FLAGS: _flags,
    ParamKind.ENUM: _enum,
    ParamKind.MODE: _mode,
    ParamKind.FD: _descriptor,
    ParamKind.DIRFD: _dirfd,
    ParamKind.PATH: _path,
    ParamKind.CSTRING: _text,
    ParamKind.BUFFER: _buffer,
    ParamKind.STRUCT: _struct,
    ParamKind.ARRAY: _array,
    ParamKind.IOVEC: _iovec,
    ParamKind.INT_CELL: _cell,
    ParamKind.LONG_CELL: _cell,
    ParamKind.SOCKADDR: _address,
    ParamKind.GUEST_ADDRESS: _guest_address,
    ParamKind.POINTER: _pointer,
    ParamKind.PID: _pid,
    ParamKind.SIGNAL: _signal,
    ParamKind.VARIES: _varies,
    ParamKind.SIGSET: _cell,
    ParamKind.FD_SET: _none,
    ParamKind.WAIT_STATUS: _out,
}

#: Calls whose result is a descriptor, and those that write two of them to memory.
GIVES_TWO = frozenset(NUMBERS[name] for name in ("pipe", "pipe2", "socketpair"))

"""Arguments as handlers get them: whole numbers whose types say what they mean (PY-10).

Each is an ``int``, signed where C's is, so it compares, adds up and is passed on like any other; its text is the one
that strace gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lindref.posix import flags
from lindref.posix.call import Arg, i32, i64
from lindref.posix.params import CallRow, Param, ParamKind
from lindref.posix.usermem import MODEL_BASE, model_resolve
from lindref.threei.numbers import COPY_DATA_BETWEEN_CAGES, COPY_HANDLER_TABLE_TO_CAGE, REGISTER_HANDLER

_AT_FDCWD = -100


class Address(int):
    """A host address, which says itself in which cage it lies. 0 is NULL; a cage can send any number as one."""

    __slots__ = ()

    @property
    def cage(self) -> int | None:
        """The cage in whose memory it lies; ``None`` for an address of nobody's memory."""
        found = model_resolve(self)
        return None if found is None else found.cage

    @property
    def offset(self) -> int | None:
        """What the cage calls it: the offset in its memory."""
        found = model_resolve(self)
        return None if found is None else found.offset

    def __add__(self, count: int) -> Address:
        return Address(int(self) + count)

    def __repr__(self) -> str:
        return hex(self) if self else "NULL"


class Fd(int):
    """A descriptor."""

    __slots__ = ()


class DirFd(Fd):
    """A descriptor that a path starts from, or the working directory."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "AT_FDCWD" if self == _AT_FDCWD else int.__repr__(self)


class Mode(int):
    """Permission bits."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"0{int(self):o}"


class Signal(int):
    """The number of a signal."""

    __slots__ = ()

    def __repr__(self) -> str:
        return flags.signal(int(self))


class Flags(int):
    """Bits of a set with names (``O_CREAT``), or one of its numbers (``SEEK_SET``): ``"O_CREAT" in flags``."""

    __slots__ = ()
    #: The set's name in ``lindref.posix.flags``, and whether a value is one of its numbers, not several of its bits.
    names = ""
    one = False

    def __contains__(self, name: str) -> bool:
        """Whether it says ``name``; raises ``ValueError`` for a name that the set has not."""
        _, inner = flags.FIELDS.get(self.names, (0, ""))
        if name not in (*flags.SETS[self.names].values(), *flags.SETS.get(inner, {}).values()):
            raise ValueError(f"no flag of this call is called {name!r}")
        return name in repr(self).split("|")

    def __repr__(self) -> str:
        value = int(self) & 0xFFFFFFFF
        return flags.enum(self.names, value) if self.one else flags.flags(self.names, value)


def varies(value: int) -> int:
    """An argument that is a number or a pointer as another one decides: host addresses are no numbers of C."""
    return Address(value) if value >= MODEL_BASE and model_resolve(value) is not None else i32(value)


def _u32(value: int) -> int:
    return value & 0xFFFFFFFF


_SETS: dict[tuple[str, bool], type[Flags]] = {}


def flags_of(names: str, *, one: bool) -> type[Flags]:
    """The type of flags of one set."""
    if (names, one) not in _SETS:
        _SETS[names, one] = type("Flags", (Flags,), {"__slots__": (), "names": names, "one": one})
    return _SETS[names, one]


def _signed(kind: type[int]) -> Callable[[int], int]:
    return lambda value: kind(i32(value))


_KINDS: dict[ParamKind, Callable[[int], int]] = {
    **dict.fromkeys((ParamKind.INT, ParamKind.PID, ParamKind.TID, ParamKind.IGNORED), i32),
    **dict.fromkeys((ParamKind.UINT, ParamKind.UID, ParamKind.DEVICE), _u32),
    **dict.fromkeys((ParamKind.SIZE, ParamKind.HEX, ParamKind.GUEST_ADDRESS), int),
    ParamKind.FD: _signed(Fd),
    ParamKind.DIRFD: _signed(DirFd),
    ParamKind.LONG: i64,
    ParamKind.MODE: lambda value: Mode(value & 0xFFFFFFFF),
    ParamKind.SIGNAL: _signed(Signal),
    ParamKind.VARIES: varies,
}


def _reader(param: Param) -> Callable[[int], int]:
    """What makes a parameter's value of 64 bits."""
    if param.kind in (ParamKind.FLAGS, ParamKind.ENUM):
        return _signed(flags_of(param.names or "", one=param.kind is ParamKind.ENUM))
    return _KINDS.get(param.kind, Address)  # all others are pointers


_READERS: dict[int, tuple[Callable[[int], int], ...]] = {}


def typed(row: CallRow, args: Sequence[Arg]) -> tuple[int, ...]:
    """The arguments of a call of the call table."""
    readers = _READERS.get(row.number)
    if readers is None:
        readers = _READERS[row.number] = tuple(map(_reader, row.params))
    return tuple([read(arg.value) for read, arg in zip(readers, args, strict=False)])


#: What the arguments of 3i's own calls are called, in the order in which ``of_threei`` gives them.
THREEI_PARAMS = {
    REGISTER_HANDLER: ("cage", "number", "grate", "address"),
    COPY_DATA_BETWEEN_CAGES: ("source", "source_cage", "destination", "destination_cage", "length", "kind"),
    COPY_HANDLER_TABLE_TO_CAGE: ("source", "target"),
}


def of_threei(number: int, args: Sequence[Arg]) -> tuple[int, ...]:
    """The arguments of one of 3i's own calls: what stands in the pairs, without what these calls leave unused."""
    first, second = args[0], args[1]
    if number == REGISTER_HANDLER:
        return (first.value, first.cage, second.cage, args[2].value)
    if number == COPY_HANDLER_TABLE_TO_CAGE:
        return (first.value, first.cage)
    source, destination = Address(first.value), Address(second.value)
    return (source, first.cage, destination, second.cage, args[2].value, args[3].value)

"""The shape of a row of the call table: what each argument means, so that decoding needs nothing else.

A parameter says what its 64 bits are (`ParamKind`), which way data flows through a pointer (`Direction`), how long
the data is (``length``) and which names its numbers have (``names``: a set of `posix.flags`; ``struct``: a layout of
`posix.structs`).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from lindref import classes
from lindref.posix.call import Call
from lindref.posix.result import Result

if TYPE_CHECKING:
    from lindref.posix.kernel import Kernel


class Direction(Enum):
    """Which way data behind a pointer flows; plain values are ``IN``."""

    IN = "in"
    OUT = "out"
    INOUT = "inout"


class ParamKind(Enum):
    """What the 64 bits of an argument are. Pointers are host addresses unless the kind says otherwise."""

    # Plain values.
    INT = "int"  # C int, shown in decimal
    UINT = "uint"  # C unsigned int
    LONG = "long"  # signed 64 bits (off_t)
    SIZE = "size"  # unsigned 64 bits
    HEX = "hex"  # 64 bits shown in hexadecimal
    FLAGS = "flags"  # C int, bits named by the set `names`
    ENUM = "enum"  # C int, one of the names of the set `names`
    MODE = "mode"  # permission bits, shown in octal
    DEVICE = "device"  # a dev_t
    FD = "fd"  # descriptor, looked up in the argument's cage
    DIRFD = "dirfd"  # descriptor of a directory, or AT_FDCWD
    SIGNAL = "signal"  # signal number
    PID = "pid"  # process (cage) id
    TID = "tid"  # thread id
    UID = "uid"  # user or group id; 2**32-1 is "leave"
    GUEST_ADDRESS = "guest-address"  # offset in the target's linear memory, not translated
    IGNORED = "ignored"  # has no effect; shown all the same
    # Pointers.
    POINTER = "pointer"  # an address whose target is not decoded
    PATH = "path"  # NUL-terminated, resolved against the cwd of the argument's cage
    CSTRING = "cstring"  # NUL-terminated, not a path
    BUFFER = "buffer"  # `length` bytes
    STRUCT = "struct"  # one layout `struct`; NULL allowed where the call says so
    ARRAY = "array"  # `length` layouts `struct`, one after the other
    IOVEC = "iovec"  # `length` pairs of 64-bit base and length; the buffers they name are data
    STRINGS = "strings"  # 64-bit pointers to strings, ended by NULL (argv, envp)
    SIGSET = "sigset"  # 64-bit set of signals
    WAIT_STATUS = "wait-status"  # a C int as wait reports
    INT_CELL = "int-cell"  # pointer to a C int (socklen_t)
    LONG_CELL = "long-cell"  # pointer to a 64-bit offset
    FD_SET = "fd-set"  # 1024 bits
    SOCKADDR = "sockaddr"  # address of `length` bytes
    VARIES = "varies"  # value or pointer as another argument decides (ioctl, fcntl)


class ReturnKind(Enum):
    """What a result that is not an error means."""

    ZERO = "zero"
    INT = "int"
    COUNT = "count"  # bytes or entries moved
    FD = "fd"
    PID = "pid"
    OFFSET = "offset"
    ADDRESS = "address"  # guest address
    MODE = "mode"
    NEVER = "never"  # does not return when it succeeds


#: Value of `Param.length` for data as long as the call's result.
RESULT = "result"


@classes.frozen
class Param:
    """One argument.

    ``length`` for buffers and arrays: a number, the name of another parameter (the value it points to, if that is a
    pointer) or `RESULT`; an output buffer is never shown longer than the call's result. ``only_if``: the argument means
    something only where another parameter has one of these bits (the last parameter alone).
    """

    name: str
    kind: ParamKind = ParamKind.INT
    direction: Direction = Direction.IN
    length: int | str | None = None
    names: str | None = None
    struct: str | None = None
    only_if: tuple[str, int] | None = None


Handler = Callable[["Kernel", Call], Result]


@classes.frozen
class CallRow:
    """One call: number, name, parameters in slot order, the function that does it (None: not built), its result.

    ``abandon`` undoes what a waiting call left in the state, when its thread dies (`Kernel.abandon`).
    """

    number: int
    name: str
    params: tuple[Param, ...]
    handler: Handler | None
    returns: ReturnKind = ReturnKind.ZERO
    abandon: Callable[[Kernel, Call], None] | None = None

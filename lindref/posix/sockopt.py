"""getsockopt and setsockopt. Rule SOCK-12 in spec/sockets.md."""

from __future__ import annotations

from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.errno import EDOM, EFAULT, EINVAL, ENOPROTOOPT, EOPNOTSUPP
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.kernel import Kernel
from lindref.posix.net import options, records
from lindref.posix.net.numbers import AF_INET, AF_INET6, SOL_SOCKET
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.result import Done, Refused, Result
from lindref.posix.sockets import argument

#: Bytes of a C int: no option of a socket itself is shorter.
_INT = 4


def _option(kernel: Kernel, call: Call, *, setting: bool) -> tuple[int, int, int, options.Option]:
    """Socket, level and number of the option that a call names, and what it is."""
    _, socket = argument(kernel, call)
    level, number = call.i32(1), call.i32(2)
    record = records.get(kernel, socket)
    if not options.has_level(record, level):
        knows_levels = record.family == AF_INET6 or (record.family == AF_INET and setting)
        raise Refused(fail(ENOPROTOOPT if knows_levels else EOPNOTSUPP, "SOCK-12"))
    option = options.OPTIONS.get((level, number))
    if option is None:
        raise Refused(fail(ENOPROTOOPT, "SOCK-12"))
    return socket, level, number, option


def setsockopt(kernel: Kernel, call: Call) -> Result:
    """Set an option (SOCK-12)."""
    # Arguments.
    size = call.i32(4)
    argument(kernel, call)
    if size < 0 or (call.i32(1) == SOL_SOCKET and size < _INT):
        return fail(EINVAL, "SOCK-12")
    socket, level, number, option = _option(kernel, call, setting=True)
    # Errors.
    if option.keep is None:
        return fail(ENOPROTOOPT, "SOCK-12")
    errors = ErrorSet()
    errors.add(size < option.size, EINVAL, "SOCK-12")
    data = user.copy_in(kernel, call.value(3), option.size)
    errors.add(data is None, EFAULT, "SOCK-12")
    failed = errors.first()
    if failed is not None or data is None:
        return failed or fail(EFAULT, "SOCK-12")
    if (level, number) in options.LIMITS and not options.is_time(data):
        return fail(EDOM, "SOCK-12")
    # Effect.
    held = records.get(kernel, socket).options
    records.change(kernel, socket, options=held.set(options.key(level, number), option.keep(data)))
    # Result.
    return Done(0)


def getsockopt(kernel: Kernel, call: Call) -> Result:
    """What an option is, cut to the room there is; SO_ERROR is told once (SOCK-12)."""
    # Arguments.
    socket, level, number, _ = _option(kernel, call, setting=False)
    address, cell = call.value(3), call.value(4)
    known = user.copy_in(kernel, cell, 4)
    # Errors.
    if known is None or not user.writable(kernel, cell, 4):
        return fail(EFAULT, "SOCK-12")
    room = int.from_bytes(known, "little", signed=True)
    if room < 0:
        return fail(EINVAL, "SOCK-12")
    data = options.value_of(records.get(kernel, socket), level, number)[:room]
    if not user.copy_out(kernel, address, data):
        return fail(EFAULT, "SOCK-12")
    # Effect.
    user.copy_out(kernel, cell, len(data).to_bytes(4, "little"))
    if (level, number) == options.SO_ERROR:
        records.change(kernel, socket, error=0)
    # Result.
    return Done(0)


_OPTION = (
    Param("sockfd", ParamKind.FD),
    Param("level", ParamKind.ENUM, names="sol"),
    Param("optname", ParamKind.ENUM, names="so"),
)

CALLS: tuple[CallRow, ...] = (
    CallRow(
        54,
        "setsockopt",
        (*_OPTION, Param("optval", ParamKind.BUFFER, length="optlen"), Param("optlen", ParamKind.UINT)),
        setsockopt,
    ),
    CallRow(
        55,
        "getsockopt",
        (
            *_OPTION,
            Param("optval", ParamKind.BUFFER, Direction.OUT, length="optlen"),
            Param("optlen", ParamKind.INT_CELL, Direction.INOUT),
        ),
        getsockopt,
    ),
)

"""Sockets: the rows of the call table; none is built yet, so each fails as the profile says for an unbuilt call."""

from __future__ import annotations

from lindref.posix.params import RESULT, CallRow, Direction, Param, ParamKind, ReturnKind

_FD = Param("sockfd", ParamKind.FD)
_FLAGS = Param("flags", ParamKind.FLAGS, names="msg")
_ADDRESS_IN = Param("addr", ParamKind.SOCKADDR, length="addrlen")
_ADDRESS_OUT = Param("addr", ParamKind.SOCKADDR, Direction.OUT, length="addrlen")
_LENGTH = Param("addrlen", ParamKind.UINT)
_LENGTH_CELL = Param("addrlen", ParamKind.INT_CELL, Direction.INOUT)
_OPTION = (_FD, Param("level", ParamKind.ENUM, names="sol"), Param("optname", ParamKind.ENUM, names="so"))
_KIND = (
    Param("domain", ParamKind.ENUM, names="family"),
    Param("type", ParamKind.FLAGS, names="socket"),
    Param("protocol"),
)


def _row(number: int, name: str, *params: Param, returns: ReturnKind = ReturnKind.ZERO) -> CallRow:
    """A row without a function."""
    return CallRow(number, name, params, None, returns)


CALLS: tuple[CallRow, ...] = (
    _row(41, "socket", *_KIND, returns=ReturnKind.FD),
    _row(42, "connect", _FD, _ADDRESS_IN, _LENGTH),
    _row(43, "accept", _FD, _ADDRESS_OUT, _LENGTH_CELL, returns=ReturnKind.FD),
    _row(
        44,
        "sendto",
        _FD,
        Param("buf", ParamKind.BUFFER, length="len"),
        Param("len", ParamKind.SIZE),
        _FLAGS,
        _ADDRESS_IN,
        _LENGTH,
        returns=ReturnKind.COUNT,
    ),
    _row(
        45,
        "recvfrom",
        _FD,
        Param("buf", ParamKind.BUFFER, Direction.OUT, length=RESULT),
        Param("len", ParamKind.SIZE),
        _FLAGS,
        _ADDRESS_OUT,
        _LENGTH_CELL,
        returns=ReturnKind.COUNT,
    ),
    _row(46, "sendmsg", _FD, Param("msg", ParamKind.STRUCT, struct="msghdr"), _FLAGS, returns=ReturnKind.COUNT),
    _row(
        47,
        "recvmsg",
        _FD,
        Param("msg", ParamKind.STRUCT, Direction.INOUT, struct="msghdr"),
        _FLAGS,
        returns=ReturnKind.COUNT,
    ),
    _row(48, "shutdown", _FD, Param("how", ParamKind.ENUM, names="shutdown")),
    _row(49, "bind", _FD, _ADDRESS_IN, _LENGTH),
    _row(50, "listen", _FD, Param("backlog")),
    _row(51, "getsockname", _FD, _ADDRESS_OUT, _LENGTH_CELL),
    _row(52, "getpeername", _FD, _ADDRESS_OUT, _LENGTH_CELL),
    _row(53, "socketpair", *_KIND, Param("sv", ParamKind.STRUCT, Direction.OUT, struct="pair")),
    _row(
        54,
        "setsockopt",
        *_OPTION,
        Param("optval", ParamKind.BUFFER, length="optlen"),
        Param("optlen", ParamKind.UINT),
    ),
    _row(
        55,
        "getsockopt",
        *_OPTION,
        Param("optval", ParamKind.BUFFER, Direction.OUT, length="optlen"),
        Param("optlen", ParamKind.INT_CELL, Direction.INOUT),
    ),
    _row(
        288,
        "accept4",
        _FD,
        _ADDRESS_OUT,
        _LENGTH_CELL,
        Param("flags", ParamKind.FLAGS, names="socket"),
        returns=ReturnKind.FD,
    ),
)

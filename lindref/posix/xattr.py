"""Extended attributes: the rows of the call table; none is built yet, so each fails as the profile says for an unbuilt
call."""

from __future__ import annotations

from lindref.posix.params import RESULT, CallRow, Direction, Param, ParamKind, ReturnKind

CALLS: tuple[CallRow, ...] = (
    CallRow(
        188,
        "setxattr",
        (
            Param("path", ParamKind.PATH),
            Param("name", ParamKind.CSTRING),
            Param("value", ParamKind.BUFFER, length="size"),
            Param("size", ParamKind.SIZE),
            Param("flags", ParamKind.FLAGS, names="xattr"),
        ),
        None,
    ),
    CallRow(
        194,
        "listxattr",
        (
            Param("path", ParamKind.PATH),
            Param("list", ParamKind.BUFFER, Direction.OUT, length=RESULT),
            Param("size", ParamKind.SIZE),
        ),
        None,
        ReturnKind.COUNT,
    ),
)

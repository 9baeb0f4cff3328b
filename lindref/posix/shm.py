"""SysV shared memory: the rows of the call table; none is built yet, so each fails as the profile says for an unbuilt
call.
"""

from __future__ import annotations

from lindref.posix.params import CallRow, Direction, Param, ParamKind, ReturnKind

_ID = Param("shmid")

CALLS: tuple[CallRow, ...] = (
    CallRow(
        29,
        "shmget",
        (Param("key", ParamKind.HEX), Param("size", ParamKind.SIZE), Param("shmflg", ParamKind.FLAGS, names="ipc")),
        None,
        ReturnKind.INT,
    ),
    CallRow(
        30,
        "shmat",
        (_ID, Param("shmaddr", ParamKind.POINTER), Param("shmflg", ParamKind.FLAGS, names="shm")),
        None,
        ReturnKind.ADDRESS,
    ),
    CallRow(
        31,
        "shmctl",
        (
            _ID,
            Param("cmd", ParamKind.ENUM, names="ipc-cmd"),
            Param("buf", ParamKind.STRUCT, Direction.INOUT, struct="shmid_ds"),
        ),
        None,
    ),
    CallRow(67, "shmdt", (Param("shmaddr", ParamKind.POINTER),), None),
)

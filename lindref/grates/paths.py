"""What grates that look at paths share: which arguments are paths, and what path a cage means by one."""

from __future__ import annotations

import posixpath

import lindref
from lindref.posix.fs.numbers import AT_FDCWD
from lindref.posix.params import ParamKind
from lindref.posix.table import CALLS

_LONGEST = 4096


def slots(number: int, kind: ParamKind = ParamKind.PATH) -> tuple[int, ...]:
    """The positions of the arguments of a call that are paths (or of another kind)."""
    row = CALLS.get(number)
    return tuple(i for i, param in enumerate(row.params) if param.kind is kind) if row is not None else ()


def directory_before(call: lindref.Served, slot: int) -> int:
    """The descriptor that a relative path in ``slot`` starts from: the argument before it, or AT_FDCWD."""
    row = CALLS.get(call.number)
    is_at = row is not None and slot > 0 and row.params[slot - 1].kind is ParamKind.DIRFD
    return call.values()[slot - 1] if is_at else AT_FDCWD


def working_directory(grate: lindref.Grate, cage: int) -> str:
    """Where ``cage`` stands, as the grate's own call to what is beneath says."""
    place = grate.buffer(_LONGEST)
    if grate.call("getcwd", place, _LONGEST, target=cage) < 0:
        return "/"
    return grate.read_string(place)


def absolute(grate: lindref.Grate, call: lindref.Served, slot: int) -> str | None:
    """The path in ``slot`` from the root, without ``.`` and ``..`` (symbolic links are not looked at); ``None`` for a
    null pointer and for one that starts from a descriptor.
    """
    if not call.args[slot].value:
        return None
    path = grate.read_string(call.args[slot].value)
    if not path.startswith("/"):
        if directory_before(call, slot) != AT_FDCWD:
            return None
        path = posixpath.join(working_directory(grate, call.caller), path)
    return tidy(path)


def tidy(path: str) -> str:
    """An absolute path without ``.``, ``..`` and doubled slashes; nothing leads above the root."""
    return "/" + posixpath.normpath("/" + path).lstrip("/")


def beneath(path: str, folder: str) -> bool:
    """Whether a tidy path is ``folder`` or lies in it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")

"""Extended attributes: values under names, kept with the inode. Rules XATTR-1 and XATTR-2 in spec/files.md."""

from __future__ import annotations

from lindref.posix import paths
from lindref.posix import usermem as user
from lindref.posix.call import Call
from lindref.posix.errno import E2BIG, EEXIST, EFAULT, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERANGE
from lindref.posix.errors import ErrorSet, fail
from lindref.posix.fs import access, inodes
from lindref.posix.fs.numbers import W_OK
from lindref.posix.fs.records import Inode
from lindref.posix.kernel import Kernel
from lindref.posix.params import RESULT, CallRow, Direction, Param, ParamKind, ReturnKind
from lindref.posix.result import Done, Refused, Result

_CREATE = 1
_REPLACE = 2

#: Bytes of a name, and of a value.
_NAME_MAX = 255
_VALUE_MAX = 65536

_USER = b"user."
#: The spaces of names that only user 0 may write.
_PRIVILEGED = (b"trusted.", b"security.")


def setxattr(kernel: Kernel, call: Call) -> Result:
    """Keep a value under a name (XATTR-1)."""
    # Arguments.
    size, flags = call.value(3), call.u32(4)
    name = _name(kernel, call)
    value = user.copy_in(kernel, call.value(2), size) if size <= _VALUE_MAX else None
    # Errors.
    errors = ErrorSet()
    errors.add(bool(flags & ~(_CREATE | _REPLACE)), EINVAL, "XATTR-1")
    errors.add(not 0 < len(name) <= _NAME_MAX, ERANGE, "XATTR-1")
    errors.add(size > _VALUE_MAX, E2BIG, "XATTR-1")
    errors.add(value is None, EFAULT, "XATTR-1")
    failed = errors.first()
    if failed is not None or value is None:
        return failed or fail(EFAULT, "XATTR-1")
    inode = paths.path(kernel, call, 0).walk(kernel).found(kernel)
    _require_settable(kernel, inode, name)
    held = dict(inode.attributes)
    errors.add(bool(flags & _CREATE) and name in held, EEXIST, "XATTR-1")
    errors.add(bool(flags & _REPLACE) and name not in held, ENODATA, "XATTR-1")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect.
    held[name] = value
    inodes.change(kernel, inode.number, attributes=tuple(held.items()), ctime=kernel.wall)
    # Result.
    return Done(0)


def _name(kernel: Kernel, call: Call) -> bytes:
    """The name in argument 1, one byte more than the longest at most."""
    return paths.text(kernel, call, 1, "the name of the attribute")[: _NAME_MAX + 1]


def _require_settable(kernel: Kernel, inode: Inode, name: bytes) -> None:
    """Refuse unless the caller may write attribute ``name`` of ``inode`` (XATTR-1)."""
    if name.startswith(_USER):
        if name == _USER:
            raise Refused(fail(EINVAL, "XATTR-1"))
        if not (inode.is_file or inode.is_directory):
            raise Refused(fail(EPERM, "XATTR-1"))
        access.require(kernel, inode, W_OK, "XATTR-1")
    elif name.startswith(_PRIVILEGED):
        if kernel.identity.uid:
            raise Refused(fail(EPERM, "XATTR-1"))
    else:
        raise Refused(fail(EOPNOTSUPP, "XATTR-1"))


def listxattr(kernel: Kernel, call: Call) -> Result:
    """The names of a file's attributes (XATTR-2)."""
    # Arguments.
    address, size = call.value(1), call.value(2)
    inode = paths.path(kernel, call, 0).walk(kernel).found(kernel)
    hidden = b"trusted." if kernel.identity.uid else b"\0"
    data = b"".join(name + b"\0" for name, _ in inode.attributes if not name.startswith(hidden))
    if size == 0:
        return Done(len(data))
    # Errors.
    errors = ErrorSet()
    errors.add(size < len(data), ERANGE, "XATTR-2")
    errors.add(not user.writable(kernel, address, len(data)), EFAULT, "XATTR-2")
    failed = errors.first()
    if failed is not None:
        return failed
    # Effect and result.
    user.copy_out(kernel, address, data)
    return Done(len(data))


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
        setxattr,
    ),
    CallRow(
        194,
        "listxattr",
        (
            Param("path", ParamKind.PATH),
            Param("list", ParamKind.BUFFER, Direction.OUT, length=RESULT),
            Param("size", ParamKind.SIZE),
        ),
        listxattr,
        ReturnKind.COUNT,
    ),
)

"""Faults of files and directories."""

from __future__ import annotations

from typing import Any

from lindref.conformance.mutants import patch
from lindref.conformance.mutants.patch import Mutant
from lindref.posix import errno
from lindref.posix.call import Call
from lindref.posix.fs import inodes
from lindref.posix.fs.numbers import O_APPEND, O_CLOEXEC, O_CREAT, O_EXCL, O_TRUNC
from lindref.posix.kernel import Kernel
from lindref.posix.result import Result
from lindref.posix.table import CALLS, NUMBERS

_FILES, _IO = ("files", "family"), ("io.*",)


def _offset(old: Any, new: Any) -> dict[str, Any]:
    del new
    return {"offset": old.offset}


def _no_append(old: patch.Handler, kernel: Kernel, call: Call) -> Result:
    """Write as if O_APPEND had not been given."""
    from lindref.posix import openfile

    found = patch.opened(kernel, call)
    if found is None or not found.file.flags & O_APPEND:
        return old(kernel, call)
    openfile.change(kernel, found.number, flags=found.file.flags & ~O_APPEND)
    result = old(kernel, call)
    openfile.change(kernel, found.number, flags=found.file.flags)
    return result


def _one_link_less(kernel: Kernel, call: Call, value: int) -> int:
    del call
    newest = max((n for n in kernel.inodes if inodes.get(kernel, n).nlink > 1), default=0)
    if newest and inodes.get(kernel, newest).is_file:
        inodes.change(kernel, newest, nlink=inodes.get(kernel, newest).nlink - 1)
    return value


def _as_stat(old: patch.Handler, kernel: Kernel, call: Call) -> Result:
    del old
    handler = CALLS[NUMBERS["stat"]].handler
    assert handler is not None
    return handler(kernel, call)


MUTANTS = (
    Mutant("read-keeps-offset", "files", "read does not move the offset", patch.around("read", _offset), _FILES, _IO),
    Mutant(
        "write-one-short",
        "files",
        "write says one byte less than it wrote",
        patch.answers("write", lambda _k, _c, n: max(n - 1, 0)),
        _FILES,
        _IO,
    ),
    Mutant(
        "write-ignores-append",
        "files",
        "O_APPEND writes where the offset is",
        patch.call("write", _no_append),
        _FILES,
        ("io.append*", "fd.open*", "io.*"),
    ),
    Mutant(
        "pread-moves-offset",
        "files",
        "pread64 moves the offset",
        patch.around("pread64", lambda old, _: {"offset": old.offset + 1}),
        _FILES,
        _IO,
    ),
    Mutant(
        "pwrite-moves-offset",
        "files",
        "pwrite64 moves the offset",
        patch.around("pwrite64", lambda old, _: {"offset": old.offset + 3}),
        _FILES,
        _IO,
    ),
    Mutant(
        "lseek-end-off-by-one",
        "files",
        "SEEK_END is one too far",
        patch.argument("lseek", 1, lambda n: n + 1, patch.command(2, slot=2)),
        _FILES,
        ("io.lseek*", "io.*"),
    ),
    Mutant(
        "lseek-cur-as-set",
        "files",
        "SEEK_CUR is taken for SEEK_SET",
        patch.argument("lseek", 2, lambda n: 0 if n == 1 else n),
        _FILES,
        ("io.lseek*", "io.*"),
    ),
    Mutant(
        "lseek-negative",
        "files",
        "a negative offset is not refused",
        patch.error("lseek", errno.EINVAL, 0),
        _FILES,
        ("io.lseek*",),
    ),
    Mutant(
        "readv-first-only",
        "files",
        "readv fills the first buffer only",
        patch.argument("readv", 2, lambda n: min(n, 1)),
        _FILES,
        ("io.iov*", "io.*"),
    ),
    Mutant(
        "writev-loses-last",
        "files",
        "writev leaves the last buffer out",
        patch.argument("writev", 2, lambda n: max(n - 1, 0)),
        _FILES,
        ("io.iov*", "io.*"),
    ),
    Mutant(
        "open-ignores-excl",
        "files",
        "O_EXCL is not looked at",
        patch.argument("open", 1, lambda n: n & ~O_EXCL),
        _FILES,
        ("fd.open*", "path.*"),
    ),
    Mutant(
        "open-ignores-trunc",
        "files",
        "O_TRUNC leaves what was there",
        patch.argument("open", 1, lambda n: n & ~O_TRUNC),
        _FILES,
        ("fd.open*", "io.*"),
    ),
    Mutant(
        "open-always-creates",
        "files",
        "a missing file is made without O_CREAT",
        patch.argument("open", 1, lambda n: n | O_CREAT),
        _FILES,
        ("fd.open*",),
    ),
    Mutant(
        "open-loses-cloexec",
        "descriptors",
        "O_CLOEXEC of open is lost",
        patch.argument("open", 1, lambda n: n & ~O_CLOEXEC),
        _FILES,
        ("fd.*",),
    ),
    Mutant(
        "ftruncate-one-short",
        "files",
        "ftruncate leaves one byte less",
        patch.argument("ftruncate", 1, lambda n: n - 1 if 0 < n < 1 << 62 else n),
        _FILES,
        ("io.*trunc*",),
    ),
    Mutant(
        "unlink-directory-errno",
        "files",
        "unlink of a directory is EPERM",
        patch.error("unlink", errno.EISDIR, errno.EPERM),
        _FILES,
        ("path.unlink*", "dir.*", "path.*"),
    ),
    Mutant(
        "unlink-does-nothing",
        "files",
        "unlink leaves the name",
        patch.undone("unlink"),
        _FILES,
        ("path.unlink*", "path.*"),
    ),
    Mutant(
        "mkdir-again",
        "files",
        "mkdir of what is there works",
        patch.error("mkdir", errno.EEXIST, 0),
        _FILES,
        ("dir.mkdir*",),
    ),
    Mutant(
        "rmdir-not-empty",
        "files",
        "rmdir of a full directory says that it worked",
        patch.error("rmdir", errno.ENOTEMPTY, 0),
        _FILES,
        ("dir.rmdir*", "dir.*"),
    ),
    Mutant("rename-leaves-old", "files", "rename does nothing", patch.undone("rename"), _FILES, ("path.rename*",)),
    Mutant(
        "link-not-counted",
        "files",
        "link does not count the name",
        patch.answers("link", _one_link_less),
        _FILES,
        ("path.link*", "stat.*link*"),
    ),
    Mutant(
        "lstat-follows",
        "files",
        "lstat follows symbolic links",
        patch.call("lstat", _as_stat),
        _FILES,
        ("stat.lstat*", "stat.*"),
    ),
    Mutant(
        "readlink-counts-nul",
        "files",
        "readlink counts a NUL",
        patch.answers("readlink", lambda _k, _c, n: n + 1),
        _FILES,
        ("path.readlink*", "path.*"),
    ),
    Mutant(
        "stat-size-off-by-one",
        "files",
        "st_size is one too large",
        patch.pokes("fstat", 1, 40, 8, lambda n: n + 1),
        _FILES,
        ("stat.*",),
    ),
    Mutant(
        "access-says-yes",
        "files",
        "access of what is not there works",
        patch.error("access", errno.ENOENT, 0),
        _FILES,
        ("path.access*", "stat.*", "path.*"),
    ),
    Mutant("chmod-lost", "files", "chmod changes nothing", patch.undone("chmod"), _FILES, ("stat.chmod*", "stat.*")),
    Mutant(
        "getcwd-without-nul",
        "files",
        "getcwd does not count the NUL",
        patch.answers("getcwd", lambda _k, _c, n: n - 1),
        _FILES,
        ("dir.*",),
    ),
    Mutant("chdir-lost", "files", "chdir stays where it is", patch.undone("chdir"), _FILES, ("dir.chdir*", "dir.*")),
    Mutant(
        "getdents-again",
        "files",
        "getdents64 begins from the start each time",
        patch.around("getdents64", lambda _old, _new: {"offset": 0}),
        _FILES,
        ("dir.getdents*",),
    ),
    Mutant(
        "enoent-enotdir",
        "files",
        "a file on the way is ENOENT",
        patch.error("open", errno.ENOTDIR, errno.ENOENT),
        _FILES,
        ("path.*", "fd.open*"),
    ),
    Mutant(
        "copy-one-short",
        "files",
        "copy_file_range copies a byte less",
        patch.argument("copy_file_range", 4, lambda n: n - 1 if n else 0),
        _FILES,
        ("io.copy*",),
    ),
)

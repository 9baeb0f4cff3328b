"""Files of modules in the root (DYN-1, DL-1). Every run imports this, so it imports little."""

from __future__ import annotations

from lindref import classes
from lindref.posix.fs.content import read
from lindref.posix.fs.populate import file_of
from lindref.posix.fs.walk import root_of, walk
from lindref.posix.kernel import Kernel
from lindref.posix.result import Refused

MAGIC = b"\0asm"

#: Where libraries are looked for that are named without a folder.
FOLDERS = (b"/lib", b"/usr/lib")

#: How the file of a library may end, the preferred first. A ``.cwasm`` is machine code: its plain module lies beside.
SUFFIXES = (b".so", b".wasm", b".cwasm")


@classes.frozen
class Found:
    """A file in the root."""

    path: bytes
    inode: int
    data: bytes


def open_file(kernel: Kernel, path: bytes, start: int | None = None) -> Found | None:
    """The regular file at a path, relative to inode ``start`` (the root); ``None`` where there is none."""
    try:
        inode = walk(kernel, path, root_of(kernel) if start is None else start).found(kernel)
        if not inode.is_file:
            return None
        inode = file_of(kernel, inode.number)
        return Found(path, inode.number, read(kernel, inode.number, 0, inode.size))
    except Refused:
        return None


def anything(kernel: Kernel, path: bytes, start: int) -> Found | None:
    """What is no regular file, as one without contents."""
    try:
        inode = walk(kernel, path, start).found(kernel)
        return None if inode.is_file else Found(path, inode.number, b"")
    except Refused:
        return None


def open_module(kernel: Kernel, path: bytes, start: int | None = None) -> Found | None:
    """As ``open_file``; for machine code the plain module beside it (DYN-1)."""
    found = open_file(kernel, path, start)
    stem, dot, ending = path.rpartition(b".")
    if ending == b"cwasm" and (found is None or found.data[:4] != MAGIC):
        for suffix in (b"wasm", b"so"):
            beside = open_file(kernel, stem + dot + suffix, start)
            if beside is not None and beside.data[:4] == MAGIC:
                return beside
    return found


def in_folders(kernel: Kernel, name: bytes, folders: tuple[bytes, ...]) -> Found | None:
    """A library by its name alone, in the first folder that has it."""
    for folder in folders:
        found = open_module(kernel, folder.rstrip(b"/") + b"/" + name)
        if found is not None:
            return found
    return None

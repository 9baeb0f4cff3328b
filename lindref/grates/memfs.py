"""A file system in memory: files beneath a folder that exist nowhere else.

    lindref run --grate lindref.grates.memfs:MemFS,at=/mem app.wasm

Files only, no folders in it. Its descriptors begin at 512; a child has its parent's, each with a position of its own.
"""

from __future__ import annotations

import lindref
from lindref.grates.paths import absolute, beneath, tidy
from lindref.posix.errno import EBADF, EEXIST, EINVAL, EMFILE, ENOENT
from lindref.posix.fs.numbers import O_ACCMODE, O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_TRUNC, O_WRONLY
from lindref.posix.structs import STAT

FIRST, LAST = 512, 1023
S_IFREG_644 = 0o100644


class MemFS(lindref.Grate):
    """``state[path]`` is a file's contents, ``cage_state(cage)[fd]`` its path, position and flags."""

    def __init__(self, at: str = "/mem") -> None:
        self.at = tidy(at)

    def mine(self, call: lindref.Served, slot: int = 0) -> str | None:
        """The path in ``slot``, if it is one of ours."""
        path = absolute(self, call, slot)
        return path if path is not None and path != self.at and beneath(path, self.at) else None

    def open(self, call: lindref.Served, path: int, flags: int, mode: int = 0, *, slot: int = 0) -> int:
        """Open a file, and make it where that is asked for."""
        name = self.mine(call, slot)
        if name is None:
            return self.forward()
        if name not in self.state and not flags & O_CREAT:
            return -ENOENT
        if name in self.state and flags & O_CREAT and flags & O_EXCL:
            return -EEXIST
        if name not in self.state or (flags & O_TRUNC and flags & O_ACCMODE != O_RDONLY):
            self.state[name] = b""
        mine = self.cage_state(call.caller)
        fd = next((number for number in range(FIRST, LAST + 1) if number not in mine), None)
        if fd is None:
            return -EMFILE
        mine[fd] = (name, 0, flags)
        return fd

    def openat(self, call: lindref.Served, folder: int, path: int, flags: int, mode: int) -> int:
        """As ``open``."""
        return self.open(call, path, flags, mode, slot=1)

    def read(self, call: lindref.Served, fd: int, buffer: int, count: int) -> int:
        """Read from where the descriptor stands."""
        mine = self.cage_state(call.caller)
        if fd not in mine:
            return self.forward()
        name, position, flags = mine[fd]
        if flags & O_ACCMODE == O_WRONLY:
            return -EBADF
        data = self.state.get(name, b"")[position : position + count]
        self.write_bytes(buffer, data)
        mine[fd] = (name, position + len(data), flags)
        return len(data)

    def write(self, call: lindref.Served, fd: int, buffer: int, count: int) -> int:
        """Write where the descriptor stands, or at the end with O_APPEND."""
        mine = self.cage_state(call.caller)
        if fd not in mine:
            return self.forward()
        name, position, flags = mine[fd]
        if flags & O_ACCMODE == O_RDONLY:
            return -EBADF
        old = self.state.get(name, b"")
        at = len(old) if flags & O_APPEND else position
        self.state[name] = old[:at].ljust(at, b"\0") + self.read_bytes(buffer, count) + old[at + count :]
        mine[fd] = (name, at + count, flags)
        return count

    def lseek(self, call: lindref.Served, fd: int, offset: int, whence: int) -> int:
        """Stand elsewhere."""
        mine = self.cage_state(call.caller)
        if fd not in mine:
            return self.forward()
        name, position, flags = mine[fd]
        place: int = offset + {0: 0, 1: position, 2: len(self.state.get(name, b""))}.get(whence, -(1 << 62))
        if place < 0:
            return -EINVAL
        mine[fd] = (name, place, flags)
        return place

    def close(self, call: lindref.Served, fd: int) -> int:
        """Forget a descriptor."""
        return self.forward() if self.cage_state(call.caller).pop(fd, None) is None else 0

    def unlink(self, call: lindref.Served) -> int:
        """Remove a file; those that have it open find it empty."""
        name = self.mine(call)
        if name is None:
            return self.forward()
        return -ENOENT if self.state.pop(name, None) is None else 0

    @lindref.serves("stat", "lstat")
    def stat_path(self, call: lindref.Served, path: int, buffer: int) -> int:
        """What there is to say of a file."""
        name = self.mine(call)
        return self.forward() if name is None else self.tell_of(name, buffer)

    def fstat(self, call: lindref.Served, fd: int, buffer: int) -> int:
        """As ``stat_path``, by descriptor."""
        mine = self.cage_state(call.caller)
        return self.tell_of(mine[fd][0], buffer) if fd in mine else self.forward()

    def tell_of(self, name: str, buffer: int) -> int:
        """Fill in a ``struct stat``."""
        if name not in self.state:
            return -ENOENT
        size = len(self.state[name])
        self.write_bytes(buffer, STAT.pack(st_mode=S_IFREG_644, st_nlink=1, st_size=size, st_blksize=4096))
        return 0

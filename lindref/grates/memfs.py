"""A file system in memory: files beneath a folder that exist nowhere else.

    lindref run --grate lindref.grates.memfs:MemFS,at=/mem app.wasm

Files only, no folders in it. Its descriptors begin at 512; a child has its parent's, each with a position of its own.
"""

from __future__ import annotations

import lindref
from lindref.grates.openfile import OpenFile, opening, regular
from lindref.grates.paths import absolute, beneath, slots, tidy
from lindref.posix.errno import EBADF, EMFILE, ENOENT


class MemFS(lindref.Grate):
    """``state[path]`` is a file's contents, ``cage_state(cage)[fd]`` its path, position and flags."""

    def __init__(self, at: str = "/mem") -> None:
        self.at = tidy(at)

    @lindref.serves("open", "openat", "unlink", "stat", "lstat")
    def by_path(self, call: lindref.Served) -> int:
        """A file that lies beneath the folder; those that have a removed one open find it empty."""
        slot = slots(call.number)[0]
        path = absolute(self, call, slot)
        if path is None or path == self.at or not beneath(path, self.at):
            return self.forward()
        if call.name in ("open", "openat"):
            return self.opened(call.caller, path, flags=call.values()[slot + 1])
        if call.name == "unlink":
            return -ENOENT if self.state.pop(path, None) is None else 0
        return self.tell_of(path, buffer=call.values()[1])

    def opened(self, cage: int, path: str, flags: int) -> int:
        """A new descriptor of a file, which is made where that is asked for."""
        data = opening(self.state.get(path), flags)
        if isinstance(data, int):
            return data
        self.state[path] = data
        mine = self.cage_state(cage)
        fd = next((number for number in range(512, 1024) if number not in mine), -EMFILE)
        if fd >= 0:
            mine[fd] = (path, 0, flags)
        return fd

    @lindref.serves("read", "write", "lseek", "fstat", "close")
    def by_descriptor(self, call: lindref.Served) -> int:
        """What one of our descriptors is used for, which may move its position."""
        mine, (fd, *rest) = self.cage_state(call.caller), call.values()
        if fd not in mine:
            return self.forward()
        if call.name == "close":
            del mine[fd]
            return 0
        path, position, flags = mine[fd]
        if call.name == "fstat":
            return self.tell_of(path, *rest)
        file = OpenFile(self.state.get(path, b""), position, flags)
        if file.refuses(call.name):
            return -EBADF
        if call.name == "lseek":
            result = file.seek(*rest)
        elif call.name == "write":
            result = file.write(self.read_bytes(*rest))
            self.state[path] = file.data
        else:
            data = file.read(rest[1])
            self.write_bytes(rest[0], data)
            result = len(data)
        mine[fd] = (path, file.position, flags)
        return result

    def tell_of(self, path: str, buffer: int) -> int:
        """Fill in a ``struct stat``."""
        if path not in self.state:
            return -ENOENT
        self.write_bytes(buffer, regular(len(self.state[path])))
        return 0

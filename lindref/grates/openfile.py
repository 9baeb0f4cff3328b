"""A file whose contents a grate keeps itself, as a descriptor has it open, and what calls do with it."""

from __future__ import annotations

from lindref.posix.errno import EEXIST, EINVAL, ENOENT
from lindref.posix.fs.numbers import O_ACCMODE, O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_TRUNC, O_WRONLY
from lindref.posix.structs import STAT

S_IFREG_644 = 0o100644


class OpenFile:
    """Contents, the position in bytes, and the flags of ``open``. Results are those of the calls, errors negative."""

    def __init__(self, data: bytes, position: int, flags: int) -> None:
        self.data = data
        self.position = position
        self.flags = flags

    def refuses(self, name: str) -> bool:
        """Whether it was not opened for the call (EBADF)."""
        return (name, self.flags & O_ACCMODE) in (("read", O_WRONLY), ("write", O_RDONLY))

    def read(self, count: int) -> bytes:
        """The bytes from the position on, at most ``count``."""
        found = self.data[self.position : self.position + count]
        self.position += len(found)
        return found

    def write(self, data: bytes) -> int:
        """Put bytes at the position, or at the end with O_APPEND; a gap before them is zeros."""
        at = len(self.data) if self.flags & O_APPEND else self.position
        self.position = at + len(data)
        self.data = self.data[:at].ljust(at, b"\0") + data + self.data[self.position :]
        return len(data)

    def seek(self, offset: int, whence: int) -> int:
        """From the beginning (0), the position (1) or the end (2)."""
        bases = (0, self.position, len(self.data))
        if whence not in range(3) or offset + bases[whence] < 0:
            return -EINVAL
        self.position = offset + bases[whence]
        return self.position


def opening(data: bytes | None, flags: int) -> bytes | int:
    """What ``open`` makes of a file with this contents (``None``: there is no such file): its contents, or an error."""
    if data is None:
        return b"" if flags & O_CREAT else -ENOENT
    if flags & O_CREAT and flags & O_EXCL:
        return -EEXIST
    return b"" if flags & O_TRUNC and flags & O_ACCMODE != O_RDONLY else data


def regular(size: int) -> bytes:
    """The ``struct stat`` of a file of ``size`` bytes."""
    return STAT.pack(st_mode=S_IFREG_644, st_nlink=1, st_size=size, st_blksize=4096)

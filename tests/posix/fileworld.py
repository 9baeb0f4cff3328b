"""A `World` whose calls about files take strings and give bytes."""

from __future__ import annotations

import struct

from world import World

from lindref.posix.constants import EPOCH
from lindref.posix.result import Done, Result
from lindref.posix.structs import STAT

AT_FDCWD = -100

O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND = 1, 2, 0o100, 0o200, 0o1000, 0o2000
O_NONBLOCK, O_DIRECT, O_DIRECTORY, O_NOFOLLOW = 0o4000, 0o40000, 0o200000, 0o400000
O_NOATIME, O_CLOEXEC, O_PATH, O_TMPFILE = 0o1000000, 0o2000000, 0o10000000, 0o20200000

#: Guest addresses: two strings, an odd structure, a large buffer, and one behind all that is mapped.
FIRST, SECOND, AUX, BUF, NOWHERE = 0x1000, 0x4000, 0x800, 0x10000, 0xF0000000
ROOM = 0x80000

#: What the wall clock shows at virtual time 0, in seconds.
BEGIN = EPOCH // 10**9


class Files(World):
    """One kernel with a blank root; ``/w`` is an empty directory. Failures come back as negated error numbers."""

    def boot(self) -> None:
        super().boot()
        assert self.at("mkdir", "/w", 0o755) == 0

    def text(self, text: str | bytes, where: int = FIRST, cage: int = 1) -> int:
        """The address of a string."""
        data = text.encode() if isinstance(text, str) else text
        self.put(cage, where, data + b"\0")
        return self.ptr(where, cage)

    def at(self, name: str, path: str | bytes, *rest: int, cage: int = 1) -> int:
        """A call whose first argument is a path."""
        return self.do(name, self.text(path, cage=cage), *rest, cage=cage)

    def two(self, name: str, old: str | bytes, new: str | bytes, cage: int = 1) -> int:
        """A call with two paths."""
        return self.do(name, self.text(old, FIRST, cage), self.text(new, SECOND, cage), cage=cage)

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o644, cage: int = 1) -> int:
        return self.at("open", path, flags, mode, cage=cage)

    def file(self, path: str | bytes, data: bytes = b"", mode: int = 0o644) -> None:
        """A file with contents."""
        fd = self.open(path, O_CREAT | O_WRONLY | O_TRUNC, mode)
        assert fd >= 0, fd
        assert self.write(fd, data) == len(data)
        assert self.do("close", fd) == 0

    def got(self, result: Result, cage: int = 1) -> bytes | int:
        """What a transfer put into the buffer, or its error."""
        assert isinstance(result, Done), result
        return self.get(cage, BUF, result.value) if result.value >= 0 else result.value

    def read(self, fd: int, count: int = 4096, cage: int = 1) -> bytes | int:
        return self.got(self.call("read", fd, self.ptr(BUF, cage), count, cage=cage), cage)

    def pread(self, fd: int, count: int, offset: int) -> bytes | int:
        return self.got(self.call("pread64", fd, self.ptr(BUF), count, offset))

    def write(self, fd: int, data: bytes, cage: int = 1) -> int:
        self.put(cage, BUF, data)
        return self.do("write", fd, self.ptr(BUF, cage), len(data), cage=cage)

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        self.put(1, BUF, data)
        return self.do("pwrite64", fd, self.ptr(BUF), len(data), offset)

    def content(self, path: str | bytes) -> bytes:
        """All of a file."""
        fd = self.open(path)
        assert fd >= 0, fd
        parts = []
        while data := self.read(fd, 65536):
            assert isinstance(data, bytes)
            parts.append(data)
        self.do("close", fd)
        return b"".join(parts)

    def stat(self, path: str | bytes, name: str = "stat") -> dict[str, int] | int:
        result = self.at(name, path, self.ptr(AUX))
        return STAT.unpack(self.get(1, AUX, STAT.size)) if result == 0 else result

    def lstat(self, path: str | bytes) -> dict[str, int] | int:
        return self.stat(path, "lstat")

    def fstat(self, fd: int) -> dict[str, int]:
        assert self.do("fstat", fd, self.ptr(AUX)) == 0
        return STAT.unpack(self.get(1, AUX, STAT.size))

    def entries(self, fd: int, size: int = 4096) -> list[tuple[bytes, int, int, int]] | int:
        """(name, inode, position, type) of the next entries of a directory."""
        count = self.do("getdents64", fd, self.ptr(BUF), size)
        if count < 0:
            return count
        data, out, at = self.get(1, BUF, count), [], 0
        while at < count:
            inode, position, length, kind = struct.unpack_from("<QQHB", data, at)
            assert length % 8 == 0
            out.append((data[at + 19 : at + length].split(b"\0")[0], inode, position, kind))
            at += length
        return out

    def names(self, path: str | bytes) -> list[bytes]:
        """The names in a directory without the two dots, in order of listing."""
        fd = self.open(path, O_DIRECTORY)
        assert fd >= 0, fd
        found: list[bytes] = []
        while part := self.entries(fd):
            assert isinstance(part, list)
            found += [name for name, *_ in part]
        self.do("close", fd)
        assert found[:2] == [b".", b".."]
        return found[2:]

    def pipe(self, flags: int = 0, cage: int = 1) -> tuple[int, int]:
        assert self.do("pipe2", self.ptr(AUX, cage), flags, cage=cage) == 0
        return self.word(AUX, cage), self.word(AUX + 4, cage)

    def fcntl(self, fd: int, command: int, argument: int = 0, lock: int = 0, cage: int = 1) -> int:
        return self.do("fcntl", fd, command, argument, lock, cage=cage)

    def cwd(self, cage: int = 1) -> bytes | int:
        count = self.do("getcwd", self.ptr(BUF, cage), 4096, cage=cage)
        return self.get(cage, BUF, 4096).split(b"\0")[0] if count > 0 else count

    def as_user(self, uid: int, gid: int) -> None:
        """The one identity of all cages becomes another."""
        self.kernel.identity = type(self.kernel.identity)(uid, gid, b"lind")

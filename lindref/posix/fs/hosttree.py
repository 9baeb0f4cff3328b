"""Reading a host directory without ever leaving it.

Every step is taken from an open directory with O_NOFOLLOW, so neither a symbolic link nor somebody who swaps a
directory for one while we look can lead outside (ROOT-5). Each answer is kept: the same question has the same answer
for as long as the run lasts, also after stepping back.
"""

from __future__ import annotations

import os
import stat
import weakref
from collections.abc import Callable
from errno import EFBIG, EIO, ENXIO
from typing import TypeVar

from lindref import classes

#: Bytes of the largest host file that is taken in.
FILE_MAX = 1 << 30

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK = 1 << 20

T = TypeVar("T")


class RootError(Exception):
    """A root directory that cannot be used; one line that says which and why."""


@classes.frozen
class HostEntry:
    """What one name in a host directory is: `os.stat_result` fields, and for symbolic links what they say."""

    name: bytes
    mode: int
    size: int
    mtime_ns: int
    nlink: int
    identity: tuple[int, int]
    rdev: int
    target: bytes = b""


class HostTree:
    """A host directory and what is below it, read only. Paths are bytes relative to it, without ``.``, ``..`` or links;
    ``b""`` is the directory itself. Failures are `OSError` with the host's errno."""

    def __init__(self, path: str) -> None:
        try:
            self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise RootError(f"root {path}: {os.strerror(error.errno or EIO)}") from None
        weakref.finalize(self, os.close, self._root)
        self.path = path
        self._answers: dict[tuple[str, bytes, int], object] = {}

    def entries(self, path: bytes, number: int = 0) -> tuple[HostEntry, ...]:
        """What the directory ``path`` holds, sorted by name; names that vanish meanwhile are left out. Questions with
        different ``number`` are different ones."""
        return self._answer("entries", path, number, self._entries)

    def contents(self, path: bytes, number: int = 0) -> bytes:
        """The bytes of the regular file ``path``: EFBIG above `FILE_MAX`, ENXIO for what is no regular file."""
        return self._answer("contents", path, number, self._contents)

    def top(self) -> HostEntry:
        """The directory itself."""
        return self._answer("top", b"", 0, lambda _: _entry(b"", os.fstat(self._root)))

    def _answer(self, question: str, path: bytes, number: int, ask: Callable[[bytes], T]) -> T:
        """The kept answer, asked once; an error is an answer too."""
        key = (question, path, number)
        if key not in self._answers:
            try:
                self._answers[key] = ask(path)
            except OSError as error:
                self._answers[key] = error.errno or EIO
        answer = self._answers[key]
        if isinstance(answer, int):
            raise OSError(answer, os.strerror(answer))
        return answer  # type: ignore[return-value]  # the question determines the type

    def open_directory(self, path: bytes) -> int:
        """A descriptor of the directory ``path``, which the caller closes."""
        here = os.dup(self._root)
        for part in path.split(b"/") if path else ():
            try:
                there = os.open(part, _DIRECTORY, dir_fd=here)
            finally:
                os.close(here)
            here = there
        return here

    def count_names(self, identity: tuple[int, int]) -> int:
        """How many names the file ``identity`` (device, inode) has in the directory and below."""
        count = 0
        for _, folders, files, fd in os.fwalk(".", dir_fd=self._root, follow_symlinks=False):
            del folders
            for name in files:
                try:
                    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                except OSError:
                    continue
                count += (status.st_dev, status.st_ino) == identity
        return count

    def _entries(self, path: bytes) -> tuple[HostEntry, ...]:
        fd = self.open_directory(path)
        try:
            found = []
            for name in sorted(os.fsencode(name) for name in os.listdir(fd)):
                try:
                    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
                    target = os.readlink(name, dir_fd=fd) if stat.S_ISLNK(status.st_mode) else b""
                except OSError:
                    continue
                found.append(_entry(name, status, target))
            return tuple(found)
        finally:
            os.close(fd)

    def _contents(self, path: bytes) -> bytes:
        folder, _, name = path.rpartition(b"/")
        parent = self.open_directory(folder)
        try:
            fd = os.open(name, _FILE, dir_fd=parent)
        finally:
            os.close(parent)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(ENXIO, os.strerror(ENXIO))
            parts: list[bytes] = []
            total = 0
            while part := os.read(fd, _CHUNK):
                total += len(part)
                if total > FILE_MAX:
                    raise OSError(EFBIG, os.strerror(EFBIG))
                parts.append(part)
            return b"".join(parts)
        finally:
            os.close(fd)


def _entry(name: bytes, status: os.stat_result, target: bytes = b"") -> HostEntry:
    return HostEntry(
        name=name,
        mode=status.st_mode,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        nlink=status.st_nlink,
        identity=(status.st_dev, status.st_ino),
        rdev=status.st_rdev,
        target=target,
    )

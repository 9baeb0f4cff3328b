"""Changing a host directory without ever leaving it.

As in `hosttree` every step is taken from an open directory with O_NOFOLLOW. A file is written only if it is still the
one that was seen under its name, and if all its names lie inside the directory: what somebody put there meanwhile, and
what also has a name outside, is left alone (ROOT-9). Failures are `OSError` with the host's errno.
"""

from __future__ import annotations

import os
import stat
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EEXIST, ENOSPC, ENXIO, EPERM, ESTALE

from lindref.posix.fs.hosttree import HostTree

Identity = tuple[int, int]

#: Files that are kept open to be written.
_OPEN_MAX = 64

_WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PATH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC

#: Time that means "now" to `HostWriter.utime`.
NOW = -1


class HostWriter:
    """Writes below a host directory. Paths are as in `HostTree`; files are known by the run's inode numbers."""

    def __init__(self, tree: HostTree) -> None:
        self._tree = tree
        self._known: dict[int, Identity] = {}
        self._open: OrderedDict[int, int] = OrderedDict()
        self._inside: dict[tuple[Identity, int], bool] = {}

    def know(self, number: int, identity: Identity) -> None:
        """The file or directory ``number`` is the host's ``identity``."""
        if self._known.get(number) != identity:
            self._known[number] = identity
            self._shut(number)

    def close(self) -> None:
        """Close what is kept open."""
        for number in list(self._open):
            self._shut(number)

    # Names.

    def make(self, number: int, path: bytes, mode: int, target: bytes) -> None:
        """Make what ``mode`` says: a file, a directory, a FIFO or a symbolic link to ``target``."""
        permissions = mode & 0o777
        with self._at(path) as (parent, name):
            if stat.S_ISREG(mode):
                fd = os.open(name, _CREATE, permissions, dir_fd=parent)
                os.fchmod(fd, permissions)
                self._keep(number, fd)
            elif stat.S_ISDIR(mode):
                os.mkdir(name, permissions, dir_fd=parent)
                with self._held(name, parent) as (fd, status):
                    if stat.S_ISDIR(status.st_mode):
                        _set_mode(fd, permissions | mode & stat.S_ISVTX)
            elif stat.S_ISLNK(mode):
                os.symlink(target, name, dir_fd=parent)
            elif stat.S_ISFIFO(mode):
                os.mkfifo(name, permissions, dir_fd=parent)
            else:
                raise OSError(EPERM, os.strerror(EPERM))
            self._known[number] = _identity(os.stat(name, dir_fd=parent, follow_symlinks=False))

    def link(self, number: int, old: bytes, new: bytes) -> None:
        """Give a file a further name."""
        with self._at(old) as (source, name), self._at(new) as (target, other):
            self._require_same(number, os.stat(name, dir_fd=source, follow_symlinks=False))
            os.link(name, other, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)

    def remove(self, number: int, path: bytes, *, folder: bool) -> None:
        """Take a name from a file or an empty directory."""
        with self._at(path) as (parent, name):
            self._require_same(number, os.stat(name, dir_fd=parent, follow_symlinks=False))
            if folder:
                os.rmdir(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)

    def rename(self, number: int, old: bytes, new: bytes, victim: int | None) -> None:
        """Move a name, over that of ``victim`` if there is one."""
        with self._at(old) as (source, name), self._at(new) as (target, other):
            self._require_same(number, os.stat(name, dir_fd=source, follow_symlinks=False))
            try:
                there = os.stat(other, dir_fd=target, follow_symlinks=False)
            except FileNotFoundError:
                there = None
            if there is not None:
                if victim is None:
                    raise OSError(EEXIST, os.strerror(EEXIST))
                self._require_same(victim, there)
            os.rename(name, other, src_dir_fd=source, dst_dir_fd=target)

    def exchange(self, number: int, old: bytes, other_number: int, new: bytes) -> None:
        """Let two names change places, by way of a third."""
        with self._at(old) as (source, name), self._at(new) as (target, other):
            self._require_same(number, os.stat(name, dir_fd=source, follow_symlinks=False))
            self._require_same(other_number, os.stat(other, dir_fd=target, follow_symlinks=False))
            between = b".lindref-%d-%d" % (os.getpid(), number)
            os.rename(name, between, src_dir_fd=source, dst_dir_fd=source)
            os.rename(other, name, src_dir_fd=target, dst_dir_fd=source)
            os.rename(between, other, src_dir_fd=source, dst_dir_fd=target)

    # Contents and what files say of themselves.

    def write(self, number: int, path: bytes, offset: int, data: bytes) -> None:
        """Put ``data`` at ``offset``."""
        fd = self._file(number, path)
        view = memoryview(data)
        while view:
            count = os.pwrite(fd, view, offset)
            if not count:
                raise OSError(ENOSPC, os.strerror(ENOSPC))
            offset += count
            view = view[count:]

    def resize(self, number: int, path: bytes, size: int) -> None:
        """Cut or extend to ``size`` bytes."""
        os.ftruncate(self._file(number, path), size)

    def sync(self, number: int, path: bytes) -> None:
        """Make durable."""
        os.fsync(self._file(number, path))

    def chmod(self, number: int, path: bytes, mode: int) -> None:
        """Set the permissions; set-id bits are not for the host."""
        with self._own(number, path) as fd:
            _set_mode(fd, mode & (0o777 | stat.S_ISVTX))

    def utime(self, number: int, path: bytes, atime: int | None, mtime: int | None) -> None:
        """Set the times, ns; None leaves one, `NOW` is the host's present."""
        with self._own(number, path) as fd:
            status = os.fstat(fd)
            now = time.time_ns()
            times = (
                status.st_atime_ns if atime is None else now if atime == NOW else atime,
                status.st_mtime_ns if mtime is None else now if mtime == NOW else mtime,
            )
            if stat.S_ISLNK(status.st_mode):
                with self._at(path) as (parent, name):
                    os.utime(name, ns=times, dir_fd=parent, follow_symlinks=False)
            else:
                os.utime(f"/proc/self/fd/{fd}", ns=times)

    # Housekeeping.

    @contextmanager
    def _at(self, path: bytes) -> Iterator[tuple[int, bytes]]:
        """A descriptor of the directory that holds the last name of ``path``, and that name."""
        folder, _, name = path.rpartition(b"/")
        parent = self._tree.open_directory(folder)
        try:
            yield parent, name
        finally:
            os.close(parent)

    @contextmanager
    def _held(self, name: bytes, parent: int) -> Iterator[tuple[int, os.stat_result]]:
        """A descriptor of what has that name, whatever it is, and what it says of itself."""
        fd = os.open(name, _PATH, dir_fd=parent)
        try:
            yield fd, os.fstat(fd)
        finally:
            os.close(fd)

    @contextmanager
    def _own(self, number: int, path: bytes) -> Iterator[int]:
        """A descriptor of file or directory ``number``, which is to be changed."""
        with self._at(path) as (parent, name), self._held(name or b".", parent) as (fd, status):
            self._require_same(number, status)
            self._require_inside(status)
            yield fd

    def _file(self, number: int, path: bytes) -> int:
        """The descriptor by which regular file ``number`` is written."""
        fd = self._open.get(number)
        if fd is None:
            with self._at(path) as (parent, name):
                fd = os.open(name, _WRITE, dir_fd=parent)
            self._keep(number, fd)
            try:
                status = os.fstat(fd)
                if not stat.S_ISREG(status.st_mode):
                    raise OSError(ENXIO, os.strerror(ENXIO))
                self._require_same(number, status)
            except OSError:
                self._shut(number)
                raise
        self._open.move_to_end(number)
        self._require_inside(os.fstat(fd))
        return fd

    def _keep(self, number: int, fd: int) -> None:
        self._shut(number)
        self._open[number] = fd
        while len(self._open) > _OPEN_MAX:
            self._shut(next(iter(self._open)))

    def _shut(self, number: int) -> None:
        fd = self._open.pop(number, None)
        if fd is not None:
            os.close(fd)

    def _require_same(self, number: int, status: os.stat_result) -> None:
        """ESTALE for what is not the file that the run knows by that number."""
        known = self._known.setdefault(number, _identity(status))
        if known != _identity(status):
            raise OSError(ESTALE, os.strerror(ESTALE))

    def _require_inside(self, status: os.stat_result) -> None:
        """EPERM for a file that has names outside the directory."""
        if stat.S_ISDIR(status.st_mode) or status.st_nlink <= 1:
            return
        key = (_identity(status), status.st_nlink)
        if key not in self._inside:
            self._inside[key] = self._tree.count_names(key[0]) >= status.st_nlink
        if not self._inside[key]:
            raise OSError(EPERM, os.strerror(EPERM))


def _set_mode(fd: int, mode: int) -> None:
    """Set the permissions of what a descriptor, which need not be open for anything, refers to."""
    if stat.S_ISLNK(os.fstat(fd).st_mode):
        return
    os.chmod(f"/proc/self/fd/{fd}", mode)


def _identity(status: os.stat_result) -> Identity:
    return status.st_dev, status.st_ino


__all__ = ["NOW", "HostWriter"]

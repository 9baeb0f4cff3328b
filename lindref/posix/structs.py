"""Layouts of the structures that calls exchange with guest memory, as data: packing, unpacking and showing share them.

The wire forms are those of the guest ABI (rawposix.md 3): i386-sized types padded so that most equal the host's. All
little endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from lindref import classes

#: Formats of integer fields: letter of `struct`, plus "" for padding.
_SIZES = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8}


@classes.frozen
class Field:
    """One field: where, how wide (a `struct` letter), how to show it.

    ``show``: ``int``, ``hex``, ``octal``, ``mode`` (a file's type and permissions), ``flags``/``enum`` with the set
    ``names``, ``signal``, ``signals`` (a set), ``handler`` (a signal's disposition) or ``fd``.
    """

    name: str
    offset: int
    format: str
    show: str = "int"
    names: str | None = None


@classes.frozen
class Layout:
    """A structure of ``size`` bytes. Bytes outside the fields are zero when packed and ignored when read."""

    name: str
    size: int
    fields: tuple[Field, ...]

    def pack(self, **values: int) -> bytes:
        """The bytes with the named fields set (others 0); values are cut to the width of their field."""
        out = bytearray(self.size)
        known = {field.name: field for field in self.fields}
        for name, value in values.items():
            field = known[name]
            width = _SIZES[field.format]
            out[field.offset : field.offset + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "little")
        return bytes(out)

    def unpack(self, data: bytes) -> dict[str, int]:
        """Field values of ``data`` (at least ``size`` bytes), in layout order."""
        return {f.name: struct.unpack_from("<" + f.format, data, f.offset)[0] for f in self.fields}


def _layout(name: str, size: int, *fields: Field) -> Layout:
    """A layout, checked to lie within its size."""
    assert all(f.offset + _SIZES[f.format] <= size for f in fields), name
    return Layout(name, size, fields)


_ALL: tuple[Layout, ...] = (
    _layout("timespec", 16, Field("tv_sec", 0, "q"), Field("tv_nsec", 8, "q")),
    _layout("timeval", 16, Field("tv_sec", 0, "q"), Field("tv_usec", 8, "q")),
    _layout(
        "itimerval",
        32,
        Field("interval_sec", 0, "q"),
        Field("interval_usec", 8, "q"),
        Field("value_sec", 16, "q"),
        Field("value_usec", 24, "q"),
    ),
    _layout(
        "sigaction",
        24,
        Field("sa_handler", 0, "I", "handler"),
        Field("sa_mask", 8, "Q", "signals"),
        Field("sa_flags", 16, "I", "flags", "sa"),
    ),
    _layout(
        "clone_args",
        88,
        Field("flags", 0, "Q", "flags", "clone"),
        Field("pidfd", 8, "Q", "hex"),
        Field("child_tid", 16, "Q", "hex"),
        Field("parent_tid", 24, "Q", "hex"),
        Field("exit_signal", 32, "Q", "signal"),
        Field("stack", 40, "Q", "hex"),
        Field("stack_size", 48, "Q", "hex"),
        Field("tls", 56, "Q", "hex"),
        Field("set_tid", 64, "Q", "hex"),
        Field("set_tid_size", 72, "Q"),
        Field("cgroup", 80, "Q"),
    ),
    _layout("rlimit", 8, Field("rlim_cur", 0, "I"), Field("rlim_max", 4, "I")),
    _layout("pair", 8, Field("first", 0, "i", "fd"), Field("second", 4, "i", "fd")),
    _layout("iovec", 16, Field("iov_base", 0, "Q", "hex"), Field("iov_len", 8, "Q")),
    _layout(
        "pollfd",
        8,
        Field("fd", 0, "i", "fd"),
        Field("events", 4, "H", "flags", "poll"),
        Field("revents", 6, "H", "flags", "poll"),
    ),
    _layout("epoll_event", 12, Field("events", 0, "I", "flags", "epoll"), Field("data", 4, "Q", "hex")),
    _layout(
        "stat",
        104,
        Field("st_dev", 0, "Q", "hex"),
        Field("st_ino", 8, "Q"),
        Field("st_mode", 16, "I", "mode"),
        Field("st_nlink", 20, "I"),
        Field("st_uid", 24, "I"),
        Field("st_gid", 28, "I"),
        Field("st_rdev", 32, "Q", "hex"),
        Field("st_size", 40, "q"),
        Field("st_blksize", 48, "i"),
        Field("st_blocks", 52, "I"),
        Field("st_atime", 56, "q"),
        Field("st_atime_nsec", 64, "q"),
        Field("st_mtime", 72, "q"),
        Field("st_mtime_nsec", 80, "q"),
        Field("st_ctime", 88, "q"),
        Field("st_ctime_nsec", 96, "q"),
    ),
    _layout(
        "statfs",
        112,
        Field("f_type", 0, "Q", "hex"),
        Field("f_bsize", 8, "Q"),
        Field("f_blocks", 16, "Q"),
        Field("f_bfree", 24, "Q"),
        Field("f_bavail", 32, "Q"),
        Field("f_files", 40, "Q"),
        Field("f_ffree", 48, "Q"),
        Field("f_fsid", 56, "Q", "hex"),
        Field("f_namelen", 64, "Q"),
        Field("f_frsize", 72, "Q"),
    ),
    _layout(
        "flock",
        32,
        Field("l_type", 0, "h", "enum", "lock-type"),
        Field("l_whence", 2, "h", "enum", "whence"),
        Field("l_start", 8, "q"),
        Field("l_len", 16, "q"),
        Field("l_pid", 24, "i"),
    ),
    _layout(
        "msghdr",
        56,
        Field("msg_name", 0, "Q", "hex"),
        Field("msg_namelen", 8, "I"),
        Field("msg_iov", 16, "Q", "hex"),
        Field("msg_iovlen", 24, "Q"),
        Field("msg_control", 32, "Q", "hex"),
        Field("msg_controllen", 40, "Q"),
        Field("msg_flags", 48, "I", "flags", "msg"),
    ),
    _layout(
        "shmid_ds",
        80,
        Field("key", 0, "I", "hex"),
        Field("uid", 4, "I"),
        Field("gid", 8, "I"),
        Field("cuid", 12, "I"),
        Field("cgid", 16, "I"),
        Field("mode", 20, "H", "octal"),
        Field("seq", 24, "H"),
        Field("segsz", 36, "I"),
        Field("atime", 40, "q"),
        Field("dtime", 48, "q"),
        Field("ctime", 56, "q"),
        Field("cpid", 64, "I"),
        Field("lpid", 68, "I"),
        Field("nattch", 72, "I"),
    ),
)

#: The layouts by name.
LAYOUTS: Mapping[str, Layout] = {layout.name: layout for layout in _ALL}

TIMESPEC = LAYOUTS["timespec"]
TIMEVAL = LAYOUTS["timeval"]
ITIMERVAL = LAYOUTS["itimerval"]
SIGACTION = LAYOUTS["sigaction"]
CLONE_ARGS = LAYOUTS["clone_args"]
RLIMIT = LAYOUTS["rlimit"]
PAIR = LAYOUTS["pair"]
IOVEC = LAYOUTS["iovec"]
POLLFD = LAYOUTS["pollfd"]
EPOLL_EVENT = LAYOUTS["epoll_event"]
STAT = LAYOUTS["stat"]
STATFS = LAYOUTS["statfs"]
FLOCK = LAYOUTS["flock"]
MSGHDR = LAYOUTS["msghdr"]
SHMID_DS = LAYOUTS["shmid_ds"]

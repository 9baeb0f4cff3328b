"""Faults of descriptors, pipes, sockets and polling."""

from __future__ import annotations

from typing import Any

from lindref.conformance.mutants import patch
from lindref.conformance.mutants.patch import Mutant
from lindref.posix import descriptors, errno, fdtable, openfile, signals
from lindref.posix.call import Call
from lindref.posix.fs import inodes
from lindref.posix.fs.numbers import O_APPEND, O_CLOEXEC, O_NONBLOCK
from lindref.posix.kernel import IdKind, Kernel
from lindref.posix.openfile import KINDS, POLLHUP, OpenFile
from lindref.posix.result import Done, Result, Wait
from lindref.state.records import replace

_FD, _PIPE, _NET = ("fd.*",), ("pipe.*",), ("net.*",)
_FAMILY = ("family", "files", "pipes", "threads")


def _second_free(old: Any, kernel: Kernel, cage: int, start: int = 0) -> int | None:
    first = old(kernel, cage, start)
    return None if first is None else old(kernel, cage, first + 1)


def _own_description(kernel: Kernel, call: Call, value: int) -> int:
    """A duplicate gets an offset of its own."""
    found = fdtable.find(kernel, call.target, value)
    if found is not None and found.file.kind == "file":
        number = kernel.new_id(IdKind.DESCRIPTION)
        kernel.descriptions = kernel.descriptions.set(number, replace(found.file, refs=1))
        openfile.change(kernel, found.number, refs=found.file.refs - 1)
        inodes.pin(kernel, found.file.inode)
        held = kernel.cages[call.target]
        kernel.update(call.target, fds=held.fds.set(value, replace(found.entry, description=number)))
    return value


def _cloexec(kernel: Kernel, call: Call, value: int) -> int:
    if value in kernel.cages[call.target].fds:
        fdtable.set_cloexec(kernel, call.target, value, on=True)
    return value


def _child_loses_last(old: Any, kernel: Kernel, parent: int, child: int) -> None:
    old(kernel, parent, child)
    last = max(kernel.cages[child].fds, default=-1)
    if last > 2:
        fdtable.remove(kernel, child, last)


def _nothing(old: Any, *args: Any, **named: Any) -> None:
    del old, args, named


def _waits_no_more(old: patch.Handler, kernel: Kernel, call: Call) -> Result:
    """An empty pipe reads as its end."""
    result = old(kernel, call)
    found = patch.opened(kernel, call)
    if found is None or found.file.kind != "pipe":
        return result
    empty = isinstance(result, Wait) or (isinstance(result, Done) and result.value == -errno.EAGAIN)
    return Done(0) if empty else result


def _never_ends(old: patch.Handler, kernel: Kernel, call: Call) -> Result:
    """The end of a pipe is EAGAIN."""
    result = old(kernel, call)
    found = patch.opened(kernel, call)
    ended = isinstance(result, Done) and result.value == 0 and call.value(2) > 0
    return Done(-errno.EAGAIN) if ended and found is not None and found.file.kind == "pipe" else result


def _swapped(kernel: Kernel, call: Call, value: int) -> int:
    from lindref.posix import usermem

    data = usermem.copy_in(kernel, call.value(0), 8)
    if data is not None:
        usermem.copy_out(kernel, call.value(0), data[4:] + data[:4])
    return value


def _no_hangup(old: Any, kernel: Kernel, number: int, file: OpenFile) -> int:
    bits: int = old(kernel, number, file)
    return bits & ~POLLHUP


def _ready(old: Any, kernel: Kernel, number: int, file: OpenFile) -> int:
    bits: int = old(kernel, number, file)
    return bits | openfile.POLLIN


_GETFL, _SETFL, _DUPFD, _SETFD = 3, 4, 0, 2

MUTANTS = (
    Mutant(
        "fd-not-lowest",
        "descriptors",
        "a new descriptor is the second lowest",
        patch.function(fdtable, "lowest_free", _second_free),
        _FAMILY,
        _FD,
    ),
    Mutant(
        "dup-own-offset",
        "descriptors",
        "dup makes a description of its own",
        patch.answers("dup", _own_description),
        _FAMILY,
        _FD,
    ),
    Mutant("dup-keeps-cloexec", "descriptors", "dup sets close-on-exec", patch.answers("dup", _cloexec), _FAMILY, _FD),
    Mutant("dup2-does-nothing", "descriptors", "dup2 leaves the target as it was", patch.undone("dup2"), _FAMILY, _FD),
    Mutant(
        "dup3-loses-cloexec",
        "descriptors",
        "dup3 does not set close-on-exec",
        patch.argument("dup3", 2, lambda n: n & ~O_CLOEXEC),
        _FAMILY,
        _FD,
    ),
    Mutant(
        "dup-errno",
        "descriptors",
        "dup of what is not open is EINVAL",
        patch.error("dup", errno.EBADF, errno.EINVAL),
        _FAMILY,
        _FD,
    ),
    Mutant("close-leaks", "descriptors", "close leaves the descriptor open", patch.undone("close"), _FAMILY, _FD),
    Mutant(
        "close-twice",
        "descriptors",
        "close of what is not open works",
        patch.error("close", errno.EBADF, 0),
        _FAMILY,
        _FD,
    ),
    Mutant(
        "dupfd-ignores-least",
        "descriptors",
        "F_DUPFD takes any free number",
        patch.argument("fcntl", 2, lambda _: 0, patch.command(_DUPFD)),
        _FAMILY,
        ("fd.fcntl*",),
    ),
    Mutant(
        "setfd-lost",
        "descriptors",
        "F_SETFD does nothing",
        patch.undone("fcntl", patch.command(_SETFD)),
        _FAMILY,
        ("fd.*",),
    ),
    Mutant(
        "getfl-loses-append",
        "descriptors",
        "F_GETFL leaves O_APPEND out",
        patch.answers("fcntl", lambda _k, c, n: n & ~O_APPEND if c.i32(1) == _GETFL else n),
        _FAMILY,
        ("fd.fcntl*", "fd.*"),
    ),
    Mutant(
        "setfl-lost",
        "descriptors",
        "F_SETFL does nothing",
        patch.undone("fcntl", patch.command(_SETFL)),
        _FAMILY,
        ("fd.fcntl*", "pipe.*"),
    ),
    Mutant(
        "exec-keeps-cloexec",
        "descriptors",
        "exec leaves close-on-exec descriptors open",
        patch.hook(descriptors.HOOKS, "execed", _nothing),
        (),
        ("fd.*exec*", "proc.exec*", "fd.*"),
    ),
    Mutant(
        "fork-loses-descriptor",
        "descriptors",
        "a child has not its parent's last descriptor",
        patch.hook(descriptors.HOOKS, "fork", _child_loses_last),
        ("family",),
        ("fd.*fork*", "pipe.fork*", "proc.*"),
    ),
    Mutant(
        "pipe-empty-is-end",
        "pipes",
        "an empty pipe reads as its end",
        patch.call("read", _waits_no_more),
        ("pipes",),
        _PIPE,
    ),
    Mutant(
        "pipe-never-ends", "pipes", "the end of a pipe is EAGAIN", patch.call("read", _never_ends), ("pipes",), _PIPE
    ),
    Mutant(
        "pipe-ends-swapped",
        "pipes",
        "pipe2 gives the ends the wrong way round",
        patch.answers("pipe2", _swapped),
        ("pipes",),
        _PIPE,
    ),
    Mutant(
        "pipe2-blocks",
        "pipes",
        "O_NONBLOCK of pipe2 is lost",
        patch.argument("pipe2", 1, lambda n: n & ~O_NONBLOCK),
        ("pipes",),
        _PIPE,
    ),
    Mutant(
        "no-sigpipe",
        "pipes",
        "EPIPE sends no signal",
        patch.function(signals, "broken_pipe", _nothing),
        ("pipes",),
        ("pipe.*", "sig.*pipe*"),
    ),
    Mutant(
        "epipe-errno",
        "pipes",
        "writing without readers is EIO",
        patch.error("write", errno.EPIPE, errno.EIO),
        ("pipes",),
        ("pipe.*",),
    ),
    Mutant(
        "pipe-seeks",
        "pipes",
        "lseek on a pipe works",
        patch.error("lseek", errno.ESPIPE, 0),
        ("pipes",),
        ("pipe.*", "io.*"),
    ),
    Mutant("shutdown-lost", "sockets", "shutdown does nothing", patch.undone("shutdown"), ("sockets",), _NET),
    Mutant(
        "refused-as-timeout",
        "sockets",
        "nobody listening is ETIMEDOUT",
        patch.error("connect", errno.ECONNREFUSED, errno.ETIMEDOUT),
        ("sockets",),
        _NET,
    ),
    Mutant(
        "peek-takes",
        "sockets",
        "MSG_PEEK takes what it shows",
        patch.argument("recvfrom", 3, lambda n: n & ~2),
        ("sockets",),
        _NET,
    ),
    Mutant(
        "bind-twice",
        "sockets",
        "an address in use can be bound",
        patch.error("bind", errno.EADDRINUSE, 0),
        ("sockets",),
        _NET,
    ),
    Mutant(
        "not-connected-errno",
        "sockets",
        "the peer of what is not connected is EINVAL",
        patch.error("getpeername", errno.ENOTCONN, errno.EINVAL),
        ("sockets",),
        _NET,
    ),
    Mutant(
        "getsockopt-value",
        "sockets",
        "getsockopt gives one more",
        patch.pokes("getsockopt", 3, 0, 4, lambda n: n + 1),
        ("sockets",),
        _NET,
    ),
    Mutant(
        "accept4-blocks",
        "sockets",
        "accept4 loses its flags",
        patch.argument("accept4", 3, lambda _: 0),
        ("sockets",),
        _NET,
    ),
    Mutant(
        "socketpair-one-way",
        "sockets",
        "the second socket of a pair is the first",
        patch.pokes("socketpair", 3, 4, 4, lambda n: n - 1),
        ("sockets",),
        _NET,
    ),
    Mutant(
        "poll-count",
        "polling",
        "poll counts one too many",
        patch.answers("poll", lambda _k, _c, n: n + 1 if n else 0),
        ("pipes", "sockets"),
        ("poll.*",),
    ),
    Mutant(
        "poll-no-hangup",
        "polling",
        "a pipe without writers does not hang up",
        patch.function(KINDS["pipe"], "ready", _no_hangup),
        ("pipes",),
        ("poll.*",),
    ),
    Mutant(
        "poll-always-readable",
        "polling",
        "an empty pipe can be read",
        patch.function(KINDS["pipe"], "ready", _ready),
        ("pipes",),
        ("poll.*",),
    ),
    Mutant(
        "select-count",
        "polling",
        "select counts one too few",
        patch.answers("select", lambda _k, _c, n: max(n - 1, 0)),
        ("pipes", "sockets"),
        ("poll.select*", "poll.*"),
    ),
    Mutant(
        "epoll-mod-lost",
        "polling",
        "EPOLL_CTL_MOD does nothing",
        patch.undone("epoll_ctl", patch.command(3)),
        ("sockets",),
        ("poll.epoll*",),
    ),
    Mutant(
        "epoll-one-event",
        "polling",
        "epoll_wait tells at most one",
        patch.argument("epoll_wait", 2, lambda n: min(n, 1)),
        ("sockets",),
        ("poll.epoll*",),
    ),
)

"""Limits of cages: the error of the call that goes beyond, and everybody else as before. Rules LIMIT-1 to LIMIT-6."""

from __future__ import annotations

import struct

from fileworld import AUX, O_APPEND, O_CREAT, O_RDWR, O_WRONLY, Files
from networld import DGRAM, STREAM, UNIX, Net, unix

from lindref.posix.result import Done, Fork, NewThread, Wait
from lindref.posix.structs import CLONE_ARGS
from lindref.state.codec import digest

EPERM, EBADF, EAGAIN, ENOMEM, EINVAL, EMFILE, EFBIG = 1, 9, 11, 12, 22, 24, 27
FSIZE, DATA, NPROC, NOFILE, AS = 1, 2, 6, 7, 9
INFINITY = 0xFFFFFFFF


def limit(w: Files, resource: int, present: int, largest: int | None = None, cage: int = 1, pid: int = 0) -> int:
    w.put(cage, AUX, struct.pack("<II", present, present if largest is None else largest))
    return w.do("prlimit64", pid, resource, w.ptr(AUX, cage), 0, cage=cage)


def held(w: Files, resource: int, cage: int = 1) -> tuple[int, int]:
    assert w.do("prlimit64", 0, resource, 0, w.ptr(AUX, cage), cage=cage) == 0
    present, largest = struct.unpack("<II", w.get(cage, AUX, 8))
    return present, largest


def clone(w: Files, flags: int = 0, cage: int = 1) -> object:
    w.put(cage, 0x80, CLONE_ARGS.pack(flags=flags, stack=0x9000, stack_size=0x1000))
    return w.call("clone", w.ptr(0x80, cage), 1, cage=cage)


def test_descriptors():
    """LIMIT-1."""
    w = Net()
    low, high = w.pipe()
    assert (low, high) == (3, 4)
    assert limit(w, NOFILE, 4) == 0
    assert w.open("/w") == -EMFILE
    assert w.do("dup", 0) == -EMFILE
    assert w.do("socket", UNIX, STREAM, 0) == -EMFILE
    assert w.do("pipe", w.ptr(AUX)) == -EMFILE
    assert w.do("epoll_create1", 0) == -EMFILE
    assert w.do("dup2", 0, 4) == -EBADF
    assert w.do("dup2", 0, 3) == 3
    assert w.fcntl(0, 0, 4) == -EINVAL
    assert w.fcntl(0, 0, 1) == -EMFILE
    assert w.write(high, b"x") == -32  # the reader went with dup2
    assert w.do("poll", w.ptr(AUX), 5, 0) == -EINVAL
    w.do("close", 3)
    assert w.do("dup", 0) == 3
    assert w.open("/w") == -EMFILE
    assert limit(w, NOFILE, 10, 1024) == 0
    assert w.open("/w") == 5
    assert limit(w, NOFILE, 10, 1025) == -EPERM
    assert limit(w, NOFILE, 11, 10) == -EINVAL


def test_cages_and_threads():
    """LIMIT-2, LIMIT-5: children and threads of each cage alone."""
    w = Files()
    child = w.fork()
    assert limit(w, NPROC, 3) == 0
    assert isinstance(clone(w, 0x100), NewThread)
    assert clone(w, 0x100) == clone(w) == w.call("clone", w.ptr(0x80), 1)
    result = clone(w)
    assert isinstance(result, Done)
    assert result.value == -EAGAIN
    # The child, made before the limit, is free to.
    assert held(w, NPROC, child) == (2048, 2048)
    assert isinstance(clone(w, cage=child), Fork)
    w.exit(child)
    w.do("wait4", child, 0, 0)
    assert isinstance(clone(w), Fork)


def test_memory():
    """LIMIT-3."""
    w = Files()
    mapped = sum(mapping.count for mapping in w.kernel.cages[1].vmmap.values()) * 4096
    assert limit(w, AS, mapped + 3 * 4096) == 0
    assert w.do("mmap", 0, 4 * 4096, 3, 0x22, -1, 0) == -ENOMEM
    at = w.do("mmap", 0, 2 * 4096, 3, 0x22, -1, 0) & 0xFFFFFFFF
    brk = w.do("brk", 0)
    assert w.do("brk", brk + 2 * 4096) == -ENOMEM
    assert w.do("brk", brk + 4096) == brk + 4096
    assert w.do("munmap", w.ptr(at), 2 * 4096) == 0
    assert w.do("mmap", 0, 2 * 4096, 3, 0x22, -1, 0) != -ENOMEM
    w = Files()
    brk = w.do("brk", 0)
    assert limit(w, DATA, 4096) == 0
    assert w.do("brk", brk + 4097) == -ENOMEM
    assert w.do("brk", brk + 4096) == brk + 4096
    assert w.do("mmap", 0, 4 << 20, 3, 0x22, -1, 0) != -ENOMEM


def test_file_size():
    """LIMIT-4."""
    w = Files()
    w.do("rt_sigprocmask", 2, w.text(b"\xff" * 7, 0x6000), 0)
    fd = w.open("/f", O_CREAT | O_RDWR)
    assert limit(w, FSIZE, 10) == 0
    assert w.write(fd, bytes(8)) == 8
    assert w.write(fd, bytes(8)) == 2
    assert w.kernel.cages[1].pending == ()
    assert w.write(fd, bytes(8)) == -EFBIG
    assert w.kernel.cages[1].pending == (25,)
    assert w.pwrite(fd, b"x", 10) == -EFBIG
    assert w.pwrite(fd, b"xy", 9) == 1
    assert w.do("ftruncate", fd, 11) == -EFBIG
    assert w.do("ftruncate", fd, 10) == w.do("ftruncate", fd, 3) == 0
    assert w.at("truncate", "/f", 11) == -EFBIG
    assert w.write(w.open("/f", O_WRONLY | O_APPEND), bytes(20)) == 7
    pipe = w.pipe()
    assert w.write(pipe[1], bytes(20)) == 20


def test_setting():
    """LIMIT-5: inherited, kept apart, raised by user 0 alone."""
    w = Files()
    assert held(w, NOFILE) == (1024, 1024)
    assert limit(w, NOFILE, 20, 30) == 0
    child = w.fork()
    assert held(w, NOFILE, child) == (20, 30)
    assert limit(w, NOFILE, 25, 30, pid=child) == 0
    assert (held(w, NOFILE), held(w, NOFILE, child)) == ((20, 30), (25, 30))
    assert limit(w, NOFILE, 20, 40) == 0
    w.as_user(1000, 1000)
    assert limit(w, NOFILE, 20, 41) == -EPERM
    assert limit(w, NOFILE, 40, 40) == 0
    assert limit(w, 16, 1) == -EINVAL
    assert limit(w, 7, 1, pid=999) == -3
    assert limit(w, FSIZE, INFINITY) == 0


def test_floods():
    """LIMIT-6: a cage at all its bounds; another one has what it had, and can do what it could."""
    w = Net()
    other = w.fork()
    mine = {name: getattr(w.kernel.cages[other], name) for name in ("fds", "vmmap", "pending", "brk")}
    pages = digest(w.memories[other].freeze())
    low, high = w.pipe(0o4000)
    while (result := w.write(high, bytes(65536))) > 0:
        pass
    assert result == -EAGAIN
    left, right = w.pair()
    w.fcntl(right, 4, 0o4002)
    while (result := w.send(right, bytes(65536))) > 0:
        pass
    assert result == -EAGAIN
    box = w.do("socket", UNIX, DGRAM, 0)
    assert w.named("bind", box, unix(b"\0box")) == 0
    sender = w.do("socket", UNIX, DGRAM | 0o4000, 0)
    while (result := w.send(sender, b"", 0, unix(b"\0box"))) >= 0:
        pass
    assert result == -EAGAIN
    assert {low, left} < set(w.kernel.cages[1].fds)
    while (result := w.do("dup", 0)) >= 0:
        pass
    assert result == -EMFILE
    while (result := w.do("mmap", 0, 1 << 28, 3, 0x22, -1, 0) & 0xFFFFFFFF) < 0xFFFFFF00 or result % 4096 == 0:
        pass
    assert result - (1 << 32) == -ENOMEM
    assert {name: getattr(w.kernel.cages[other], name) for name in mine} == mine
    assert digest(w.memories[other].freeze()) == pages
    assert w.open("/w", cage=other) == 3
    assert w.pipe(cage=other) == (4, 5)
    assert w.write(5, b"as ever", cage=other) == 7
    assert w.read(4, 100, cage=other) == b"as ever"
    assert w.do("mmap", 0, 1 << 28, 3, 0x22, -1, 0, cage=other) & 0xFFF == 0


def test_a_full_pipe_waits():
    """LIMIT-6: where it may, the one who floods waits."""
    w = Net()
    _, high = w.pipe()
    assert w.write(high, bytes(65536)) == 65536
    assert isinstance(w.call("write", high, w.ptr(0x10000), 1), Wait)

"""Bad pointers: for every pointer parameter of every call, memory that is not there, not allowed, too short, wraps, or
is another cage's gives EFAULT, and nothing changes (ABI-8).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest
from networld import INET, STREAM, UNIX, Net, inet, unix
from world import POINTERS

from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.result import Done
from lindref.posix.structs import CLONE_ARGS, IOVEC, MSGHDR
from lindref.posix.table import CALLS
from lindref.posix.usermem import model_base
from lindref.state.codec import digest

EFAULT = 14
#: Where good arguments lie, and pages that are bad in some way.
PLACE, CONTROL, OTHER = 0x20000, 0x28000, 0x30000
READ_ONLY, NOTHING, LAST = 0x40000, 0x41000, 0xFFFFF000
#: Addresses that name a range of the map, not memory that is read or written: what is wrong with them is EINVAL.
RANGES = {("mprotect", "addr"), ("munmap", "addr"), ("shmat", "shmaddr"), ("shmdt", "shmaddr")}


class Scene(Net):
    """A world in which every call of `GOOD` succeeds or waits: files, pipes, sockets, another cage."""

    def boot(self) -> None:
        super().boot()
        self.child = self.fork()
        assert self.do("mmap", READ_ONLY, 4096, 1, 0x32, -1, 0) == READ_ONLY
        assert self.do("mmap", NOTHING, 4096, 0, 0x32, -1, 0) == NOTHING
        assert self.do("mmap", LAST, 4096, 3, 0x32, -1, 0) & 0xFFFFFFFF == LAST
        self.file("/f", b"contents")
        self.two("symlink", "/w/../f", "/l")
        self.fd = self.open("/f", 2)
        self.other = self.open("/g", 0o102)
        self.dir = self.open("/w", 0o200000)
        self.reader, self.writer = self.pipe()
        assert self.write(self.writer, b"piped") == 5
        self.left, self.right = self.pair()
        assert self.send(self.right, b"sent") == 4
        self.listener = self.server(unix(b"/sock"))
        self.client(unix(b"/sock"))
        self.unbound = self.do("socket", UNIX, STREAM, 0)
        self.inet = self.do("socket", INET, 2, 0)
        assert self.named("bind", self.inet, inet(99)) == 0
        assert self.send(self.inet, b"sent", 0, inet(99)) == 4
        self.epoll = self.do("epoll_create1", 0)
        self.put(1, PLACE, struct.pack("<IQ", 1, 7))
        assert self.do("epoll_ctl", self.epoll, 1, self.reader, self.ptr(PLACE)) == 0
        self.segment = self.do("shmget", 7, 4096, 0o1666)
        self.done = self.fork()
        self.exit(self.done, 3)

    def here(self, data: bytes, place: int = PLACE) -> int:
        """The address of ``data``."""
        self.put(1, place, data)
        return self.ptr(place)

    def message(self) -> int:
        """The address of a message header with one buffer, an address and room for control data."""
        self.put(1, CONTROL, IOVEC.pack(iov_base=self.ptr(OTHER), iov_len=4))
        return self.here(MSGHDR.pack(msg_iov=self.ptr(CONTROL), msg_iovlen=1))

    def vector(self) -> int:
        return self.here(IOVEC.pack(iov_base=self.ptr(OTHER), iov_len=4))

    def path(self, text: str, place: int = PLACE) -> int:
        return self.here(text.encode() + b"\0", place)

    def strings(self) -> int:
        self.put(1, CONTROL, b"word\0")
        return self.here(struct.pack("<QQ", self.ptr(CONTROL), 0), OTHER)


def with_attribute(w: Scene) -> int:
    assert w.do("setxattr", w.path("/f"), w.path("user.k", CONTROL), w.ptr(OTHER), 4, 0) == 0
    return w.path("/f")


def zeros(n: int) -> Callable[[Scene], int]:
    return lambda w: w.here(bytes(n))


AT = -100 & 0xFFFFFFFFFFFFFFFF
PATH = lambda w: w.path("/f")  # noqa: E731
NEW = lambda w: w.path("/new", CONTROL)  # noqa: E731
OUT = lambda w: w.ptr(OTHER)  # noqa: E731
SIZE = lambda w: w.here(struct.pack("<I", 64), CONTROL)  # noqa: E731
FD = lambda w: w.fd  # noqa: E731
TIME = lambda w: w.here(struct.pack("<QQ", 0, 0))  # noqa: E731
TIMES = lambda w: w.here(struct.pack("<QQQQ", 0, 0, 0, 0))  # noqa: E731
#: Arguments with which each call reaches its pointers; a function is asked in the scene.
GOOD: dict[str, tuple[object, ...]] = {
    "read": (lambda w: w.reader, OUT, 4),
    "write": (lambda w: w.writer, OUT, 4),
    "open": (PATH, 0, 0),
    "stat": (PATH, OUT),
    "fstat": (FD, OUT),
    "lstat": (PATH, OUT),
    "poll": (lambda w: w.here(struct.pack("<ihh", w.reader, 1, 0)), 1, 0),
    "rt_sigaction": (10, zeros(24), OUT),
    "rt_sigprocmask": (0, zeros(8), OUT),
    "ioctl": (lambda w: w.reader, 0x541B, OUT),
    "pread64": (FD, OUT, 4, 0),
    "pwrite64": (FD, OUT, 4, 0),
    "readv": (lambda w: w.reader, lambda w: w.vector(), 1),
    "writev": (lambda w: w.writer, lambda w: w.vector(), 1),
    "access": (PATH, 0),
    "pipe": (OUT,),
    "select": (1, zeros(128), lambda w: w.here(bytes(128), CONTROL), lambda w: w.here(bytes(128), OTHER), TIME),
    "shmctl": (lambda w: w.segment, 2, OUT),
    "clock_nanosleep": (1, 0, TIME, OUT),
    "setitimer": (0, TIMES, OUT),
    "connect": (lambda w: w.unbound, lambda w: w.here(unix(b"/sock\0")), 8),
    "accept": (lambda w: w.listener, OUT, SIZE),
    "sendto": (lambda w: w.inet, OUT, 4, 0, lambda w: w.here(inet(9)), 16),
    "recvfrom": (lambda w: w.inet, OUT, 4, 0x40, lambda w: w.ptr(PLACE), SIZE),
    "sendmsg": (lambda w: w.right, lambda w: w.message(), 0),
    "recvmsg": (lambda w: w.left, lambda w: w.message(), 0x40),
    "bind": (lambda w: w.unbound, lambda w: w.here(unix(b"/name\0")), 8),
    "getsockname": (lambda w: w.listener, OUT, SIZE),
    "getpeername": (lambda w: w.left, OUT, SIZE),
    "socketpair": (UNIX, STREAM, 0, OUT),
    "setsockopt": (lambda w: w.left, 1, 2, zeros(4), 4),
    "getsockopt": (lambda w: w.left, 1, 3, OUT, SIZE),
    "clone": (lambda w: w.here(CLONE_ARGS.pack()), 1),
    "execve": (PATH, lambda w: w.strings(), 0),
    "wait4": (-1, OUT, 1),
    "fcntl": (FD, 5, 0, lambda w: w.here(struct.pack("<hhiqqii", 0, 0, 0, 0, 0, 0, 0))),
    "truncate": (PATH, 0),
    "getdents64": (lambda w: w.dir, OUT, 1024),
    "getcwd": (OUT, 64),
    "chdir": (lambda w: w.path("/w"),),
    "rename": (PATH, NEW),
    "mkdir": (NEW, 0o755),
    "rmdir": (lambda w: w.path("/w"),),
    "link": (PATH, NEW),
    "unlink": (PATH,),
    "symlink": (PATH, NEW),
    "readlink": (lambda w: w.path("/l"), OUT, 64),
    "chmod": (PATH, 0o600),
    "chown": (PATH, 1, 1),
    "lchown": (PATH, 1, 1),
    "rt_sigsuspend": (zeros(8), OUT),
    "mknod": (NEW, 0o100644, 0),
    "statfs": (PATH, OUT),
    "fstatfs": (FD, OUT),
    "gethostname": (OUT, 64),
    "setxattr": (PATH, lambda w: w.path("user.k", CONTROL), OUT, 4, 0),
    "listxattr": (with_attribute, OUT, 64),
    "futex": (lambda w: w.here(bytes(4)), 3, 1, 1, OUT, 0),
    "clock_gettime": (0, OUT),
    "epoll_wait": (lambda w: w.epoll, OUT, 4, 0),
    "epoll_ctl": (lambda w: w.epoll, 1, lambda w: w.writer, lambda w: w.here(struct.pack("<IQ", 4, 1))),
    "openat": (AT, PATH, 0, 0),
    "fchownat": (AT, PATH, 1, 1, 0),
    "newfstatat": (AT, PATH, OUT, 0),
    "unlinkat": (AT, PATH, 0),
    "renameat": (AT, PATH, AT, NEW),
    "symlinkat": (PATH, AT, NEW),
    "readlinkat": (AT, lambda w: w.path("/l"), OUT, 64),
    "fchmodat": (AT, PATH, 0o600, 0),
    "faccessat": (AT, PATH, 0, 0),
    "ppoll": (lambda w: w.here(struct.pack("<ihh", w.reader, 1, 0)), 1, 0, lambda w: w.here(bytes(8), CONTROL)),
    "utimensat": (AT, PATH, lambda w: w.here(bytes(32), CONTROL), 0),
    "accept4": (lambda w: w.listener, OUT, SIZE, 0),
    "pipe2": (OUT, 0),
    "preadv": (FD, lambda w: w.vector(), 1, 0),
    "pwritev": (FD, lambda w: w.vector(), 1, 0),
    "prlimit64": (0, 7, 0, OUT),
    "renameat2": (AT, PATH, AT, NEW, 0),
    "getrandom": (OUT, 16, 0),
    "copy_file_range": (FD, zeros(8), lambda w: w.other, lambda w: w.here(bytes(8), CONTROL), 4, 0),
}
#: The same call with other arguments, where one set does not reach all pointers.
MORE: dict[tuple[str, str], tuple[object, ...]] = {
    ("execve", "envp"): (PATH, 0, lambda w: w.strings()),
    ("futex", "timeout"): (lambda w: w.here(bytes(4)), 0, 0, lambda w: w.here(bytes(16), CONTROL), 0, 0),
    ("clock_nanosleep", "remain"): (),
    ("prlimit64", "new_limit"): (0, 7, lambda w: w.here(struct.pack("<II", 64, 1024)), 0),
    ("fcntl", "arg"): (),
    ("wait4", "status"): (lambda w: w.done, OUT, 0),
}


def cases() -> Iterator[tuple[CallRow, int, Param]]:
    """Every pointer parameter there is."""
    for row in CALLS.values():
        for slot, param in enumerate(row.params):
            reached = MORE.get((row.name, param.name), GOOD.get(row.name)) != ()
            if param.kind in POINTERS and (row.name, param.name) not in RANGES and reached:
                yield row, slot, param


def bad(row: CallRow, param: Param, w: Scene) -> dict[str, int]:
    """Bad pointers by what is wrong with them; what lies before the end of the mapping is no string."""
    own = model_base(1)
    found = {
        "unmapped": own + 0xE0000000,
        "forbidden": own + NOTHING,
        "no cage": model_base(99) + 0x100,
        "no memory": 0x1234,
        "another cage": model_base(w.child) + OTHER,
        "behind": own + (1 << 32) + 0x100,
    }
    # What moves a part of a transfer where only a part can be, moves it.
    partial = row.name in ("pread64", "pwrite64") or param.kind is ParamKind.FD_SET
    if not partial and row.name != "futex":  # one byte is there, and too few
        found["wraps"] = own + (1 << 32) - 1
    if param.direction is not Direction.IN and param.kind is not ParamKind.IOVEC:
        found["read-only"] = own + READ_ONLY
    return found


#: Where the pages before the end hold no NUL, so that a string there runs out of them.
FULL = b"\xff" * 4096


@pytest.mark.parametrize(("row", "slot", "param"), [pytest.param(*c, id=f"{c[0].name}-{c[2].name}") for c in cases()])
def test_every_pointer(row: CallRow, slot: int, param: Param) -> None:
    """ABI-8, over the whole table."""
    probe = Scene()
    for what, address in bad(row, param, probe).items():
        w = Scene()
        w.put(1, LAST, FULL)
        given = MORE.get((row.name, param.name), GOOD.get(row.name))
        assert given is not None, f"no arguments for {row.name}"
        args = [value(w) if callable(value) else value for value in given]
        args[slot] = address
        before = digest(w.kernel.freeze()), *(digest(m.freeze()) for m in w.memories.values())
        result = w.call(row.name, *args)
        assert isinstance(result, Done), (what, result)
        assert result.value == -EFAULT, (what, result)
        after = digest(w.kernel.freeze()), *(digest(m.freeze()) for m in w.memories.values())
        assert after == before, what


@pytest.mark.parametrize("row", CALLS.values(), ids=lambda row: row.name)
def test_good_pointers_are_good(row: CallRow) -> None:
    """The arguments above fail for no other reason."""
    if row.name not in GOOD:
        assert not any(param.kind in POINTERS and (row.name, param.name) not in RANGES for param in row.params)
        return
    for given in [GOOD[row.name], *(args for (name, _), args in MORE.items() if name == row.name and args)]:
        w = Scene()
        args = [value(w) if callable(value) else value for value in given]
        result = w.call(row.name, *args)
        assert not isinstance(result, Done) or result.value >= 0 or row.name in ("execve", "futex"), result


def test_memory_of_other_cages() -> None:
    """ABI-8, PTR-FLAT: who owns an argument may be reached, others not; as recorded everybody may be."""
    w = Scene()
    elsewhere = model_base(w.child) + OTHER
    assert w.do("write", w.writer, elsewhere, 4) == -EFAULT
    from lindref.posix.call import Arg, Call

    pairs = (Arg(w.writer, 1), Arg(elsewhere, w.child), Arg(4, 1), *(Arg(0, 1),) * 3)
    assert w.kernel.call(Call(1, 1, 1, pairs)) == Done(4)
    own = tuple(Arg(arg.value, 1) for arg in pairs)
    assert w.kernel.call(Call(1, 1, 1, own, caller=w.child)) == Done(4)
    assert w.kernel.call(Call(1, 1, 1, own, caller=1), served=[w.child]) == Done(4)
    refused = w.kernel.call(Call(1, 1, 1, own, caller=1), served=[w.child + 1])
    assert isinstance(refused, Done) and refused.value == -EFAULT
    lind = Scene("lind")
    assert lind.do("write", lind.writer, model_base(lind.child) + OTHER, 4) == 4


def test_buffers_of_vectors() -> None:
    """ABI-8: pointers in what arguments point to."""
    for base in (model_base(1) + NOTHING, model_base(2) + OTHER, model_base(1) + (1 << 32) - 2, 0x1234):
        w = Scene()
        w.put(1, PLACE, IOVEC.pack(iov_base=base, iov_len=4))
        before = digest(w.kernel.freeze())
        assert w.do("readv", w.reader, w.ptr(PLACE), 1) == -EFAULT
        assert w.do("writev", w.writer, w.ptr(PLACE), 1) == -EFAULT
        w.put(1, CONTROL, MSGHDR.pack(msg_iov=w.ptr(PLACE), msg_iovlen=1))
        assert w.do("sendmsg", w.right, w.ptr(CONTROL), 0) == -EFAULT
        assert w.do("recvmsg", w.left, w.ptr(CONTROL), 0) == -EFAULT
        assert digest(w.kernel.freeze()) == before

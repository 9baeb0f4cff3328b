"""Whatever cages do, in whatever order: what is counted is what is there, and what one cage does changes nothing of
another's descriptors, maps and memory (FD-4, FD-7, INODE-1, MEM-15, LIMIT-6).
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from networld import Net, unix

from lindref.posix import processes
from lindref.posix.call import retry
from lindref.posix.fs import inodes
from lindref.posix.params import CallRow, Direction, Param, ParamKind
from lindref.posix.result import Exec, Fork, GroupEnd, NewThread, RuntimeFault, ThreadEnd, Wait
from lindref.posix.table import CALLS, NUMBERS
from lindref.state.codec import digest

#: Where each cage keeps paths, structures and room.
PATHS = {
    0x1000: b"/f",
    0x1020: b"/w/g",
    0x1040: b"/w",
    0x1060: b"/fifo",
    0x1080: b"/dev/null",
    0x10A0: b"/proc/self/fd/4",
}
STRUCTS, SPARE, SOCKET = 0x2000, 0x20000, 0x2800
#: Calls that the machine makes by rules of their own.
APART = {"clone", "exit", "exit_group", "execve", "wait4"}
ROWS = [row for row in CALLS.values() if row.name not in APART]
KINDS: dict[ParamKind, st.SearchStrategy[Any]] = {
    ParamKind.PATH: st.sampled_from(list(PATHS)).map(lambda at: ("at", at)),
    ParamKind.FD: st.integers(0, 12),
    ParamKind.DIRFD: st.just(-100) | st.integers(0, 12),
    ParamKind.SIZE: st.sampled_from([0, 1, 16, 4096, 8192]),
    ParamKind.SIGNAL: st.sampled_from([2, 10, 15, 17]),
    ParamKind.PID: st.integers(0, 4),
    ParamKind.FLAGS: st.sampled_from([0, 1, 2, 0x22, 0x12, 0x11, 0x41, 0x42, 0x800, 0x802, 0x80000]),
    ParamKind.ENUM: st.integers(0, 12),
    ParamKind.SOCKADDR: st.just(("at", SOCKET)),
}
POINTED = st.sampled_from([STRUCTS, STRUCTS + 0x100, STRUCTS + 0x200, SPARE]).map(lambda at: ("at", at)) | st.just(0)
SMALL = st.sampled_from([0, 1, 2, 3, 5, 8, 1024, 4096, 0x400000, -1])


def argument(param: Param) -> st.SearchStrategy[Any]:
    found = KINDS.get(param.kind)
    if found is not None:
        return found
    plain = param.direction is Direction.IN and param.struct is None and param.length is None
    return SMALL | POINTED if plain else POINTED


def calls(rows: list[CallRow]) -> st.SearchStrategy[tuple[CallRow, tuple[Any, ...]]]:
    return st.sampled_from(rows).flatmap(lambda r: st.tuples(st.just(r), st.tuples(*map(argument, r.params))))


FD = st.integers(0, 9).map(lambda n: ("fd", n))
PATH = st.sampled_from([0x1000, 0x1020, *PATHS]).map(lambda at: ("at", at))
ROOM = st.just(("at", SPARE))
HIGH = st.sampled_from([0x400000, 0x401000, 0x402000])
PAGES = st.sampled_from([4096, 8192])
SEGMENT = st.integers(1, 3)
#: Calls with arguments that often are right.
OFTEN: dict[str, tuple[st.SearchStrategy[Any], ...]] = {
    "open": (PATH, st.sampled_from([0, 2, 0x42, 0x441, 0x242, 0x802, 0x200000]), st.just(0o644)),
    "close": (FD,),
    "dup": (FD,),
    "dup2": (FD, st.integers(3, 14)),
    "fcntl": (FD, st.sampled_from([0, 1030]), st.integers(0, 9), st.just(0)),
    "pipe2": (ROOM, st.sampled_from([0, 0x800])),
    "socketpair": (st.just(1), st.sampled_from([1, 2, 5, 0x801]), st.just(0), ROOM),
    "socket": (st.sampled_from([1, 2]), st.sampled_from([1, 2, 0x801]), st.just(0)),
    "bind": (FD, st.just(("at", SOCKET)), st.just(8)),
    "listen": (FD, st.just(3)),
    "connect": (FD, st.just(("at", SOCKET)), st.just(8)),
    "accept4": (FD, st.just(0), st.just(0), st.just(0)),
    "sendmsg": (FD, st.just(("at", STRUCTS)), st.just(0x40)),
    "recvmsg": (FD, st.just(("at", STRUCTS)), st.just(0x40)),
    "shutdown": (FD, st.integers(0, 2)),
    "mmap": (HIGH, PAGES, st.sampled_from([1, 3]), st.sampled_from([0x31, 0x32, 0x11, 0x12, 2]), FD, st.just(0)),
    "munmap": (HIGH.map(lambda at: ("at", at)), PAGES),
    "unlink": (PATH,),
    "rename": (PATH, PATH),
    "link": (PATH, PATH),
    "mknod": (PATH, st.sampled_from([0o010644, 0o100644, 0o140644]), st.just(0)),
    "mkdir": (PATH, st.just(0o755)),
    "rmdir": (PATH,),
    "chdir": (PATH,),
    "fchdir": (FD,),
    "epoll_create1": (st.just(0),),
    "epoll_ctl": (FD, st.integers(1, 3), FD, ROOM),
    "shmget": (st.integers(1, 2), st.just(4096), st.just(0o1666)),
    "shmat": (SEGMENT, st.just(0), st.just(0)),
    "shmctl": (SEGMENT, st.just(0), st.just(0)),
    "shmdt": (st.sampled_from([0xFFFFF000, 0xFFFFE000, 0xFFFFD000]).map(lambda at: ("at", at)),),
    "read": (FD, ROOM, st.just(16)),
    "write": (FD, ROOM, st.just(16)),
    "ftruncate": (FD, st.sampled_from([0, 100, 9000])),
}
LIKELY = st.sampled_from(list(OFTEN)).flatmap(
    lambda name: st.tuples(st.just(CALLS[NUMBERS[name]]), st.tuples(*OFTEN[name]))
)


class Cages(RuleBasedStateMachine):
    """Up to four cages that do anything."""

    def __init__(self) -> None:
        super().__init__()
        self.w = Net()
        w = self.w
        for place, path in PATHS.items():
            w.put(1, place, path + b"\0")
        w.put(1, SOCKET, unix(b"/w/s\0"))
        w.file("/f", bytes(range(200)))
        w.file("/w/g", b"g")
        assert w.at("mknod", "/fifo", 0o010644, 0) == 0
        w.open("/f", 2)
        w.pair()
        # A vector, a message that carries descriptor 4, events, and the like.
        right = (20).to_bytes(8, "little") + bytes([1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0])
        w.put(1, STRUCTS + 0x200, right.ljust(24, b"\0"))
        vector = w.ptr(SPARE).to_bytes(8, "little") + (8).to_bytes(8, "little")
        w.put(1, STRUCTS + 0x100, vector)
        header = [0, 0, w.ptr(STRUCTS + 0x100), 1, w.ptr(STRUCTS + 0x200), 20, 0]
        w.put(1, STRUCTS, b"".join(n.to_bytes(8, "little") for n in header))

    # What happens.

    @property
    def living(self) -> list[int]:
        return list(self.w.kernel.cages)

    def do(self, cage: int, row: CallRow, args: tuple[Any, ...]) -> None:
        w = self.w
        fds = list(w.kernel.cages[cage].fds) or [0]
        values = [
            a if not isinstance(a, tuple) else w.ptr(a[1], cage) if a[0] == "at" else fds[a[1] % len(fds)] for a in args
        ]
        others = self.seen(cage)
        call = w.make(row.name, *values, cage=cage)
        result = w.kernel.call(call)
        for _ in range(3):
            if not isinstance(result, Wait):
                break
            call = retry(call, result.memo, interrupted=True)
            result = w.kernel.call(call)
        if isinstance(result, Wait):
            w.kernel.abandon(retry(call, result.memo))
        assert not isinstance(result, RuntimeFault | Exec | Fork | ThreadEnd | GroupEnd | NewThread)
        assert self.seen(cage) == others, row.name

    def seen(self, but: int) -> dict[int, Any]:
        """What belongs to the cages other than ``but``: descriptors, map, directory, and their own memory."""
        out: dict[int, Any] = {}
        for number, cage in self.w.kernel.cages.items():
            if number != but:
                memory = self.w.memories[number].freeze()
                own = (cage.fds, cage.vmmap, cage.cwd_inode, cage.brk, cage.actions, cage.mask, cage.limits)
                out[number] = (*map(digest, own), digest(memory))
        return out

    @rule(which=st.integers(0, 3), what=LIKELY)
    def likely(self, which: int, what: tuple[CallRow, tuple[Any, ...]]) -> None:
        self.do(self.living[which % len(self.living)], *what)

    @rule(which=st.integers(0, 3), what=LIKELY)
    def likely_too(self, which: int, what: tuple[CallRow, tuple[Any, ...]]) -> None:
        self.do(self.living[which % len(self.living)], *what)

    @rule(which=st.integers(0, 3), what=calls(ROWS))
    def seldom(self, which: int, what: tuple[CallRow, tuple[Any, ...]]) -> None:
        if what[0].name != "prlimit64":
            self.do(self.living[which % len(self.living)], *what)

    @precondition(lambda self: len(self.living) < 4)
    @rule(which=st.integers(0, 3))
    def fork(self, which: int) -> None:
        self.w.fork(self.living[which % len(self.living)])

    @precondition(lambda self: len(self.living) > 1)
    @rule(which=st.integers(0, 3))
    def leave(self, which: int) -> None:
        cage = self.living[1:][which % (len(self.living) - 1)]
        others = self.seen(cage)
        self.w.exit(cage)
        assert self.seen(cage) == others

    @rule(which=st.integers(0, 3))
    def exec(self, which: int) -> None:
        cage = self.living[which % len(self.living)]
        others = self.seen(cage)
        processes.execed(self.w.kernel, cage, ())
        keep = {place: self.w.get(cage, place, 64) for place in (*PATHS, STRUCTS, STRUCTS + 0x100, SOCKET)}
        self.w.load(cage)
        for place, data in keep.items():
            self.w.put(cage, place, data)
        assert self.seen(cage) == others

    # What is counted.

    @invariant()
    def descriptions(self) -> None:
        kernel = self.w.kernel
        counted: Counter[int] = Counter()
        for cage in kernel.cages.values():
            counted.update(entry.description for entry in cage.fds.values())
        for socket in kernel.sockets.values():
            for message in socket.inbox:
                counted.update(message.rights)
        assert {number: file.refs for number, file in kernel.descriptions.items()} == dict(counted)

    @invariant()
    def pins(self) -> None:
        kernel = self.w.kernel
        counted: Counter[int] = Counter()
        counted.update(file.inode for file in kernel.descriptions.values())
        counted[kernel.host_cwd] += 1
        for cage in kernel.cages.values():
            counted[cage.cwd_inode] += 1
            counted.update(mapping.inode for mapping in cage.vmmap.values() if mapping.inode is not None)
        counted.update(socket.file for socket in kernel.sockets.values())
        for number, inode in kernel.inodes.items():
            assert inode.pins == counted[number], (number, inode)
            assert inode.nlink or inode.pins
        assert all(inodes.exists(kernel, number) for number in counted if number)

    @invariant()
    def names(self) -> None:
        kernel = self.w.kernel
        counted: Counter[int] = Counter()
        for inode in kernel.inodes.values():
            if inode.directory is not None:
                counted.update(entry.inode for entry in inode.directory.entries.values())
        for number, inode in kernel.inodes.items():
            if not inode.is_directory:
                assert inode.nlink == counted[number], (number, inode)

    @invariant()
    def ends(self) -> None:
        """Pipes, sockets and epoll instances are there as long as a description leads to them."""
        kernel = self.w.kernel
        held = Counter((file.kind, file.object) for file in kernel.descriptions.values() if file.object)
        waiting = {number for socket in kernel.sockets.values() for number in socket.queue}
        assert {n for kind, n in held if kind == "socket"} | waiting == set(kernel.sockets)
        assert {n for kind, n in held if kind == "pipe"} == set(kernel.pipes)
        assert {n for kind, n in held if kind == "epoll"} == set(kernel.epolls)

    @invariant()
    def stores(self) -> None:
        """Page stores are there as long as a file, a mapping or a segment has them."""
        kernel = self.w.kernel
        used = {inode.backing for inode in kernel.inodes.values()}
        for cage in kernel.cages.values():
            used |= {mapping.backing for mapping in cage.vmmap.values()}
        used |= {segment.backing for segment in kernel.segments.values()}
        assert set(kernel.backings.numbers()) == used - {None}


TestCages = Cages.TestCase

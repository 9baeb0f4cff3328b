"""Descriptor tables, fcntl, ioctl, locks: rules FD-1 to FD-8, FCNTL-1 to FCNTL-6, IOCTL-1 to IOCTL-4, LOCK-1 to LOCK-7,
NAME-4.
"""

from __future__ import annotations

import pytest
from fileworld import (
    AUX,
    BUF,
    NOWHERE,
    O_APPEND,
    O_CLOEXEC,
    O_CREAT,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
    O_PATH,
    O_RDWR,
    O_WRONLY,
    Files,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lindref.posix import console, processes
from lindref.posix.call import retry
from lindref.posix.result import Done, RuntimeFault, Wait
from lindref.posix.structs import FLOCK

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
GETLK, SETLK, SETLKW, OFD_GETLK, OFD_SETLK = 5, 6, 7, 36, 37
SH, EX, NB, UN = 1, 2, 4, 8


def full(w: Files) -> None:
    """No descriptor is free."""
    w.file("/w/a", b"0123456789")
    while len(w.kernel.cages[1].fds) < 1024:
        assert w.open("/w/a") >= 0


@BOTH
def test_numbers(profile):
    """FD-1, FD-2."""
    w = Files(profile)
    w.file("/w/a")
    assert [w.open("/w/a") for _ in range(3)] == [3, 4, 5]
    w.do("close", 4)
    w.do("close", 0)
    assert w.open("/w/a") == 0
    assert w.open("/w/a") == 4
    for bad in (-1, 6, 1023, 1024, 1 << 31, (1 << 32) + 3):
        assert w.do("close", bad) == -9
        assert w.do("dup", bad) == -9


def test_full_tables():
    """FD-3, FD-FULL-PANIC, FD-FULL-LEAK, FD-FULL-AFTER, DUPFD-EBADF."""
    for profile in ("spec", "lind"):
        spec = profile == "spec"
        w = Files(profile)
        full(w)
        assert w.open("/w/a") == -24
        assert w.open("/w/new", O_CREAT) == -24
        assert w.at("access", "/w/new", 0) == (-2 if spec else 0)
        assert w.fcntl(3, 0, 0) == (-24 if spec else -9)
        assert w.do("pipe", w.ptr(AUX)) == -24
        result = w.call("dup", 3)
        assert result.value == -24 if spec else isinstance(result, RuntimeFault)
        assert w.do("dup2", 3, 5) == 5
        w.do("close", 1023)
        assert w.do("pipe", w.ptr(AUX)) == -24
        assert w.do("close", 1023) == (-9 if spec else 0)


def test_beyond_the_table():
    """FD-1 and FD-BEYOND."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        w.file("/w/a")
        fd = w.open("/w/a")
        result = w.call("dup2", fd, 1024)
        assert result.value == -9 if profile == "spec" else isinstance(result, RuntimeFault)
        assert w.do("dup2", fd, 1025) == -9
        assert w.do("dup2", fd, -1) == -9
        result = w.call("ioctl", 1024, 0x5451, 0)
        assert result.value == -9 if profile == "spec" else isinstance(result, RuntimeFault)


def test_dup_onto_itself():
    """FD-5 and DUP2-SAME."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        assert w.do("dup2", 1, 1) == 1
        assert w.do("dup2", 9, 9) == (-9 if profile == "spec" else 9)
        assert w.do("dup3", 1, 1, 0) == -22
        assert w.do("dup3", 1, 5, 1) == -22
        assert w.do("dup3", 1, 5, O_CLOEXEC) == 5
        assert w.fcntl(5, 1) == 1


@BOTH
def test_dup_closes_what_was_there(profile):
    """FD-5, FD-4, PIPE-4."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    assert w.do("dup2", 1, read_end) == read_end
    assert w.write(write_end, b"x") == -32
    assert w.do("dup2", write_end, read_end) == read_end
    assert w.kernel.descriptions[w.kernel.cages[1].fds[read_end].description].refs == 2


@BOTH
def test_who_looks_where(profile):
    """FD-1: a descriptor is looked up in the cage beside it, and made in the target."""
    from lindref.posix.call import Arg, Call

    w = Files(profile)
    child = w.fork()
    w.file("/w/a")
    assert w.open("/w/a", cage=child) == 3
    call = w.make("dup", 3)
    assert w.kernel.call(call).value == -9
    crossed = Call(call.number, 1, 1, (Arg(3, child), *call.args[1:]))
    assert w.kernel.call(crossed).value == 3
    assert 3 in w.kernel.cages[1].fds


@BOTH
def test_exec_closes(profile):
    """FD-6."""
    w = Files(profile)
    w.file("/w/a")
    kept, gone = w.open("/w/a"), w.open("/w/a", O_CLOEXEC)
    assert w.fcntl(gone, 1030, 10) == 10
    assert w.do("dup", gone) == 5
    assert [w.fcntl(fd, 1) for fd in (kept, gone, 10, 5)] == [0, 1, 1, 0]
    processes.execed(w.kernel, 1, ())
    assert list(w.kernel.cages[1].fds) == [0, 1, 2, kept, 5]


# Tables against dictionaries.


class Tables(RuleBasedStateMachine):
    """Descriptors of up to three cages against dictionaries; offsets tell who shares a description (FD-2 to FD-7)."""

    profile = "spec"

    def __init__(self) -> None:
        super().__init__()
        self.w = Files(self.profile)
        self.w.file("/w/a", b"x" * 1000)
        self.cages: dict[int, dict[int, list]] = {1: {fd: [None, False] for fd in range(3)}}
        self.opened = 0

    def pick(self, who: int) -> tuple[int, dict[int, list]]:
        cage = sorted(self.cages)[who % len(self.cages)]
        return cage, self.cages[cage]

    def free(self, table: dict, start: int = 0) -> int:
        return min(set(range(start, start + 50)) - set(table))

    who = st.integers(0, 9)
    fds = st.integers(-1, 12)

    @rule(who=who, cloexec=st.booleans())
    def open_(self, who: int, cloexec: bool) -> None:
        cage, table = self.pick(who)
        if len(table) < 12:
            fd = self.w.open("/w/a", cloexec * O_CLOEXEC, cage=cage)
            assert fd == self.free(table)
            self.opened += 1
            self.w.do("lseek", fd, self.opened, 0, cage=cage)
            table[fd] = [[self.opened], cloexec]

    @rule(who=who, fd=fds)
    def close(self, who: int, fd: int) -> None:
        cage, table = self.pick(who)
        assert self.w.do("close", fd, cage=cage) == (0 if fd in table else -9)
        table.pop(fd, None)

    @rule(who=who, fd=fds)
    def dup(self, who: int, fd: int) -> None:
        cage, table = self.pick(who)
        expected = self.free(table) if fd in table else -9
        assert self.w.do("dup", fd, cage=cage) == expected
        if expected >= 0:
            table[expected] = [table[fd][0], False]

    @rule(who=who, fd=fds, new=fds, flags=st.sampled_from([None, 0, O_CLOEXEC]))
    def dup2(self, who: int, fd: int, new: int, flags: int | None) -> None:
        cage, table = self.pick(who)
        if flags is None:
            got = self.w.do("dup2", fd, new, cage=cage)
            lenient = self.profile == "lind" and fd == new >= 0
            assert got == (new if lenient else -9 if fd not in table or new < 0 else new)
            if fd == new or got < 0:
                return
        else:
            got = self.w.do("dup3", fd, new, flags, cage=cage)
            assert got == (-22 if fd == new else -9 if fd not in table or new < 0 else new)
            if got < 0:
                return
        table[new] = [table[fd][0], bool(flags)]

    @rule(who=who, fd=fds, start=st.integers(0, 14), cloexec=st.booleans())
    def dupfd(self, who: int, fd: int, start: int, cloexec: bool) -> None:
        cage, table = self.pick(who)
        expected = self.free(table, start) if fd in table else -9
        assert self.w.fcntl(fd, 1030 if cloexec else 0, start, cage=cage) == expected
        if expected >= 0:
            table[expected] = [table[fd][0], cloexec]

    @rule(who=who, fd=fds, on=st.booleans())
    def setfd(self, who: int, fd: int, on: bool) -> None:
        cage, table = self.pick(who)
        assert self.w.fcntl(fd, 2, int(on), cage=cage) == (0 if fd in table else -9)
        if fd in table:
            table[fd][1] = on

    @rule(who=who, fd=fds, to=st.integers(0, 900))
    def seek(self, who: int, fd: int, to: int) -> None:
        cage, table = self.pick(who)
        if fd in table and table[fd][0] is not None:
            assert self.w.do("lseek", fd, to, 0, cage=cage) == to
            table[fd][0][0] = to

    @precondition(lambda self: len(self.cages) < 3)
    @rule(who=who)
    def fork(self, who: int) -> None:
        cage, table = self.pick(who)
        self.cages[self.w.fork(cage)] = {fd: list(entry) for fd, entry in table.items()}

    @rule(who=who)
    def exec_(self, who: int) -> None:
        cage, table = self.pick(who)
        processes.execed(self.w.kernel, cage, ())
        self.w.load(cage)
        self.cages[cage] = {fd: entry for fd, entry in table.items() if not entry[1]}

    @precondition(lambda self: len(self.cages) > 1)
    @rule(who=who)
    def exit_(self, who: int) -> None:
        cage, _ = self.pick(who)
        if cage != 1:
            self.w.exit(cage)
            del self.cages[cage]

    @invariant()
    def same(self) -> None:
        shared = {}
        for cage, table in self.cages.items():
            assert sorted(self.w.kernel.cages[cage].fds) == sorted(table)
            for fd, (held, cloexec) in table.items():
                assert self.w.fcntl(fd, 1, cage=cage) == cloexec
                if held is not None:
                    assert self.w.do("lseek", fd, 0, 1, cage=cage) == held[0]
                    shared[id(held)] = shared.get(id(held), 0) + 1
        files = [d for d in self.w.kernel.descriptions.values() if d.kind == "file"]
        assert sorted(d.refs for d in files) == sorted(shared.values())


class TablesAsRecorded(Tables):
    profile = "lind"


TestTables = Tables.TestCase
TestTables.settings = settings(stateful_step_count=40, max_examples=30)
TestTablesAsRecorded = TablesAsRecorded.TestCase
TestTablesAsRecorded.settings = settings(stateful_step_count=40, max_examples=15)


# fcntl and ioctl.


@BOTH
def test_unknown_commands(profile):
    """FCNTL-1, FD-8."""
    w = Files(profile)
    w.file("/w/a")
    fd, path = w.open("/w/a"), w.open("/w/a", O_PATH)
    assert w.fcntl(fd, 9999) == -22
    assert w.fcntl(99, 9999) == -9
    assert w.fcntl(path, 4) == -9
    assert w.fcntl(path, 3) == O_PATH
    assert w.fcntl(path, 0) == 5


def test_minimum_out_of_range():
    """FCNTL-2 and DUPFD-EBADF."""
    for profile, expected in (("spec", -22), ("lind", -9)):
        w = Files(profile)
        assert [w.fcntl(1, 0, start) for start in (-1, 1024, 5000)] == [expected] * 3
        assert w.fcntl(1, 0, 1023) == 1023


@BOTH
def test_status_flags(profile):
    """FCNTL-3."""
    w = Files(profile)
    w.file("/w/a")
    fd = w.open("/w/a", O_RDWR | O_APPEND | O_CLOEXEC | O_CREAT)
    assert w.fcntl(fd, 3) == 0o100000 | O_RDWR | O_APPEND
    assert w.fcntl(fd, 4, O_NONBLOCK | O_DIRECT | O_WRONLY | O_CREAT | 0o20000) == 0
    assert w.fcntl(fd, 3) == 0o100000 | O_RDWR | O_NONBLOCK | O_DIRECT
    other = w.do("dup", fd)
    assert w.fcntl(other, 4, 0) == 0
    assert w.fcntl(fd, 3) == 0o100000 | O_RDWR
    read_end, _ = w.pipe()
    assert w.fcntl(read_end, 4, 0o20000) == 0
    assert w.fcntl(read_end, 3) == 0o20000
    w.as_user(1, 1)
    assert w.fcntl(fd, 4, O_NOATIME) == -1


def test_owners():
    """FCNTL-4 and FCNTL-OWN."""
    w = Files()
    read_end, _ = w.pipe()
    assert w.fcntl(read_end, 9) == 0
    assert w.fcntl(read_end, 8, 1) == 0
    assert w.fcntl(read_end, 9) == 1
    assert w.fcntl(read_end, 8, 77) == -3
    assert w.fcntl(99, 9) == -9
    w = Files("lind")
    assert (w.fcntl(99, 9), w.fcntl(99, 8, 77)) == (1000, 0)


@BOTH
def test_close_on_exec_bits(profile):
    """FCNTL-6, SETFD-ANY, IOCTL-1."""
    w = Files(profile)
    assert w.fcntl(1, 2, 1) == 0
    assert w.fcntl(1, 1) == 1
    assert w.fcntl(1, 2, 6) == 0
    assert w.fcntl(1, 1) == (0 if profile == "spec" else 1)
    assert w.do("ioctl", 1, 0x5451, 0) == 0
    assert w.fcntl(1, 1) == 1


def test_requests():
    """IOCTL-1 and IOCTL-ABORT."""
    for request in (0x5450, 0x5401, 0x1234):
        for profile in ("spec", "lind"):
            w = Files(profile)
            w.fcntl(1, 2, 1)
            result = w.call("ioctl", 1, request, 0)
            if profile == "lind":
                assert isinstance(result, RuntimeFault)
            else:
                assert result.value == (0 if request == 0x5450 else -25)
                assert w.fcntl(1, 1) == (0 if request == 0x5450 else 1)


@BOTH
def test_flags_by_ioctl(profile):
    """IOCTL-2, IOCTL-3."""
    w = Files(profile)
    w.file("/w/a", b"0123456789")
    fd, (read_end, write_end) = w.open("/w/a"), w.pipe()
    w.put(1, AUX, b"\1\0\0\0\0\0\0\0")
    assert w.do("ioctl", read_end, 0x5421, w.ptr(AUX)) == 0
    assert w.read(read_end) == -11
    assert w.do("ioctl", read_end, 0x5421, w.ptr(AUX + 4)) == 0
    assert w.fcntl(read_end, 3) == 0
    assert w.do("ioctl", read_end, 0x5421, w.ptr(NOWHERE)) == -14
    assert w.do("ioctl", fd, 0x5452, w.ptr(AUX)) == -25
    w.write(write_end, b"abc")
    w.read(fd, 4)
    for one, count in ((read_end, 3), (fd, 6)):
        assert w.do("ioctl", one, 0x541B, w.ptr(AUX)) == 0
        assert w.word(AUX) == count
    assert w.do("ioctl", fd, 0x541B, w.ptr(NOWHERE)) == -14
    assert w.do("ioctl", w.open("/w"), 0x541B, w.ptr(AUX)) == -25
    assert w.do("ioctl", 99, 0x541B, w.ptr(AUX)) == -9


def test_terminals():
    """IOCTL-4, CONS-4."""
    w = Files()
    assert w.do("ioctl", 1, 0x5413, w.ptr(AUX)) == -25
    console.set_terminal(w.kernel, 1, 50, 132)
    assert w.do("ioctl", 1, 0x5413, w.ptr(AUX)) == 0
    assert (w.word(AUX, size=2), w.word(AUX + 2, size=2)) == (50, 132)
    assert w.do("ioctl", 1, 0x5401, w.ptr(BUF)) == 0
    assert w.do("ioctl", 1, 0x5402, w.ptr(BUF)) == 0
    assert w.do("ioctl", 1, 0x5401, w.ptr(NOWHERE)) == -14
    assert w.do("ioctl", 1, 0x540F, w.ptr(AUX)) == 0
    assert w.word(AUX) == 1


# Locks.


def lock(w: Files, fd: int, command: int, kind: int, start: int = 0, length: int = 0, whence: int = 0, cage: int = 1):
    """The call, and the structure afterwards."""
    w.put(cage, BUF, FLOCK.pack(l_type=kind, l_whence=whence, l_start=start, l_len=length))
    result = w.call("fcntl", fd, command, 0, w.ptr(BUF, cage), cage=cage)
    return result, FLOCK.unpack(w.get(cage, BUF, FLOCK.size))


class Locks(RuleBasedStateMachine):
    """Record locks of three cages, byte by byte (LOCK-1, LOCK-2, LOCK-3, LOCK-6)."""

    SIZE = 12

    def __init__(self) -> None:
        super().__init__()
        self.w = Files()
        self.w.file("/w/a", b"x" * self.SIZE)
        self.fd = self.w.open("/w/a", O_RDWR)
        self.w.fork()
        self.w.fork()
        self.held: dict[int, list[int]] = {cage: [2] * self.SIZE for cage in (1, 2, 3)}  # 0 shared, 1 exclusive, 2 none

    span = st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE)).map(lambda p: (p[0], min(p[1], Locks.SIZE - p[0])))
    cages = st.integers(1, 3)

    def conflict(self, cage: int, kind: int, start: int, length: int) -> bool:
        return any(
            self.held[other][at] != 2 and 1 in (kind, self.held[other][at])
            for other in self.held
            if other != cage
            for at in range(start, start + length)
        )

    @rule(cage=cages, kind=st.integers(0, 2), span=span, waits=st.booleans())
    def set_(self, cage: int, kind: int, span: tuple[int, int], waits: bool) -> None:
        result, _ = lock(self.w, self.fd, SETLKW if waits else SETLK, kind, *span, cage=cage)
        if kind != 2 and self.conflict(cage, kind, *span):
            assert isinstance(result, Wait) if waits else result.value == -11
        else:
            assert result == Done(0)
            self.held[cage][span[0] : sum(span)] = [kind] * span[1]

    @rule(cage=cages, kind=st.integers(0, 1), span=span)
    def get(self, cage: int, kind: int, span: tuple[int, int]) -> None:
        result, told = lock(self.w, self.fd, GETLK, kind, *span, cage=cage)
        assert result == Done(0)
        if not self.conflict(cage, kind, *span):
            assert told["l_type"] == 2
            return
        owner, start, end = told["l_pid"], told["l_start"], told["l_start"] + told["l_len"]
        assert owner != cage
        assert self.held[owner][start:end] == [told["l_type"]] * (end - start)
        assert 1 in (kind, told["l_type"])
        assert start < sum(span)
        assert span[0] < end

    @rule(cage=cages)
    def close_another(self, cage: int) -> None:
        assert self.w.do("close", self.w.open("/w/a", cage=cage), cage=cage) == 0
        self.held[cage] = [2] * self.SIZE


TestLocks = Locks.TestCase
TestLocks.settings = settings(stateful_step_count=40, max_examples=30)


def test_waiting_for_a_lock():
    """LOCK-1, LOCK-3: the end of a cage gives its locks back and wakes who waits; a signal ends the wait."""
    w = Files()
    w.file("/w/a")
    fd = w.open("/w/a", O_RDWR)
    child = w.fork()
    assert lock(w, fd, SETLK, 1, cage=child)[0] == Done(0)
    w.put(1, BUF, FLOCK.pack(l_type=1))
    call = w.make("fcntl", fd, SETLKW, 0, w.ptr(BUF))
    waiting = w.kernel.call(call)
    assert isinstance(waiting, Wait)
    assert w.kernel.call(retry(call, waiting.memo, interrupted=True)) == Done(-4, restart=True)
    w.kernel.changed()
    w.exit(child)
    assert set(waiting.keys) & set(w.kernel.changed())
    assert w.kernel.call(retry(call, waiting.memo)) == Done(0)


def test_locks_are_not_inherited():
    """LOCK-3 and LOCK-HOST."""
    for profile, expected in (("spec", -11), ("lind", 0)):
        w = Files(profile)
        w.file("/w/a")
        fd = w.open("/w/a", O_RDWR)
        assert lock(w, fd, SETLK, 1)[0] == Done(0)
        child = w.fork()
        assert lock(w, fd, SETLK, 1, cage=child)[0].value == expected


def test_locks_of_descriptions():
    """LOCK-4 and OFD-EFAULT."""
    w = Files()
    w.file("/w/a")
    one, other = w.open("/w/a", O_RDWR), w.open("/w/a", O_RDWR)
    assert lock(w, one, OFD_SETLK, 1)[0] == Done(0)
    assert lock(w, other, OFD_SETLK, 0)[0].value == -11
    assert lock(w, other, OFD_GETLK, 0)[1]["l_pid"] == (1 << 32) - 1 or lock(w, other, OFD_GETLK, 0)[1]["l_pid"] == -1
    twin = w.do("dup", one)
    w.do("close", one)
    assert lock(w, other, OFD_SETLK, 0)[0].value == -11
    w.do("close", twin)
    assert lock(w, other, OFD_SETLK, 0)[0] == Done(0)
    w.put(1, BUF, FLOCK.pack(l_type=1, l_pid=5))
    assert w.fcntl(other, OFD_SETLK, 0, w.ptr(BUF)) == -22
    w = Files("lind")
    w.file("/w/a")
    assert lock(w, w.open("/w/a", O_RDWR), OFD_SETLK, 1)[0].value == -14


@BOTH
def test_what_locks_need(profile):
    """LOCK-5."""
    w = Files(profile)
    w.file("/w/a", b"0123456789")
    reader, writer = w.open("/w/a"), w.open("/w/a", O_WRONLY)
    for fd, kind, start, length, whence, expected in (
        (reader, 0, 0, 0, 0, 0), (reader, 1, 0, 0, 0, -9), (writer, 0, 0, 0, 0, -9), (writer, 1, -3, 2, 2, 0),
        (reader, 0, -1, 0, 0, -22), (reader, 0, 5, -5, 0, 0), (reader, 0, 5, -6, 0, -22), (reader, 7, 0, 0, 0, -22),
        (reader, 0, 0, 0, 9, -22), (reader, 0, (1 << 63) - 1, 2, 0, -75),
    ):
        assert lock(w, fd, SETLK, kind, start, length, whence)[0].value == expected, (fd, kind, start)
    assert w.fcntl(reader, SETLK, 0, w.ptr(NOWHERE)) == -14
    assert lock(w, reader, GETLK, 2)[0].value == -22


@BOTH
def test_flock(profile):
    """LOCK-7 and FLOCK-FD-FIRST."""
    w = Files(profile)
    w.file("/w/a")
    one, other = w.open("/w/a"), w.open("/w/a")
    assert w.do("flock", one, SH) == 0
    assert w.do("flock", other, SH) == 0
    assert w.do("flock", one, EX | NB) == -11
    assert w.do("flock", other, EX | NB) == 0  # the first lost its own by asking
    assert w.do("flock", one, SH | NB) == -11
    call = w.make("flock", one, EX)
    assert isinstance(w.kernel.call(call), Wait)
    child = w.fork()
    w.do("close", other)
    assert isinstance(w.kernel.call(call), Wait)  # the child has the description still
    assert w.do("flock", other, UN, cage=child) == 0
    assert w.kernel.call(call) == Done(0)
    assert w.do("flock", one, SH | EX) == -22
    assert w.do("flock", 99, 0) == (-22 if profile == "spec" else -9)
    assert w.do("flock", 99, SH) == -9
    assert w.do("flock", one, 32) == (0 if profile == "spec" else -22)
    assert lock(w, w.open("/w/a", O_RDWR), SETLK, 1)[0] == Done(0)  # they do not see each other

"""Opening, reading, writing, seeking, cutting: rules FILE-OPEN-1 to FILE-OPEN-10, FILE-READ-1 to FILE-READ-6,
FILE-WRITE-1 to FILE-WRITE-7, FILE-IOV-1, FILE-SEEK-1 to FILE-SEEK-4, FILE-TRUNC-1 to FILE-TRUNC-3, FILE-SYNC-1,
FILE-COPY-1.
"""

from __future__ import annotations

import pytest
from fileworld import (
    AUX,
    BEGIN,
    BUF,
    NOWHERE,
    O_APPEND,
    O_CREAT,
    O_DIRECTORY,
    O_EXCL,
    O_NOATIME,
    O_NOFOLLOW,
    O_NONBLOCK,
    O_PATH,
    O_RDWR,
    O_TMPFILE,
    O_TRUNC,
    O_WRONLY,
    Files,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from world import IMAGE

from lindref.posix.structs import IOVEC

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
END = (1 << 63) - 4096  # the longest a file can be


# Opening.


@BOTH
def test_open_makes_and_finds(profile):
    """FILE-OPEN-1, FILE-OPEN-2, NAME-3: lowest descriptor, a new description, the mode less the umask."""
    w = Files(profile)
    assert w.open("/w/a") == -2
    assert w.open("/w/a", O_CREAT | O_RDWR, 0o666) == 3
    assert w.open("/w/a") == 4
    assert w.write(3, b"abc") == 3
    assert w.read(4) == b"abc"
    assert w.fstat(3)["st_mode"] == 0o100644
    assert w.do("close", 3) == 0
    assert w.open("/w/a", 1 << 30) == 3  # a bit that means nothing


@BOTH
def test_open_exclusive(profile):
    """FILE-OPEN-3: whatever is there, a dangling link too."""
    w = Files(profile)
    assert w.two("symlink", "/nowhere", "/w/l") == 0
    assert w.open("/w/x", O_CREAT | O_EXCL) == 3
    for there in ("/w/x", "/w/l", "/w"):
        assert w.open(there, O_CREAT | O_EXCL) == -17
    assert w.open("/w/l", O_CREAT) == 4  # without O_EXCL the link is followed
    assert w.names("/") == sorted(w.names("/"), key=w.names("/").index)
    assert b"nowhere" in w.names("/")


@BOTH
def test_open_directories(profile):
    """FILE-OPEN-4, FILE-OPEN-5, FILE-READ-4."""
    w = Files(profile)
    w.file("/w/a")
    assert w.open("/w", O_WRONLY) == -21
    assert w.open("/w", O_CREAT) == -21
    assert w.open("/w/new/", O_CREAT) == -21
    assert w.open("/w/a", O_DIRECTORY) == -20
    assert w.open("/w/b", O_DIRECTORY | O_CREAT) == -22
    assert w.open("/w", O_DIRECTORY) == 3
    assert w.read(3) == -21
    assert w.write(3, b"x") == -9


@BOTH
def test_open_nofollow_and_path(profile):
    """FILE-OPEN-6, FILE-OPEN-8, FD-8."""
    w = Files(profile)
    w.file("/w/a", b"abc")
    w.two("symlink", "a", "/w/l")
    assert w.open("/w/l", O_NOFOLLOW) == -40
    assert w.open("/w/l", O_NOFOLLOW | O_PATH) == 3
    assert w.fstat(3)["st_mode"] >> 12 == 10
    assert w.open("/w/l", O_PATH) == 4
    assert w.fstat(4)["st_size"] == 3
    assert w.read(4) == -9
    assert w.write(4, b"x") == -9
    assert w.do("lseek", 4, 0, 0) == -9
    assert w.do("dup", 4) == 5
    assert w.do("fsync", 4) == -9


@BOTH
def test_open_permissions(profile):
    """FILE-OPEN-7, PERM-1: asked for at open, never again."""
    w = Files(profile)
    w.file("/w/a", b"abc", 0o600)
    w.at("chmod", "/w/a", 0o400)
    fd = w.open("/w/a", O_RDWR)  # user 0 may
    w.as_user(1000, 1000)
    assert w.open("/w/a") == -13
    w.kernel.inodes = w.kernel.inodes  # nothing else changed
    assert w.read(fd) == b"abc"
    w.as_user(0, 0)
    w.at("chown", "/w/a", 1000, 1000)
    w.as_user(1000, 1000)
    assert w.open("/w/a") >= 0
    assert w.open("/w/a", O_WRONLY) == -13
    assert w.open("/w/a", O_TRUNC) == -13
    assert w.open("/w/a", 3) == -13
    w.as_user(1, 1)
    w.at("chmod", "/w/a", 0o444)
    w.as_user(0, 0)
    w.at("chmod", "/w/a", 0o444)
    w.as_user(1, 1)
    assert w.open("/w/a", O_NOATIME) == -1


@BOTH
def test_a_file_just_made_needs_no_permission(profile):
    """FILE-OPEN-7."""
    w = Files(profile)
    w.at("chmod", "/w", 0o777)
    w.as_user(5, 5)
    fd = w.open("/w/a", O_CREAT | O_RDWR, 0)
    assert w.write(fd, b"x") == 1
    assert w.open("/w/a") == -13


@BOTH
def test_open_truncates(profile):
    """FILE-OPEN-7, INODE-1: the same file for all who have it open."""
    w = Files(profile)
    w.file("/w/a", b"abcdef")
    fd = w.open("/w/a")
    assert w.read(fd, 2) == b"ab"
    w.do("close", w.open("/w/a", O_TRUNC | O_WRONLY))
    assert w.read(fd) == b""


@BOTH
def test_unnamed_files(profile):
    """FILE-OPEN-9."""
    w = Files(profile)
    assert w.open("/w", O_TMPFILE) == -22
    w.file("/w/a")
    assert w.open("/w/a", O_TMPFILE | O_RDWR) == -20
    fd = w.open("/w", O_TMPFILE | O_RDWR, 0o600)
    assert w.write(fd, b"abc") == 3
    assert w.fstat(fd)["st_nlink"] == 0
    assert w.names("/w") == [b"a"]
    before = len(w.kernel.inodes)
    w.do("close", fd)
    assert len(w.kernel.inodes) == before - 1


@BOTH
def test_open_what_cannot_be(profile):
    """FILE-OPEN-10."""
    w = Files(profile)
    assert w.at("mknod", "/w/s", 0o140644, 0) == 0
    assert w.at("mknod", "/w/b", 0o60644, 0x0801) == 0
    assert w.at("mknod", "/w/c", 0o20644, 0x0801) == 0
    for name in "sbc":
        assert w.open(f"/w/{name}") == -6


# Reading and writing.


@BOTH
def test_access_modes(profile):
    """FILE-READ-1, FILE-WRITE-1, FILE-OPEN-1: mode 3 opens and grants neither."""
    w = Files(profile)
    w.file("/w/a", b"abc")
    for flags, reads, writes in ((0, True, False), (1, False, True), (2, True, True), (3, False, False)):
        fd = w.open("/w/a", flags)
        assert w.read(fd, 1) == (b"a" if reads else -9)
        assert w.pread(fd, 1, 0) == (b"a" if reads else -9)
        assert w.write(fd, b"a") == (1 if writes else -9)
    assert w.read(50) == -9
    assert w.read(-1) == -9
    assert w.write(1024, b"x") == -9


@BOTH
def test_what_cannot_be_written_into(profile):
    """FILE-READ-3: as far as it goes, and nothing is lost where nothing goes."""
    w = Files(profile)
    w.file("/w/a", bytes(range(200)))
    fd = w.open("/w/a")
    assert w.do("read", fd, w.ptr(NOWHERE), 5) == -14
    assert w.do("read", fd, 0, 5) == -14
    assert w.do("read", fd, w.ptr(IMAGE - 6), 11) == 6
    assert w.get(1, IMAGE - 6, 6) == bytes(range(6))
    assert w.read(fd, 3) == bytes([6, 7, 8])
    assert w.do("read", fd, w.ptr(IMAGE - 5000), 100) == 100  # across pages that are all there
    assert w.do("lseek", fd, 0, 2) == 200
    assert w.do("read", fd, w.ptr(NOWHERE), 5) == 0  # nothing to store


@BOTH
def test_what_cannot_be_read_from(profile):
    """FILE-WRITE-3."""
    w = Files(profile)
    fd = w.open("/w/a", O_CREAT | O_RDWR)
    w.put(1, IMAGE - 6, b"abcdef")
    assert w.do("write", fd, w.ptr(NOWHERE), 5) == -14
    assert w.do("write", fd, w.ptr(IMAGE - 6), 11) == 6
    assert w.content("/w/a") == b"abcdef"
    w.put(1, AUX, IOVEC.pack(iov_base=w.ptr(IMAGE - 3), iov_len=3) + IOVEC.pack(iov_base=w.ptr(NOWHERE), iov_len=3))
    assert w.do("writev", fd, w.ptr(AUX), 2) == 3
    assert w.content("/w/a") == b"abcdefdef"
    read_end, write_end = w.pipe()
    assert w.do("write", write_end, w.ptr(IMAGE - 6), 11) == -14
    assert w.write(write_end, b"pq") == 2
    assert w.do("read", read_end, w.ptr(IMAGE - 1), 2) == -14
    assert w.read(read_end) == b"pq"


@BOTH
def test_nothing(profile):
    """FILE-READ-5, FILE-WRITE-5: no bytes at all."""
    w = Files(profile)
    w.file("/w/a", b"abc")
    fd = w.open("/w/a", O_RDWR)
    assert w.do("read", fd, 0, 0) == 0
    assert w.do("write", fd, 0, 0) == 0
    read_end, write_end = w.pipe()
    assert w.do("read", read_end, 0, 0) == 0
    assert w.do("write", write_end, 0, 0) == 0


def test_reading_takes_time_of_access():
    """FILE-READ-2: only where it is not newer than the last change."""
    w = Files()
    w.file("/w/a", b"abc")
    fd = w.open("/w/a")
    for step, seen in ((10, 10), (20, 10)):
        w.kernel.now = step * 10**9
        assert w.read(fd, 1) in (b"a", b"b")
        assert w.fstat(fd)["st_atime"] == BEGIN + seen
    w.kernel.now = 30 * 10**9
    w.pwrite(w.open("/w/a", O_WRONLY), b"x", 0)
    w.kernel.now = 40 * 10**9
    w.read(fd, 1)
    assert [w.fstat(fd)[f"st_{t}time"] - BEGIN for t in "amc"] == [40, 30, 30]


@BOTH
def test_append(profile):
    """FILE-WRITE-7: at the end whatever others did, pwrite as well."""
    w = Files(profile)
    w.file("/w/a", b"abc")
    one, two = w.open("/w/a", O_APPEND | O_RDWR), w.open("/w/a", O_WRONLY)
    w.do("lseek", two, 0, 2)
    w.write(two, b"DE")
    assert w.write(one, b"f") == 1
    assert w.do("lseek", one, 0, 1) == 6
    assert w.pwrite(one, b"g", 0) == 1
    assert w.content("/w/a") == b"abcDEfg"
    assert w.pread(one, 2, 0) == b"ab"


@BOTH
def test_sparse(profile):
    """FILE-WRITE-2, META-1: a hole reads as zeros and takes no blocks."""
    w = Files(profile)
    fd = w.open("/w/a", O_CREAT | O_RDWR)
    assert w.pwrite(fd, b"end", 1 << 20) == 3
    assert w.fstat(fd)["st_size"] == (1 << 20) + 3
    assert w.fstat(fd)["st_blocks"] == 8
    assert w.pread(fd, 10, (1 << 20) - 5) == bytes(5) + b"end"
    assert w.pread(fd, 100, 4000) == bytes(100)


@BOTH
def test_the_longest_file(profile):
    """FILE-WRITE-2, FILE-TRUNC-1."""
    w = Files(profile)
    fd = w.open("/w/a", O_CREAT | O_RDWR)
    assert w.pwrite(fd, b"abc", END - 2) == 2
    assert w.pwrite(fd, b"abc", END) == -27
    assert w.fstat(fd)["st_size"] == END
    assert w.do("ftruncate", fd, END + 1) == -27
    assert w.do("ftruncate", fd, END) == 0


@BOTH
def test_set_id_bits_go(profile):
    """FILE-WRITE-6."""
    w = Files(profile)
    for mode, left in ((0o6777, 0o777), (0o2767, 0o2767), (0o2777, 0o777), (0o4700, 0o700)):
        w.as_user(0, 0)
        name = f"/w/{mode:o}"
        w.file(name)
        w.at("chmod", name, mode | 0o6)
        w.do("write", w.open(name, O_WRONLY), w.ptr(BUF), 1)
        assert w.stat(name)["st_mode"] & 0o7770 == mode & 0o7770
        w.as_user(7, 7)
        w.do("write", w.open(name, O_WRONLY), w.ptr(BUF), 1)
        assert w.stat(name)["st_mode"] & 0o7770 == left & 0o7770


@BOTH
def test_unlinked_files_live_on(profile):
    """NAME-4, INODE-1: until the last descriptor of the last cage goes."""
    w = Files(profile)
    w.file("/w/a", b"abc")
    before = len(w.kernel.inodes)
    fd = w.open("/w/a", O_RDWR)
    assert w.at("unlink", "/w/a") == 0
    assert w.open("/w/a") == -2
    child = w.fork()
    w.do("close", fd)
    assert len(w.kernel.inodes) == before
    assert w.read(fd, cage=child) == b"abc"
    assert w.write(fd, b"def", cage=child) == 3
    w.exit(child)
    assert len(w.kernel.inodes) == before - 1


# Vectors of buffers.


@BOTH
def test_vectors(profile):
    """FILE-IOV-1."""
    w = Files(profile)
    fd = w.open("/w/a", O_CREAT | O_RDWR)
    w.put(1, BUF, b"abcdefgh")
    parts = ((0, 3), (100, 0), (3, 5))
    vector = b"".join(IOVEC.pack(iov_base=w.ptr(BUF + at), iov_len=size) for at, size in parts)
    w.put(1, AUX, vector)
    assert w.do("writev", fd, w.ptr(AUX), 3) == 8
    w.put(1, BUF, bytes(8))
    assert w.do("preadv", fd, w.ptr(AUX), 3, 1) == 7
    assert w.get(1, BUF, 8) == b"bcdefgh\0"
    assert w.do("pwritev", fd, w.ptr(AUX), 1, -1) == -22
    assert w.do("readv", 50, 0, -1) == -9
    assert w.do("readv", fd, w.ptr(AUX), 1025) == -22
    assert w.do("readv", fd, w.ptr(AUX), -1) == -22
    assert w.do("readv", fd, w.ptr(NOWHERE), 1) == -14
    assert w.do("readv", fd, 0, 0) == 0
    w.put(1, AUX, IOVEC.pack(iov_base=w.ptr(BUF), iov_len=1 << 63))
    assert w.do("readv", fd, w.ptr(AUX), 1) == -22


# Offsets and lengths.


@BOTH
def test_seeking(profile):
    """FILE-SEEK-1, FILE-SEEK-2, FILE-SEEK-3."""
    w = Files(profile)
    w.file("/w/a", b"0123456789")
    fd = w.open("/w/a")
    for offset, whence, expected in (
        (4, 0, 4), (2, 1, 6), (-1, 1, 5), (-3, 2, 7), (5, 2, 15), (-16, 1, -22), (-1, 0, -22), (0, 1, 15),
        (0, 9, -22), (3, 3, 3), (3, 4, 10), (10, 3, -6), (12, 4, -6), (-1, 3, -6), (0, 1, 10),
    ):
        assert w.do("lseek", fd, offset, whence) == expected, (offset, whence)
    assert w.do("pread64", fd, w.ptr(BUF), 1, -1) == -22
    read_end, _ = w.pipe()
    assert w.do("lseek", read_end, 0, 0) == -29
    assert w.pread(read_end, 1, 0) == -29
    assert w.do("lseek", 77, 0, 0) == -9


def test_large_offsets():
    """FILE-SEEK-4 and OFFSET-TRUNC."""
    for profile, expected in (("spec", -75), ("lind", 1 << 30)):
        w = Files(profile)
        fd = w.open("/w/a", O_CREAT | O_RDWR)
        assert w.do("lseek", fd, 5 << 30, 0) == expected
        assert w.do("lseek", fd, 0, 1) == (0 if profile == "spec" else 1 << 30)
        assert w.pwrite(fd, b"x", 5 << 30) == 1
        assert w.do("lseek", fd, (1 << 31) - 1, 0) == (1 << 31) - 1


@BOTH
def test_truncating(profile):
    """FILE-TRUNC-1, FILE-TRUNC-2, FILE-TRUNC-3."""
    w = Files(profile)
    w.file("/w/a", b"0123456789")
    assert w.at("truncate", "/w/a", 4) == 0
    assert w.at("truncate", "/w/a", 8) == 0
    assert w.content("/w/a") == b"0123" + bytes(4)
    assert w.at("truncate", "/w/a", -1) == -22
    assert w.at("truncate", "/w", 0) == -21
    w.at("mknod", "/w/f", 0o10644, 0)
    assert w.at("truncate", "/w/f", 0) == -22
    assert w.do("ftruncate", w.open("/w/a"), 0) == -22
    assert w.do("ftruncate", 50, 0) == -9
    assert w.do("ftruncate", w.pipe()[1], 0) == -22
    w.as_user(9, 9)
    assert w.at("truncate", "/w/a", 0) == -13


@BOTH
def test_syncing(profile):
    """FILE-SYNC-1."""
    w = Files(profile)
    fd = w.open("/w/a", O_CREAT | O_RDWR)
    read_end, _ = w.pipe()
    for name in ("fsync", "fdatasync"):
        assert [w.do(name, one) for one in (fd, w.open("/w"), read_end, 99)] == [0, 0, -22, -9]
    assert w.do("sync_file_range", fd, 0, 10, 7) == 0
    assert w.do("sync_file_range", fd, 0, 10, 8) == -22
    assert w.do("sync_file_range", fd, -1, 10, 0) == -22
    assert w.do("sync_file_range", read_end, 0, 0, 0) == -29


@BOTH
def test_copying(profile):
    """FILE-COPY-1."""
    w = Files(profile)
    w.file("/w/a", b"hello world")
    w.file("/w/b", b"..............")
    source, target = w.open("/w/a", O_RDWR), w.open("/w/b", O_RDWR)
    cell = w.ptr(AUX)
    w.put(1, AUX, (6).to_bytes(8, "little"))
    assert w.do("copy_file_range", source, cell, target, 0, 100, 0) == 5
    assert w.word(AUX, size=8) == 11
    assert w.do("lseek", target, 0, 1) == 5
    assert w.do("lseek", source, 0, 1) == 0
    assert w.do("copy_file_range", source, 0, target, 0, 3, 0) == 3
    assert w.content("/w/b") == b"worldhel......"
    assert w.do("copy_file_range", source, 0, source, 0, 3, 0) == -22  # overlaps
    assert w.do("copy_file_range", source, 0, target, 0, 3, 1) == -22
    assert w.do("copy_file_range", source, w.ptr(NOWHERE), target, 0, 3, 0) == -14
    assert w.do("copy_file_range", w.open("/w"), 0, target, 0, 3, 0) == -21
    assert w.do("copy_file_range", w.pipe()[0], 0, target, 0, 3, 0) == -22
    assert w.do("copy_file_range", source, 0, w.open("/w/b", O_APPEND | O_WRONLY), 0, 3, 0) == -9
    assert w.do("copy_file_range", w.open("/w/a", O_WRONLY), 0, target, 0, 3, 0) == -9
    w.do("lseek", source, 0, 2)
    assert w.do("copy_file_range", source, 0, target, 0, 3, 0) == 0


# A file is bytes, descriptions have offsets.


class Contents(RuleBasedStateMachine):
    """Two files, some descriptions of them and any transfer, against byte strings and numbers."""

    profile = "spec"
    opened = Bundle("opened")

    def __init__(self) -> None:
        super().__init__()
        self.w = Files(self.profile)
        self.files = dict.fromkeys(("/w/a", "/w/b"), b"")
        self.open: dict[int, list] = {}  # descriptor -> [name, offset, append], shared by dups
        for name in self.files:
            self.w.file(name)

    def overwrite(self, name: str, at: int, data: bytes) -> None:
        old = self.files[name].ljust(at, b"\0") if data else self.files[name]
        self.files[name] = old[:at] + data + old[at + len(data) :] if data else old

    @rule(target=opened, name=st.sampled_from(["/w/a", "/w/b"]), append=st.booleans(), cut=st.booleans())
    def open_(self, name: str, append: bool, cut: bool):
        if len(self.open) > 6:
            return multiple()
        fd = self.w.open(name, O_RDWR | append * O_APPEND | cut * O_TRUNC)
        assert fd == min(set(range(3, 99)) - set(self.open))
        self.open[fd] = [name, 0, append]
        if cut:
            self.files[name] = b""
        return fd

    @rule(target=opened, fd=opened)
    def dup(self, fd: int):
        if fd not in self.open or len(self.open) > 6:
            return multiple()
        new = self.w.do("dup", fd)
        assert new == min(set(range(3, 99)) - set(self.open))
        self.open[new] = self.open[fd]
        return new

    @rule(fd=opened)
    def close(self, fd: int) -> None:
        assert self.w.do("close", fd) == (0 if fd in self.open else -9)
        self.open.pop(fd, None)

    @rule(fd=opened, data=st.binary(max_size=20), at=st.none() | st.integers(0, 9000))
    def write(self, fd: int, data: bytes, at: int | None) -> None:
        held = self.open.get(fd)
        expected = -9 if held is None else len(data)
        assert (self.w.write(fd, data) if at is None else self.w.pwrite(fd, data, at)) == expected
        if held is not None and data:
            start = len(self.files[held[0]]) if held[2] else held[1] if at is None else at
            self.overwrite(held[0], start, data)
            if at is None:
                held[1] = start + len(data)

    @rule(fd=opened, count=st.integers(0, 30), at=st.none() | st.integers(0, 9000))
    def read(self, fd: int, count: int, at: int | None) -> None:
        held = self.open.get(fd)
        got = self.w.read(fd, count) if at is None else self.w.pread(fd, count, at)
        if held is None:
            assert got == -9
            return
        start = held[1] if at is None else at
        assert got == self.files[held[0]][start : start + count]
        if at is None:
            held[1] += len(got)

    @rule(fd=opened, offset=st.integers(-50, 9000), whence=st.integers(0, 2))
    def seek(self, fd: int, offset: int, whence: int) -> None:
        held = self.open.get(fd)
        got = self.w.do("lseek", fd, offset, whence)
        if held is None:
            assert got == -9
            return
        new = (0, held[1], len(self.files[held[0]]))[whence] + offset
        assert got == (new if new >= 0 else -22)
        held[1] = new if new >= 0 else held[1]

    @rule(fd=opened, size=st.integers(0, 9000))
    def cut(self, fd: int, size: int) -> None:
        held = self.open.get(fd)
        assert self.w.do("ftruncate", fd, size) == (0 if held else -9)
        if held:
            self.files[held[0]] = self.files[held[0]][:size].ljust(size, b"\0")

    @invariant()
    def same(self) -> None:
        for name, data in self.files.items():
            assert self.w.stat(name)["st_size"] == len(data)

    def teardown(self) -> None:
        for name, data in self.files.items():
            assert self.w.content(name) == data


class ContentsAsRecorded(Contents):
    profile = "lind"


TestContents = Contents.TestCase
TestContents.settings = settings(stateful_step_count=40, max_examples=40)
TestContentsAsRecorded = ContentsAsRecorded.TestCase
TestContentsAsRecorded.settings = settings(stateful_step_count=40, max_examples=15)


def test_short_reads_are_a_choice():
    """FILE-READ-6: from a pipe half of what is there may come; never from a file."""
    w = Files()
    w.file("/w/a", b"abcdef")
    read_end, write_end = w.pipe(O_NONBLOCK)
    w.write(write_end, b"abcdef")
    w.answers = [1]
    assert w.read(read_end) == b"abc"
    assert w.read(read_end) == b"def"
    w.answers = [1]
    assert w.content("/w/a") == b"abcdef"

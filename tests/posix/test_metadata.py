"""What files say of themselves: rules META-1 to META-8, XATTR-1, XATTR-2."""

from __future__ import annotations

import pytest
from fileworld import AUX, BEGIN, BUF, NOWHERE, O_CREAT, O_NOFOLLOW, O_PATH, O_RDWR, Files

from lindref.posix.result import RuntimeFault
from lindref.posix.structs import STATFS, TIMESPEC

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
NOW, OMIT = (1 << 30) - 1, (1 << 30) - 2
NOFOLLOW, EMPTY = 0x100, 0x1000


@BOTH
def test_stat(profile):
    """META-1: all forms say the same of one file."""
    w = Files(profile)
    w.kernel.now = 7 * 10**9 + 5
    w.file("/w/a", b"x" * 5000, 0o640)
    w.two("symlink", "a", "/w/l")
    shown = w.stat("/w/a")
    assert (shown["st_mode"], shown["st_size"], shown["st_nlink"], shown["st_blocks"]) == (0o100640, 5000, 1, 16)
    assert (shown["st_mtime"], shown["st_mtime_nsec"], shown["st_blksize"]) == (BEGIN + 7, 5, 4096)
    assert w.stat("/w/l") == shown == w.fstat(w.open("/w/a"))
    assert w.do("newfstatat", -100, w.text("/w/l"), w.ptr(AUX), 0) == 0
    assert w.lstat("/w/l")["st_mode"] == 0o120777
    assert w.do("newfstatat", -100, w.text("/w/l"), w.ptr(AUX), NOFOLLOW) == 0
    assert w.word(AUX + 16) == 0o120777
    fd = w.open("/w/l", O_PATH | O_NOFOLLOW)
    assert w.do("newfstatat", fd, w.text(""), w.ptr(AUX), EMPTY) == 0
    assert w.word(AUX + 16) == 0o120777
    assert w.stat("/w")["st_size"] == 4096


@BOTH
def test_what_has_no_inode(profile):
    """META-1."""
    w = Files(profile)
    read_end, write_end = w.pipe()
    one, other = w.fstat(read_end), w.fstat(write_end)
    assert one == other
    assert one["st_mode"] == 0o10600
    assert one["st_ino"] != w.fstat(w.pipe()[0])["st_ino"]
    assert w.fstat(1)["st_mode"] >> 12 == 1


def test_places_for_results():
    """META-2 and PTR-CRASH."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        for name in ("stat", "lstat", "statfs"):
            result = w.call(name, w.text("/w"), w.ptr(NOWHERE))
            assert result.value == -14 if profile == "spec" else isinstance(result, RuntimeFault)
        assert w.at("stat", "/w/none", w.ptr(NOWHERE)) == -2


@BOTH
def test_unknown_flags(profile):
    """META-3."""
    w = Files(profile)
    w.file("/w/a")
    for name, rest in (
        ("newfstatat", (w.ptr(AUX), 0x8)), ("faccessat", (0, 0x8)), ("fchmodat", (0o644, 0x8)),
        ("fchownat", (0, 0, 0x8)), ("utimensat", (0, 0x8)),
    ):
        assert w.do(name, -100, w.text("/w/a"), *rest) == -22, name


@BOTH
def test_access(profile):
    """META-4."""
    w = Files(profile)
    w.file("/w/a", mode=0o640)
    assert [w.at("access", "/w/a", wish) for wish in (0, 2, 4, 6, 1, 8, -1)] == [0, 0, 0, 0, -13, -22, -22]
    assert w.do("faccessat", -100, w.text("/w/a"), 8, 0) == -22
    w.as_user(3, 3)
    assert [w.at("access", "/w/a", wish) for wish in (0, 4)] == [0, -13]


@BOTH
def test_chmod(profile):
    """META-5, FCHMODAT-NOFOLLOW."""
    w = Files(profile)
    w.file("/w/a")
    w.two("symlink", "a", "/w/l")
    w.kernel.now = 10**9
    assert w.at("chmod", "/w/l", 0o177777) == 0
    assert w.stat("/w/a")["st_mode"] == 0o107777
    assert w.stat("/w/a")["st_ctime"] == BEGIN + 1
    assert w.do("fchmod", w.open("/w/a"), 0o600) == 0
    assert w.do("fchmod", w.open("/w/a", O_PATH), 0o600) == -9
    assert w.do("fchmodat", -100, w.text("/w/l"), 0o600, NOFOLLOW) == -95
    assert w.do("fchmodat", -100, w.text("/w/a"), 0o640, NOFOLLOW) == (0 if profile == "spec" else -95)
    w.at("chown", "/w/a", 5, 6)
    w.as_user(5, 7)
    assert w.at("chmod", "/w/a", 0o2755) == 0
    assert w.stat("/w/a")["st_mode"] == 0o100755
    w.as_user(5, 6)
    assert w.at("chmod", "/w/a", 0o2755) == 0
    assert w.stat("/w/a")["st_mode"] == 0o102755
    w.as_user(6, 6)
    assert w.at("chmod", "/w/a", 0o755) == -1


@BOTH
def test_chmod_of_what_has_no_inode(profile):
    """META-5: both ends of a pipe are one thing, each stream and socket is its own; Linux answers so too."""
    w = Files(profile)
    ends, socket = w.pipe(), w.do("socket", 1, 1, 0)
    for fd, format_, before in ((ends[0], 0o10000, 0o600), (socket, 0o140000, 0o777), (1, 0o10000, 0o600)):
        assert w.fstat(fd)["st_mode"] == format_ | before
        assert w.do("fchmod", fd, 0o100640) == 0
        assert w.fstat(fd)["st_mode"] == format_ | 0o640
    assert w.fstat(ends[1])["st_mode"] == 0o10640
    assert w.fstat(2)["st_mode"] == 0o10600
    assert w.fstat(w.pipe()[0])["st_mode"] == 0o10600


@BOTH
def test_chown(profile):
    """META-6."""
    w = Files(profile)
    w.file("/w/a")
    w.two("symlink", "a", "/w/l")
    w.at("chmod", "/w/a", 0o6755)
    leave = (1 << 32) - 1
    assert w.at("chown", "/w/l", 10, leave) == 0
    assert [w.stat("/w/a")[f] for f in ("st_uid", "st_gid", "st_mode")] == [10, 0, 0o100755]
    assert w.at("lchown", "/w/l", 20, 21) == 0
    assert [w.lstat("/w/l")[f] for f in ("st_uid", "st_gid")] == [20, 21]
    assert w.do("fchownat", -100, w.text("/w/a"), leave, 33, 0) == 0
    w.as_user(10, 44)
    assert w.at("chown", "/w/a", 11, leave) == -1
    assert w.at("chown", "/w/a", leave, 45) == -1
    assert w.at("chown", "/w/a", leave, 44) == 0
    assert w.at("chown", "/w/l", 10, 44) == 0
    w.as_user(12, 44)
    assert w.at("chown", "/w/a", leave, leave) == 0
    assert w.at("chown", "/w/a", leave, 44) == -1


def times(w: Files, *pairs: tuple[int, int]) -> int:
    w.put(1, BUF, b"".join(TIMESPEC.pack(tv_sec=sec, tv_nsec=nsec) for sec, nsec in pairs))
    return w.ptr(BUF)


@BOTH
def test_setting_times(profile):
    """META-7."""
    w = Files(profile)
    w.file("/w/a")
    w.kernel.now = 100 * 10**9
    now = BEGIN + 100

    def shown():
        return tuple(w.stat("/w/a")[f"st_{t}time"] for t in "amc")

    assert w.do("utimensat", -100, w.text("/w/a"), times(w, (1, 5), (2, 10**9 - 1)), 0) == 0
    assert shown() == (1, 2, now)
    assert w.do("utimensat", -100, w.text("/w/a"), times(w, (0, OMIT), (0, NOW)), 0) == 0
    assert shown() == (1, now, now)
    assert w.do("utimensat", -100, w.text("/w/a"), 0, 0) == 0
    assert shown() == (now, now, now)
    assert w.do("utimensat", -100, w.text("/w/a"), times(w, (0, 10**9), (0, 0)), 0) == -22
    assert w.do("utimensat", -100, w.text("/w/a"), w.ptr(NOWHERE), 0) == -14
    assert w.do("utimensat", -100, w.text("/w/none"), times(w, (0, OMIT), (0, OMIT)), 0) == 0
    assert w.do("utimensat", -100, w.text("/w/none"), 0, 0) == -2
    fd = w.open("/w/a")
    assert w.do("utimensat", fd, 0, times(w, (3, 0), (4, 0)), 0) == 0
    assert shown() == (3, 4, now)
    assert w.do("utimensat", -100, 0, 0, 0) == (-14 if profile == "spec" else -9)
    at = w.open("/w")
    assert w.do("utimensat", at, w.text("a"), 0, 0) == (0 if profile == "spec" else -2)
    w.at("chmod", "/w/a", 0o666)
    w.as_user(9, 9)
    assert w.do("utimensat", -100, w.text("/w/a"), 0, 0) == 0
    assert w.do("utimensat", -100, w.text("/w/a"), times(w, (3, 0), (4, 0)), 0) == -1
    assert w.do("utimensat", -100, w.text("/w/a"), times(w, (0, NOW), (0, OMIT)), 0) == -1


def test_statfs():
    """META-8 and STATFS-FAKED."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        fd = w.open("/w/a", O_CREAT | O_RDWR)
        assert w.at("statfs", "/w", w.ptr(AUX)) == 0
        one = w.get(1, AUX, STATFS.size)
        assert w.do("fstatfs", fd, w.ptr(AUX)) == 0
        assert w.get(1, AUX, STATFS.size) == one
        fields = STATFS.unpack(one)
        assert (fields["f_namelen"], fields["f_frsize"]) == (255 if profile == "spec" else 254, 4096)
        assert (fields["f_ffree"] == 540016640) is (profile == "lind")
        assert fields["f_bavail"] <= fields["f_bfree"] <= fields["f_blocks"]
        assert w.do("fstatfs", 99, w.ptr(AUX)) == -9


def attribute(w: Files, name: str, value: bytes = b"v", flags: int = 0, path: str = "/w/a", size: int = -1) -> int:
    w.put(1, BUF, value)
    size = len(value) if size < 0 else size
    return w.do("setxattr", w.text(path), w.text(name, 0x4000), w.ptr(BUF), size, flags)


@BOTH
def test_attributes(profile):
    """XATTR-1, XATTR-2: vector path.xattr.basic."""
    w = Files(profile)
    w.file("/w/a", mode=0o644)
    w.at("mknod", "/w/f", 0o10666, 0)
    assert w.at("listxattr", "/w/a", w.ptr(BUF), 100) == 0
    for name, flags, expected in (
        ("user.k", 0, 0), ("user.k", 1, -17), ("user.z", 2, -61), ("user.k", 2, 0), ("user.z", 1, 0),
        ("user.z", 4, -22), ("", 0, -34), ("user." + "x" * 250, 0, 0), ("user." + "x" * 251, 0, -34), ("user.", 0, -22),
        ("strange.k", 0, -95), ("trusted.t", 0, 0),
    ):
        assert attribute(w, name, flags=flags) == expected, name
    assert attribute(w, "user.k", size=65537) == -7
    assert attribute(w, "user.big", bytes(65536)) == 0
    assert attribute(w, "user.k", path="/w/f") == -1
    assert w.do("setxattr", w.text("/w/a"), w.text("user.q", 0x4000), w.ptr(NOWHERE), 5, 0) == -14
    names = b"user.k\0user.z\0user." + b"x" * 250 + b"\0trusted.t\0user.big\0"
    assert w.at("listxattr", "/w/a", w.ptr(BUF), 0) == len(names)
    assert w.at("listxattr", "/w/a", w.ptr(BUF), len(names)) == len(names)
    assert w.get(1, BUF, len(names)) == names
    assert w.at("listxattr", "/w/a", w.ptr(BUF), len(names) - 1) == -34
    assert w.at("listxattr", "/w/a", w.ptr(NOWHERE), 4096) == -14
    w.as_user(3, 3)
    assert attribute(w, "user.k") == -13
    assert attribute(w, "security.k") == -1
    assert w.at("listxattr", "/w/a", w.ptr(BUF), 0) == len(names) - len(b"trusted.t\0")

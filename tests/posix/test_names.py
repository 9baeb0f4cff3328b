"""Names, directories and inodes: rules NAME-1 to NAME-12, DIR-1 to DIR-6, INODE-1."""

from __future__ import annotations

import pytest
from fileworld import BEGIN, BUF, NOWHERE, O_CREAT, O_DIRECTORY, O_RDWR, Files
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lindref.posix.result import RuntimeFault
from lindref.posix.table import thaw
from lindref.state.codec import decode, encode, same

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
NOREPLACE, EXCHANGE, WHITEOUT = 1, 2, 4


@BOTH
def test_new_names(profile):
    """NAME-1."""
    w = Files(profile)
    w.file("/w/a")
    for make in (
        lambda path: w.at("mkdir", path, 0o755),
        lambda path: w.two("symlink", "x", path),
        lambda path: w.two("link", "/w/a", path),
    ):
        assert make("/w/a") == -17
        assert make("/w") == -17
        assert make("/w/none/b") == -2
        assert make("/w/a/b") == -20
    assert w.two("symlink", "x", "/w/b/") == -2
    assert w.at("mknod", "/w/b/", 0o100644, 0) == -2
    assert w.at("mkdir", "/w/b/", 0o755) == 0
    w.as_user(3, 3)
    assert w.at("mkdir", "/w/c", 0o755) == -13


@BOTH
def test_names_in_a_directory_that_is_gone(profile):
    """NAME-1, DIR-6: whoever stands in it makes nothing there."""
    w = Files(profile)
    w.at("mkdir", "/w/d", 0o755)
    fd = w.open("/w/d", O_DIRECTORY)
    assert w.at("rmdir", "/w/d") == 0
    assert w.do("openat", fd, w.text("x"), O_CREAT, 0o644) == -2
    assert w.do("faccessat", fd, w.text("."), 0, 0) == 0


@BOTH
def test_times_of_directories(profile):
    """NAME-2."""
    w = Files(profile)
    w.file("/w/a")
    for now, change in ((10, lambda: w.two("link", "/w/a", "/w/b")), (20, lambda: w.at("unlink", "/w/b"))):
        w.kernel.now = now * 10**9
        assert change() == 0
        times = (w.stat("/w")["st_mtime"], w.stat("/w")["st_ctime"], w.stat("/w/a")["st_ctime"])
        assert times == (BEGIN + now,) * 3
        assert w.stat("/w/a")["st_mtime"] == BEGIN


@BOTH
def test_owners_of_new_files(profile):
    """NAME-3: the group of a directory with the set-group bit."""
    w = Files(profile)
    w.at("chmod", "/w", 0o777)
    w.at("mkdir", "/w/d", 0o755)
    w.at("chown", "/w/d", 0, 77)
    w.at("chmod", "/w/d", 0o2777)
    w.as_user(5, 6)
    w.file("/w/a")
    w.file("/w/d/a", mode=0o666)
    w.at("mkdir", "/w/d/e", 0o777)
    for path, group in (("/w/a", 6), ("/w/d/a", 77), ("/w/d/e", 77)):
        assert (w.stat(path)["st_uid"], w.stat(path)["st_gid"]) == (5, group)
    assert w.stat("/w/d/e")["st_mode"] == 0o42755
    assert w.stat("/w/d/a")["st_mode"] == 0o100644


@BOTH
def test_unlinking(profile):
    """NAME-4, INODE-1, PATH-10."""
    w = Files(profile)
    w.file("/w/a")
    w.two("symlink", "a", "/w/l")
    assert w.at("unlink", "/w") == -21
    assert w.at("unlink", "/w/none") == -2
    assert w.at("unlink", "/w/a/") == -20
    assert w.at("unlink", "/w/l") == 0
    assert w.at("unlink", "/w/a") == 0
    assert w.do("unlinkat", -100, w.text("/w"), 1) == -22


@BOTH
def test_removing_directories(profile):
    """NAME-5, DIR-2."""
    w = Files(profile)
    w.at("mkdir", "/w/d", 0o755)
    assert w.stat("/w")["st_nlink"] == 3
    w.file("/w/d/a")
    assert w.at("rmdir", "/w/d") == -39
    assert w.at("rmdir", "/w/d/a") == -20
    w.at("unlink", "/w/d/a")
    assert w.at("rmdir", "/") == -16
    assert w.at("rmdir", "/w/d/.") == (-22 if profile == "spec" else 0)
    if profile == "spec":
        assert w.at("rmdir", "/w/d/..") == -39
        assert w.do("unlinkat", -100, w.text("/w/d"), 0x200) == 0
    assert w.stat("/w")["st_nlink"] == 2
    assert w.at("rmdir", "/w/d") == -2


@BOTH
def test_linking(profile):
    """NAME-6."""
    w = Files(profile)
    w.file("/w/a", b"abc")
    w.two("symlink", "a", "/w/l")
    assert w.two("link", "/w/a", "/w/b") == 0
    assert w.stat("/w/a")["st_nlink"] == 2
    assert w.stat("/w/a")["st_ino"] == w.stat("/w/b")["st_ino"]
    assert w.two("link", "/w/l", "/w/m") == 0
    assert w.lstat("/w/m")["st_ino"] == w.lstat("/w/l")["st_ino"]
    assert w.two("link", "/w", "/w/c") == -1
    w.kernel.inodes = w.kernel.inodes.set(
        w.stat("/w/a")["st_ino"], _with(w.kernel.inodes[w.stat("/w/a")["st_ino"]], nlink=65000)
    )
    assert w.two("link", "/w/a", "/w/c") == -31


def _with(record, **changes):
    from lindref.state.records import replace

    return replace(record, **changes)


@BOTH
def test_renaming(profile):
    """NAME-7, NAME-8."""
    w = Files(profile)
    w.file("/w/a", b"A")
    w.file("/w/b", b"B")
    w.at("mkdir", "/w/d", 0o755)
    w.at("mkdir", "/w/e", 0o755)
    w.file("/w/e/x")
    for old, new, expected in (
        ("/w/none", "/w/z", -2), ("/w/a", "/w/none/z", -2), ("/w/a", "/w/d", -21), ("/w/d", "/w/a", -20),
        ("/w/d", "/w/e", -39), ("/w/d", "/w/d/in", -22), ("/w/e/x", "/w/e", -39), ("/", "/w/z", -16),
        ("/w/a", "/", -16), ("/w/a/", "/w/z", -20), ("/w/a", "/w/z/", -20),
    ):
        assert w.two("rename", old, new) == expected, (old, new)
    assert w.two("rename", "/w/d", "/w/new/") == 0  # a directory may have the slash
    assert w.two("rename", "/w/new", "/w/d") == 0
    w.two("link", "/w/a", "/w/same")
    assert w.two("rename", "/w/a", "/w/same") == 0
    assert w.stat("/w/a")["st_nlink"] == 2  # nothing happened
    assert w.two("rename", "/w/a", "/w/b") == 0
    assert w.content("/w/b") == b"A"
    assert w.at("access", "/w/a", 0) == -2
    assert w.two("rename", "/w/e", "/w/d") == 0
    assert w.names("/w/d") == [b"x"]
    assert w.stat("/w")["st_nlink"] == 3


def test_renaming_dots():
    """NAME-7."""
    w = Files()
    w.at("mkdir", "/w/d", 0o755)
    assert w.two("rename", "/w/d/.", "/w/z") == -16
    assert w.two("rename", "/w/d", "/w/d/..") == -16


@BOTH
def test_a_directory_that_moves_knows_its_parent(profile):
    """NAME-8, DIR-2, DIR-6."""
    w = Files(profile)
    for path in ("/w/a", "/w/b", "/w/a/m"):
        w.at("mkdir", path, 0o755)
    fd = w.open("/w/a/m", O_DIRECTORY)
    assert w.two("rename", "/w/a/m", "/w/b/n") == 0
    assert w.do("fchdir", fd) == 0
    assert w.cwd() == b"/w/b/n"
    assert [w.stat(p)["st_nlink"] for p in ("/w/a", "/w/b")] == [2, 3]
    assert w.entries(fd)[1][1] == w.stat("/w/b")["st_ino"]


@BOTH
def test_renaming_with_flags(profile):
    """NAME-9."""
    w = Files(profile)
    w.file("/w/a", b"A")
    w.at("mkdir", "/w/d", 0o755)

    def move(old, new, flags):
        return w.do("renameat2", -100, w.text(old, 0x1000), -100, w.text(new, 0x4000), flags)

    assert move("/w/a", "/w/d", NOREPLACE) == -17
    assert move("/w/a", "/w/b", NOREPLACE) == 0
    assert move("/w/b", "/w/none", EXCHANGE) == -2
    assert move("/w/b", "/w/d", EXCHANGE) == 0
    assert w.content("/w/d") == b"A"
    assert w.names("/w/b") == []
    assert move("/w/d", "/w/a", 8) == -22
    assert move("/w/d", "/w/a", EXCHANGE | NOREPLACE) == -22
    assert move("/w/d", "/w/a", WHITEOUT) == 0
    assert (w.stat("/w/d")["st_mode"] >> 12, w.stat("/w/d")["st_rdev"]) == (2, 0)
    w.as_user(1, 1)
    assert move("/w/d", "/w/a", WHITEOUT) == -1


@BOTH
def test_symbolic_links(profile):
    """NAME-10, NAME-11."""
    w = Files(profile)
    said = "../é/" + "x" * 20
    assert w.two("symlink", said, "/w/l") == 0
    assert w.two("symlink", "", "/w/m") == -2
    assert w.two("symlink", "x" * 4096, "/w/m") == -36
    assert w.two("symlink", "x" * 4095, "/w/m") == 0
    full = said.encode()
    assert w.lstat("/w/l")["st_size"] == len(full)
    for size in (1, 7, len(full), 4000):
        assert w.at("readlink", "/w/l", w.ptr(BUF), size) == min(size, len(full))
        assert w.get(1, BUF, min(size, len(full))) == full[:size]
    assert w.at("readlink", "/w/l", w.ptr(BUF), 0) == -22
    assert w.at("readlink", "/w/l", w.ptr(NOWHERE), 9) == -14
    assert w.at("readlink", "/w", w.ptr(BUF), 9) == -22
    fd = w.open("/w/l", 0o10000000 | 0o400000)
    assert w.do("readlinkat", fd, w.text(""), w.ptr(BUF), 5) == 5


@BOTH
def test_special_files(profile):
    """NAME-12."""
    w = Files(profile)
    for mode, kind in ((0o644, 8), (0o100644, 8), (0o10644, 1), (0o140644, 12), (0o20644, 2), (0o60644, 6)):
        assert w.at("mknod", f"/w/{mode:o}", mode, 0x103) == 0
        assert w.stat(f"/w/{mode:o}")["st_mode"] >> 12 == kind
        assert w.stat(f"/w/{mode:o}")["st_rdev"] == (0x103 if kind in (2, 6) else 0)
    assert w.at("mknod", "/w/x", 0o40644, 0) == -1
    assert w.at("mknod", "/w/x", 0o120644, 0) == -22
    w.at("chmod", "/w", 0o777)
    w.as_user(1, 1)
    assert w.at("mknod", "/w/x", 0o20644, 0) == -1
    assert w.at("mknod", "/w/x", 0o10644, 0) == 0


# Directories.


@BOTH
def test_making_directories(profile):
    """DIR-1."""
    w = Files(profile)
    assert w.at("mkdir", "/w/d", 0o7777) == 0
    assert w.stat("/w/d")["st_mode"] == 0o41755
    assert w.stat("/w/d")["st_nlink"] == 2
    assert w.names("/w/d") == []


@BOTH
def test_listing(profile):
    """DIR-3, DIR-4, DIR-5."""
    w = Files(profile)
    for name in ("one", "two", "three", "f" * 200):
        w.file(f"/w/{name}")
    fd = w.open("/w", O_DIRECTORY)
    whole = w.entries(fd)
    assert [name for name, *_ in whole] == [b".", b"..", b"one", b"two", b"three", b"f" * 200]
    assert [kind for *_, kind in whole] == [4, 4, 8, 8, 8, 8]
    assert whole[2][1] == w.stat("/w/one")["st_ino"]
    assert w.entries(fd) == []
    for index, (*_, position, _kind) in enumerate(whole):
        assert w.do("lseek", fd, position, 0) == position
        assert w.entries(fd) == whole[index + 1 :]
    w.do("lseek", fd, 0, 0)
    pieces = []
    while part := w.entries(fd, 240):
        pieces += part
    assert pieces == whole
    w.do("lseek", fd, 0, 0)
    error = {"spec": lambda code: code, "lind": lambda _: -1}[profile]
    assert w.do("getdents64", fd, w.ptr(BUF), 10) == error(-22)
    assert w.do("getdents64", fd, w.ptr(NOWHERE), 4096) == error(-14)
    assert w.do("getdents64", w.open("/w/one"), w.ptr(BUF), 4096) == error(-20)
    assert w.do("getdents64", 99, w.ptr(BUF), 4096) == -9
    w.at("mkdir", "/w/gone", 0o755)
    gone = w.open("/w/gone")
    w.at("rmdir", "/w/gone")
    assert w.do("getdents64", gone, w.ptr(BUF), 4096) == error(-2)


def test_working_directories():
    """DIR-6 and GETCWD-TEXT."""
    for profile in ("spec", "lind"):
        w = Files(profile)
        spec = profile == "spec"
        w.at("mkdir", "/w/d", 0o755)
        w.two("symlink", "d", "/w/l")
        w.file("/w/a")
        assert w.at("chdir", "/w/a") == -20
        assert w.at("chdir", "/w/none") == -2
        assert w.at("chdir", "/w/l") == 0
        assert w.cwd() == (b"/w/d" if spec else b"/w/l")
        assert w.do("getcwd", w.ptr(BUF), 100) == 4 + spec
        assert w.do("getcwd", w.ptr(BUF), 4) == -34
        assert w.do("getcwd", w.ptr(BUF), 0) == (-34 if spec else -22)
        bad = w.call("getcwd", w.ptr(NOWHERE), 100)
        assert bad.value == -14 if spec else isinstance(bad, RuntimeFault)
        child = w.fork()
        assert w.cwd(child) == w.cwd()
        assert w.two("rename", "/w/d", "/w/e") == 0
        assert w.cwd() == (b"/w/e" if spec else b"/w/l")
        assert w.at("rmdir", "/w/e") == 0
        assert w.cwd() == (-2 if spec else b"/w/l")
        assert w.open("x", O_CREAT) == -2
        assert w.at("chdir", "/") == 0
        w.at("chmod", "/w", 0o600)
        w.as_user(2, 2)
        assert w.at("chdir", "/w") == -13


# All of it, against nested dictionaries.

NAMES = st.lists(st.sampled_from("abc"), min_size=1, max_size=3)


class Tree(RuleBasedStateMachine):
    """Making, moving and removing files and directories against nested dictionaries (NAME-1 to NAME-8, DIR-2)."""

    profile = "spec"

    def __init__(self) -> None:
        super().__init__()
        self.w = Files(self.profile)
        self.root: dict = {}  # a directory is a dict, a file a list with its contents
        self.count = 0

    def find(self, parts: list[str]):
        """(directory, what is there) or the error on the way."""
        here = self.root
        for part in parts[:-1]:
            if not isinstance(here, dict):
                return -20, None
            if part not in here:
                return -2, None
            here = here[part]
        return (here, here.get(parts[-1])) if isinstance(here, dict) else (-20, None)

    def path(self, parts: list[str]) -> str:
        return "/w/" + "/".join(parts)

    @rule(parts=NAMES)
    def mkdir(self, parts: list[str]) -> None:
        parent, there = self.find(parts)
        expected = parent if isinstance(parent, int) else -17 if there is not None else 0
        assert self.w.at("mkdir", self.path(parts), 0o755) == expected
        if expected == 0:
            parent[parts[-1]] = {}

    @rule(parts=NAMES)
    def create(self, parts: list[str]) -> None:
        parent, there = self.find(parts)
        expected = parent if isinstance(parent, int) else -21 if isinstance(there, dict) else 0
        fd = self.w.open(self.path(parts), O_CREAT | O_RDWR)
        assert min(fd, 0) == expected
        if fd >= 0:
            self.count += 1
            data = b"%d" % self.count
            assert self.w.write(fd, data) == len(data)
            self.w.do("close", fd)
            there = parent.setdefault(parts[-1], [b""])
            there[0] = data + there[0][len(data) :]

    @rule(parts=NAMES)
    def unlink(self, parts: list[str]) -> None:
        parent, there = self.find(parts)
        missing = parent if isinstance(parent, int) else -2
        expected = missing if there is None else -21 if isinstance(there, dict) else 0
        assert self.w.at("unlink", self.path(parts)) == expected
        if expected == 0:
            del parent[parts[-1]]

    @rule(parts=NAMES)
    def rmdir(self, parts: list[str]) -> None:
        parent, there = self.find(parts)
        missing = parent if isinstance(parent, int) else -2
        expected = missing if there is None else -20 if isinstance(there, list) else -39 if there else 0
        assert self.w.at("rmdir", self.path(parts)) == expected
        if expected == 0:
            del parent[parts[-1]]

    @rule(old=NAMES, new=NAMES)
    def link(self, old: list[str], new: list[str]) -> None:
        parent, there = self.find(old)
        to, victim = self.find(new)
        expected = (
            (parent if isinstance(parent, int) else -2) if there is None
            else to if isinstance(to, int) else -17 if victim is not None else -1 if isinstance(there, dict) else 0
        )
        assert self.w.two("link", self.path(old), self.path(new)) == expected
        if expected == 0:
            to[new[-1]] = there

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: list[str], new: list[str]) -> None:
        source, moved = self.find(old)
        target, victim = self.find(new)
        if isinstance(source, int):
            expected = source
        elif isinstance(target, int):
            expected = target
        elif moved is None:
            expected = -2
        elif isinstance(moved, dict) and new[: len(old)] == old and len(new) > len(old):
            expected = -22
        elif isinstance(victim, dict) and old[: len(new)] == new and len(old) > len(new):
            expected = -39
        elif moved is victim or victim is None:
            expected = 0
        elif isinstance(moved, dict) and not isinstance(victim, dict):
            expected = -20
        elif not isinstance(moved, dict) and isinstance(victim, dict):
            expected = -21
        else:
            expected = -39 if isinstance(victim, dict) and victim else 0
        assert self.w.two("rename", self.path(old), self.path(new)) == expected
        if expected == 0 and moved is not victim:
            del source[old[-1]]
            target[new[-1]] = moved

    @invariant()
    def same_tree(self) -> None:
        names: dict[int, int] = {}

        def count(here: dict) -> None:
            for there in here.values():
                if isinstance(there, dict):
                    count(there)
                else:
                    names[id(there)] = names.get(id(there), 0) + 1

        def check(here: dict, path: str) -> None:
            assert sorted(self.w.names(path)) == sorted(name.encode() for name in here)
            folders = sum(isinstance(there, dict) for there in here.values())
            assert self.w.stat(path)["st_nlink"] == 2 + folders
            for name, there in here.items():
                if isinstance(there, dict):
                    check(there, f"{path}/{name}")
                else:
                    assert self.w.content(f"{path}/{name}") == there[0]
                    assert self.w.stat(f"{path}/{name}")["st_nlink"] == names[id(there)]

        count(self.root)
        check(self.root, "/w")

    def teardown(self) -> None:
        """Nothing is left over, and the state survives a round."""
        state = self.w.kernel.freeze()
        assert same(thaw(self.w, decode(encode(state))).freeze(), state)

        def clear(here: dict, path: str) -> None:
            for name, there in here.items():
                if isinstance(there, dict):
                    clear(there, f"{path}/{name}")
                    assert self.w.at("rmdir", f"{path}/{name}") == 0
                else:
                    assert self.w.at("unlink", f"{path}/{name}") == 0

        clear(self.root, "/w")
        assert len(self.w.kernel.inodes) == len(Files(self.profile).kernel.inodes)


class TreeAsRecorded(Tree):
    profile = "lind"


TestTree = Tree.TestCase
TestTree.settings = settings(stateful_step_count=30, max_examples=30)
TestTreeAsRecorded = TreeAsRecorded.TestCase
TestTreeAsRecorded.settings = settings(stateful_step_count=30, max_examples=10)


class Reader(RuleBasedStateMachine):
    """DIR-3: reading a directory in pieces while names come and go gives each that stays exactly once."""

    def __init__(self) -> None:
        super().__init__()
        self.w = Files()
        self.there: set[str] = set()
        for name in "abcdefgh":
            self.w.file(f"/w/{name}")
            self.there.add(name)
        self.fd = self.w.open("/w", O_DIRECTORY)
        self.stayed = set(self.there)
        self.told: list[str] = []

    @rule(name=st.sampled_from("abcdefghijklmn"))
    def change(self, name: str) -> None:
        if name in self.there:
            self.w.at("unlink", f"/w/{name}")
            self.there.discard(name)
            self.stayed.discard(name)
        else:
            self.w.file(f"/w/{name}")
            self.there.add(name)

    @rule(size=st.sampled_from([24, 48, 80]))
    def read(self, size: int) -> None:
        part = self.w.entries(self.fd, size)
        self.told += [name.decode() for name, *_ in part if name not in (b".", b"..")]

    def teardown(self) -> None:
        while part := self.w.entries(self.fd):
            self.told += [name.decode() for name, *_ in part if name not in (b".", b"..")]
        assert self.stayed <= set(self.told)
        for name in self.stayed:
            assert self.told.count(name) == 1


TestReader = Reader.TestCase
TestReader.settings = settings(stateful_step_count=30, max_examples=30)

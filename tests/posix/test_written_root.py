"""A root that is written through: the host shows what guests did and nothing else (ROOT-8, ROOT-9), and a guest on it
gets the answers that the host gives (a state machine against the host's own file system).
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from fileworld import AUX, BUF, O_APPEND, O_CREAT, O_EXCL, O_RDWR, O_TRUNC, O_WRONLY, Files
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lindref.posix.fs import roots
from lindref.state.codec import decode, encode

EPERM, ENOENT, EEXIST, EXDEV, ESTALE = 1, 2, 17, 18, 116


class Written(Files):
    """A root written through to a host directory."""

    def __init__(self, path, profile: str = "spec") -> None:
        self.shown = str(path)
        super().__init__(profile)

    def boot(self) -> None:
        roots.open_root(self.kernel, "write", self.shown)
        super(Files, self).boot()


def tree(top: Path, *, links: bool = True) -> dict[str, tuple[object, ...]]:
    """What lies below a directory: type and permissions, names, contents."""
    out: dict[str, tuple[object, ...]] = {}
    for folder, names, files in os.walk(top):
        for name in (*names, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            data: object = None
            if stat.S_ISREG(status.st_mode):
                data = Path(path).read_bytes()
            elif stat.S_ISLNK(status.st_mode):
                data = os.readlink(path)
            out[os.path.relpath(path, top)] = (status.st_mode, status.st_nlink if links else 0, data)
    return out


@pytest.fixture
def top(tmp_path):
    """A host directory with some of everything, and something beside it."""
    root = tmp_path / "root"
    (root / "d" / "deep").mkdir(parents=True)
    (root / "a").write_bytes(b"bytes of a")
    (root / "d" / "x").write_bytes(b"bytes of x")
    (root / "out").symlink_to(tmp_path)
    (tmp_path / "secret").write_bytes(b"secret")
    os.link(tmp_path / "secret", root / "shared")
    os.link(root / "a", root / "d" / "twin")
    return root


# What guests do is there.


def test_everything_is_written(top):
    """ROOT-8."""
    w = Written(top)
    w.file("/new", b"new bytes")
    assert (top / "new").read_bytes() == b"new bytes"
    assert w.at("mkdir", "/m", 0o750) == 0
    assert stat.S_IMODE((top / "m").stat().st_mode) == 0o750
    assert w.two("rename", "/new", "/m/moved") == 0
    assert w.two("symlink", "moved", "/m/l") == 0
    assert os.readlink(top / "m" / "l") == "moved"
    assert w.two("link", "/m/moved", "/again") == 0
    assert (top / "again").stat().st_ino == (top / "m" / "moved").stat().st_ino
    fd = w.open("/m/l", O_WRONLY | O_APPEND)
    assert w.write(fd, b" more") == 5
    assert (top / "again").read_bytes() == b"new bytes more"
    assert w.at("truncate", "/again", 3) == 0
    assert (top / "again").read_bytes() == b"new"
    assert w.pwrite(w.open("/again", O_WRONLY), b"end", 10) == 3
    assert (top / "again").read_bytes() == b"new\0\0\0\0\0\0\0end"
    assert w.at("unlink", "/again") == 0
    assert not (top / "again").exists()
    assert w.at("chmod", "/m/moved", 0o4711) == 0
    assert stat.S_IMODE((top / "m" / "moved").stat().st_mode) == 0o711
    assert w.stat("/m/moved")["st_mode"] == 0o104711
    w.put(1, AUX, b"".join(n.to_bytes(8, "little") for n in (5, 6, 7, 8)))
    assert w.do("utimensat", -100, w.text("/m/moved"), w.ptr(AUX), 0) == 0
    status = (top / "m" / "moved").stat()
    assert (status.st_atime_ns, status.st_mtime_ns) == (5_000_000_006, 7_000_000_008)
    w.put(1, AUX, b"".join(n.to_bytes(8, "little") for n in (0, (1 << 30) - 2, 9, 0)))
    assert w.do("utimensat", -100, w.text("/m/l"), w.ptr(AUX), 0x100) == 0
    assert os.lstat(top / "m" / "l").st_mtime_ns == 9_000_000_000
    assert w.at("mknod", "/fifo", 0o010600, 0) == 0
    assert stat.S_ISFIFO((top / "fifo").stat().st_mode)
    assert w.at("unlink", "/fifo") == 0
    assert w.at("rmdir", "/d") == -39
    assert w.at("rmdir", "/d/deep") == 0
    assert not (top / "d" / "deep").exists()
    assert w.do("renameat2", -100, w.text("/a"), -100, w.text("/m", 0x4000), 2) == 0
    assert (top / "m").read_bytes() == b"bytes of a"
    assert (top / "a" / "moved").exists()
    assert w.open("/a/moved", O_CREAT | O_EXCL | O_WRONLY) == -EEXIST


def test_what_belongs_to_the_run_alone(top):
    """ROOT-2, ROOT-8: standard files and brought files are not made on the host; they are another mount."""
    before = tree(top)
    w = Written(top)
    roots.add_file(w.kernel, b"/program", b"code")
    assert sorted(w.names("/tmp")) == []
    w.file("/tmp/t", b"temporary")
    assert w.content("/tmp/t") == b"temporary"
    assert w.content("/program") == b"code"
    assert w.two("rename", "/tmp/t", "/t") == -EXDEV
    assert w.two("link", "/program", "/p") == -EXDEV
    assert w.do("setxattr", w.text("/a"), w.text("user.k", 0x4000), w.ptr(BUF), 3, 0) == 0
    assert w.at("chown", "/a", 5, 6) == 0
    assert tree(top) == before
    assert w.at("unlink", "/program") == 0
    assert tree(top) == before
    assert decode(encode(w.kernel.freeze())) == w.kernel.freeze()


def test_open_files_outlive_their_names(top):
    """NAME-4 on a root that is written through: what was opened before stays readable."""
    w = Written(top)
    fd, seen = w.open("/d/x", O_RDWR), w.open("/a", 0o10000000)
    assert w.at("unlink", "/d/x") == 0
    assert not (top / "d" / "x").exists()
    assert w.write(fd, b"BYTES") == 5
    assert w.pread(fd, 100, 0) == b"BYTES of x"
    assert w.two("rename", "/shared", "/a") == 0
    assert seen >= 0
    assert (top / "a").read_bytes() == b"secret"
    assert w.content("/d/twin") == b"bytes of a"


def test_paths_that_change_their_meaning(top):
    """ROOT-4: what was not read yet is found under its present name."""
    w = Written(top)
    assert w.content("/a") == b"bytes of a"
    assert w.two("rename", "/d", "/e") == 0
    assert w.two("rename", "/e/x", "/a") == 0
    assert w.content("/a") == b"bytes of x"
    assert w.content("/e/twin") == b"bytes of a"
    assert sorted(w.names("/e")) == [b"deep", b"twin"]
    assert tree(top)["a"][2] == b"bytes of x"


def test_shared_mappings(top):
    """ROOT-8: what is written through a mapping is there when it is unmapped or synchronised."""
    w = Written(top)
    fd = w.open("/d/x", O_RDWR)
    at = w.do("mmap", 0, 4096, 3, 1, fd, 0)
    w.put(1, at & 0xFFFFFFFF, b"MAPPED")
    assert (top / "d" / "x").read_bytes() == b"bytes of x"
    assert w.do("fsync", fd) == 0
    assert (top / "d" / "x").read_bytes() == b"MAPPEDof x"
    w.put(1, at & 0xFFFFFFFF, b"mapped")
    assert w.do("munmap", w.ptr(at & 0xFFFFFFFF), 4096) == 0
    assert (top / "d" / "x").read_bytes() == b"mappedof x"
    private = w.do("mmap", 0, 4096, 3, 2, fd, 0) & 0xFFFFFFFF
    w.put(1, private, b"PRIVAT")
    assert w.do("munmap", w.ptr(private), 4096) == 0
    assert (top / "d" / "x").read_bytes() == b"mappedof x"


# Inside, whatever happens.


def test_nothing_leads_outside(top):
    """ROOT-9 with ROOT-5: links, dots, files with a name outside, devices."""
    w = Written(top)
    outside = {path: what for path, what in tree(top.parent).items() if not path.startswith("root")}
    for path in ("/out/secret", "/out/new", f"{top.parent}/secret"):
        assert w.open(path, O_CREAT | O_WRONLY | O_TRUNC) == -ENOENT
    for n, path in enumerate(("/../secret", "/d/../../secret")):
        fd = w.open(path, O_CREAT | O_WRONLY | O_TRUNC)
        assert w.write(fd, b"%d" % n) == 1
        assert (top / "secret").read_bytes() == b"%d" % n
    fd = w.open("/shared", O_RDWR)
    assert w.write(fd, b"XX") == -EPERM
    assert w.pread(fd, 100, 0) == b"secret"
    assert w.open("/shared", O_WRONLY | O_TRUNC) == -EPERM
    assert w.at("truncate", "/shared", 0) == -EPERM
    assert w.at("chmod", "/shared", 0o777) == -EPERM
    assert w.stat("/shared")["st_size"] == 6
    assert {path: what for path, what in tree(top.parent).items() if not path.startswith("root")} == outside
    assert w.at("mknod", "/dev0", 0o020666, 0x103) == -EPERM
    # Names inside only are fine, whoever made them.
    assert w.write(w.open("/a", O_WRONLY), b"BYTES") == 5
    assert (top / "d" / "twin").read_bytes() == b"BYTES of a"
    # The name itself may go.
    assert w.at("unlink", "/shared") == 0
    assert (top.parent / "secret").read_bytes() == b"secret"


def test_the_host_changes_meanwhile(top):
    """ROOT-9: what was swapped is not touched."""
    w = Written(top)
    assert w.open("/d/x") >= 0
    fd = w.open("/d/x", O_RDWR)
    os.rename(top / "d" / "x", top / "d" / "y")
    os.symlink(top.parent / "secret", top / "d" / "x")
    assert w.write(fd, b"XX") < 0
    assert w.at("unlink", "/d/x") == -ESTALE
    os.unlink(top / "d" / "x")
    os.link(top.parent / "secret", top / "d" / "x")
    assert w.write(fd, b"XX") == -ESTALE
    assert w.at("chmod", "/d/x", 0o777) == -ESTALE
    assert w.two("rename", "/d/x", "/z") == -ESTALE
    assert (top.parent / "secret").read_bytes() == b"secret"
    shutil.move(top / "d", top / "elsewhere")
    os.symlink(top.parent, top / "d")
    assert w.open("/d/new", O_CREAT | O_WRONLY) < 0
    assert w.at("mkdir", "/d/folder", 0o755) < 0
    assert sorted(os.listdir(top.parent)) == ["root", "secret"]
    assert w.stat("/d/new") == -ENOENT


def test_links_swapped_during_the_walk(top):
    """ROOT-9 under somebody who swaps a directory for a link outside all the time."""
    w = Written(top)
    away, stop = top.parent / "away", threading.Event()
    away.mkdir()

    def swap() -> None:
        while not stop.is_set():
            os.rename(top / "d", top / ".d")
            os.symlink(away, top / "d")
            os.unlink(top / "d")
            os.rename(top / ".d", top / "d")

    assert w.names("/d") == [b"deep", b"twin", b"x"]
    thread = threading.Thread(target=swap)
    thread.start()
    made = 0
    try:
        for n in range(300):
            fd = w.open(f"/d/f{n}", O_CREAT | O_WRONLY)
            made += fd >= 0
            if fd >= 0:
                w.write(fd, b"inside")
                w.do("close", fd)
    finally:
        stop.set()
        thread.join()
    assert os.listdir(away) == []
    assert len([name for name in os.listdir(top / "d") if name.startswith("f")]) == made


@pytest.mark.skipif(os.geteuid() == 0, reason="user 0 may write everything")
def test_errors_of_the_host(top):
    """ROOT-7, ROOT-8: they are the guest's, and nothing changes."""
    w = Written(top)
    (top / "d").chmod(0o555)
    try:
        assert w.open("/d/new", O_CREAT | O_WRONLY) == -13
        assert w.stat("/d/new") == -ENOENT
    finally:
        (top / "d").chmod(0o755)


def test_errors_are_heard_again(top):
    """ROOT-7, TRACE-3: an error of the host comes from the record; what was done is not done twice."""
    w = Written(top)
    begun = w.kernel.freeze()
    shutil.rmtree(top / "d" / "deep")
    assert w.at("rmdir", "/d/deep") == -ENOENT
    w.file("/once", b"1")
    (top / "once").unlink()
    w.kernel.restore(begun)
    assert w.at("rmdir", "/d/deep") == -ENOENT
    w.file("/once", b"1")
    assert not (top / "once").exists()
    assert w.content("/once") == b"1"


# The same on the host itself.

NAMES = st.sampled_from(["a", "b", "d", "d/a", "d/e", "d/e/a", "l", "d/l"])
PATHS = NAMES | st.sampled_from(["d/../a", "a/", "d/", "l/a", "d/./a", "l/", ".", "d/.", "d//a"])
ANY_PATHS = PATHS | st.just("x" * 256)
FLAGS = st.sampled_from([os.O_RDONLY, os.O_RDWR, os.O_WRONLY]).flatmap(
    lambda mode: st.sampled_from(
        [0, os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_CREAT | os.O_TRUNC, os.O_TRUNC, os.O_APPEND, os.O_NOFOLLOW]
    ).map(lambda more: mode | more)
)
DATA = st.binary(min_size=1, max_size=12)
SIZES = st.integers(0, 40)


class Hosts(RuleBasedStateMachine):
    """The same calls by a guest on a written root and by us in a directory beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.umask = os.umask(0o022)
        self.place = Path(tempfile.mkdtemp(prefix="written-"))
        self.mine, self.theirs = self.place / "mine", self.place / "theirs"
        for name in ("dev", "proc", "tmp"):  # where there are such, none are made for the run
            (self.mine / name).mkdir(parents=True)
            (self.theirs / name).mkdir(parents=True)
        self.w = Written(self.theirs)
        self.at = os.open(self.mine, os.O_RDONLY | os.O_DIRECTORY)
        self.fds: list[tuple[int, int]] = []

    def teardown(self) -> None:
        for mine, _ in self.fds:
            os.close(mine)
        os.close(self.at)
        self.w.kernel.outside.writer(str(self.theirs)).close()
        shutil.rmtree(self.place)
        os.umask(self.umask)

    def native(self, do) -> object:
        try:
            return do()
        except OSError as error:
            return -(error.errno or 0)

    def same(self, theirs: object, do) -> object:
        mine = self.native(do)
        mine = 0 if mine is None else mine
        assert theirs == mine, f"guest {theirs}, host {mine}"
        return mine

    @rule(path=ANY_PATHS, flags=FLAGS, mode=st.sampled_from([0o644, 0o666, 0o700]))
    def open(self, path: str, flags: int, mode: int) -> None:
        theirs = self.w.open(path, flags, mode)
        mine = self.native(lambda: os.open(path, flags, mode, dir_fd=self.at))
        assert min(0, theirs) == min(0, mine), (theirs, mine)
        if theirs >= 0:
            self.fds.append((mine, theirs))

    def chosen(self, which: int) -> tuple[int, int] | None:
        return self.fds[which % len(self.fds)] if self.fds else None

    @rule(which=st.integers(0, 7), data=DATA)
    def write(self, which: int, data: bytes) -> None:
        if pair := self.chosen(which):
            self.same(self.w.write(pair[1], data), lambda: os.write(pair[0], data))

    @rule(which=st.integers(0, 7), data=DATA, offset=SIZES)
    def pwrite(self, which: int, data: bytes, offset: int) -> None:
        if pair := self.chosen(which):
            self.same(self.w.pwrite(pair[1], data, offset), lambda: os.pwrite(pair[0], data, offset))

    @rule(which=st.integers(0, 7), size=SIZES)
    def read(self, which: int, size: int) -> None:
        if pair := self.chosen(which):
            self.same(self.w.read(pair[1], size), lambda: os.read(pair[0], size))

    @rule(which=st.integers(0, 7), offset=st.integers(-3, 40), whence=st.integers(0, 2))
    def seek(self, which: int, offset: int, whence: int) -> None:
        pair = self.chosen(which)
        if pair and not stat.S_ISDIR(os.fstat(pair[0]).st_mode):
            self.same(self.w.do("lseek", pair[1], offset, whence), lambda: os.lseek(pair[0], offset, whence))

    @rule(which=st.integers(0, 7), size=SIZES)
    def ftruncate(self, which: int, size: int) -> None:
        if pair := self.chosen(which):
            self.same(self.w.do("ftruncate", pair[1], size), lambda: os.ftruncate(pair[0], size))

    @rule(which=st.integers(0, 7))
    def close(self, which: int) -> None:
        if pair := self.chosen(which):
            self.fds.remove(pair)
            self.same(self.w.do("close", pair[1]), lambda: os.close(pair[0]))

    @rule(path=ANY_PATHS)
    def mkdir(self, path: str) -> None:
        self.same(self.w.at("mkdir", path, 0o755), lambda: os.mkdir(path, 0o755, dir_fd=self.at))

    @rule(path=ANY_PATHS)
    def rmdir(self, path: str) -> None:
        self.same(self.w.at("rmdir", path), lambda: os.rmdir(path, dir_fd=self.at))

    @rule(path=ANY_PATHS)
    def unlink(self, path: str) -> None:
        self.same(self.w.at("unlink", path), lambda: os.unlink(path, dir_fd=self.at))

    @rule(old=PATHS, new=PATHS)
    def rename(self, old: str, new: str) -> None:
        do = lambda: os.rename(old, new, src_dir_fd=self.at, dst_dir_fd=self.at)  # noqa: E731
        self.same(self.w.two("rename", old, new), do)

    @rule(old=PATHS, new=PATHS)
    def link(self, old: str, new: str) -> None:
        do = lambda: os.link(old, new, src_dir_fd=self.at, dst_dir_fd=self.at, follow_symlinks=False)  # noqa: E731
        self.same(self.w.two("link", old, new), do)

    @rule(said=NAMES, path=PATHS)
    def symlink(self, said: str, path: str) -> None:
        self.same(self.w.two("symlink", said, path), lambda: os.symlink(said, path, dir_fd=self.at))

    @rule(path=ANY_PATHS)
    def readlink(self, path: str) -> None:
        theirs = self.w.got(self.w.call("readlink", self.w.text(path), self.w.ptr(BUF), 100))
        self.same(theirs, lambda: os.readlink(path.encode(), dir_fd=self.at))

    @rule(path=NAMES, mode=st.sampled_from([0o644, 0o755, 0o700, 0o777]))
    def chmod(self, path: str, mode: int) -> None:
        mode |= 0o700
        self.same(self.w.at("chmod", path, mode), lambda: os.chmod(path, mode, dir_fd=self.at))

    @rule(path=ANY_PATHS, size=SIZES)
    def truncate(self, path: str, size: int) -> None:
        self.same(self.w.at("truncate", path, size), lambda: os.truncate(f"{self.mine}/{path}", size))

    @rule(path=ANY_PATHS, follow=st.booleans())
    def stat(self, path: str, follow: bool) -> None:
        theirs = self.w.stat(path, "stat" if follow else "lstat")
        mine = self.native(lambda: os.stat(path, dir_fd=self.at, follow_symlinks=follow))
        if isinstance(theirs, int):
            assert theirs == mine
        else:
            assert isinstance(mine, os.stat_result)
            assert (theirs["st_mode"], theirs["st_nlink"]) == (mine.st_mode, mine.st_nlink)
            assert stat.S_ISDIR(mine.st_mode) or theirs["st_size"] == mine.st_size

    @invariant()
    def same_trees(self) -> None:
        assert tree(self.theirs) == tree(self.mine)


TestHosts = Hosts.TestCase

"""Roots, devices and standard streams: rules ROOT-1 to ROOT-7, DEV-1, DEV-2, CONS-1 to CONS-4."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fileworld import BUF, O_CREAT, O_RDWR, O_TRUNC, O_WRONLY, Files

from lindref.posix import console
from lindref.posix.call import retry
from lindref.posix.fs import roots
from lindref.posix.fs.hosttree import FILE_MAX, HostTree
from lindref.posix.result import Done, Wait
from lindref.posix.table import thaw
from lindref.state.codec import decode, encode, same

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
DEVICES = [b"fd", b"full", b"null", b"random", b"stderr", b"stdin", b"stdout", b"tty", b"urandom", b"zero"]


class Shown(Files):
    """A copy-on-write root over a host directory."""

    def __init__(self, path, profile: str = "spec") -> None:
        self.shown = str(path)
        super().__init__(profile)

    def boot(self) -> None:
        roots.open_root(self.kernel, "cow", self.shown)
        super(Files, self).boot()


@pytest.fixture
def host(tmp_path):
    """A host directory with some of everything."""
    top = tmp_path / "root"
    (top / "d" / "deep").mkdir(parents=True)
    (top / "b").write_bytes(b"bytes of b")
    (top / "a").write_bytes(b"bytes of a")
    (top / "d" / "x").write_bytes(bytes(range(256)) * 40)
    (top / "l").symlink_to("d/x")
    (top / "out").symlink_to(tmp_path)
    (tmp_path / "secret").write_bytes(b"secret")
    os.link(top / "a", top / "d" / "twin")
    os.mkfifo(top / "f")
    os.chmod(top / "b", 0o640)
    for path in (top / "a", top / "b", top / "d" / "x"):
        os.utime(path, ns=(5, 1_500_000_000_123_456_789))
    return top


def snapshot(top):
    """Everything below a host directory, with times."""
    out = {}
    for folder, names, files in os.walk(top):
        for name in (*names, *files):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            data = b"" if not os.path.isfile(path) or os.path.islink(path) else Path(path).read_bytes()
            out[path] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns, data)
    return out


def test_blank():
    """ROOT-1, ROOT-2 and DEV-PLAIN."""
    w = Files()
    assert sorted(w.names("/")) == [b"dev", b"proc", b"tmp", b"w"]
    assert sorted(w.names("/dev")) == DEVICES
    assert w.stat("/tmp")["st_mode"] == 0o41777
    w = Files("lind")
    assert w.names("/dev") == [b"null"]
    assert w.stat("/dev/null")["st_mode"] == 0o100644


def test_standard_files_are_added(host):
    """ROOT-2: where they are missing."""
    assert sorted(Shown(host).names("/dev")) == DEVICES
    assert b"dev" not in Shown(host, "lind").names("/")
    (host / "dev").mkdir()
    (host / "dev" / "null").write_bytes(b"mine")
    w = Shown(host)
    assert w.content("/dev/null") == b"mine"
    assert sorted(w.names("/dev")) == DEVICES


def test_nothing_is_written(host):
    """ROOT-3, ROOT-4: whatever a guest does, the host stays as it is, to its times."""
    before = snapshot(host)
    w = Shown(host)
    assert w.content("/l") == bytes(range(256)) * 40
    w.file("/a", b"changed")
    assert w.content("/d/twin") == b"changed"
    fd = w.open("/b", O_RDWR)
    assert w.write(fd, b"BYTES") == 5
    assert w.content("/b") == b"BYTES of b"
    assert w.at("truncate", "/d/x", 10) == 0
    assert w.at("unlink", "/a") == 0
    assert w.at("mkdir", "/new", 0o755) == 0
    assert w.two("rename", "/d", "/e") == 0
    assert w.at("chmod", "/b", 0o777) == 0
    assert w.names("/e") == [b"deep", b"twin", b"x"]
    assert snapshot(host) == before


def test_what_is_shown(host):
    """ROOT-4, ROOT-6: sorted names, owners of the guest, all times that of the last change, links and FIFOs."""
    w = Shown(host)
    assert w.names("/")[:6] == [b"a", b"b", b"d", b"f", b"l", b"out"]
    w.kernel.now = 77 * 10**9
    shown = w.stat("/b")
    assert (shown["st_mode"], shown["st_uid"], shown["st_gid"], shown["st_size"]) == (0o100640, 0, 0, 10)
    for name in ("atime", "mtime", "ctime"):
        assert (shown[f"st_{name}"], shown[f"st_{name}_nsec"]) == (1_500_000_000, 123_456_789)
    assert w.stat("/a")["st_ino"] == w.stat("/d/twin")["st_ino"]
    assert w.stat("/a")["st_nlink"] == 2
    assert w.stat("/f")["st_mode"] >> 12 == 1
    assert w.at("readlink", "/l", w.ptr(BUF), 99) == 3


def test_the_same_run_twice(host, tmp_path):
    """ROOT-6: the host's numbers are not seen: another copy of the tree gives the same answers."""
    import shutil

    other = tmp_path / "copy"
    shutil.copytree(host, other, symlinks=True, ignore=shutil.ignore_patterns("f", "twin"))
    (host / "f").unlink()
    (host / "d" / "twin").unlink()
    for top in (host, other):
        for folder, names, files in os.walk(top):
            for name in (*names, *files):
                os.utime(os.path.join(folder, name), ns=(1, 10**18), follow_symlinks=False)

    def answers(path):
        w = Shown(path)
        found = [w.lstat(p) for p in ("/a", "/d/x", "/b", "/d/deep", "/l", "/d")]
        return found, w.entries(w.open("/")), w.entries(w.open("/d"))

    assert answers(host) == answers(other)


def test_no_way_out(host):
    """ROOT-5: links and dots stay inside."""
    w = Shown(host)
    assert w.at("access", "/out/secret", 0) == -2
    assert w.at("access", "/../secret", 0) == -2
    assert w.at("access", "/d/../../secret", 0) == -2


def test_one_answer_for_the_whole_run(host):
    """ROOT-5: what changes on the host meanwhile is not seen twice; what is swapped for a link is not followed."""
    w = Shown(host)
    assert w.content("/b") == b"bytes of b"
    names = w.names("/d")
    (host / "b").write_bytes(b"other")
    (host / "d" / "late").write_bytes(b"late")
    assert w.content("/b") == b"bytes of b"
    assert w.names("/d") == names
    state = w.kernel.freeze()
    assert w.content("/d/x")
    again = thaw(w, state)
    again.outside = w.kernel.outside
    w.kernel = again
    assert w.content("/d/x") == bytes(range(256)) * 40
    tree = HostTree(str(host))
    (host / "deep2").symlink_to("d")
    with pytest.raises(OSError, match="Not a directory"):
        tree.entries(b"deep2")
    with pytest.raises(OSError, match="symbolic links"):
        tree.contents(b"l")


def test_errors_of_the_host(host):
    """ROOT-7: a file that vanished, one too large, and roots that are none."""
    w = Shown(host)
    assert w.stat("/b")["st_size"] == 10
    (host / "b").unlink()
    assert w.open("/b") == -2
    assert w.open("/b", O_TRUNC | O_WRONLY) >= 0  # its contents do not matter
    with (host / "large").open("wb") as file:
        file.truncate(FILE_MAX + 1)
    assert Shown(host).open("/large") == -27
    with pytest.raises(roots.RootError, match="No such file"):
        roots.copy_on_write(w.kernel, str(host / "none"))
    with pytest.raises(roots.RootError, match="cow"):
        roots.open_root(w.kernel, "other", str(host))


def test_state_round_trip(host):
    """A root as a value."""
    w = Shown(host)
    w.content("/d/x")
    w.file("/a", b"new")
    state = w.kernel.freeze()
    assert same(decode(encode(state)), state)


# Devices.


def test_devices():
    """DEV-1, DEV-2."""
    w = Files()
    opened = {name: w.open(f"/dev/{name}", O_RDWR) for name in ("null", "zero", "full", "random", "urandom")}
    assert w.read(opened["null"]) == b""
    assert w.read(opened["zero"], 10) == bytes(10)
    assert w.read(opened["full"], 10) == bytes(10)
    assert len(w.read(opened["random"], 10)) == 10
    assert [w.write(fd, b"abc") for fd in opened.values()] == [3, 3, -28, 3, 3]
    assert w.do("lseek", opened["zero"], 100, 0) == 0
    assert w.stat("/dev/null")["st_rdev"] == 0x103
    assert w.open("/dev/tty") == -6
    assert w.write(w.open("/dev/stdout", O_WRONLY), b"hello") == 5
    assert console.output(w.kernel, 1) == b"hello"
    assert w.open("/dev/stdin", O_WRONLY) == -13
    w.do("close", 2)
    w.do("close", 2)
    assert w.open("/dev/null") == 2
    w.do("close", 2)
    assert w.open("/dev/stderr", O_WRONLY) == -6
    assert w.open("/dev/null", O_CREAT | O_TRUNC | O_WRONLY) >= 0


# Standard streams.


@BOTH
def test_input(profile):
    """CONS-1: what was fed, then a wait, then the end."""
    w = Files(profile)
    console.feed_stdin(w.kernel, b"abc")
    assert w.read(0, 2) == b"ab"
    assert w.read(0) == b"c"
    call = w.make("read", 0, w.ptr(BUF), 10)
    waiting = w.kernel.call(call)
    assert isinstance(waiting, Wait)
    w.kernel.changed()
    console.end_stdin(w.kernel)
    assert set(waiting.keys) & set(w.kernel.changed())
    assert w.kernel.call(retry(call, waiting.memo)) == Done(0)


def test_input_from_outside():
    """CONS-2: fetched when asked for, once; a state that is put back reads the same again."""
    w = Files()
    pieces = iter([b"one", b"two", b""])
    w.kernel.outside.read = lambda: next(pieces)
    state = w.kernel.freeze()
    for _ in range(2):
        assert console.pull(w.kernel)
        assert w.read(0) == b"one"
        assert console.pull(w.kernel)
        assert w.read(0) == b"two"
        outside = w.kernel.outside
        w.kernel = thaw(w, state)
        w.kernel.outside = outside
    for _ in range(3):
        assert console.pull(w.kernel)
    assert not console.pull(w.kernel)
    assert not console.pull(Files().kernel)


@BOTH
def test_output(profile):
    """CONS-3."""
    w = Files(profile)
    seen = []
    w.kernel.outside.wrote = lambda stream, data: seen.append((stream, data))
    for i in range(300):
        w.write(1, b"%d," % i)
    w.write(2, b"err")
    assert console.output(w.kernel, 1) == b"".join(b"%d," % i for i in range(300))
    assert console.output(w.kernel, 2) == b"err"
    assert seen[0] == (1, b"0,")
    assert seen[-1] == (2, b"err")
    assert w.read(1) == -9
    assert w.write(0, b"x") == -9


def test_terminals():
    """CONS-4: a line at a time."""
    w = Files()
    for stream in range(3):
        console.set_terminal(w.kernel, stream, 24, 80)
    console.feed_stdin(w.kernel, b"one\ntwo\nthr")
    assert [w.read(0) for _ in range(3)] == [b"one\n", b"two\n", b"thr"]
    fd = w.open("/dev/tty", O_RDWR)
    w.write(fd, b"x")
    assert console.output(w.kernel, 1) == b"x"
    assert w.fstat(0)["st_mode"] >> 12 == 2

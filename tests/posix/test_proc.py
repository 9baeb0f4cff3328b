"""/proc: the cages as files. Rules PROC-1 to PROC-4, ROOT-2."""

from __future__ import annotations

import pytest
from fileworld import AT_FDCWD, AUX, BUF, O_CREAT, O_DIRECTORY, O_RDWR, O_WRONLY, Files
from hypothesis import given
from hypothesis import strategies as st
from networld import UNIX, Net
from test_roots import Shown, host, snapshot  # noqa: F401  # a fixture

from lindref.posix import processes
from lindref.posix.fs import procfs, roots
from lindref.posix.result import Done
from lindref.state.codec import decode, encode, same

ENOENT, EPERM, ESRCH, ENXIO, EBUSY, EACCES, ENOTDIR, EXDEV = 2, 1, 3, 6, 16, 13, 20, 18


def link(w: Files, path: str, cage: int = 1) -> bytes | int:
    result = w.call("readlink", w.text(path, cage=cage), w.ptr(BUF, cage), 200, cage=cage)
    assert isinstance(result, Done)
    return w.get(cage, BUF, result.value) if result.value >= 0 else result.value


def fields(text: bytes) -> dict[bytes, bytes]:
    return dict(line.split(b":\t", 1) for line in text.splitlines())  # type: ignore[arg-type]


def test_cages():
    """PROC-1: those that live, and oneself."""
    w = Files()
    child = w.fork()
    assert w.names("/proc") == [b"self", b"1", b"2"]
    assert link(w, "/proc/self") == b"1"
    assert link(w, "/proc/self", child) == b"2"
    assert w.names("/proc/2") == [b"cmdline", b"cwd", b"environ", b"exe", b"fd", b"maps", b"status"]
    assert fields(w.content("/proc/2/status"))[b"PPid"] == b"1"
    there = w.open("/proc/2", O_DIRECTORY)
    text = w.open("/proc/2/status")
    assert w.read(text, 5) == b"Name:"
    w.exit(child)
    assert w.open("/proc/2") == -ENOENT
    assert w.read(text, 5) == -ESRCH
    assert w.entries(there) == -ENOENT
    assert w.do("openat", there, w.text("fd"), 0, 0) == -ENOENT
    assert w.names("/proc") == [b"self", b"1"]


def test_nothing_changes():
    """PROC-1."""
    w = Files()
    assert w.at("mkdir", "/proc/new", 0o755) == -ENOENT
    assert w.open("/proc/self/new", O_CREAT | O_WRONLY) == -ENOENT
    assert w.at("unlink", "/proc/self/status") == -EPERM
    assert w.at("unlink", "/proc/self") == -EPERM
    assert w.at("rmdir", "/proc/1") == -EPERM
    assert w.at("rmdir", "/proc") == -EBUSY
    assert w.at("chmod", "/proc/self/status", 0o777) == -EPERM
    assert w.at("chown", "/proc/1", 1, 1) == -EPERM
    assert w.two("rename", "/proc/self/status", "/proc/self/maps") == -EPERM
    assert w.two("rename", "/proc/self/status", "/w/s") == -EXDEV
    assert w.two("link", "/proc/self/status", "/w/s") == -EXDEV
    assert w.open("/proc/self/status", O_RDWR) == -EACCES
    assert w.at("truncate", "/proc/self/status", 0) == -EPERM
    assert w.stat("/proc/self/status")["st_mode"] == 0o100444
    assert w.stat("/proc/self/fd", "stat")["st_mode"] == 0o040555


def test_contents():
    """PROC-2."""
    w = Files()
    processes.runs(w.kernel, 1, b"bin/program", (b"program", b"two words", b""))
    w.kernel.update(1, env=(b"A=1", b"B="))
    assert w.content("/proc/self/cmdline") == b"program\0two words\0\0"
    assert w.content("/proc/self/environ") == b"A=1\0B=\0"
    assert link(w, "/proc/self/exe") == b"/bin/program"
    w.at("mkdir", "/bin", 0o755)
    w.file("/bin/program", b"\0asm")
    assert w.content("/proc/self/exe") == b"\0asm"
    status = fields(w.content("/proc/1/status"))
    assert (status[b"Name"], status[b"Pid"], status[b"Threads"]) == (b"program", b"1", b"1")
    assert status[b"VmSize"].split() == [b"1024", b"kB"]
    assert w.do("rt_sigprocmask", 0, w.text(b"\x02\x02" + bytes(6)), 0) == 0
    w.do("kill", 1, 10)
    status = fields(w.content("/proc/1/status"))
    assert (int(status[b"SigBlk"], 16), int(status[b"SigPnd"], 16)) == (0x202, 0x200)
    fd = w.open("/proc/self/status")
    assert w.do("lseek", fd, 6, 0) == 6
    assert w.read(fd, 7) == b"program"
    assert w.pread(fd, 4, 0) == b"Name"
    w.at("chdir", "/w")
    assert link(w, "/proc/self/cwd") == b"/w"
    w.file("/w/here", b"!")
    assert w.content("/proc/self/cwd/here") == b"!"


def test_maps():
    """PROC-2: the map, page by page."""
    w = Files()
    w.file("/w/f", bytes(10000))
    fd = w.open("/w/f")
    assert w.do("mmap", 0x400000, 8192, 1, 0x11, fd, 4096) == 0x400000
    assert w.do("mmap", 0x500000, 4096, 0, 0x32, -1, 0) == 0x500000
    w.do("brk", 0x101000)
    lines = w.content("/proc/self/maps").decode().splitlines()
    shown = [(line.split()[0], line.split()[1], line.split()[2], line[73:]) for line in lines]
    assert shown == [
        ("00000000-00100000", "rw-p", "00000000", ""),
        ("00100000-00101000", "rw-p", "00000000", "[heap]"),
        ("00400000-00402000", "r--s", "00001000", "/w/f"),
        ("00500000-00501000", "---p", "00000000", ""),
    ]
    w.at("unlink", "/w/f")
    assert b" /w/f (deleted)" in w.content("/proc/self/maps")


def test_descriptors():
    """PROC-3, PROC-4."""
    w = Net()
    fd = w.open("/w", O_DIRECTORY)
    reader, writer = w.pipe()
    left, _ = w.pair()
    w.file("/w/f", b"contents")
    file = w.open("/w/f", O_RDWR)
    listing = w.names("/proc/self/fd")
    assert {b"%d" % one for one in (0, 1, 2, fd, reader, writer, left, file)} <= set(listing)
    assert link(w, f"/proc/self/fd/{fd}") == b"/w"
    assert link(w, f"/dev/fd/{file}") == b"/w/f"
    assert link(w, f"/proc/self/fd/{reader}").startswith(b"pipe:[")
    assert link(w, f"/proc/self/fd/{left}").startswith(b"socket:[")
    assert link(w, "/proc/self/fd/99") == -ENOENT
    # Files are opened anew, wherever their names went.
    assert w.read(file, 3) == b"con"
    again = w.open(f"/dev/fd/{file}")
    assert w.read(again, 3) == b"con"
    w.two("rename", "/w/f", "/w/g")
    assert link(w, f"/proc/self/fd/{file}") == b"/w/g"
    w.at("unlink", "/w/g")
    assert link(w, f"/proc/self/fd/{file}") == b"/w/g (deleted)"
    assert w.content(f"/proc/self/fd/{file}") == b"contents"
    assert w.at("mkdir", f"/proc/self/fd/{fd}/below", 0o755) == 0
    assert w.names("/w") == [b"below"]
    assert w.open(f"/proc/self/fd/{file}/x") == -ENOTDIR
    # What has no name is shared.
    shared = w.open(f"/proc/self/fd/{writer}", O_WRONLY)
    assert w.write(shared, b"through") == 7
    assert w.read(reader) == b"through"
    assert w.open(f"/proc/self/fd/{writer}") == -EACCES
    assert w.open(f"/proc/self/fd/{left}", O_RDWR) == -ENXIO
    assert w.stat(f"/proc/self/fd/{left}")["st_mode"] >> 12 == 0o14
    assert w.stat(f"/proc/self/fd/{reader}")["st_mode"] >> 12 == 0o01
    assert w.lstat(f"/proc/self/fd/{reader}")["st_mode"] == 0o120777
    assert UNIX == 1


def test_others_descriptors():
    """PROC-3: of another cage."""
    w = Files()
    child = w.fork()
    w.file("/w/f", b"theirs")
    fd = w.do("open", w.text("/w/f", cage=child), 0, 0, cage=child)
    assert w.content(f"/proc/{child}/fd/{fd}") == b"theirs"
    assert w.open(f"/proc/self/fd/{fd}") == -ENOENT


def test_every_root(host):  # noqa: F811
    """ROOT-2: where it is missing, and in place of the host's own; nothing as recorded."""
    before = snapshot(host)
    assert Shown(host).names("/proc") == [b"self", b"1"]
    assert Files("lind").open("/proc") == -ENOENT
    assert snapshot(host) == before
    (host / "proc").mkdir()
    (host / "proc" / "mine").write_bytes(b"mine")
    assert Shown(host).names("/proc") == [b"mine"]
    assert Shown("/").names("/proc") == [b"self", b"1"]


def test_states():
    """Nothing of it is stored: a state has the same size, and shows the same when it is put back."""
    w = Files()
    fd = w.open("/proc/self/status")
    w.at("chdir", "/proc/1")
    assert w.cwd() == b"/proc/1"
    state = w.kernel.freeze()
    back = decode(encode(state))
    text = w.pread(fd, 4096, 0)
    w.kernel.restore(back)
    assert same(w.kernel.freeze(), state)
    assert w.pread(fd, 4096, 0) == text
    assert not any(number >= 1 << 31 for number in w.kernel.inodes)


@given(st.sampled_from(list(procfs.What)), st.integers(0, 2047), st.integers(0, 1023))
def test_numbers(what, cage, fd):
    """A number says all."""
    number = procfs.number_of(what, cage, fd)
    assert procfs.parts_of(number) == (what, cage, fd)
    assert 1 << 31 <= number < 1 << 32


@pytest.mark.parametrize("number", [procfs.number_of(what, 77, 9) for what in procfs.What])
def test_any_inode_can_be_looked_at(number):
    """PROC-1, PROC-2: also of what is gone."""
    w = Files()
    found = procfs.inode(w.kernel, number)
    assert (found.nlink > 0) == (procfs.parts_of(number)[0] in (procfs.What.TOP, procfs.What.SELF))


def test_added_files_stay():
    """ROOT-1."""
    w = Files()
    roots.add_file(w.kernel, b"/w/x", b"x")
    assert w.do("newfstatat", AT_FDCWD, w.text("/w/x"), w.ptr(AUX), 0) == 0


def test_where_a_file_without_a_name_was():
    """PROC-3: the last name, in a directory that may have moved since; a file that another replaced had one, too."""
    w = Files()
    w.at("mkdir", "/w/a", 0o755)
    w.at("mkdir", "/w/a/b", 0o755)
    folder = w.open("/w/a/b", O_DIRECTORY)
    assert w.at("rmdir", "/w/a/b") == 0
    assert link(w, f"/proc/self/fd/{folder}") == b"/w/a/b (deleted)"
    w.two("rename", "/w/a", "/w/z")
    assert link(w, f"/proc/self/fd/{folder}") == b"/w/z/b (deleted)"
    w.file("/w/old", b"old")
    w.file("/w/new", b"new")
    old = w.open("/w/old")
    w.two("rename", "/w/new", "/w/old")
    assert link(w, f"/proc/self/fd/{old}") == b"/w/old (deleted)"
    assert w.read(old, 3) == b"old"
    # Another name is as good.
    w.file("/w/one", b"")
    both = w.open("/w/one")
    w.two("link", "/w/one", "/w/two")
    w.at("unlink", "/w/one")
    assert link(w, f"/proc/self/fd/{both}") == b"/w/two"
    w.at("unlink", "/w/two")
    assert link(w, f"/proc/self/fd/{both}") == b"/w/two (deleted)"

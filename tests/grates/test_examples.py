"""The grates that come with lindref, each over a script of calls, and from the command line over a real program."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from grate_scenes import of
from scenes import GUESTS, CallStep, Recorder, World, exits, fork

from lindref.grates.chroot import Chroot
from lindref.grates.clamp import Clamp
from lindref.grates.faults import Faults
from lindref.grates.geteuid import GetEuid
from lindref.grates.limits import Limits
from lindref.grates.memfs import MemFS
from lindref.grates.readonly import ReadOnly
from lindref.grates.seccomp import Seccomp
from lindref.grates.strace import Strace
from lindref.grates.tee import Tee
from lindref.grates.view import View
from lindref.grates.writefilter import WriteFilter
from lindref.posix import console, errno
from lindref.posix.fs import roots
from lindref.posix.structs import STAT
from lindref.posix.table import NUMBERS
from lindref.system.boot import boot_script
from lindref.system.choices import Replay
from lindref.system.events import Enter, Route
from lindref.system.python import named, stack
from lindref.system.python.grate import Grate, GrateError, Served
from lindref.system.script_runner import Pointer, ResultOf, ScriptState, StoreStep

ANY = (1 << 64) - 1
WAIT = CallStep(61, (ANY, 0, 0))
RDONLY, WRONLY, RDWR, CREAT, APPEND = 0, 1, 2, 0o100, 0o2000
CWD = (-100) & ANY


class Script:
    """Writes a script: strings and bytes go into memory where arguments of calls name them."""

    def __init__(self) -> None:
        self.steps: list[Any] = []
        self._free = 1024

    def put(self, data: bytes) -> Pointer:
        """Bytes in the cage's memory."""
        place = Pointer(self._free)
        self.steps.append(StoreStep(self._free, data))
        self._free += (len(data) + 16) & ~7
        return place

    def call(self, name: str, *args: Any) -> ResultOf:
        """A call; its result for later ones."""
        texts = [a.encode() + b"\0" if isinstance(a, str) else a for a in args]
        made = [self.put(a) if isinstance(a, bytes) else a for a in texts]
        self.steps.append(CallStep(NUMBERS[name], tuple(made)))
        return ResultOf(len(self.steps) - 1)

    def fork(self, child: Script) -> None:
        """A child that plays ``child`` and exits; wait for it."""
        self.steps += [fork((*child.steps, exits(0))), WAIT]


def play(script: Script, *grates: Any, files: dict[str, bytes] | None = None, answers: tuple[int, ...] = ()) -> World:
    """Play it beneath ``grates``, to the end."""
    made: list[Recorder] = []
    system = boot_script(
        ScriptState((*script.steps, exits(0))),
        grates=grates,
        chooser=Replay(answers),
        observe=lambda new: made.append(Recorder(new)),
    )
    for path, data in (files or {}).items():
        roots.add_file(system.kernel, path.encode(), data, 0o644)
    console.end_stdin(system.kernel)
    system.run()
    return World(system, made[0])


def results(run: World, *names: str, cage: int = 1) -> list[int | None]:
    return of(run, cage, *(NUMBERS[name] for name in names))


def state(run: World, grate: int = 3001) -> dict[Any, Any]:
    return dict(stack.outside(run.system, grate).state)


def test_geteuid() -> None:
    script = Script()
    for name in ("getuid", "geteuid", "getegid"):
        script.call(name)
    assert results(play(script, GetEuid(42)), "getuid", "geteuid", "getegid") == [0, 42, 42]


def test_strace() -> None:
    """What passes through, in words; the exit before it happens."""
    script = Script()
    script.call("mkdir", "/new", 0o755)
    script.call("open", "/absent", RDONLY, 0)
    script.call("open", 12345, RDONLY, 0)
    run = play(script, Strace)
    shown = console.output(run.system.kernel, console.STDERR).decode().splitlines()
    assert shown == [
        '[cage 1] mkdir("/new", 0755) = 0',
        '[cage 1] open("/absent", O_RDONLY, 00) = -1 ENOENT',
        "[cage 1] open(0x3039, O_RDONLY, 00) = -1 EFAULT",
        "[cage 1] exit_group(0, 1) = ?",
    ]


def test_seccomp(tmp_path: Path) -> None:
    """The first rule with a pattern decides; what is denied goes no further."""
    rules = tmp_path / "rules"
    rules.write_text("# no removing\nallow rmdir\ndeny unlink* rmdir EROFS  # not rmdir: see above\n\ndeny get?id\n")
    script = Script()
    script.call("mkdir", "/d", 0o755)
    script.call("rmdir", "/d")
    script.call("unlink", "/f")
    script.call("unlinkat", CWD, "/f", 0)
    script.call("getuid")
    script.call("getppid")
    run = play(script, Seccomp(str(rules)), files={"/f": b""})
    got = results(run, "mkdir", "rmdir", "unlink", "unlinkat", "getuid", "getppid")
    assert got == [0, 0, -errno.EROFS, -errno.EROFS, -errno.EPERM, 1]
    assert not [e for e in run.recorder.of(Enter) if e.name.startswith("unlink") and e.within]
    strict = play(script, Seccomp(otherwise="deny"))
    assert set(results(strict, "mkdir", "rmdir", "getppid")) == {-errno.EPERM}
    assert strict.system.outcome is not None  # LOAD-2: exit was denied too, and the program is over all the same


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("permit read\n", "rules:1: 'permit' is neither allow nor deny"),
        ("\ndeny\n", "rules:2: no call is named"),
        ("deny read EBOGUS\n", "rules:1: no error is called EBOGUS"),
    ],
)
def test_seccomp_rules_that_are_none(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rules").write_text(text)
    with pytest.raises(GrateError) as caught:
        named.load("lindref.grates.seccomp:Seccomp,rules=rules")
    assert str(caught.value) == f"lindref.grates.seccomp:Seccomp: {said}"


def test_readonly() -> None:
    """Reading is free, changing only in the folder that was named, wherever a path seems to lead."""
    script = Script()
    kept = script.call("open", "/keep", RDONLY, 0)
    script.call("open", "/keep", WRONLY, 0)
    script.call("open", "/new", RDONLY | CREAT, 0o600)
    script.call("openat", CWD, "/free/new", WRONLY | CREAT, 0o600)
    script.call("openat", CWD, "/free/../keep", RDWR, 0)
    script.call("rename", "/free/new", "/out")
    script.call("rename", "/free/new", "/free/other")
    script.call("chdir", "/free")
    script.call("unlink", "other")
    script.call("unlink", "../keep")
    script.call("fchmod", kept, 0)
    run = play(script, ReadOnly(but="/free"), files={"/keep": b"kept", "/free/x": b""})
    assert [r if r is None or r < 0 else 0 for r in results(run, "open", "openat", "rename", "unlink", "fchmod")] == [
        *(0, -errno.EROFS, -errno.EROFS),
        *(0, -errno.EROFS),
        *(-errno.EROFS, 0),
        *(0, -errno.EROFS),
        -errno.EROFS,
    ]


def test_chroot() -> None:
    """Nothing leads out; the working directory is what the cage calls it, in the child too."""
    script, child = Script(), Script()
    name = script.call("open", "/etc/name", RDONLY, 0)
    script.call("read", name, Pointer(512), 6)
    script.call("write", 1, Pointer(512), 6)
    script.call("open", "/../../secret", RDONLY, 0)
    script.call("chdir", "etc")
    script.call("open", "name", RDONLY, 0)
    script.call("open", "../../../secret", RDONLY, 0)
    script.call("getcwd", Pointer(600), 64)
    script.call("write", 1, Pointer(600), 4)
    child.call("mkdir", "made", 0o755)
    child.call("getcwd", Pointer(600), 3)
    script.fork(child)
    script.call("chdir", "/absent")
    run = play(script, Chroot("/jail/"), files={"/jail/etc/name": b"jailed", "/secret": b"x", "/etc/name": b"free"})
    assert run.out == b"jailed/etc"
    assert results(run, "open") == [3, -errno.ENOENT, 4, -errno.ENOENT]
    assert results(run, "chdir") == [0, -errno.ENOENT]
    assert results(run, "mkdir", "getcwd", cage=2) == [0, -errno.ERANGE]
    beneath = [e for e in run.recorder.of(Enter) if e.name == "mkdir" and e.cage == 3001]
    assert [e.target for e in beneath] == [2]


def test_memfs() -> None:
    """Written, read back, sought, told of and removed, all without a file beneath."""
    script, child = Script(), Script()
    fd = script.call("open", "/mem/a", RDWR | CREAT, 0o600)
    script.call("write", fd, b"hello world", 11)
    script.call("lseek", fd, 6, 0)
    script.call("read", fd, Pointer(512), 64)
    script.call("write", 1, Pointer(512), 5)
    script.call("fstat", fd, Pointer(700))
    child.call("read", 512, Pointer(512), 64)
    child.call("open", "/mem/a", WRONLY | APPEND, 0)
    child.call("write", 513, b"!", 1)
    script.fork(child)
    script.call("read", fd, Pointer(512), 64)
    script.call("open", "/mem/absent", RDONLY, 0)
    script.call("open", "/mem/a", RDWR | CREAT | 0o200, 0)
    script.call("unlink", "/mem/a")
    script.call("unlink", "/mem/a")
    script.call("close", fd)
    script.call("close", fd)
    script.call("open", "/real", RDONLY, 0)
    run = play(script, MemFS, files={"/real": b"r"})
    assert results(run, "open") == [512, -errno.ENOENT, -errno.EEXIST, 3]
    assert results(run, "lseek", "fstat", "unlink") == [6, 0, 0, -errno.ENOENT]
    assert results(run, "read") == [5, 1]
    assert results(run, "read", "open", "write", cage=2) == [0, 513, 1]
    assert results(run, "close") == [0, -errno.EBADF]
    assert run.out == b"world"
    memory = run.system.memory(1)
    assert state(run) == {}
    assert memory is None  # the run is over
    assert not [e for e in run.recorder.of(Enter) if e.name == "open" and e.within and "mem" in str(e.args)]


def test_memfs_position_and_access() -> None:
    """What was not opened for it is EBADF; whence and place are looked at; a gap reads as zeros."""
    script = Script()
    fd = script.call("open", "/mem/a", WRONLY | CREAT, 0o600)
    script.call("read", fd, Pointer(512), 1)
    script.call("lseek", fd, 2, 0)
    script.call("write", fd, b"xy", 2)
    script.call("lseek", fd, ANY, 0)
    script.call("lseek", fd, 0, 7)
    script.call("lseek", fd, ANY, 2)
    only = script.call("open", "/mem/a", RDONLY, 0)
    script.call("write", only, b"no", 2)
    script.call("read", only, Pointer(512), 9)
    script.call("write", 1, Pointer(512), 4)
    run = play(script, MemFS)
    assert results(run, "read") == [-errno.EBADF, 4]
    assert results(run, "write") == [2, -errno.EBADF, 4]
    assert results(run, "lseek") == [2, -errno.EINVAL, -errno.EINVAL, 3]
    assert run.out == b"\0\0xy"


def test_memfs_stat_tells_the_size() -> None:
    script = Script()
    fd = script.call("open", "/mem/a", RDWR | CREAT, 0o600)
    script.call("write", fd, b"12345", 5)
    script.call("stat", "/mem/a", Pointer(640))
    script.call("write", 1, Pointer(640), STAT.size)
    assert STAT.unpack(play(script, MemFS).out)["st_size"] == 5


def test_writefilter() -> None:
    """The word is struck out, on the descriptors named; the caller hears of its own length."""
    script = Script()
    vector = (1 << 44) + (1 << 33) + 2048  # where cage 1's memory lies
    script.call("write", 1, b"a secret b\n", 11)
    script.call("write", 1, b"nothing\n", 8)
    script.call("write", 2, b"secret\n", 7)
    script.steps.append(StoreStep(2048, b"sec" + b"ret\n"))
    pieces = b"".join(n.to_bytes(8, "little") for n in (vector, 3, vector + 3, 4))
    script.call("writev", 1, pieces, 2)
    run = play(script, WriteFilter("secret", fds="1"))
    assert run.out == b"a ****** b\nnothing\n******\n"
    assert console.output(run.system.kernel, console.STDERR) == b"secret\n"
    assert results(run, "write", "writev") == [11, 8, 7, 7]
    assert play(script, WriteFilter("secret", by="-")).out == b"a - b\nnothing\n-\n"


def test_view() -> None:
    """The same path, two files; elsewhere all see the same."""
    script, child = Script(), Script()
    script.call("open", "/work/f", WRONLY | CREAT, 0o600)
    child.call("open", "/work/f", RDONLY, 0)
    child.call("open", "/work/f", WRONLY | CREAT | 0o200, 0o600)
    child.call("open", "/shared", RDONLY, 0)
    script.fork(child)
    script.call("open", "/work/f", RDONLY, 0)
    run = play(script, View("/work"), files={"/work/x": b"", "/shared": b"s"})
    assert results(run, "open") == [3, 4]
    assert results(run, "open", cage=2) == [-errno.ENOENT, 4, 5]
    made = [e for e in run.recorder.of(Enter) if e.name == "mkdir"]
    assert [(e.cage, e.target) for e in made] == [(3001, 1), (3001, 2)]


def test_limits() -> None:
    """Each limit at its edge; what is closed can be opened again; a child goes on where its parent stood."""
    script, child = Script(), Script()
    fd = script.call("open", "/f", RDONLY, 0)
    script.call("open", "/f", RDONLY, 0)
    script.call("close", fd)
    script.call("dup", 1)
    script.call("write", 1, b"12345678", 8)
    child.call("write", 1, b"abcdefgh", 8)
    child.call("write", 1, b"x", 1)
    script.fork(child)
    script.call("write", 1, b"ABC", 3)
    script.steps += [fork((exits(0),)), WAIT]
    run = play(script, Limits(files=1, children=1, written=10), files={"/f": b""})
    assert results(run, "open", "close", "dup") == [3, -errno.EMFILE, 0, 3]
    assert results(run, "write") == [8, 2]
    assert results(run, "write", cage=2) == [2, -errno.EFBIG]
    assert results(run, "clone", "wait4") == [2, 2, -errno.EAGAIN, -errno.ECHILD]
    assert run.out == b"12345678abAB"


def test_faults() -> None:
    """The nth of a kind, and each Nth after it; the others go through."""
    script = Script()
    for name in ("getuid", "getpid", "getgid", "getpid", "getegid", "getpid"):
        script.call(name)
    assert results(play(script, Faults("getpid", nth=2)), "getpid") == [1, -errno.EIO, 1]
    assert results(play(script, Faults("get?id", nth=2, error="EAGAIN", every=2)), "getuid", "getgid", "getpid") == [
        *(0, -errno.EAGAIN, 0, -errno.EAGAIN, 1)
    ]
    got = [results(play(script, Faults("getpid", nth=0), answers=answers), "getpid") for answers in ((), (1,), (0, 1))]
    assert got == [[1, 1, 1], [-errno.EIO, 1, 1], [1, -errno.EIO, 1]]


class Marks(Grate):
    """Answers writes itself, and says so."""

    def __init__(self, mark: str = "in") -> None:
        self.mark = mark

    def write(self, call: Served, fd: int, data: int, count: int) -> int:
        self.print(f"{self.mark} {self.read_bytes(data, count).decode()}\n", 1)
        return self.forward()

    def mkdir(self, call: Served, path: int) -> int:
        return -errno.EACCES


def clamped() -> Script:
    script = Script()
    script.call("mkdir", "/d", 0o755)
    script.call("mkdir", "/tmp/d", 0o755)
    script.call("mkdir", "/tmp/../e", 0o755)
    inside = script.call("open", "/tmp/f", WRONLY | CREAT, 0o600)
    outside = script.call("open", "/g", WRONLY | CREAT, 0o600)
    script.call("write", inside, b"one", 3)
    script.call("write", outside, b"two", 3)
    script.call("dup2", inside, 9)
    script.call("write", 9, b"three", 5)
    script.call("close", 9)
    script.call("dup2", outside, 9)
    script.call("write", 9, b"four", 4)
    script.call("write", 1, b"five\n", 5)
    return script


def test_clamp() -> None:
    """Only what has to do with the folder goes into the group, by path and by descriptor."""
    script = clamped()
    files = {"/tmp/x": b""}
    run = play(script, Clamp("/tmp"), "%{", Marks, "%}", files=files)
    assert results(run, "mkdir") == [0, -errno.EACCES, 0]
    assert run.out == b"in one\nin three\nfive\n"
    assert results(run, "write") == [3, 3, 5, 4, 5]
    two = play(script, Clamp("/tmp"), "%{", Marks("outer"), Marks("inner"), "%}", Marks("top"), files=files)
    # What a grate of the group writes itself goes to those of the group beneath it.
    assert two.out.splitlines() == [
        *(b"top one", b"outer inner one", b"", b"inner one", b"outer one", b"top two"),
        *(b"top three", b"outer inner three", b"", b"inner three", b"outer three"),
        *(b"top four", b"top five", b"", b"five"),
    ]


def test_tee() -> None:
    """Both ways; the group's answer is looked at, and given only where that was asked for."""
    script = Script()
    script.call("write", 1, b"x\n", 2)
    script.call("mkdir", "/d", 0o755)
    script.call("getpid")
    run = play(script, Tee, "%{", Marks, "%}")
    assert run.out == b"in x\n\nx\nx\n"
    assert results(run, "write", "mkdir", "getpid") == [2, 0, 1]
    assert state(run)["differs"] == 1
    other = play(script, Tee("group"), "%{", Marks, "%}")
    assert results(other, "mkdir") == [-errno.EACCES]


def test_group_of_wasm_grates(tmp_path: Path) -> None:
    """A clamp over a wasm grate that launches the program, and one between wasm programs: the same answers (PY-9)."""
    import lindref

    for program in ("grate.wasm", "app.wasm"):
        shutil.copy(GUESTS / "grate_geteuid" / program, tmp_path / program)
    always = ["lindref.grates.group:Group", "%{", "grate.wasm", "%}"]
    for grates in (always, ["grate.wasm", *always], [*always, "lindref.grates.strace:Strace"]):
        system = lindref.boot("app.wasm", root=tmp_path, grates=grates)
        assert system.run() == 3, system.stderr
        assert b"geteuid 1000" in system.stdout
        calls = [e for e in system.trace if isinstance(e, Enter) and e.number % 100_000 == NUMBERS["geteuid"]]
        served = {e.call: e.handler for e in system.trace if isinstance(e, Route)}
        assert any(served[e.call] > 3000 for e in calls if not e.within), grates
        inner = [e for e in calls if e.number > 100_000 and e.within]
        assert served[inner[0].call] < 3000


COMMANDS = [
    ("geteuid", "GetEuid,uid=7", "grate_geteuid", 3, "app: getuid 0, geteuid 7\n"),
    ("strace", "Strace,fd=1", "hello", 0, "fstat(1, 0x"),
    ("seccomp", "Seccomp,otherwise=allow", "hello", 0, "hello, world\n"),
    ("readonly", "ReadOnly,but=/tmp", "grate_deny", 6, "remove /keep.txt: Read-only file system\n"),
    ("chroot", "Chroot,dir=/sandbox", "grate_redirect", 0, "/etc/shadow is not there\n"),
    ("memfs", "MemFS,at=/mem", "hello", 0, "hello, world\n"),
    ("writefilter", "WriteFilter,word=world", "hello", 0, "hello, *****\n"),
    ("view", "View,dir=/tmp", "grate_deny", 4, "make /tmp/d: done\n"),
    ("limits", "Limits,written=5", "hello", 0, "hello"),
    ("faults", "Faults,call=write,error=ENOSPC", "hello", 0, ""),
    ("group", "Group", "hello", 0, "hello, world\n"),
    ("clamp", "Clamp,prefix=/tmp", "hello", 0, "hello, world\n"),
    ("tee", "Tee,answer=group", "hello", 0, "hello, world\n"),
]


@pytest.mark.parametrize(("module", "words", "guest", "status", "shown"), COMMANDS, ids=[c[0] for c in COMMANDS])
def test_from_the_command_line(
    module: str, words: str, guest: str, status: int, shown: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    """Each by its name, with options, over a program in C."""
    from lindref.cli.main import main

    program = "main.wasm" if guest == "hello" else "app.wasm"
    monkeypatch.chdir(GUESTS / guest)
    got = main(["run", "--grate", f"lindref.grates.{module}:{words}", program])
    out = capfdbinary.readouterr().out.decode()
    assert shown in out
    assert got == status, out


@pytest.mark.parametrize(
    ("grate", "said"),
    [
        ("lindref.grates.faults:Faults", "option call must be given: lindref.grates.faults:Faults,call=..."),
        ("lindref.grates.faults:Faults,call=x,nth=two", "faults:Faults: option nth is a whole number, not 'two'"),
        ("lindref.grates.faults:Faults,call=x,error=X", "lindref.grates.faults:Faults: error=X: no error is called so"),
        ("lindref.grates.geteuid:GetEuid,gid=3", "no option 'gid=3' (it takes uid)"),
        ("lindref.grates.seccomp:Seccomp,rules=/no/such/file", "No such file or directory"),
        ("lindref.grates.nothing:X", "there is no module 'lindref.grates.nothing'"),
    ],
)
def test_wrong_words_are_one_line(grate: str, said: str) -> None:
    command = [sys.executable, "-m", "lindref.cli.main", "run", "--grate", grate, "x.wasm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert said in done.stderr

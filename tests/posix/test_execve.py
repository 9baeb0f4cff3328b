"""execve: rules EXEC-1 to EXEC-8."""

from __future__ import annotations

import pytest
from world import World

from lindref.posix import processes
from lindref.posix.fs import roots
from lindref.posix.result import Exec, RuntimeFault

BOTH = pytest.mark.parametrize("profile", ["spec", "lind"])
MODULE = b"\0asm\1\0\0\0"


def world(profile: str, **files: bytes) -> World:
    w = World(profile)
    roots.add_dir(w.kernel, b"/prog")
    roots.add_file(w.kernel, b"/prog/app", MODULE, 0o755)
    for name, data in files.items():
        roots.add_file(w.kernel, b"/prog/" + name.encode(), data, 0o755)
    return w


def strings(w: World, at: int, values: list[bytes]) -> int:
    """A NULL-terminated array at ``at``; its address."""
    place, cells = at + 0x800, b""
    for value in values:
        w.put(1, place, value + b"\0")
        cells += w.ptr(place).to_bytes(8, "little")
        place += len(value) + 1
    w.put(1, at, cells + bytes(8))
    return w.ptr(at)


def execve(w: World, path: bytes, argv: list[bytes] | None = None, env: list[bytes] | None = None):
    w.put(1, 0x400, path + b"\0")
    arguments = strings(w, 0x1000, [path, b"x"] if argv is None else argv)
    return w.call("execve", w.ptr(0x400), arguments, strings(w, 0x3000, [b"E=1"] if env is None else env))


@BOTH
def test_plain(profile):
    """EXEC-1, EXEC-6."""
    w = world(profile)
    assert execve(w, b"/prog/app") == Exec(1, b"/prog/app", MODULE, (b"/prog/app", b"x"), (b"E=1",))
    assert w.kernel.cages[1].env == ()  # nothing has changed yet


def test_argv0():
    """EXEC-6, EXEC-ARGV0: vector proc.exec.argv0."""
    assert execve(world("spec"), b"/prog/app", [b"zero", b"one"]).argv == (b"zero", b"one")
    assert execve(world("lind"), b"/prog/app", [b"zero", b"one"]).argv == (b"/prog/app", b"one")
    assert execve(world("spec"), b"/prog/app", []).argv == (b"",)
    assert execve(world("lind"), b"/prog/app", []).argv == (b"/prog/app",)


def test_environment():
    """EXEC-6, EXEC-ENV: vectors proc.exec.empty_env_inherits and env_noeq."""
    given = [b"NOEQ", b"A=1", b"=x"]
    for profile, first, second in (("spec", tuple(given), ()), ("lind", (b"A=1", b"=x"), (b"A=1", b"=x"))):
        w = world(profile)
        done = execve(w, b"/prog/app", env=given)
        assert done.env == first
        processes.execed(w.kernel, 1, done.env)
        w.load(1)
        assert execve(w, b"/prog/app", env=[]).env == second


@BOTH
def test_missing(profile):
    """EXEC-3, EXEC-4: vectors proc.exec.enoent, noexec, shebang_missing."""
    w = world(profile, t=b"plain text\n", e=b"", s=b"#!/prog/none\n", b=b"#! \n", d=b"#!/prog/app")
    assert execve(w, b"/prog/none").value == -2
    assert execve(w, b"").value == -2
    assert execve(w, b"/prog/t").value == -8
    assert execve(w, b"/prog/e").value == -8
    assert execve(w, b"/prog/s").value == -2
    assert execve(w, b"/prog/b").value == -8
    assert isinstance(execve(w, b"/prog/d"), Exec)
    assert w.do("execve", 0, 0, 0) == -14


def test_unchecked():
    """EXEC-3, EXEC-UNCHECKED: vectors proc.exec.dir and noperm."""
    for profile, folder, plain in (("spec", -13, -13), ("lind", -8, None)):
        w = world(profile)
        roots.add_file(w.kernel, b"/prog/p", b"#!/prog/app\n", 0o644)
        assert execve(w, b"/prog").value == folder
        result = execve(w, b"/prog/p")
        assert isinstance(result, Exec) if plain is None else result.value == plain


def test_a_way_that_is_barred():
    """EXEC-3, EXEC-MISSING."""
    for profile, no_directory, too_long in (("spec", -20, -36), ("lind", -2, -2)):
        w = world(profile)
        assert execve(w, b"/prog/app/x").value == no_directory
        assert execve(w, b"/prog/app/").value == no_directory
        assert execve(w, b"/prog/" + b"n" * 300).value == too_long


@BOTH
def test_script(profile):
    """EXEC-5: vectors proc.exec.shebang, shebang_depth3."""
    w = world(profile, s1=b"#!/prog/app\nrest\n", s2=b"#!/prog/s1\n", s3=b"#!/prog/s2\n")
    assert execve(w, b"/prog/s1") == Exec(1, b"/prog/app", MODULE, (b"/prog/app", b"/prog/s1", b"x"), (b"E=1",))
    assert execve(w, b"/prog/s3").argv == (b"/prog/app", b"/prog/s1", b"/prog/s2", b"/prog/s3", b"x")


def test_script_lines():
    """EXEC-5, EXEC-SCRIPTS: vectors proc.exec.shebang_arg, shebang_crlf."""
    w = world("spec", a=b"#! /prog/app  -a b c \nrest\n", c=b"#!/prog/app\r\n", t=b"#!\t/prog/app\tq\t\n")
    assert execve(w, b"/prog/a").argv == (b"/prog/app", b"-a b c", b"/prog/a", b"x")
    assert execve(w, b"/prog/a", [b"other", b"y"]).argv == (b"/prog/app", b"-a b c", b"/prog/a", b"y")
    assert execve(w, b"/prog/c").value == -2
    assert execve(w, b"/prog/t").argv == (b"/prog/app", b"q", b"/prog/t", b"x")
    w = world("lind", a=b"#! /prog/app  -a b c \nrest\n", c=b"#!/prog/app\r\n")
    assert execve(w, b"/prog/a").argv == (b"/prog/app", b"-a b c ", b"/prog/a", b"x")
    assert execve(w, b"/prog/c").argv == (b"/prog/app", b"/prog/c", b"x")


def test_script_depth():
    """EXEC-5: vector proc.exec.shebang_depth5; a loop of scripts ends."""
    files = {f"s{i}": b"#!/prog/" + (f"s{i - 1}".encode() if i > 1 else b"app") + b"\n" for i in range(1, 7)}
    for profile, deepest in (("spec", 5), ("lind", 3)):
        w = world(profile, **files, loop=b"#!/prog/loop\n")
        assert isinstance(execve(w, b"/prog/s%d" % deepest), Exec)
        assert execve(w, b"/prog/s%d" % (deepest + 1)).value == -40
        assert execve(w, b"/prog/loop").value == -40


def test_null_arrays():
    """EXEC-2, PTR-CRASH: vector proc.exec.null_argv."""
    w = world("spec")
    w.put(1, 0x400, b"/prog/app\0")
    assert w.call("execve", w.ptr(0x400), 0, 0) == Exec(1, b"/prog/app", MODULE, (b"",), ())
    assert w.do("execve", w.ptr(0x400), w.ptr(0xF0000000), 0) == -14
    w.put(1, 0x1000, w.ptr(0xF0000000).to_bytes(8, "little"))
    assert w.do("execve", w.ptr(0x400), w.ptr(0x1000), 0) == -14
    w = world("lind")
    w.put(1, 0x400, b"/prog/app\0")
    fault = w.call("execve", w.ptr(0x400), 0, 0)
    assert isinstance(fault, RuntimeFault)
    assert fault.code == -11


def test_too_big():
    """EXEC-2."""
    w = world("spec")
    w.put(1, 0x400, b"/prog/app\0")
    w.put(1, 0x10000, b"y" * 70000 + b"\0")
    one = w.ptr(0x10000).to_bytes(8, "little")
    w.put(1, 0x40000, one * 20 + bytes(8))
    assert isinstance(w.call("execve", w.ptr(0x400), w.ptr(0x40000), 0), Exec)
    w.put(1, 0x40000, one * 40 + bytes(8))
    assert w.do("execve", w.ptr(0x400), w.ptr(0x40000), 0) == -7
    w.put(1, 0x10000, b"y" * 140000 + b"\0")
    w.put(1, 0x40000, one + bytes(8))
    assert w.do("execve", w.ptr(0x400), w.ptr(0x40000), 0) == -7


def test_lossy():
    """EXEC-LOSSY."""
    for profile, got in (("spec", b"a\xffb"), ("lind", b"a\xef\xbf\xbdb")):
        assert execve(world(profile), b"/prog/app", [b"/prog/app", b"a\xffb"]).argv[1] == got


@BOTH
def test_execed(profile):
    """EXEC-7, EXEC-8: what stays and what goes."""
    w = world(profile)
    child = w.fork()
    w.exit(child, 6)
    w.thread()
    w.do("mmap", 0, 4096, 3, 0x21, -1, 0)
    before = w.kernel.cages[1]
    processes.execed(w.kernel, 1, (b"N=1",))
    after = w.kernel.cages[1]
    assert (after.id, after.parent, after.cwd, after.fds) == (before.id, before.parent, before.cwd, before.fds)
    assert (after.zombies, after.timers) == (before.zombies, before.timers)
    assert (len(after.vmmap), after.brk, after.threads, after.env) == (0, 0, (1,), (b"N=1",))
    assert not w.kernel.shares
    w.load(1)
    assert w.do("wait4", -1, 0, 0) == child


def test_relative():
    """EXEC-1, HOST-CWD: vector proc.exec.relative_othercwd."""
    for profile in ("spec", "lind"):
        w = world(profile)
        child = w.fork()
        w.put(child, 0x400, b"/tmp\0")
        assert w.do("chdir", w.ptr(0x400, child), cage=child) == 0
        result = execve(w, b"prog/app")
        assert isinstance(result, Exec) if profile == "spec" else result.value == -2

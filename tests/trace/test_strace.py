"""The strace view: strace's look, routes through grates, what stands open when."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import FORK, CallStep, ReturnStep, World, exits, fork, program, scripted, world

from lindref.posix.table import CALLS, NUMBERS
from lindref.system.script_runner import Given, Pointer, StoreStep
from lindref.trace.decode import quoted, wait_status
from lindref.trace.filters import FilterError, parse_filter
from lindref.trace.strace import Strace

ANY = (1 << 64) - 1


def traced(run: World, **options: object) -> list[str]:
    """The lines of a run's trace."""
    out: list[str] = []
    run.system.observers.append(Strace(run.system, out.append, **options))  # type: ignore[arg-type]
    run.run()
    return "".join(out).splitlines()


def lines_of(*steps: object, **options: object) -> list[str]:
    """The lines of a script."""
    return traced(scripted(*steps, exits(0)), **options)


def test_flags_strings_and_errors() -> None:
    path = StoreStep(0x100, b"/no\tsuch\0")
    line = lines_of(path, CallStep(2, (Pointer(0x100), 0x80241, 0o640)))[0]
    assert line == r'[cage 1] open("/no\tsuch", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0640) = 3'
    line = lines_of(path, CallStep(2, (Pointer(0x100), 0, 0o640)))[0]
    assert line == r'[cage 1] open("/no\tsuch", O_RDONLY) = -1 ENOENT (No such file or directory)'


def test_results_of_reads_stand_in_the_arguments() -> None:
    steps = (
        CallStep(22, (Pointer(0x100),)),
        StoreStep(0x200, b"hello\n" + bytes(40)),
        CallStep(1, (4, Pointer(0x200), 40)),
        CallStep(0, (3, Pointer(0x300), 6)),
        CallStep(0, (3, 1234, 6)),
    )
    lines = lines_of(*steps)
    assert lines[0] == "[cage 1] pipe([3, 4]) = 0" or "pipe({first=3, second=4}) = 0" in lines[0]
    assert lines[1].endswith(r'write(4, "hello\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"..., 40) = 40')
    assert lines[2] == r'[cage 1] read(3, "hello\n", 6) = 6'
    assert lines[3] == "[cage 1] read(3, 0x4d2, 6) = -1 EFAULT (Bad address)"


def test_unfinished_and_resumed() -> None:
    lines = lines_of(fork((CallStep(39), exits(3))), CallStep(61, (ANY, Pointer(0x300), 0, 0)))
    text = "\n".join(lines)
    assert "=== cage 2 forked from cage 1 ===" in text
    assert "[cage 1] wait4(-1,  <unfinished ...>" in lines
    assert "[cage 2] getpid() = 2" in lines
    assert "[cage 2] +++ exited with 3 +++" in lines
    assert "[cage 1] <... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0) = 2" in " ".join(lines).replace(
        ", NULL", ""
    )


def test_routes_through_a_grate_are_shown_and_nested() -> None:
    app = (CallStep(1001, (2, 0, 0), cages=(107, 1)), CallStep(107), exits(0))
    grate = (CallStep(104), ReturnStep(1234))
    run = scripted(fork(app), CallStep(61, (ANY, 0, 0, 0)), exits(0), handlers=(grate,))
    lines = traced(run, routes=True)
    at = lines.index("[cage 2] geteuid( <unfinished ...> → grate 1")
    assert lines[at + 1] == "[cage 1] │ getgid() = 0 → RawPOSIX" or "[cage 1] │ getgid() = " in lines[at + 1]
    assert lines[at + 2] == "[cage 2] <... geteuid resumed>) = 1234"
    assert any(line.startswith("[cage 2] register_handler(cage 2, geteuid, grate 1") for line in lines)
    assert any(line.endswith("= 0 → 3i") for line in lines)


def test_a_pass_through_grate_shows_the_same_arguments_below() -> None:
    app = (
        CallStep(1001, (2, 0, 0), cages=(3, 1)),
        CallStep(3, (99,)),
        exits(0),
    )
    grate = (CallStep(3, tuple(Given(i) for i in range(6)), target=2),)
    lines = traced(scripted(fork(app), CallStep(61, (ANY, 0, 0, 0)), exits(0), handlers=(grate,)))
    assert "[cage 1] │ close(99) = -1 EBADF (Bad file descriptor)" in lines
    assert "[cage 2] <... close resumed>) = -1 EBADF (Bad file descriptor)" in lines


def test_signals_traps_and_ends() -> None:
    killed = f"""(if (i32.eqz {FORK}) (then (loop (br 0))))
      (drop (call $call3 (i32.const 62) (i64.const 2) (i64.const 15) (i64.const 0)))
      (drop (call $call3 (i32.const 61) (i64.const 2) (i64.const 0) (i64.const 0))) unreachable"""
    lines = traced(world(program(killed)))
    assert "[cage 2] --- SIGTERM (terminate) ---" in lines
    assert "[cage 2] +++ killed by SIGTERM +++" in lines
    assert any("+++ trapped: unreachable +++" in line for line in lines)


def test_filters_leave_ends_and_forks_but_only_the_calls_asked_for() -> None:
    chosen = parse_filter("trace=process", CALLS)
    lines = lines_of(CallStep(39), fork((exits(0),)), CallStep(61, (ANY, 0, 0, 0)), only=chosen)
    names = {m[1] for line in lines for m in [re.match(r"\[cage \d+\] (?:<\.\.\. )?(\w+)", line)] if m}
    assert names <= {"clone", "wait4", "exit_group"} and "clone" in names


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("trace=open,close", ("open", "close"), ("read",)),
        ("%file", ("open", "unlink", "execve"), ("read", "close")),
        ("trace=file,!", (), ()),
        ("trace=!write", ("read", "open"), ("write",)),
        ("desc", ("read", "close", "open"), ("getpid",)),
        ("trace=signal", ("kill",), ("read",)),
        ("memory", ("mmap",), ("read",)),
        ("trace=none", (), ("read", "mmap")),
        ("39", ("getpid",), ("read",)),
        ("3i", (), ("read",)),
    ],
)
def test_filter_words(text: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    if text.endswith("!"):
        with pytest.raises(FilterError, match="'!'"):
            parse_filter(text, CALLS)
        return
    chosen = parse_filter(text, CALLS)
    assert {NUMBERS[n] for n in inside} <= chosen
    assert not {NUMBERS[n] for n in outside} & chosen


@given(st.binary(max_size=60))
def test_quotes_are_c_strings(data: bytes) -> None:
    """A C compiler reads back what stands between the quotes (octal escapes end before a digit)."""
    text = quoted(data)
    assert text.endswith("...") == (len(data) > 32)
    inner = text.removesuffix("...")[1:-1]
    named = {"n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f"}
    back = re.sub(
        r'\\([0-7]{1,3}|["\\ntrvf])',
        lambda m: chr(int(m[1], 8)) if m[1][0] in "01234567" else named.get(m[1], m[1]),
        inner,
    )
    assert back.encode("latin-1") == data[:32]


def test_wait_statuses() -> None:
    assert wait_status(0x300) == "{WIFEXITED(s) && WEXITSTATUS(s) == 3}"
    assert wait_status(9) == "{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}"
    assert wait_status(0x137F) == "{WIFSTOPPED(s) && WSTOPSIG(s) == SIGSTOP}"


def test_colour_only_where_asked() -> None:
    assert not any("\x1b" in line for line in lines_of(CallStep(39)))
    coloured = lines_of(CallStep(39), colour=True)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured]
    assert coloured != plain == lines_of(CallStep(39))

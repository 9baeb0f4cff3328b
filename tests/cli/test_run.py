"""``lindref run`` as a person uses it: options, statuses, one line for everything that is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import FORK, GUESTS, program

from lindref.cli.main import main
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

HELLO = str(GUESTS / "hello" / "main.wasm")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def lindref(capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in an empty folder: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str | Path) -> tuple[int, str, str]:
        status = main([str(w) for w in words])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return status, out, err

    return run


def put(folder: Path, name: str, data: bytes) -> Path:
    """A file."""
    path = folder / name
    path.write_bytes(data)
    return path


def exit_with(code: int) -> bytes:
    return program(f"(call $exit (i64.const {code}))")


def test_hello(lindref: Run) -> None:
    assert lindref("run", HELLO) == (0, "hello, world\n", "")


@pytest.mark.parametrize("code", [0, 1, 2, 70, 255])
def test_run_2_the_exit_status_is_the_programs(lindref: Run, tmp_path: Path, code: int) -> None:
    assert lindref("run", put(tmp_path, "x.wasm", exit_with(code)))[0] == code


def test_arguments_and_environment_reach_the_program(lindref: Run, tmp_path: Path) -> None:
    """BOOT-4: words after the program are its own, even those that look like options."""
    image = encode(
        parse_module("""(module
      (import "lind" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
      (import "lind" "environ_sizes_get" (func $env (param i32 i32) (result i32)))
      (import "env" "memory" (memory 1 1 shared))
      (func (export "_start") (result i32)
        (drop (call $sizes (i32.const 0) (i32.const 4))) (drop (call $env (i32.const 8) (i32.const 12)))
        (i32.add (i32.mul (i32.load (i32.const 0)) (i32.const 10)) (i32.load (i32.const 8)))))""")
    )
    path = put(tmp_path, "x.wasm", image)
    assert lindref("run", path)[0] == 10
    assert lindref("run", "--env", "A=1", "--env", "B=", path, "--strace", "-x", "--", "y")[0] == 52


def test_strace_goes_to_stderr_or_a_file(lindref: Run, tmp_path: Path) -> None:
    status, out, err = lindref("run", "--strace", HELLO)
    assert (status, out) == (0, "hello, world\n")
    assert '[cage 1] write(1, "hello, world\\n", 13) = 13\n' in err
    assert lindref("run", f"--strace={tmp_path / 't'}", HELLO) == (0, "hello, world\n", "")
    assert (tmp_path / "t").read_text() == err
    _, _, chosen = lindref("run", "--strace", "-e", "trace=write", HELLO)
    assert "write(1" in chosen and "mmap" not in chosen
    _, _, routes = lindref("run", "--strace", "--routes", HELLO)
    assert "= 13 → RawPOSIX" in routes


def test_trace_is_json_lines(lindref: Run, tmp_path: Path) -> None:
    assert lindref("run", "--trace", tmp_path / "t", HELLO)[0] == 0
    lines = [json.loads(line) for line in (tmp_path / "t").read_text().splitlines()]
    assert lines[0]["format"] == "lindref-trace"
    assert [line["event"] for line in lines[-2:]] == ["end", "outcome"]
    assert lines[-1]["ending"] == "exit" and lines[-1]["status"] == 0


def test_words_of_e_are_checked_with_and_without_strace(lindref: Run) -> None:
    for words in (("--strace",), ()):
        status, out, err = lindref("run", *words, "-e", "trace=foo", HELLO)
        assert (status, out) == (2, "") and err.count("\n") == 1 and "'foo'" in err


def test_seeds_and_schedules(lindref: Run, tmp_path: Path) -> None:
    """SCHED-2 from the command line."""
    child = "(call $write (i32.const 1) (i32.const %d) (i32.const 1)) " * 2 + "(call $exit (i64.const 0))"
    race = program(
        f"""(if (i32.eqz {FORK}) (then {child % (0, 0)})) (if (i32.eqz {FORK}) (then {child % (1, 1)}))
        (loop (br_if 0
          (i32.gt_s (call $call3 (i32.const 61) (i64.const -1) (i64.const 0) (i64.const 0)) (i32.const 0))))""",
        '(data (i32.const 0) "ab")',
    )
    path = put(tmp_path, "race.wasm", race)
    outs = {seed: lindref("run", "--seed", str(seed), path)[1] for seed in range(8)}
    assert all(sorted(out) == ["a", "a", "b", "b"] for out in outs.values()) and len(set(outs.values())) > 1
    assert {lindref("run", "--seed", "3", path)[1] for _ in range(3)} == {outs[3]}
    assert lindref("run", "--schedule", "0,1,0,1", path) == lindref("run", "--schedule", "0,1,0,1", path)


def test_deadlock_is_71_with_who_waits_on_what(lindref: Run, tmp_path: Path) -> None:
    wait = "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))"
    status, _, err = lindref("run", put(tmp_path, "x.wasm", program(wait)))
    assert status == 71
    assert "deadlock" in err and "cage 1 thread 1: in memory.atomic.wait at 0x0" in err


def test_limits_are_72(lindref: Run, tmp_path: Path) -> None:
    status, _, err = lindref("run", "--max-ticks", "1000", put(tmp_path, "x.wasm", program("(loop (br 0))")))
    assert status == 72 and err.count("\n") == 1 and "--max-ticks 1000" in err
    touch = """(local $a i32) (drop (call $call (i32.const 9) (i64.const 0x100000) (i64.const 0x4000000) (i64.const 3)
        (i64.const 0x32) (i64.const -1) (i64.const 0)))
      (local.set $a (i32.const 0x100000))
      (loop (i32.store (local.get $a) (i32.const 1)) (local.set $a (i32.add (local.get $a) (i32.const 4096)))
        (br_if 0 (i32.lt_u (local.get $a) (i32.const 0x4000000))))"""
    status, _, err = lindref("run", "--max-memory", "1M", put(tmp_path, "y.wasm", program(touch)))
    assert status == 72 and err.count("\n") == 1


def test_a_trap_is_70_and_says_where(lindref: Run, tmp_path: Path) -> None:
    image = program("(call $deep)", "(func $deep (drop (i32.div_u (i32.const 1) (i32.const 0))))")
    status, _, err = lindref("run", put(tmp_path, "x.wasm", image))
    first, second = err.splitlines()
    assert status == 70 and "integer divide by zero" in first and second.startswith("    called from func 11")
    assert "integer divide by zero" in err


def test_runtime_fault_is_134_in_profile_lind(lindref: Run, tmp_path: Path) -> None:
    path = put(tmp_path, "x.wasm", program("(call $exit (i64.extend_i32_s (call $call0 (i32.const 9999))))"))
    assert lindref("run", path)[0] == -38 & 255
    status, _, err = lindref("run", "--profile", "lind", path)
    assert status == 134 and "runtime fault" in err


def test_root_modes(lindref: Run, tmp_path: Path) -> None:
    """The root is read and never written (cow); blank has nothing in it but the program."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "f").write_text("data")
    image = program(
        """(local $r i32)
        (local.set $r (call $call3 (i32.const 2) (call $at (i32.const 0)) (i64.const 0x42) (i64.const 0x180)))
        (local.set $r
          (call $call3 (i32.const 0) (i64.extend_i32_u (local.get $r)) (call $at (i32.const 16)) (i64.const 9)))
        (call $exit (i64.extend_i32_u (local.get $r)))""",
        '(data (i32.const 0) "/f\\00")',
    )
    put(root, "x.wasm", image)
    assert lindref("run", "--root", root, "/x.wasm")[0] == 4
    assert lindref("run", "--root-mode", "blank", root / "x.wasm")[0] == 0
    assert sorted(p.name for p in root.iterdir()) == ["f", "x.wasm"]
    assert (root / "f").read_text() == "data"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--nonsense", HELLO],
        ["--seed", "x", HELLO],
        ["--seed", "-1", HELLO],
        ["--max-ticks", "0", HELLO],
        ["--grate-workers", "33", HELLO],
        ["--grate-workers", "0", HELLO],
        ["--schedule", "1,,2", HELLO],
        ["--profile", "other", HELLO],
        ["--engine", "warp", HELLO],
        ["--strace", "-e", "trace=nonsense", HELLO],
        ["--env", "=x", HELLO],
        ["--strace=/no/such/folder/t", HELLO],
        ["--trace", "/no/such/folder/t", HELLO],
        ["absent.wasm"],
        ["--root", "absent", "/x.wasm"],
        ["--root", "/dev/null", "/x.wasm"],
        ["."],
    ],
)
def test_wrong_use_is_2_and_one_line(lindref: Run, words: list[str]) -> None:
    status, out, err = lindref("run", *words)
    assert status == 2
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert "Traceback" not in err


@pytest.mark.parametrize("data", [b"", b"garbage", b"#!/bin/sh\n", b"\0asm", b"\0asm\1\0\0\0\x01\xff\xff\xff\xff\x7f"])
def test_what_is_no_program_is_70_and_one_line(lindref: Run, tmp_path: Path, data: bytes) -> None:
    """RUN-3: the file is there, and is not one that can be run."""
    status, out, err = lindref("run", put(tmp_path, "x.wasm", data))
    assert (status, out) == (70, "")
    assert len(err.splitlines()) == 1 and "x.wasm" in err


DYNAMIC = GUESTS / "dynamic"


def test_boot_5_libraries_come_from_the_host(lindref: Run, tmp_path: Path) -> None:
    """BOOT-5: a library that was asked for by a host path, or one that lies in the root."""
    image, library = DYNAMIC / "main.wasm", DYNAMIC / "lib" / "libc.so"
    status, out, _ = lindref("run", "--preload", f"env={library}", image)
    assert status == 70 and out == ""  # the program finds no first.so, and calls what it has not found
    for name in ("first.so", "second.so", "alone.so", "broken.so"):
        shutil.copy(DYNAMIC / name, tmp_path)
    status, out, _ = lindref("run", "--preload", f"env={library}", image)
    assert status == 0 and "calls 6 103 8 105 -1" in out
    (tmp_path / "lib").mkdir()
    shutil.copy(library, tmp_path / "lib")
    assert lindref("run", image)[:2] == (status, out)
    assert lindref("run", "--preload", "env=/lib/libc.so", image)[:2] == (status, out)
    status, _, err = lindref("run", "--preload", "env=/none.so", image)
    assert status == 2 and "/none.so" in err and err.count("\n") == 1


def test_boot_5_what_the_kit_built_stands_in(lindref: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BOOT-5: the shared C library that `lindref cc --pie` left in the cache."""
    cache = tmp_path / "cache" / "lindref" / "lib"
    cache.mkdir(parents=True)
    shutil.copy(DYNAMIC / "lib" / "libc.so", cache)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("first.so", "second.so", "alone.so", "broken.so"):
        shutil.copy(DYNAMIC / name, tmp_path)
    status, out, _ = lindref("run", DYNAMIC / "main.wasm")
    assert "calls 6 103 8 105 -1" in out and status == 0
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    status, out, err = lindref("run", DYNAMIC / "main.wasm")
    assert status == 70 and "has not been defined" in err


def test_boot_2_a_root_has_its_own_libraries(lindref: Run) -> None:
    """BOOT-2, DYN-1: as lind-boot has it."""
    status, out, _ = lindref("run", "--root", DYNAMIC, "main.wasm")
    assert status == 0 and "child: own 9, alone 600" in out


def test_commands_and_help(lindref: Run) -> None:
    status, out, _ = lindref("--help")
    assert status == 0
    for name in ("run", "demo", "cc", "wast", "objdump", "spec"):
        assert name in out
        told = lindref(name, "--help")
        assert told[0] == 0 and "xample" in told[1], name
    assert lindref("nonsense")[0] == 2
    assert lindref()[0] == 2
    assert lindref("--version")[1].startswith("lindref ")


def test_spec_lists_and_shows_rules(lindref: Run) -> None:
    status, out, _ = lindref("spec", "list")
    assert status == 0 and "3I-ROUTE-2" in out
    status, out, _ = lindref("spec", "show", "3I-ROUTE-2")
    assert status == 0 and "spec/3i.md" in out
    for words in (("show", "--help"), ("book", "-h")):
        status, out, _ = lindref("spec", *words)
        assert (status, out.startswith("usage: ")) == (0, True)
    status, out, err = lindref("spec", "book", "--theme")  # an option, no folder to write into
    assert (status, out, err.count("\n")) == (2, "", 1) and "--theme" in err
    status, out, err = lindref("spec", "show", "NO-1")
    assert status == 2 and len(err.splitlines()) == 1
    status, out, _ = lindref("spec", "list", "--json")
    assert {"id", "text", "source", "file", "reason", "unseen"} == set(json.loads(out)[0])


def test_from_shell_to_shell(tmp_path: Path) -> None:
    """The command as a process of its own: standard input, output and status."""
    image = program(
        """(local $n i32)
        (loop $more
          (local.set $n (call $call3 (i32.const 0) (i64.const 0) (call $at (i32.const 0)) (i64.const 100)))
          (if (i32.gt_s (local.get $n) (i32.const 0)) (then
            (call $write (i32.const 1) (i32.const 0) (local.get $n)) (br $more))))
        (call $exit (i64.const 3))"""
    )
    root = Path(__file__).resolve().parents[2]
    path = put(tmp_path, "cat.wasm", image)
    command = [sys.executable, "-m", "lindref.cli.main", "run", path]
    done = subprocess.run(command, cwd=root, input=b"some\nlines\n", capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"some\nlines\n", b"")


def test_spec_says_what_stands_behind_a_rule(lindref: Run) -> None:
    status, out, _ = lindref("spec", "show", "SCHED-2")
    assert status == 0
    assert "implemented: lindref/" in out and "tested: tests/" in out
    status, out, _ = lindref("spec", "coverage", "--json")
    assert status == 0 and json.loads(out)["rules"] > 100


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to have output fail")
@pytest.mark.parametrize(
    ("words", "redirections", "status"),
    [
        (["run", HELLO], "<&-", 0),
        (["run", HELLO], ">&-", 0),
        (["run", HELLO], ">/dev/full", 2),
        (["run", "--strace=/dev/full", HELLO], "", 2),
        (["run", "--trace", "/dev/full", HELLO], "", 2),
        (["spec", "list"], ">/dev/full", 2),
        (["run", "--strace", HELLO], "2>&1 | true", 0),
    ],
)
def test_output_that_goes_nowhere(words: list[str], redirections: str, status: int) -> None:
    """One line and status 2, or nothing at all: never a Python traceback."""
    command = " ".join([sys.executable, "-m", "lindref.cli.main", *words, redirections])
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(["sh", "-c", command], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == (1 if status else 0)

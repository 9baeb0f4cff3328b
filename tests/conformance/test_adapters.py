"""The adapters that lindref brings: recordings, Linux under strace, an installation of Lind-Wasm."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lindref import classes
from lindref.conformance.adapters import Observed
from lindref.conformance.adapters.case import Case, Program
from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.interface import AdapterError, NotApplicable
from lindref.conformance.adapters.lind_log import as_trace as lind_trace
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.adapters.recorded import load, save
from lindref.conformance.adapters.strace import as_trace, split
from lindref.conformance.campaign.examine import examine
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.suites import Wanted, cases, script_case
from lindref.conformance.scripts import generate
from lindref.guest.toolchain import GuestBuildError, find_toolchain


def guest(name: str) -> Case:
    return cases(["guests"], Wanted(), [f"guests.{name}"])[0]


def result(adapter: str, case: Case, **options: str) -> Result:
    made = make(adapter, options)
    return examine(made, described(made, adapter), case)


# Recordings.


def vectors(shared: Path, *names: str) -> list[Case]:
    files = {str(shared / "vectors" / f"{name.partition('.')[0]}.json") for name in names}
    wanted = Wanted(vectors=tuple(sorted(files)))
    return cases(["vectors"], wanted, [f"vectors.{name}" for name in names])


@pytest.mark.parametrize("system", ["lind", "linux"])
def test_recorded_vectors_are_allowed(shared: Path, system: str) -> None:
    for case in vectors(shared, "pipe.*"):
        found = result("recorded", case, path=str(shared / "vectors"), system=system)
        assert found.status is Status.ALLOWED or "not recorded on" in found.detail, (case.id, found.detail)


def test_a_recorded_trace_is_followed(shared: Path) -> None:
    (case,) = vectors(shared, "3i-stack.plus.depth3")
    made = make("recorded", {"path": str(shared / "vectors")})
    assert made.run(case).trace is not None
    assert result("recorded", case, path=str(shared / "vectors")).status is Status.ALLOWED


def test_another_answer_is_forbidden(shared: Path) -> None:
    """One result of a recording changed: the verdict names the call and its rule."""
    case = vectors(shared, "pipe.*")[0]
    assert case.script is not None
    seen = json.loads(json.dumps(dict(case.script.lind)))
    seen["log"][0]["ret"] = -77
    changed = classes.evolve(case, script=classes.evolve(case.script, lind=seen))
    found = result("recorded", changed)
    assert found.status is Status.FORBIDDEN
    assert "'ret': -77" in found.detail


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    case = guest("hello")
    seen = Lindref().run(case)
    save(tmp_path, case, seen)
    again = load(tmp_path, case)
    assert again.records() == seen.records()
    assert classes.evolve(again, trace=None) == classes.evolve(seen, trace=None)
    assert result("recorded", case, path=str(tmp_path), profile="spec").status is Status.ALLOWED
    modules = Observed(results=((("i32", 1), ("f64", 2)), "trap: unreachable"))
    save(tmp_path, classes.evolve(case, id="m"), modules)
    assert load(tmp_path, classes.evolve(case, id="m")) == modules


def test_what_was_not_recorded_is_not_applicable() -> None:
    assert result("recorded", guest("hello")).detail == "not recorded"


# strace.

LOG = r"""
10 [  59] execve("./p", ["p", "a,b"], 0x7ffc /* 0 vars */) = 0
10 [  13] rt_sigaction(SIGUSR1, {sa_handler=0x55d1, sa_mask=[USR1], sa_flags=0}, NULL, 8) = 0
10 [   1] write(1, "a\"), (b", 7)  = 7
10 [  56] clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD <unfinished ...>
11 [  39] getpid() = 11
10 [  56] <... clone resumed>, child_tidptr=0x7f) = 11
10 [ 435] clone3({flags=CLONE_VM|CLONE_THREAD, stack_size=0x7}, 88) = 12
12 [  62] kill(11, SIGUSR1) = 0
11 [  62] --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=10, si_uid=0} ---
11 [  15] rt_sigreturn({mask=[]}) = 11
12 [  60] exit(0) = ?
12 [  60] +++ exited with 0 +++
10 [  61] wait4(11,  <unfinished ...>
11 [  62] --- SIGTERM {si_signo=SIGTERM} ---
11 [  62] +++ killed by SIGTERM +++
10 [  61] <... wait4 resumed>[{WIFSIGNALED(s)}], 0, NULL) = 11
10 [  61] --- SIGCHLD {si_signo=SIGCHLD} ---
10 [   2] open("/none", O_RDONLY) = -1 ENOENT (No such file or directory)
10 [   9] mmap(NULL, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f193e4f1000
10 [ 231] exit_group(3) = ?
10 [ 231] +++ exited with 3 +++
"""


def test_what_strace_writes_is_a_trace() -> None:
    seen = Observed(3, trace=as_trace(LOG, 3, ["p", "a,b"]))
    records = seen.records()
    told = [
        (r["event"], r.get("cage"), r.get("tid"), r.get("name", r.get("ret", r.get("child", r.get("signo")))))
        for r in records
    ]
    assert told == [
        ("exec", 1, 1, None),
        *(("enter", 1, 1, "rt_sigaction"), ("exit", 1, 1, 0), ("enter", 1, 1, "write"), ("exit", 1, 1, 7)),
        *(("enter", 1, 1, "clone"), ("enter", 2, 1, "getpid"), ("exit", 2, 1, 2)),
        *(("spawn", 1, 1, 2), ("exit", 1, 1, 2)),
        *(("enter", 1, 1, "clone3"), ("spawn", 1, 1, 1), ("exit", 1, 1, 2)),
        *(("enter", 1, 2, "kill"), ("exit", 1, 2, 0), ("signal", 2, 1, 10), ("signal", 2, 1, 10)),
        *(("enter", 1, 2, "exit"), ("exit", 1, 2, None), ("end", 1, 2, None)),
        *(("enter", 1, 1, "wait4"), ("signal", 2, 1, 15), ("end", 2, 1, None), ("end", 2, 1, None)),
        *(("exit", 1, 1, 2), ("enter", 1, 1, "open"), ("exit", 1, 1, -2)),
        *(("enter", 1, 1, "mmap"), ("exit", 1, 1, 0x7F193E4F1000)),
        *(("enter", 1, 1, "exit_group"), ("exit", 1, 1, None), ("end", 1, 1, None), ("end", 1, 1, None)),
        ("outcome", None, None, None),
    ]
    shown = {r["name"]: r["shown"] for r in records if r["event"] == "enter"}
    assert shown["write"] == ["1", r'"a\"), (b"', "7"]
    assert shown["wait4"][0] == "11"
    assert [r["argv"] for r in records if r["event"] == "exec"] == [["p", "a,b"]]
    assert [r["action"] for r in records if r["event"] == "signal"] == ["handler", "return", "terminate"]
    assert [r["whole"] for r in records if r["event"] == "end"] == [False, False, True, False, True]
    assert [r["errno"] for r in records if r.get("ret") == -2] == ["ENOENT"]


def test_arguments_apart() -> None:
    told = split(r'1, {a=[1, 2], b="x, \"y"}, (f(2, 3)), "\\"')
    assert told == ["1", r'{a=[1, 2], b="x, \"y"}', "(f(2, 3))", r'"\\"']
    assert split("") == []


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
@pytest.mark.parametrize("name", ["arguments", "fork_tree", "signals", "thread_keys"])
def test_linux(name: str) -> None:
    """The host shows what the guests expect; where strace may trace, with its calls."""
    found = result("linux", guest(name))
    assert found.detail == ""
    assert found.status is Status.ALLOWED


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler")
def test_linux_without_strace(tmp_path: Path) -> None:
    assert not make("linux", {"strace": "none"}).describe().observes
    assert result("linux", guest("arguments"), strace="none").status is Status.ALLOWED
    (tmp_path / "main.c").write_text("int main(void) { return nothing; }")
    broken = Case("x", program=Program(tmp_path, ("main.wasm",), sources={"main.wasm": ("main.c",)}))
    with pytest.raises(NotApplicable, match=r"main.wasm does not compile here: .*error"):
        make("linux", {}).run(broken)


def test_no_compiler_is_one_line() -> None:
    with pytest.raises(AdapterError, match="no C compiler nosuch-cc"):
        make("linux", {"cc": "nosuch-cc"})


# An installation.

#: Stands for lind-boot: it runs lindref, in profile lind, on the same root, and logs its calls as the real one does.
BOOT = """#!{python}
import os, subprocess, sys, json
words = sys.argv[1:]
log = os.environ["LIND_LOG_OUTPUT"].removeprefix("file:")
done = subprocess.run([sys.executable, "-m", "lindref.cli.main", "run", "--profile", "lind", "--trace", log + ".t",
                       "--root", "{root}", *words], env={{"PYTHONPATH": "{path}"}})
with open(log, "w") as out:
    for line in open(log + ".t"):
        r = json.loads(line)
        if r.get("event") == "enter":
            args = " ".join(f"+{{v & 0xffffffff:#x}}@{{c}}" if v >> 44 == 1 else f"{{v}}@{{c}}" for v, c in r["args"])
            n, me, nr, to = r["call"], r["self"], r["number"], r["target"]
        if r.get("event") == "route":
            print(f"[LIND][threei][f:1 m] [3i|call] #{{n}} self={{me}} nr={{nr}} target={{to}} "
                  f"handler=Some({{r['handler']}}) args: {{args}}", file=out)
        if r.get("event") == "exit" and r["ret"] is not None:
            print(f"[LIND][threei][f:1 m] [3i|return] #{{r['call']}} self={{me}} nr={{nr}} "
                  f"result={{r['ret']}}", file=out)
sys.exit(done.returncode)
"""


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    root = tmp_path / "lindfs"
    root.mkdir()
    boot = tmp_path / "lind-boot"
    here = Path(__file__).resolve().parents[2]
    boot.write_text(BOOT.format(python=sys.executable, root=root, path=here))
    boot.chmod(boot.stat().st_mode | stat.S_IXUSR)
    return {"path": str(boot), "root": str(root)}


def test_lind_boot(installation: dict[str, str]) -> None:
    """A program is put into the installation's root, run there, and its log of calls is a trace."""
    case = guest("hello")
    seen = make("lind-boot", installation).run(case)
    records = seen.records()
    assert (seen.status, seen.stdout) == (0, b"hello, world\n")
    names = [r["name"] for r in records if r["event"] == "enter"]
    assert "write" in names and names[-1] == "exit_group"
    assert all(r["handler"] == 777777 for r in records if r["event"] == "route")
    found = result("lind-boot", case, **installation)
    assert found.detail == ""
    assert found.status is Status.ALLOWED
    assert list(Path(installation["root"]).iterdir()) == []


def test_lind_boot_prepares_modules(installation: dict[str, str]) -> None:
    good = {**installation, "prepare": "cp {in} {out}", "log": "no"}
    assert result("lind-boot", guest("hello"), **good).status is Status.ALLOWED
    bad = {**good, "prepare": "false"}
    assert result("lind-boot", guest("hello"), **bad).detail == "main.wasm cannot be prepared: "
    missing = result("lind-boot", guest("fork_tree"), **good, lacks="fork")
    assert missing.detail == "needs fork: new cages by fork (as --option lacks says)"


def test_lind_boot_plays_scripts(installation: dict[str, str], tmp_path: Path) -> None:
    """As C, with the installation's tool chain, in a root of its own: forks and a grate too."""
    try:
        find_toolchain()
    except GuestBuildError as missing:
        pytest.skip(str(missing))
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces here")
    compiler = tmp_path / "compile"
    here = Path(__file__).resolve().parents[2]
    compiler.write_text(
        f"#!/bin/sh\n[ $1 = grate ] && grate=--grate\nPYTHONPATH={here} exec {sys.executable} -m lindref.cli.main cc "
        '$grate "$3" -o "$2"\n'
    )
    compiler.chmod(0o755)
    assert "script" in make("lind-boot", installation).describe().lacks
    made = make("lind-boot", {**installation, "compile": f"{compiler} {{kind}} {{out}} {{in}}"})
    for seed in (4, 7):
        case = script_case(generate.script(seed))
        seen = made.run(case)
        assert seen.seen is not None and seen.seen["log"]
        assert any(record["event"] == "enter" for record in seen.records())
        found = examine(made, described(made, "lind-boot"), case)
        assert (found.status, found.detail) == (Status.ALLOWED, "")
    assert list(Path(installation["root"]).iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "/bin/true", "root": "/", "compile": "cc {in}"}, "want a command with {in} and {out}"),
        ({"path": "/nosuch/lind-boot"}, "no installation (/nosuch/lind-boot)"),
        ({"path": "/bin/true", "root": "/nosuch"}, "/nosuch: no such folder"),
        ({"path": "/bin/true", "root": "/", "lacks": "wings"}, "lacks 'wings'"),
        ({"path": "/bin/true", "root": "/", "log": "some"}, "log 'some' (yes or no)"),
    ],
)
def test_no_installation_is_one_line(options: dict[str, str], says: str) -> None:
    with pytest.raises(AdapterError) as error:
        make("lind-boot", options)
    assert says in str(error.value)


def test_the_recordings_form_of_a_log(shared: Path) -> None:
    log = (shared / "vectors" / "traces" / "3i-basic.args.open.jsonl").read_text()
    records = Observed(0, trace=lind_trace("noise\n" + log + '{"i":9', 0)).records()
    assert sum(r["event"] == "enter" for r in records) == len(log.splitlines())


def test_the_runtimes_own_calls_are_left_out() -> None:
    """An exit that comes back to the runtime never comes back to the program."""
    log = """[LIND][THREEI][f:1 m] [3i|call] #1 self=1 nr=231 target=1 handler=Some(777777) args: 3@1 1@1
[LIND][THREEI][f:1 m] [3i|call] #2 self=777777 nr=60 target=888888 handler=Some(888888) args: 3@1 +0x10@1
[LIND][THREEI][f:1 m] [3i|return] #2 self=777777 nr=60 result=0
[LIND][THREEI][f:1 m] [3i|return] #1 self=1 nr=231 result=0
"""
    records = Observed(3, trace=lind_trace(log, 3)).records()
    assert [(r["event"], r.get("ret")) for r in records] == [
        *(("enter", None), ("route", None), ("exit", None), ("outcome", None)),
    ]

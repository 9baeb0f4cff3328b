"""Scripts as C on Linux: they compile without a warning, and show what ``spec`` shows, or differ by LINUX rules."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lindref import classes
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.interface import AdapterError, NotApplicable, Observed
from lindref.conformance.adapters.launcher import Launcher, why_not
from lindref.conformance.adapters.native import Linux
from lindref.conformance.campaign.examine import examine
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.suites import script_case, vector_case
from lindref.conformance.scripts import generate, printed
from lindref.conformance.scripts.world import furnish
from lindref.conformance.vectors.model import Vector, VectorError, load

LONG = os.environ.get("LINDREF_CAMPAIGN") == "long"
FIRST = 3000


@pytest.fixture(scope="module")
def linux() -> Iterator[Linux]:
    try:
        adapter = make("linux", {"strace": "none"})
    except AdapterError as error:
        pytest.skip(str(error))
    assert isinstance(adapter, Linux)
    if "script" not in adapter.describe().kinds:
        pytest.skip(adapter.describe().lacks["script"])
    yield adapter
    adapter.close()


def judged(adapter: Linux, case: Case) -> Result:
    return examine(adapter, described(adapter, "linux"), case)


@pytest.mark.parametrize("subject", [one for one in generate.SUBJECTS if one != "grate"])
def test_a_script_shows_the_same_natively(linux: Linux, subject: str) -> None:
    found = judged(linux, script_case(generate.script(generate.SUBJECTS.index(subject))))
    assert (found.status, found.detail) == (Status.ALLOWED, "") or found.detail.startswith("differs as Linux does"), (
        found.detail
    )


@pytest.mark.campaign
@settings(max_examples=600 if LONG else 30, deadline=None)
@given(st.integers(0, 1 << 30))
def test_generated_scripts_show_the_same_natively(linux: Linux, seed: int) -> None:
    case = script_case(generate.script(seed))
    found = judged(linux, case)
    assert found.status in (Status.ALLOWED, Status.NOT_APPLICABLE), (case.id, found.detail)


def test_what_linux_was_recorded_to_answer_it_answers(linux: Linux, shared: Path) -> None:
    """The C makes the calls that the recorder made: threads, handlers, exec, arguments, repeated calls."""
    wanted = {
        *("futex.cross.process", "sig.handler.nested", "proc.exec.argv", "poll.poll.regular", "fd.fcntl.pipesz"),
        *("mem.mmap.file_offset", "time.nanosleep.basic"),
    }
    met = 0
    for path in sorted((shared / "vectors").glob("*.json")):
        for vector in load(path):
            if vector.id in wanted and vector.linux and not why_not(vector):
                found = judged(linux, vector_case(vector))
                assert found.status is Status.ALLOWED, (vector.id, found.detail)
                met += 1
    assert met >= 3


def test_a_wrong_answer_is_seen(linux: Linux) -> None:
    """Held against a model that thinks otherwise, it is forbidden: the comparison looks at results and at memory."""
    script = generate.script(0)
    played = linux.run(script_case(script)).seen
    assert played is not None
    changed = {**played, "log": [{**played["log"][0], "ret": 77}, *played["log"][1:]]}

    class Other(Linux):
        def __init__(self) -> None:
            pass

        def run(self, case: Case) -> Observed:
            return classes.evolve(linux.run(case), seen=changed)

    found = examine(Other(), linux.describe(), script_case(script))
    assert found.status is Status.FORBIDDEN and "'ret': 77" in found.detail


def test_what_does_not_end_is_a_hang(linux: Linux, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lindref.conformance.adapters.launcher.PATIENCE", 0.3)
    steps = [{"id": "s1", "op": "call", "n": 39, "args": []}, {"id": "s2", "op": "sleep", "ms": 60_000}]
    script = Vector("x", "", [], {"main": {"steps": steps}}, (), {})
    seen = linux.run(Case("x", script=script)).seen
    assert seen == {"outcome": "hang", "log": [{"cage": 1, "step": "s1", "ret": 1}]}


def test_what_strace_follows_is_ended_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that stops for good, as a cage does: it is in a process group with a parent outside (SIG-10)."""
    monkeypatch.setattr("lindref.conformance.adapters.launcher.PATIENCE", 1.0)
    adapter = make("linux", {})
    assert isinstance(adapter, Linux)
    if adapter.strace is None or "script" not in adapter.describe().kinds:
        pytest.skip("no strace, or no scripts")
    child = [{"id": "s2", "op": "call", "n": 62, "name": "kill", "args": ["self", 22]}]
    steps = [
        {"id": "s1", "op": "fork", "child": child, "exit": [231, 5]},
        {"id": "s3", "op": "call", "n": 61, "name": "wait4", "args": [-1, 0, 0]},
    ]
    found = judged(adapter, script_case(Vector("x", "", [], {"main": {"steps": steps}}, (), {})))
    assert (found.status, found.detail) == (Status.ALLOWED, "")
    adapter.close()


def test_calls_that_lind_has_otherwise(linux: Linux) -> None:
    """rt_sigsuspend tells the old mask and leaves the new one (SIG-17); signal 32 is Linux's alone (LINUX-12)."""
    old, new, told, now = ({"buf": [number, 0]} for number in (0, 1, 3, 4))
    steps = [
        {"id": "s1", "op": "sigaction", "sig": 10, "handler": "record", "slot": 0, "flags": 0, "mask": 0},
        {"id": "s2", "op": "put", "at": old, "width": 8, "value": 512},
        {"id": "s3", "op": "call", "n": 14, "name": "rt_sigprocmask", "args": [2, old, 0]},
        {"id": "s4", "op": "call", "n": 62, "name": "kill", "args": ["self", 10]},
        {"id": "s5", "op": "put", "at": new, "width": 8, "value": 2048},
        {"id": "s6", "op": "call", "n": 130, "name": "rt_sigsuspend", "args": [new, told]},
        {"id": "s7", "op": "peek", "at": told, "width": 8},
        {"id": "s8", "op": "call", "n": 14, "name": "rt_sigprocmask", "args": [0, 0, now]},
        {"id": "s9", "op": "peek", "at": now, "width": 8},
        {"id": "s10", "op": "call", "n": 130, "name": "rt_sigsuspend", "args": [0, told]},
        {"id": "s11", "op": "call", "n": 62, "name": "kill", "args": ["self", 32]},
    ]
    found = judged(linux, script_case(Vector("x", "", [], {"main": {"steps": steps}}, (), {})))
    assert (found.status, found.detail) == (Status.ALLOWED, "differs as Linux does: LINUX-12")


def test_how_it_ended(linux: Linux) -> None:
    kill = {"id": "s1", "op": "call", "n": 62, "name": "kill", "args": ["self", 15]}
    peek = {"id": "s1", "op": "peek", "at": {"guest": 0x70000000}, "width": 4}
    leave = {"id": "s1", "op": "exit", "n": 231, "code": 300}
    for step, ended, status in ((kill, ("signal", 15), 143), (peek, ("signal", 11), 139), (leave, ("exit", 44), 44)):
        seen = linux.run(Case("x", script=Vector("x", "", [], {"main": {"steps": [step]}}, (), {})))
        assert seen.seen is not None
        assert ((seen.seen["outcome"], seen.seen["code"]), seen.status, seen.seen["log"]) == (ended, status, [])


def test_scripts_that_are_none_for_linux() -> None:
    def one(**step: object) -> Vector:
        return Vector("x", "", [], {"main": {"steps": [{"id": "s1", **step}]}}, (), {})

    assert "3i" in why_not(generate.script(7))
    assert why_not(one(op="call", n=62, name="kill", args=[2, 9])) == "kill names a process by its number"
    assert "other structures" in why_not(one(op="call", n=302, name="prlimit64", args=[0, 7, 0, 0]))
    assert why_not(one(op="call", n=62, name="kill", args=["self", 9])) == ""


def test_no_file_is_made_outside_the_root(tmp_path: Path) -> None:
    files = [
        {"path": "/w/out", "type": "symlink", "target": "../../elsewhere"},
        {"path": "/w/out/x", "type": "file", "text": "no"},
    ]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root").mkdir()
    for number, given_files in enumerate(
        (files, [{"path": "/../x", "type": "file"}], [{"path": "/w/..", "type": "dir"}])
    ):
        root = tmp_path / "root" / str(number)
        root.mkdir()
        with pytest.raises(VectorError, match="not within the root"):
            furnish(root, Vector("v", "", given_files, {"main": {"steps": []}}, (), {}))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_lines_of_others_are_left_out() -> None:
    told = list(printed.lines(b"noise\n1 s1 = -5 x3 :00ff :\n2 s2 = 7\n3 s3 = \n1 s1 = 5 :0"))
    assert told == [printed.Line(1, "s1", -5, 3, (b"\0\xff", b"")), printed.Line(2, "s2", 7, 0, ())]


def test_a_compiler_that_refuses_is_not_applicable(tmp_path: Path) -> None:
    if shutil.which("false") is None:
        pytest.skip("no false")
    with pytest.raises(NotApplicable, match="does not compile here"):
        Launcher(["false"], tmp_path)

"""Traces judged (JUDGE-1 to JUDGE-7): what lindref itself writes is allowed, and what it cannot do is not."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lindref.cli import trace as command
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.oracle.judge import judge
from lindref.conformance.oracle.scripts import world_of
from lindref.conformance.oracle.verdict import Bounds, Verdict
from lindref.conformance.oracle.world import World
from lindref.conformance.vectors.model import load
from lindref.grates.limits import Limits
from lindref.grates.readonly import ReadOnly
from lindref.grates.strace import Strace
from lindref.posix import console
from lindref.profile import LIND, SPEC, Profile
from lindref.system.boot import boot
from lindref.system.python.grate import Grate
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.trace.format import Record
from lindref.trace.jsonl import JsonTrace
from lindref.trace.reader import Reader

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "guest"))

from running import names  # beside the tests of guests


def traced(name: str, profile: Profile = SPEC, grates: Sequence[type[Grate]] = ()) -> tuple[list[Record], Path]:
    """The trace of a guest, header first, and the root it ran on."""
    from lindref.guest.build_guests import GUESTS, load_guest

    guest = load_guest(GUESTS / name)
    out: list[str] = []
    writers: list[JsonTrace] = []

    def observe(system: System) -> None:
        writers.append(JsonTrace(system, out.append))
        system.observers.append(writers[0])

    system = boot(
        "/" + guest.argv[0],
        guest.argv[1:],
        root=guest.folder,
        profile=profile,
        config=Config(max_ticks=50_000_000),
        env=guest.env,
        observe=observe,
        grates=grates,
    )
    console.feed_stdin(system.kernel, guest.stdin.encode())
    console.end_stdin(system.kernel)
    writers[0].close(system.run())
    return [json.loads(line) for line in out], guest.folder


SAMPLE = ["hello", "files", "grate_stacked", "signals", "threads_mutex", "pass_descriptor", "spawn", "dynamic", "mmap"]


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.parametrize("profile", [SPEC, LIND], ids=lambda p: p.name)
def test_what_lindref_writes_is_allowed(name: str, profile: Profile) -> None:
    """JUDGE-1, JUDGE-2: with the root known, and without (JUDGE-5)."""
    records, root = traced(name, profile)
    for world in (World(root=str(root), unknown=False), World()):
        found = judge(records, profile, world=world)
        assert found.verdict is Verdict.ALLOWED, found
        assert found.calls == sum(record.get("event") == "enter" for record in records)


@pytest.mark.campaign
@pytest.mark.parametrize("name", names("*"))
@pytest.mark.parametrize("profile", [SPEC, LIND], ids=lambda p: p.name)
def test_all_that_lindref_writes_is_allowed(name: str, profile: Profile) -> None:
    records, root = traced(name, profile)
    for world in (World(root=str(root), unknown=False), World()):
        found = judge(records, profile, world=world)
        assert found.verdict is Verdict.ALLOWED, found


@pytest.mark.parametrize("profile", [SPEC, LIND], ids=lambda p: p.name)
@pytest.mark.parametrize("grates", [[Strace], [ReadOnly, Limits]], ids=["strace", "two"])
def test_runs_beneath_grates_in_python_are_allowed(grates: list[type[Grate]], profile: Profile) -> None:
    records, root = traced("spawn", profile, grates)
    found = judge(records, profile, world=World(root=str(root), unknown=False))
    assert found.verdict is Verdict.ALLOWED, found


def changed(records: list[Record], name: str, nth: int = 0, **fields: Any) -> list[Record]:
    """The trace with the end of the ``nth`` call ``name`` changed."""
    calls = [record["call"] for record in records if record.get("name") == name]
    return [
        {**record, **fields} if record.get("event") == "exit" and record["call"] == calls[nth] else record
        for record in records
    ]


@pytest.mark.parametrize(
    ("guest", "call", "fields", "rule"),
    [
        ("files", "open", {"ret": 9}, "FD-2"),
        ("files", "close", {"ret": -9, "errno": "EBADF"}, "FD-1"),
        ("files", "lseek", {"ret": 4711}, "FILE-SEEK-1"),
        ("hello", "write", {"ret": 12}, "FILE-WRITE-1"),
        ("grate_geteuid", "register_handler", {"ret": -3}, "3I-REG-1"),
    ],
)
def test_a_changed_result_is_forbidden(guest: str, call: str, fields: dict[str, Any], rule: str) -> None:
    """JUDGE-6: the rule, the call, what would have been allowed, and the beginning that shows it."""
    records, root = traced(guest)
    found = judge(changed(records, call, **fields), world=World(root=str(root), unknown=False))
    assert (found.verdict, found.rule) == (Verdict.FORBIDDEN, rule)
    assert call in found.call
    assert found.alternatives
    assert found.prefix[-1]["event"] == "exit"


def test_ids_are_symbols() -> None:
    """JUDGE-4: another numbering of the cages is as good, a cage that changes its id is not."""
    records, root = traced("fork_tree")
    moved = json.loads(json.dumps(records))
    ids = {1: 5, 2: 7, 3: 9}

    def other(cage: int) -> int:
        return ids.get(cage, cage + 40)

    for record in moved[1:]:
        for field in ("cage", "self", "target", "child"):
            if field in record and record[field] < 2048:
                record[field] = other(record[field])
        for pair in record.get("args", ()):
            base = 1 << 44
            if base <= pair[0] < base + (1 << 33) * 100:
                cage, offset = divmod(pair[0] - base, 1 << 33)
                pair[0] = base + other(cage) * (1 << 33) + offset
            if isinstance(pair[1], int) and pair[1] < 2048:
                pair[1] = other(pair[1])
        if record.get("name") == "wait4" and 0 < record["args"][0][0] < 2048:
            record["args"][0][0] = other(record["args"][0][0])
    makers = {record["call"]: record for record in moved if record.get("event") == "enter"}
    for record in moved[1:]:
        if record.get("event") == "exit" and makers[record["call"]]["name"] in ("clone", "wait4", "getpid", "getppid"):
            if (record.get("ret") or 0) > 0:
                record["ret"] = other(record["ret"])
        record.pop("data", None)
    assert judge(moved, world=World(root=str(root), unknown=False)).verdict is Verdict.ALLOWED
    twice = changed(moved, "getpid", ret=other(30))
    assert judge(twice, world=World(root=str(root), unknown=False)).verdict is Verdict.FORBIDDEN


def test_what_was_not_observed_can_be_anything() -> None:
    """JUDGE-3: without what arguments point to, times and routes, the rest is judged."""
    records, root = traced("files")
    bare = [{k: v for k, v in record.items() if k not in ("time", "data", "rule")} for record in records]
    assert judge(bare, world=World(root=str(root), unknown=False)).allowed
    routeless = [r for r in bare if r.get("event") != "route"]
    routeless[0] = {**routeless[0], "observes": ["enter", "exit"]}
    assert judge(routeless, world=World(root=str(root), unknown=False)).allowed


def test_broken_traces() -> None:
    """JUDGE-1: cut off, contradicting itself, or not from the beginning (JUDGE-7)."""
    records, _ = traced("hello")
    assert judge(records[:-1]).verdict is Verdict.BROKEN
    assert judge([records[0], {"event": "nonsense"}]).verdict is Verdict.BROKEN
    assert judge([]).verdict is Verdict.BROKEN
    assert judge("/nowhere/at/all").verdict is Verdict.BROKEN
    assert judge([{**records[0], "begins": 9}, *records[1:]]).verdict is Verdict.NOT_APPLICABLE
    reader = Reader(io.BytesIO(b"\n".join(json.dumps(r).encode() for r in records[:5])), "t")
    assert judge(reader).verdict is Verdict.BROKEN


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``lindref trace check``: exit status, text and JSON."""
    records, root = traced("hello")
    good, bad, cut = (tmp_path / name for name in ("good.jsonl", "bad.jsonl", "cut.jsonl"))
    good.write_text("".join(json.dumps(r) + "\n" for r in records))
    bad.write_text("".join(json.dumps(r) + "\n" for r in changed(records, "write", ret=12)))
    cut.write_text(good.read_text()[:-30])
    assert command.main(["check", "--root", str(root), str(good)]) == 0
    assert "allowed (4 calls)" in capsys.readouterr().out
    assert command.main(["check", str(good), str(bad)]) == 1
    told = capsys.readouterr().out
    assert "forbidden: the call returns 12" in told and "allowed 13" in told and "rule FILE-WRITE-1: " in told
    assert command.main(["check", "--json", str(bad)]) == 1
    (value,) = json.loads(capsys.readouterr().out)
    assert value["verdict"] == "forbidden" and value["alternatives"] == ["13"] and value["line"] == 11
    assert command.main(["check", str(cut)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert command.main(["check", "--root", str(tmp_path / "none"), str(good)]) == 2


def _enter(call: int, tid: int, number: int, args: list[int], shown: list[str | None]) -> Record:
    pairs = [[value, 1] for value in args]
    return {"event": "enter", "cage": 1, "tid": tid, "call": call, "number": number, "args": pairs, "shown": shown}


def _exit(call: int, tid: int, ret: int, **shown: str) -> Record:
    texts = {name.removeprefix("a"): text for name, text in shown.items()}
    return {"event": "exit", "cage": 1, "tid": tid, "call": call, "ret": ret, **({"shown": texts} if texts else {})}


def side_by_side(data: str, *, ret: int = 5, order: str = "global") -> list[Record]:
    """Two threads: one reads from a pipe that does not wait, while the other writes to it."""
    base = (1 << 44) + (1 << 33)
    clone = "CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM"
    return [
        {"format": "lindref-trace", "version": 1, "observes": ["enter", "exit"], "order": order},
        _enter(1, 1, 293, [base + 0x100, 0x800], [None, "O_NONBLOCK"]),
        _exit(1, 1, 0, a0="{first=3, second=4}"),
        _enter(
            2, 1, 56, [base + 0x200, 1], [f"{{flags={clone}, exit_signal=0, stack=0x9000, stack_size=4096, ...}}", "1"]
        ),
        _exit(2, 1, 2),
        _enter(3, 1, 0, [3, base + 0x300, 5], ["3", None, "5"]),
        _enter(4, 2, 1, [4, base + 0x400, 5], ["4", '"abcde"', "5"]),
        _exit(3, 1, ret, **({"a1": f'"{data}"'} if ret > 0 else {})),
        _exit(4, 2, 5),
    ]


def test_calls_that_overlap_may_go_in_any_order() -> None:
    """JUDGE-8: the read may come before the write, or after it; nothing else explains what it gives."""
    world = World(unknown=False)
    late = judge(side_by_side("abcde"), world=world)
    assert late.verdict is Verdict.ALLOWED
    assert judge(side_by_side("", ret=-11), world=world).allowed
    wrong = judge(side_by_side("abcdX"), world=world)
    assert (wrong.verdict, wrong.rule) == (Verdict.FORBIDDEN, "FILE-READ-5")
    apart = side_by_side("abcde")
    apart[6], apart[7] = apart[7], apart[6]  # it came back before the write began
    assert judge(apart, world=world).verdict is Verdict.FORBIDDEN


def test_where_only_the_order_within_threads_is_known_any_merging_will_do() -> None:
    """JUDGE-8: the lines of a read stand before those of the write that it saw."""
    world = World(unknown=False)
    for data, verdict in (("abcde", Verdict.ALLOWED), ("abcdX", Verdict.FORBIDDEN)):
        apart = side_by_side(data, order="thread")
        apart[6], apart[7] = apart[7], apart[6]
        found = judge(apart, world=world)
        assert found.verdict is verdict, found
    assert found.rule.startswith("FILE-READ-")
    assert judge(apart, world=world, bounds=Bounds(work=2)).verdict is Verdict.UNKNOWN


def test_work_is_bounded() -> None:
    """JUDGE-8: what would take more than is allowed is unknown."""
    found = judge(side_by_side("abcdX"), world=World(unknown=False), bounds=Bounds(states=256, work=3))
    assert found.verdict is Verdict.UNKNOWN


RECORDED = Path(__file__).resolve().parents[3] / "shared" / "vectors"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not here")
def test_recordings_are_judged_along_their_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JUDGE-7: as they are; with another result, another server or without one call they are forbidden."""
    path = RECORDED / "traces" / "3i-basic.args.open.jsonl"
    vectors = ["--vectors", str(RECORDED / "3i-basic.json")]
    assert command.main(["check", *vectors, str(path)]) == 0
    assert command.main(["check", str(path)]) == 4  # by itself it is no program
    calls = [json.loads(line) for line in path.read_text().splitlines()]
    at = next(i for i, call in enumerate(calls) if call["n"] == 2 and call["handler"] != 777777)
    changes: list[list[Record]] = [
        [{**c, "ret": 4711} if i == at else c for i, c in enumerate(calls)],
        [{**c, "handler": 777777} if i == at else c for i, c in enumerate(calls)],
        [c for i, c in enumerate(calls) if i != at],
    ]
    for number, changed_calls in enumerate(changes):
        other = tmp_path / str(number) / path.name
        other.parent.mkdir()
        other.write_text("".join(json.dumps(call) + "\n" for call in changed_calls))
        capsys.readouterr()
        assert command.main(["check", *vectors, str(other)]) == 1
        assert "forbidden" in capsys.readouterr().out


@pytest.mark.campaign
@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not here")
def test_all_recordings_are_allowed() -> None:
    traces = sorted(map(str, (RECORDED / "traces").glob("*.jsonl")))
    assert command.main(["check", "--vectors", str(RECORDED), *traces]) == 0


@pytest.mark.campaign
@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not here")
@pytest.mark.parametrize("area", sorted(path.stem for path in RECORDED.glob("*.json")))
def test_the_traces_of_all_vectors_are_allowed(area: str) -> None:
    """What the model shows of a vector is allowed; where the root is not known it is never forbidden."""
    for vector in load(RECORDED / f"{area}.json"):
        for profile in (SPEC, LIND):
            seen = Lindref(profile.name, player="direct").run(Case(vector.id, script=vector))
            with seen.read_trace() as reader:
                records = [reader.header, *reader]
            assert judge(records, profile, world=world_of(vector)).allowed, vector.id
            assert judge(records, profile).verdict in (Verdict.ALLOWED, Verdict.UNSPECIFIED), vector.id


def test_a_list_of_strings_is_what_was_shown_of_it() -> None:
    """JUDGE-3: whatever lay at its place before, as after a fork of somebody who used that for something else."""
    records, root = traced("spawn")
    at = next(i for i, one in enumerate(records) if one.get("name") == "execve" and one["event"] == "enter")
    here = {"cage": records[at]["cage"], "tid": records[at].get("tid", 1), "call": 9001}
    rubbish = [[records[at]["args"][1][0], "77" * 16]]
    asks = {"event": "enter", **here, "number": 39, "name": "getpid", "args": [], "data": rubbish}
    call = [asks, {"event": "route", **here, "handler": 777777}, {"event": "exit", **here, "ret": here["cage"]}]
    for world in (World(root=str(root), unknown=False), World()):
        found = judge([*records[:at], *call, *records[at:]], world=world)
        assert found.verdict is Verdict.ALLOWED, found

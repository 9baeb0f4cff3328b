"""Traces that are wrong in any way: one line about them, or a verdict, never a crash (JUDGE-1, FORMAT-3)."""

from __future__ import annotations

import io
import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_oracle import traced

from lindref.cli import trace as command
from lindref.conformance.oracle.judge import judge
from lindref.conformance.oracle.verdict import Bounds, Verdict
from lindref.conformance.oracle.world import World
from lindref.trace.format import Record
from lindref.trace.reader import LONGEST, Reader

_QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
_GUESTS = ("files", "pipeline", "signals", "shm_sysv")
#: An error that no call of the model has.
_NEVER = -52


@cache
def _trace(name: str) -> tuple[tuple[Record, ...], str]:
    records, root = traced(name)
    return tuple(records), str(root)


def _judged(records: list[Record], root: str) -> Any:
    return judge(records, world=World(root=root, unknown=False), bounds=Bounds(64, 400))


@settings(_QUIET, max_examples=24)
@given(name=st.sampled_from(_GUESTS), at=st.integers(0, 1 << 30), how=st.sampled_from(["error", "none", "other"]))
def test_a_result_that_the_model_cannot_give_is_forbidden(name: str, at: int, how: str) -> None:
    records, root = _trace(name)
    ends = [i for i, r in enumerate(records) if r.get("event") == "exit" and r.get("ret") is not None]
    place = ends[at % len(ends)]
    ret = records[place]["ret"]
    changed = {"error": _NEVER, "none": None, "other": ret + 4711 if ret >= 0 else 4711}[how]
    record = {k: v for k, v in records[place].items() if k != "errno"}
    found = _judged([*records[:place], {**record, "ret": changed}, *records[place + 1 :]], root)
    assert found.verdict in (Verdict.FORBIDDEN, Verdict.UNKNOWN)
    assert found.rule
    if found.verdict is Verdict.FORBIDDEN:
        assert len(found.prefix) >= place or found.line <= len(records)


_SCALARS = (
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.text(max_size=8) | st.just([]) | st.just({})
)


@settings(_QUIET, max_examples=70)
@given(data=st.data())
def test_any_change_of_a_trace_has_a_verdict(data: st.DataObject) -> None:
    records, root = _trace(data.draw(st.sampled_from(_GUESTS)))
    out = [dict(record) for record in records]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(1, len(out) - 1))
        match data.draw(st.sampled_from(["drop", "twice", "swap", "field", "pop", "cut", "args"])):
            case "drop":
                del out[at]
            case "twice":
                out.insert(at, dict(out[at]))
            case "swap":
                other = data.draw(st.integers(1, len(out) - 1))
                out[at], out[other] = out[other], out[at]
            case "field":
                name = data.draw(st.sampled_from(sorted(out[at])))
                out[at][name] = data.draw(_SCALARS)
            case "pop":
                name = data.draw(st.sampled_from(sorted(out[at])))
                del out[at][name]
            case "args" if out[at].get("args"):
                value = data.draw(st.sampled_from([0, 1, 5, 1 << 32, (1 << 64) - 1, 1 << 44, 0x1002_0000_0000]))
                pair = data.draw(st.integers(0, len(out[at]["args"]) - 1))
                out[at]["args"] = [[value, 1] if i == pair else p for i, p in enumerate(out[at]["args"])]
            case _:
                del out[at:]
        if len(out) < 2:
            break
    for world in (World(root=root, unknown=False), World()):
        found = judge(out, world=world, bounds=Bounds(16, 300))
        assert isinstance(found.verdict, Verdict)
        assert found.verdict is not Verdict.BROKEN or (found.what and "\n" not in found.what)
    raw = "".join(json.dumps(record) + "\n" for record in out).encode()
    assert isinstance(judge(_reader(raw), bounds=Bounds(16, 300)).verdict, Verdict)


def _reader(raw: bytes) -> Any:
    try:
        return Reader(io.BytesIO(raw), "t")
    except ValueError:
        return []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[:-40],
        lambda raw: raw.replace(b'"event":"route"', b'"event":"ruote"', 1),
        lambda raw: raw.replace(b'"version":1', b'"version":9', 1),
        lambda raw: raw + b"\xff\xfe\n",
        lambda raw: b"no trace at all\n" + raw,
        lambda raw: raw.split(b"\n", 2)[0] + b"\n" + b"x" * (LONGEST + 2) + b"\n",
        lambda raw: b"\n".join([*raw.splitlines()[:5], *reversed(raw.splitlines()[5:])]),
        lambda raw: b"",
        lambda raw: raw + b"[1, 2]\n",
    ],
    ids=["cut", "unknown", "future", "binary", "no-trace", "long", "reordered", "empty", "no-object"],
)
def test_what_is_no_trace_is_one_line_with_its_number(
    spoil: Any, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    records, _ = _trace("files")
    raw = "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records).encode()
    path = tmp_path / "t.jsonl"
    path.write_bytes(spoil(raw))
    assert command.main(["check", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert f"{path}:" in told.err

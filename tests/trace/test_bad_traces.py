"""What is no trace, given to every command that reads one: a line that says where, never a traceback (FORMAT-3)."""

from __future__ import annotations

import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenes import GUESTS
from test_format import VALUES, traced

from lindref.cli.main import main
from lindref.guest.build_guests import load_guest
from lindref.trace.reader import LONGEST

#: A program that ends of itself whatever it reads, and what it reads.
GUEST = "pipeline"
Lines = list[bytes]


@cache
def good() -> bytes:
    """A trace of a run that was given input and had choices."""
    guest = load_guest(GUESTS / GUEST)
    lines = traced(GUEST)[0].splitlines(keepends=True)
    fed = {"event": "input", "cage": 1, "what": "stdin", "index": 0, "data": b"some words\n".hex()}
    heard = {"event": "input", "cage": 1, "what": "clock", "index": 0, "answer": 1}
    choice = {"event": "choice", "cage": 1, "index": 0, "point": "wake", "options": 2, "answer": 1}
    more = [json.dumps(one) + "\n" for one in (fed, heard, choice)]
    assert guest.argv
    return "".join([*lines[:4], *more, *lines[4:]]).encode()


def _commands(path: str) -> dict[str, list[str]]:
    """All commands that read the trace ``path``; ``GOOD`` stands for one that is none the worse."""
    guest = load_guest(GUESTS / GUEST)
    run = ["run", "--root", str(guest.folder), "--max-ticks", "200000", "--replay", path]
    return {
        "show": ["trace", "show", "--routes", path],
        "filtered": ["trace", "show", "-e", "trace=%file", "-p", "1,2", path],
        "counts": ["trace", "show", "-c", path],
        "counts as JSON": ["trace", "show", "-c", "--json", path],
        "diff": ["trace", "diff", "GOOD", path],
        "diff by thread": ["trace", "diff", "--threads", "--json", path, "GOOD"],
        "html": ["trace", "html", "-o", "PAGE", path],
        "check": ["trace", "check", "--max-work", "200", "--max-states", "16", path],
        "check as JSON": ["trace", "check", "--json", "--max-work", "200", "--max-states", "16", path],
        "replay": [*run, "/" + guest.argv[0], *guest.argv[1:]],
    }


#: Those whose status is a verdict, or that of the program.
_JUDGES = {"check": {0, 1, 2, 3, 4}, "check as JSON": {0, 1, 2, 3, 4}, "replay": set(range(256))}


@contextmanager
def _folder(data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "t").write_bytes(data)
        (Path(name) / "good").write_bytes(good())
        yield Path(name)


def _told(words: list[str], folder: Path) -> tuple[int, str, str]:
    """Status, output and errors of a command."""
    places = {"GOOD": str(folder / "good"), "PAGE": str(folder / "page")}
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        status = main([places.get(word, word) for word in words])
    out.flush()
    err.flush()
    texts = [one.buffer.getvalue().decode("utf-8", "replace") for one in (out, err)]
    return status, texts[0], texts[1]


def refused(data: bytes, only: str | None = None) -> dict[str, int]:
    """Give ``data`` to every command, and hold what they say; the line that each refuses, 0 for none."""
    found: dict[str, int] = {}
    with _folder(data) as folder:
        path = str(folder / "t")
        for name, words in _commands(path).items():
            if only is not None and name != only:
                continue
            status, out, err = _told(words, folder)
            assert status in _JUDGES.get(name, {0, 1, 2}), (name, status)
            assert "Traceback" not in out + err
            found[name] = 0
            where = re.compile(rf"{re.escape(path)}:(\d+): ")
            if name == "replay" and not err.startswith(f"lindref run: {path}"):
                continue  # the run began
            if status == 2:
                if name == "check as JSON":
                    value = json.loads(out)[0]
                    assert value["verdict"] == "broken" and "\n" not in value["what"] and not err
                    found[name] = value["line"]
                else:
                    at = where.search(err or out)
                    assert at is not None, (name, out, err)
                    assert (name == "check" and not err) or err.count("\n") == 1, (name, err)
                    found[name] = int(at[1])
                assert 1 <= found[name] <= data.count(b"\n") + 1, (name, found, out, err)
    return found


def _changed(lines: Lines, at: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the object on a line, where there is one."""
    try:
        record = json.loads(lines[at])
    except (ValueError, RecursionError):
        return
    if isinstance(record, dict) and record:
        change(record)
        lines[at] = json.dumps(record).encode() + b"\n"


#: Values that are near to what is wanted, or far from it.
_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        "\ud800",
        "a\0b",
        "\x1b[2J\n",
        -1,
        1 << 63,
        (1 << 64) - 1,
        1 << 64,
        10**400,
        1.5,
        True,
        None,
        [],
        {},
        [[0]],
        {"0": {}},
    ]
)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A trace to which something was done."""
    lines = good().splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(lines) - 1) | st.sampled_from([0, 4, 5, 6]).map(lambda n: min(n, len(lines) - 1)))
        match draw(
            st.sampled_from("cut drop double reorder version unknown bytes nul huge pop field twice text".split())
        ):
            case "cut":
                lines[at:] = [lines[at][: draw(st.integers(0, len(lines[at])))]]
            case "drop":
                del lines[at]
            case "double":
                lines.insert(at, lines[at])
            case "reorder":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case "version":
                _changed(lines, 0, lambda one: one.update(version=draw(st.sampled_from([0, 2, 99, "1", 10**30]))))
            case "unknown":
                _changed(lines, at, lambda one: one.update(event=draw(st.sampled_from(["ruote", "", 7, None]))))
            case "bytes":
                spot = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:spot] + draw(st.binary(min_size=1, max_size=3)) + lines[at][spot:]
            case "nul":
                lines[at] = lines[at][:-1] + b"\0\n"
            case "huge":
                lines[at] = re.sub(rb":\d+", b":" + b"9" * draw(st.sampled_from([19, 20, 5000])), lines[at], count=1)
            case "pop":
                _changed(lines, at, lambda one: one.pop(draw(st.sampled_from(sorted(one))), None))
            case "field":
                _changed(lines, at, lambda one: one.update({draw(st.sampled_from(sorted(one))): draw(_ODD | VALUES)}))
            case "twice":
                lines[at] = lines[at].replace(b"{", b'{"cage":1,"cage":2,', 1)
            case _:
                lines.insert(at, draw(st.sampled_from([b"\n", b"no trace\n", b"[1]\n", b"{}\n", b"[" * 9999 + b"\n"])))
        if not lines:
            break
    return b"".join(lines)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(spoilt())
def test_every_command_takes_it_or_says_where_it_is_wrong(data: bytes) -> None:
    """FORMAT-3, JUDGE-1."""
    refused(data)


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda lines: [*lines[:9], b"x" * (10 << 20) + b"\n", *lines[9:]], 10),
        (lambda lines: [*lines[:9], lines[9].replace(b"{", b'{"cage":1,', 1), *lines[10:]], 10),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0].replace(b'"version":1', b'"version":2'), *lines[1:]], 1),
        (lambda lines: [*lines[:-1], lines[-1][:-9]], -1),
    ],
    ids=["long", "twice", "headless", "future", "cut"],
)
def test_all_commands_refuse_the_same_line(spoil: Callable[[Lines], Lines], line: int) -> None:
    assert LONGEST < 10 << 20
    lines = spoil(good().splitlines(keepends=True))
    found = refused(b"".join(lines))
    assert set(found.values()) == {line if line > 0 else len(lines)}, found


def test_the_trace_itself_is_taken_by_all() -> None:
    found = refused(good())
    assert not any(found.values()), found


def test_one_that_is_none_does_not_end_the_judgement_of_the_others() -> None:
    with _folder(good()[:-9]) as folder:
        status, out, _ = _told(["trace", "check", "--json", str(folder / "t"), "GOOD", str(folder / "none")], folder)
        verdicts = [one["verdict"] for one in json.loads(out)]
    assert status == 2
    assert verdicts[0] == verdicts[2] == "broken" != verdicts[1]


def test_half_a_character_is_no_reason_to_fail() -> None:
    """JSON can say one, UTF-8 cannot."""
    head = b'{"format":"lindref-trace","version":1,"argv":["\\ud800"]}\n'
    assert refused(head + b'{"event":"note","cage":1,"text":"\\udfff"}\n')["html"] == 0

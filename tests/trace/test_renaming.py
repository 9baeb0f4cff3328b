"""A trace with other names is the same trace, whichever they are; with one name for two it is another (FORMAT-7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_diff import compare, lines, renamed, text_of
from test_format import traced

from lindref.posix.params import ParamKind
from lindref.posix.table import CALLS

_QUIET = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, max_examples=12)
#: Guests with cages, threads, inodes, times or temporary names; a word of each that is a symbol in its texts.
GUESTS = ["files", "pipeline", "threads_mutex", "spawn", "grate_stacked"]
_TEXTS = {
    "inode": re.compile(r"(?<=\bst_ino=)\d+|(?<=\bd_ino=)\d+"),
    "time": re.compile(r"(?<=\btv_sec=)\d+|(?<=\btv_nsec=)\d+|(?<=\bst_mtime=)\d+"),
    "name": re.compile(r'(?<=/tmp/)[^/"\\]+|(?<=/dev/shm/)[^/"\\]+'),
}


def told(name: str) -> str:
    """The trace of a guest, in which the first cage also looks at two files, as a producer that shows all may tell."""
    records = lines(traced(name)[0])
    at = next(i for i, one in enumerate(records) if one.get("event") == "enter")
    looks: list[dict[str, Any]] = []
    for call, file in ((9001, "a"), (9002, "b"), (9003, "a")):
        path, row = f'"/tmp/{file}/x"', CALLS[4]
        fields = f"{{st_ino={ord(file)}, st_size=1, st_mtime={ord(file) + 4}}}"
        args = [[1 << 44, 1], [(1 << 44) + 64, 1], *[[0, 1]] * 4]
        looks += [
            {"event": "enter", "cage": 1, "tid": 1, "call": call, "number": 4, "name": row.name, "self": 1, "target": 1,
             "args": args, "within": 0, "shown": [path, None]},
            {"event": "exit", "cage": 1, "tid": 1, "call": call, "ret": 0, "shown": {"1": fields}},
        ]  # fmt: skip
    return text_of([*records[:at], *looks, *records[at:]])


def _shown(records: list[dict[str, Any]], kind: str, other: Callable[[str], str]) -> list[dict[str, Any]]:
    """With other words of one kind in the texts that are shown."""

    def text(value: Any, brought: bool) -> Any:
        fits = isinstance(value, str) and (kind != "time" or brought)
        return _TEXTS[kind].sub(lambda found: other(found[0]), value) if fits else value

    out = []
    for one in records:
        shown = one.get("shown")
        if isinstance(shown, list):
            one = {**one, "shown": [text(value, brought=False) for value in shown]}
        elif shown:
            one = {**one, "shown": {at: text(value, brought=True) for at, value in shown.items()}}
        out.append(one)
    return out


def _words(records: list[dict[str, Any]], kind: str) -> list[str]:
    """All words of one kind that come, each once."""
    found: dict[str, None] = {}

    def note(word: str) -> str:
        found[word] = None
        return word

    _shown(records, kind, note)
    return list(found)


def _threads(records: list[dict[str, Any]], other: Callable[[int, int], int]) -> list[dict[str, Any]]:
    """With other thread ids, those of main threads excepted, which are 1 everywhere."""
    made: set[tuple[int, int]] = set()
    calls = {one["call"]: one["name"] for one in records if one.get("event") == "enter"}
    out = []
    for one in records:
        here = (one.get("cage", 0), one.get("tid", 1))
        changed = dict(one)
        if here[1] > 1:
            changed["tid"] = other(*here)
        row = CALLS.get(one["number"]) if one.get("event") == "enter" else None
        if row is not None:
            kinds = [param.kind for param in row.params] + [None] * 6
            changed["args"] = [
                [other(one["target"], value) if kind is ParamKind.TID and 1 < value < 1 << 31 else value, owner]
                for kind, (value, owner) in zip(kinds, one["args"], strict=False)
            ]
        if one.get("event") == "spawn" and one["child_tid"] > 1:
            changed["child_tid"] = other(one["child"], one["child_tid"])
            made.add(here)
        if one.get("event") == "exit" and isinstance(one["ret"], int):
            makes = calls[one["call"]] == "clone" and here in made
            if (makes or calls[one["call"]] == "gettid") and one["ret"] > 1:
                changed["ret"] = other(here[0], one["ret"])
            if makes:
                made.discard(here)
        out.append(changed)
    return out


@_QUIET
@given(data=st.data())
def test_any_bijection_of_names_is_no_difference(data: st.DataObject) -> None:
    text = told(data.draw(st.sampled_from(GUESTS)))
    cages = data.draw(st.permutations(range(1, 30)))
    other = renamed(text, dict(enumerate(cages, 1)), data.draw(st.integers(1, 1000)))
    records = lines(other)
    for kind in _TEXTS:
        words = _words(records, kind)
        numbers = data.draw(st.lists(st.integers(1, 1 << 31), min_size=len(words), max_size=len(words), unique=True))
        to = dict(zip(words, numbers, strict=True))
        records = _shown(records, kind, lambda word, to=to: str(to[word]))  # type: ignore[misc]
    step = data.draw(st.integers(0, 500))
    records = _threads(records, lambda cage, tid: tid + step + cage)
    found = compare(text, text_of(records), by_thread=data.draw(st.booleans()))
    assert found is None, found


@_QUIET
@given(data=st.data())
def test_one_name_for_two_is_a_difference(data: st.DataObject) -> None:
    """Two cages that are both seen to act get one id; two words that both come become one."""
    text = told(data.draw(st.sampled_from(GUESTS)))
    records = lines(text)
    cages = sorted({one["cage"] for one in records if one.get("cage")})
    words = {kind: _words(records, kind) for kind in _TEXTS}
    kinds = [kind for kind in _TEXTS if len(words[kind]) > 1] + (["cage"] if len(cages) > 1 else [])
    if not kinds:
        return
    kind = data.draw(st.sampled_from(kinds))
    if kind == "cage":
        one, other = data.draw(st.permutations(cages))[:2]
        changed = renamed(text, {one: other}, 0)
    else:
        word, instead = data.draw(st.permutations(words[kind]))[:2]
        changed = text_of(_shown(records, kind, lambda found: instead if found == word else found))
    found = compare(text, changed)
    assert found is not None, kind
    assert found.lines[0] is not None


@pytest.mark.parametrize("kind", [*_TEXTS, "cage", "thread"])
def test_every_kind_of_name_comes_in_some_guest(kind: str) -> None:
    """The properties above are about something."""
    for name in GUESTS:
        records = lines(told(name))
        if kind in _TEXTS and len(_words(records, kind)) > 1:
            return
        if kind in ("cage", "thread"):
            field = {"cage": "cage", "thread": "tid"}[kind]
            if len({one[field] for one in records if field in one}) > 1:
                return
    raise AssertionError(kind)

"""Traces recorded from the real runtime (one line a 3i call, no header) as the events that they stand for.

A line tells where a call was entered, who served it, what it returned and how deep it was nested, not when it came
back: it comes back here before the next line that is not deeper, in the same cage or above it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from lindref.posix.call import i32
from lindref.posix.usermem import model_base
from lindref.threei.numbers import UNUSED, UNUSED_CAGE
from lindref.trace.filters import call_name
from lindref.trace.format import FORMAT, Record

#: What stands for the header that they do not have.
HEADER: Record = {
    "format": FORMAT,
    "version": 1,
    "producer": "recorded",
    "profile": "lind",
    "observes": ["enter", "route", "exit"],
    "order": "global",
}
_KEYS = {"i", "cage", "n", "target", "args", "handler", "ret", "depth"}
#: What copy_data_between_cages returns when it worked: the low half of the destination's address.
_DESTINATION = "DEST"
_POINTER = re.compile(r"(\d{1,9}):0x([0-9a-f]{1,16})")
_MASK = (1 << 64) - 1


def is_recorded(line: Record) -> bool:
    """Whether a first line is one of a recorded trace."""
    return "format" not in line and set(line) >= _KEYS


def _value(value: object) -> int | None:
    """A value of an argument: a number, a place in a cage's memory, or the sentinel."""
    if type(value) is int:
        return value & _MASK
    if value == "unused":
        return UNUSED
    found = _POINTER.fullmatch(value) if isinstance(value, str) else None
    return model_base(int(found[1])) + int(found[2], 16) & _MASK if found else None


def _owner(value: object) -> int | None:
    return UNUSED_CAGE if value == "unused" else _value(value)


def _pairs(args: object) -> list[list[int]] | None:
    if not isinstance(args, list) or len(args) > 6:
        return None
    out: list[list[int]] = []
    for pair in args:
        if not isinstance(pair, list) or len(pair) != 2:
            return None
        value, owner = _value(pair[0]), _owner(pair[1])
        if value is None or owner is None:
            return None
        out.append([value, owner])
    return out


def _problem(line: Record) -> str | None:
    if not set(line) >= _KEYS:
        return f"a recorded call without {', '.join(sorted(_KEYS - set(line)))}"
    for key in _KEYS - {"args", "ret"} - ({"handler"} if line["handler"] is None else set()):
        if type(line[key]) is not int or not 0 <= line[key] <= _MASK:
            return f"a recorded call whose {key!r} is no number"
    if line["ret"] not in (None, _DESTINATION) and type(line["ret"]) is not int:
        return "a recorded call whose 'ret' is neither a number nor null"
    return None


def events(lines: Iterable[Record], fail: Callable[[str], NoReturn]) -> Iterator[Record]:
    """The events of recorded calls; ``fail`` is called with what is wrong."""
    open_calls: list[tuple[int, Record]] = []
    last = 0
    for line in lines:
        wrong = _problem(line)
        pairs = None if wrong else _pairs(line["args"])
        if wrong or pairs is None:
            fail(wrong or "a recorded call whose arguments cannot be read")
        if line["i"] <= last:
            fail(f"out of order: call {line['i']} after call {last}")
        last = line["i"]
        while open_calls and open_calls[-1][0] >= line["depth"]:
            yield open_calls.pop()[1]
        number = line["n"]
        within = open_calls[-1][1]["call"] if open_calls else 0
        cage = line["cage"]
        yield {
            "event": "enter", "cage": cage, "call": line["i"], "number": number, "within": within,
            "name": call_name(number),
            "self": cage, "target": line["target"], "args": pairs,
        }  # fmt: skip
        if line["handler"] is not None:
            yield {"event": "route", "cage": cage, "call": line["i"], "handler": line["handler"]}
        ret = line["ret"]
        if ret == _DESTINATION:
            ret = i32(pairs[1][0]) if len(pairs) > 1 else fail("a recorded call returns a destination it has not")
        open_calls.append((line["depth"], {"event": "exit", "cage": cage, "call": line["i"], "ret": ret}))
    while open_calls:
        yield open_calls.pop()[1]

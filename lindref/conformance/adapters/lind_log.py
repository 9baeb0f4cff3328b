"""The log of calls that an instrumented ``lind-boot`` writes, as a trace.

Two forms are known: the recordings' (one JSON object a call, FORMAT.md section 8), and lines of the runtime's own log:

    [LIND][threei][…] [3i|call] #7 self=1 nr=2 target=1 handler=Some(777777) args: +0x420@1 0@1 …
    [LIND][threei][…] [3i|return] #7 self=1 nr=2 result=3
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

from lindref.posix.table import NUMBERS
from lindref.posix.usermem import model_base
from lindref.threei.numbers import BENEATH, UNUSED, UNUSED_CAGE
from lindref.trace.filters import call_name
from lindref.trace.format import FORMAT, VERSION, Record
from lindref.trace.jsonl import dump
from lindref.trace.reader import Reader
from lindref.trace.recorded import is_recorded

#: The events that such a trace has.
OBSERVES = ("enter", "route", "exit", "outcome")

_CALL = re.compile(r"\[3i\|call\] #(\d+) self=(\d+) nr=(\d+) target=(\d+) handler=(?:Some\((\d+)\)|None) args:(.*)")
_RETURN = re.compile(r"\[3i\|return\] #(\d+) self=(\d+) nr=(\d+) result=(-?\d+)")
_ARGUMENT = re.compile(r"(?:\+0x([0-9a-f]+)|(-?\d+))@(-?\d+)")
#: Calls that do not come back when they work: execve, exit, exit_group.
_NEVER = frozenset(NUMBERS[name] for name in ("execve", "exit", "exit_group"))
_MASK = (1 << 64) - 1


def as_trace(log: str, status: int) -> bytes:
    """The log of a run that ended with ``status``; lines that are of neither form are left out."""
    header: Record = {
        "format": FORMAT,
        "version": VERSION,
        "producer": "lind-boot",
        "profile": "lind",
        "observes": list(OBSERVES),
        "order": "thread",  # cages run side by side, and the lines do not say who was first
    }
    rows = _objects(log)
    records = list(_recorded(rows) if rows else _lines(log))
    ending = "exit" if status != 70 else "trap"
    outcome: Record = {"event": "outcome", "ending": ending, "status": status}
    return "".join(map(dump, [header, *records, outcome])).encode()


def _objects(log: str) -> list[str]:
    """The lines of the recordings' form."""
    out = []
    for line in log.splitlines():
        if line.startswith("{"):
            try:
                row = json.loads(line)
            except ValueError:
                continue  # cut off as its process died
            if isinstance(row, dict) and is_recorded(row):
                out.append(line)
    return out


def _recorded(rows: list[str]) -> Iterator[Record]:
    return iter(Reader(io.BytesIO("\n".join([*rows, ""]).encode()), "log"))


def _lines(log: str) -> Iterator[Record]:
    """The events of the runtime's own log."""
    under_way: dict[int, int] = {}
    came_back = {int(found[1]) for found in _RETURN.finditer(log)}
    for line in log.splitlines():
        call, back = _CALL.search(line), _RETURN.search(line)
        if call and int(call[2]) in BENEATH:
            continue  # the runtime's own, to finish a call
        if call:
            yield from _call(call, under_way)
            number = int(call[1])
            if int(call[3]) in _NEVER and number not in came_back:
                yield {"event": "exit", "cage": under_way.pop(number), "call": number, "ret": None}
        elif back and int(back[1]) in under_way:
            cage = under_way.pop(int(back[1]))
            ret: int | None = int(back[4])
            if ret == 0 and int(back[3]) in _NEVER:
                ret = None  # back to the runtime, which ends the cage or its image
            yield {"event": "exit", "cage": cage, "call": int(back[1]), "ret": ret}


def _call(found: re.Match[str], under_way: dict[int, int]) -> Iterator[Record]:
    number, cage, name = int(found[1]), int(found[2]), call_name(int(found[3]))
    args = [_pair(one) for one in _ARGUMENT.finditer(found[6])]
    under_way[number] = cage
    yield {
        "event": "enter", "cage": cage, "call": number, "number": int(found[3]), "name": name,
        "self": cage, "target": int(found[4]), "args": [list(pair) for pair in args],
    }  # fmt: skip
    if found[5]:
        yield {"event": "route", "cage": cage, "call": number, "handler": int(found[5])}


def _pair(found: re.Match[str]) -> tuple[int, int]:
    """Value and owner; a place in a cage's memory as the address that the model gives it."""
    owner = int(found[3]) & _MASK
    owner = UNUSED_CAGE if owner in (UNUSED, UNUSED_CAGE) else owner & ~(1 << 63)
    if found[1] is not None:
        return model_base(owner) + int(found[1], 16) & _MASK, owner
    return int(found[2]) & _MASK, owner


__all__ = ["OBSERVES", "as_trace"]

"""Breakpoints as the client sets them: each request replaces those of its kind (or file)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lindref.dap.arguments import RequestError, may, objects, strings, want
from lindref.dap.sources import memory_of
from lindref.debug.breakpoints import (
    AtAddress,
    AtChange,
    AtEvent,
    AtFunction,
    AtLine,
    Breakpoint,
    BreakpointError,
    Where,
    parse_call,
)
from lindref.debug.expressions import ExpressionError, value_of
from lindref.system.scan import Range

if TYPE_CHECKING:
    from lindref.dap.adapter import Adapter
    from lindref.dap.protocol import Message

#: What can be stopped for without being set anywhere: name, label, whether it is so without being asked for.
FILTERS = (
    ("trap", "Traps", True),
    ("signal", "Signals delivered", False),
    ("spawn", "Cages and threads that begin", False),
    ("exec", "Images run by exec", False),
    ("end", "Cages that end", False),
)

_CALL = re.compile(r"(?:syscall|call)[ :]\s*(.+)")
_EVENT = re.compile(r"event[ :]\s*(\w+)\s*")
#: Most breakpoints of a request, bytes of a data breakpoint.
MANY = 10_000
WIDE = 1 << 16


def _replace(adapter: Adapter, key: str, made: list[tuple[Where | str, dict[str, Any]]]) -> list[Breakpoint | str]:
    """Put breakpoints in place of those that were set under a key; a text instead of a place is what is wrong."""
    debugger = adapter.debugger
    for number in adapter.groups.pop(key, []):
        debugger.remove(number)
    out: list[Breakpoint | str] = []
    for where, said in made[:MANY]:
        if isinstance(where, str):
            out.append(where)
            continue
        try:
            one = debugger.add(
                where,
                condition=may(said, "condition", str, ""),
                times=may(said, "hitCondition", str, ""),
                log=may(said, "logMessage", str, ""),
            )
        except BreakpointError as why:
            out.append(str(why))
            continue
        adapter.groups.setdefault(key, []).append(one.id)
        out.append(one)
    return out


def described(adapter: Adapter, one: Breakpoint | str) -> Message:
    """A breakpoint as the protocol has it."""
    if isinstance(one, str):
        return {"verified": False, "message": one}
    body: Message = {"id": one.id, "verified": not one.problem}
    if one.problem:
        body["message"] = one.problem
    if one.line:
        body["line"] = one.line
        path = adapter.sources.path(one.file)
        if path:
            body["source"] = {"path": path}
    return body


def _answer(adapter: Adapter, found: list[Breakpoint | str]) -> Message:
    return {"breakpoints": [described(adapter, one) for one in found]}


def set_breakpoints(adapter: Adapter, arguments: Message) -> Message:
    """The breakpoints of a source."""
    source = want(arguments, "source", dict)
    number, path = may(source, "sourceReference", int, 0), may(source, "path", str, "")
    wanted = objects(arguments, "breakpoints")
    made: list[tuple[Where | str, dict[str, Any]]] = []
    if number:
        program, _ = adapter.sources.numbered(number)
        for said in wanted:
            offset = adapter.sources.offset(number, want(said, "line", int))
            where: Where | str = "no such line" if offset is None else AtAddress(offset, program.digest)
            made.append((where, said))
        found = _replace(adapter, f"source {number}", made)
        body = _answer(adapter, found)
        for one, said in zip(body["breakpoints"], wanted, strict=True):
            one["line"] = said["line"]
            one.pop("source", None)
        return body
    if not path:
        raise RequestError("source: neither path nor sourceReference")
    file = adapter.known_as(path)
    for said in wanted:
        line = want(said, "line", int)
        made.append((AtLine(file, line) if 0 < line < 1 << 31 else "no such line", said))
    found = _replace(adapter, f"file {path}", made)
    body = _answer(adapter, found)
    for one, said in zip(body["breakpoints"], wanted, strict=True):
        one.setdefault("line", said["line"])
    return body


def set_function_breakpoints(adapter: Adapter, arguments: Message) -> Message:
    """Breakpoints by name: of a function; ``syscall open fails``; ``event exec``."""
    made: list[tuple[Where | str, dict[str, Any]]] = []
    for said in objects(arguments, "breakpoints"):
        name = want(said, "name", str).strip()
        call, event = _CALL.fullmatch(name), _EVENT.fullmatch(name)
        try:
            where: Where | str
            where = parse_call(call[1]) if call else AtEvent(event[1]) if event else AtFunction(name.removesuffix("()"))
        except BreakpointError as why:
            where = str(why)
        made.append((where, said))
    return _answer(adapter, _replace(adapter, "functions", made))


def set_instruction_breakpoints(adapter: Adapter, arguments: Message) -> Message:
    """Breakpoints at addresses of code."""
    made: list[tuple[Where | str, dict[str, Any]]] = []
    for said in objects(arguments, "breakpoints"):
        reference, shift = want(said, "instructionReference", str), may(said, "offset", int, 0)
        try:
            program, offset = adapter.sources.code(reference, shift)
            made.append((AtAddress(offset, program.digest), said))
        except RequestError as why:
            made.append((str(why), said))
    return _answer(adapter, _replace(adapter, "instructions", made))


def data_breakpoint_info(adapter: Adapter, arguments: Message) -> Message:
    """Whether a variable, expression or address can be watched, and what to call it."""
    name = want(arguments, "name", str)
    try:
        if may(arguments, "asAddress", bool, otherwise=False):
            cage, address = memory_of(name, adapter.cage)
            size = may(arguments, "bytes", int, 1)
        else:
            cage, address, size = _watched(adapter, arguments, name)
    except (RequestError, ExpressionError) as why:
        return {"dataId": None, "description": str(why)}
    if not 0 < size <= WIDE:
        return {"dataId": None, "description": f"{name}: {size} bytes cannot be watched"}
    return {
        "dataId": json.dumps([cage, address, size]),
        "description": f"{name} ({size} bytes at {address:#x} of cage {cage})",
        "accessTypes": ["write"],
        "canPersist": True,
    }


def _watched(adapter: Adapter, arguments: Message, name: str) -> tuple[int, int, int]:
    number = may(arguments, "variablesReference", int, 0)
    if number:
        found = next((one for one in adapter.handles.get(number)() if one.name == name), None)
        value, frame = (None, None) if found is None else (found.value, found.frame)
    else:
        from lindref.dap.showing import frame_of

        frame = frame_of(adapter, arguments)
        value = value_of(name, frame)
    if value is None or frame is None or value.address is None:
        raise RequestError(f"{name} is not in memory")
    return frame.thread.cage, value.address, value.type.size


def set_data_breakpoints(adapter: Adapter, arguments: Message) -> Message:
    """Breakpoints at changes of memory."""
    made: list[tuple[Where | str, dict[str, Any]]] = []
    for said in objects(arguments, "breakpoints"):
        if may(said, "accessType", str, "write") != "write":
            made.append(("only changes can be watched", said))
            continue
        try:
            cage, address, size = map(int, json.loads(want(said, "dataId", str)))
            if not (0 <= address < 1 << 32 and 0 < size <= WIDE):
                raise ValueError
            made.append((AtChange(Range(cage, address, size)), said))
        except (ValueError, TypeError):
            made.append(("dataId: not one that was given out", said))
    return _answer(adapter, _replace(adapter, "data", made))


def set_exception_breakpoints(adapter: Adapter, arguments: Message) -> Message:
    """What to stop for besides breakpoints: ``FILTERS``."""
    names = {name for name, _, _ in FILTERS}
    chosen: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in strings(arguments, "filters")]
    chosen += [(want(said, "filterId", str), said) for said in objects(arguments, "filterOptions")]
    made: list[tuple[Where | str, dict[str, Any]]] = [
        (AtEvent(name) if name in names else f"no filter {name}", said) for name, said in chosen
    ]
    return _answer(adapter, _replace(adapter, "exceptions", made))


def breakpoint_locations(adapter: Adapter, arguments: Message) -> Message:
    """Which lines of a range can have a breakpoint."""
    source = want(arguments, "source", dict)
    first = want(arguments, "line", int)
    last = min(may(arguments, "endLine", int, first), first + 10_000)
    number = may(source, "sourceReference", int, 0)
    if number:
        return {"breakpoints": [{"line": n} for n in range(first, last + 1) if adapter.sources.offset(number, n)]}
    file = adapter.known_as(may(source, "path", str, ""))
    tables = [adapter.debugger.table.of(p).lines for p in adapter.debugger.engine.images.programs().values()]
    lines = [n for n in range(first, last + 1) if any(table.offsets(file, n) for table in tables)]
    return {"breakpoints": [{"line": n} for n in lines]}


REQUESTS: dict[str, Callable[[Adapter, Message], Message]] = {
    "setBreakpoints": set_breakpoints,
    "setFunctionBreakpoints": set_function_breakpoints,
    "setInstructionBreakpoints": set_instruction_breakpoints,
    "dataBreakpointInfo": data_breakpoint_info,
    "setDataBreakpoints": set_data_breakpoints,
    "setExceptionBreakpoints": set_exception_breakpoints,
    "breakpointLocations": breakpoint_locations,
}

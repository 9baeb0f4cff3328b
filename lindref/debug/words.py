"""Breakpoints in words, as a person types them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lindref.debug.breakpoints import (
    EVENTS,
    AtAddress,
    AtCall,
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
    from lindref.debug.debugger import Debugger
    from lindref.debug.frames import GuestFrame

#: How breakpoints are written.
HELP = """\
main            a function            call open         before a system call
app.c:12        a line                call * fails      a call that fails
12              … of this file        call read fd=0    … on a descriptor
0x1a2b          an instruction        event exec        spawn end trap signal
= counter       when a value changes  event SIGCHLD     a signal
and behind it:  if x > 3   cage 2   times >=4"""

_IF = re.compile(r"\s+if\s+(.+)$")
_CAGE = re.compile(r"\s+cage\s+(\d{1,9})\s*$")
_TIMES = re.compile(r"\s+times\s+(\S+)\s*$")
_LINE = re.compile(r"(?:(.+):)?(\d{1,7})")


def parse(debugger: Debugger, text: str, frame: GuestFrame | None) -> Breakpoint:
    """Add the breakpoint that a line says (``HELP``); raises ``BreakpointError``."""
    more: dict[str, object] = {}
    rest = f" {text.strip()}"
    found = _IF.search(rest)
    if found is not None:
        more["condition"], rest = found[1], rest[: found.start()]
    for pattern, name in ((_TIMES, "times"), (_CAGE, "cage"), (_TIMES, "times")):
        found = pattern.search(rest)
        if found is not None:
            more[name], rest = int(found[1]) if name == "cage" else found[1], rest[: found.start()]
    return debugger.add(_where(rest.strip(), frame), **more)


def _where(text: str, frame: GuestFrame | None) -> Where:
    if not text:
        raise BreakpointError("where? a function, FILE:LINE, call NAME, event NAME, 0xOFFSET or = EXPRESSION")
    word, _, rest = text.partition(" ")
    if word == "call":
        return parse_call(rest)
    if word == "event":
        return AtEvent(rest.strip())
    if text.startswith("="):
        return _change(text[1:].strip(), frame)
    if text.lower().startswith("0x"):
        try:
            return AtAddress(int(text, 16))
        except ValueError:
            raise BreakpointError(f"{text}: not an offset") from None
    line = _LINE.fullmatch(text)
    if line is not None:
        file = line[1] or (frame.file if frame is not None else "")
        if not file:
            raise BreakpointError(f"line {line[2]} of which file?")
        return AtLine(file, int(line[2]))
    return AtFunction(text.removesuffix("()"))


def _change(text: str, frame: GuestFrame | None) -> Where:
    if frame is None:
        raise BreakpointError("no function is running here")
    try:
        value = value_of(text, frame)
    except ExpressionError as why:
        raise BreakpointError(str(why)) from None
    if value.address is None or not value.type.size:
        raise BreakpointError(f"{text} is not in memory")
    return AtChange(Range(frame.thread.cage, value.address, value.type.size))


def written(one: Breakpoint) -> str:
    """A breakpoint as a line."""
    text = ""
    match one.where:
        case AtLine(file, line):
            text = f"{file.rpartition('/')[2]}:{one.line or line}"
        case AtFunction(name):
            text = name
        case AtAddress(offset):
            text = f"{offset:#x}"
        case AtChange(where):
            text = f"= {where.size} bytes at {where.address:#x} of cage {where.cage}"
        case AtCall(name, errno, returns, fd):
            parts = [f"call {name}", "fails" if errno == "*" else f"errno={errno}" if errno else ""]
            parts += [f"returns={returns}" if returns is not None else "", f"fd={fd}" if fd is not None else ""]
            text = " ".join(filter(None, parts))
        case AtEvent(what):
            text = f"event {what}"
    text += f" cage {one.cage}" if one.cage is not None else ""
    text += f" times {one.times}" if one.times else ""
    text += f" if {one.condition}" if one.condition else ""
    return f"{text}  ({one.problem})" if one.problem else text


__all__ = ["EVENTS", "HELP", "parse", "written"]

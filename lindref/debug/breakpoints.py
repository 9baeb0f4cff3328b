"""What a run is to stop for.

A breakpoint is about code (a line, a function, an address), about memory (a range that changes), or about events (a
call that is made or comes back, a signal, a trap, a cage or thread that begins or ends, an image that is run). All may
be restricted to a cage, to a condition, to the n-th time; with a ``log`` they tell instead of stopping.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lindref import classes
from lindref.posix.call import i32
from lindref.posix.errno import NUMBERS
from lindref.posix.flags import signal
from lindref.system.events import End, Enter, Event, Exec, Exit, Signal, Spawn
from lindref.system.position import Position
from lindref.system.scan import Range


class BreakpointError(Exception):
    """A breakpoint that means nothing; one line."""


@classes.frozen
class AtLine:
    """The code of a line of source; ``file`` is a path or the last parts of one."""

    file: str
    line: int


@classes.frozen
class AtFunction:
    """The beginning of a function."""

    name: str


@classes.frozen
class AtAddress:
    """The instruction at an offset in the file of a module; ``program`` is its digest, or how that begins, or its
    name; empty: of any."""

    offset: int
    program: str = ""


@classes.frozen
class AtChange:
    """Bytes of a cage's memory that become others."""

    range: Range


@classes.frozen
class AtCall:
    """A system call, ``*`` for any. Without more it stops before the call is made; with ``errno`` (a name, ``*`` for
    any failure) or ``returns`` when it comes back so. ``fd``: only calls about that descriptor."""

    name: str
    errno: str = ""
    returns: int | None = None
    fd: int | None = None

    @property
    def after(self) -> bool:
        """Whether it stops when the call comes back."""
        return bool(self.errno) or self.returns is not None


@classes.frozen
class AtEvent:
    """Another event: ``trap``, ``signal`` (or the name of one), ``spawn``, ``exec``, ``end``."""

    what: str


#: Events by name, besides signals.
EVENTS = ("trap", "signal", "spawn", "exec", "end")

Where = AtLine | AtFunction | AtAddress | AtChange | AtCall | AtEvent

_HIT = re.compile(r"\s*(>=|<=|==|=|>|<|%)?\s*(\d{1,9})\s*")
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "": lambda n, wanted: n == wanted,
    "=": lambda n, wanted: n == wanted,
    "==": lambda n, wanted: n == wanted,
    ">=": lambda n, wanted: n >= wanted,
    "<=": lambda n, wanted: n <= wanted,
    ">": lambda n, wanted: n > wanted,
    "<": lambda n, wanted: n < wanted,
    "%": lambda n, wanted: n % wanted == 0,
}


@classes.define(eq=False)
class Breakpoint:
    """One breakpoint. ``times``: which times count: a number, or one after ``>``, ``>=``, ``<``, ``<=``, ``==``, ``%``.
    ``line`` is the line that it is really at, ``problem`` why it is nowhere yet."""

    id: int
    where: Where
    condition: str = ""
    times: str = ""
    log: str = ""
    cage: int | None = None
    enabled: bool = True
    line: int = 0
    file: str = ""
    offset: int = -1
    problem: str = ""
    #: How many times it was come by; a place in the run has its number, however often one passes it.
    seen: dict[Position, int] = classes.Factory(dict)

    def __attrs_post_init__(self) -> None:
        """Raises ``BreakpointError`` where ``times`` means nothing."""
        parsed_times(self.times)

    def counts(self, position: Position) -> bool:
        """It is come by at ``position``, with its condition true: whether this is one of the times that count."""
        number = self.seen.setdefault(position, len(self.seen) + 1)
        parsed = parsed_times(self.times)
        return parsed is None or _COMPARE[parsed[0]](number, parsed[1])


def parsed_times(times: str) -> tuple[str, int] | None:
    """``times`` of a breakpoint as comparison and number; raises ``BreakpointError``."""
    if not times.strip():
        return None
    found = _HIT.fullmatch(times)
    if found is None or (found[1] == "%" and not int(found[2])):
        raise BreakpointError(f"{times.strip()!r}: a number was expected, or one after >= > < <= == or %")
    return found[1] or "", int(found[2])


_CALL = re.compile(r"\s*([\w*-]+)\s*(.*)")
_TERM = re.compile(r"\s*(?:(errno|returns|fd)\s*(?:==?)\s*([\w*-]+)|(fails))\s*(?:,|and\b|$)\s*")


def parse_call(text: str) -> AtCall:
    """A call in words: ``open``, ``open errno=ENOENT``, ``read fd=0 returns=0``, ``* fails``."""
    found = _CALL.fullmatch(text)
    if found is None:
        raise BreakpointError(f"{text.strip()!r}: the name of a call was expected")
    name, rest = found[1], found[2]
    errno, returns, fd = "", None, None
    while rest:
        term = _TERM.match(rest)
        if term is None or not term.end():
            term = re.match(r"\s*(?:(errno|returns|fd)\s*(?:==?)\s*([\w*-]+)|(fails))\s+", rest)
        if term is None:
            raise BreakpointError(f"{rest.strip()!r}: errno=NAME, returns=N, fd=N or fails was expected")
        key, value, fails = term[1], term[2], term[3]
        if fails or key == "errno":
            errno = "*" if fails else value
            if errno != "*" and errno not in NUMBERS:
                raise BreakpointError(f"{errno}: no such error")
        elif not re.fullmatch(r"-?\d{1,10}", value):
            raise BreakpointError(f"{key}={value}: a number was expected")
        elif key == "returns":
            returns = int(value)
        else:
            fd = int(value)
        rest = rest[term.end() :]
    return AtCall(name, errno, returns, fd)


def matches(
    one: Breakpoint, event: Event, entered: Callable[[int], Enter | None], fds: Callable[[Enter], list[int]]
) -> bool:
    """Whether an event is one that a breakpoint is for. ``entered`` finds a call by its number, ``fds`` the descriptors
    it is about."""
    where = one.where
    if one.cage is not None and event.cage != one.cage:
        return False
    if isinstance(where, AtCall):
        call = event if isinstance(event, Enter) else entered(event.call) if isinstance(event, Exit) else None
        if call is None or isinstance(event, Exit) != where.after or where.name not in ("*", call.name):
            return False
        if where.fd is not None and where.fd not in fds(call):
            return False
        return not where.after or _result(where, event)
    if not isinstance(where, AtEvent):
        return False
    match where.what:
        case "trap":
            return isinstance(event, End) and bool(event.trap)
        case "signal":
            return isinstance(event, Signal) and event.action != "return"
        case "spawn":
            return isinstance(event, Spawn)
        case "exec":
            return isinstance(event, Exec)
        case "end":
            return isinstance(event, End) and event.whole
        case name:
            return isinstance(event, Signal) and event.action != "return" and signal(event.signo) == name


def _result(where: AtCall, event: Event) -> bool:
    result = event.result if isinstance(event, Exit) else None
    if result is None:
        return False
    if where.returns is not None and i32(result) != where.returns:
        return False
    if where.errno == "*":
        return result < 0
    return not where.errno or result == -NUMBERS[where.errno]


__all__ = ["AtAddress", "AtCall", "AtChange", "AtEvent", "AtFunction", "AtLine", "Breakpoint", "BreakpointError"]

"""The event stream as strace shows it: one line a call, with cage, decoded arguments, route and result.

A call during which something else is shown is cut in two, ``<unfinished ...>`` and ``<... resumed>``; what a grate
does to serve a call is indented beneath it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from lindref.posix import errno, flags
from lindref.posix.params import CallRow, ReturnKind
from lindref.system.events import End, Enter, Event, Exec, Exit, Note, Route, Signal, Spawn
from lindref.threei.numbers import BENEATH, DEREGISTER, RAWPOSIX_CAGE, THREEI_CAGE, UNUSED, ThreeIError
from lindref.trace.decode import Decoder, shown_result
from lindref.trace.filters import THREEI_NAMES
from lindref.trace.functions import function_name

if TYPE_CHECKING:
    from lindref.system.system import System

_PALETTE = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
_DIM, _RED, _BOLD = 2, 31, 1
_THREEI = frozenset(THREEI_NAMES.values())
_ERRNOS = 134


@attrs.define
class _Open:
    """A call that has entered and not come back: what is known of its line."""

    event: Enter
    row: CallRow | None
    shown: list[str | None]
    route: str = ""
    beneath: bool = True
    cut: bool = False


class Strace:
    """Writes lines to ``write`` as events happen; implements ``Observer``.

    ``only``: the call numbers to show, ``None`` for all. ``routes``: name who served each call, RawPOSIX included.
    """

    def __init__(
        self,
        system: System,
        write: Callable[[str], object],
        *,
        only: frozenset[int] | None = None,
        colour: bool = False,
        routes: bool = False,
    ) -> None:
        self._system = system
        self._write = write
        self._only = only
        self._colour = colour
        self._routes = routes
        self._decoder = Decoder(self._read)
        self._open: dict[int, _Open] = {}
        self._uncut: _Open | None = None

    def _read(self, address: int, count: int) -> bytes | None:
        place = self._system.host.resolve(address)
        memory = self._system.memory(place.cage) if place else None
        return memory.try_read(place.offset, count) if memory is not None and place is not None else None

    # Colours and lines.

    def _paint(self, text: str, *codes: int) -> str:
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m" if self._colour else text

    def _tag(self, event: Event) -> str:
        who = f"cage {event.cage}" if event.tid == 1 else f"cage {event.cage} thread {event.tid}"
        return self._paint(f"[{who}]", _PALETTE[event.cage % len(_PALETTE)])

    def _depth(self, call: int) -> int:
        depth = 0
        while call in self._open:
            depth += 1
            call = self._open[call].event.within
        return depth

    def _line(self, event: Event, text: str, within: int = 0) -> None:
        """A whole line; a call whose line stands open is cut first."""
        self._cut()
        indent = self._paint("│ " * self._depth(within), _DIM)
        self._write(f"{self._tag(event)} {indent}{text}\n")

    def _cut(self) -> None:
        opened = self._uncut
        if opened is not None:
            self._uncut = None
            opened.cut = True
            known = self._known(opened)
            rest = self._paint("<unfinished ...>", _DIM) + ("" if opened.beneath else opened.route)
            self._line(opened.event, f"{known} {rest}", opened.event.within)

    def _known(self, opened: _Open) -> str:
        """A call's beginning, as far as it is known before it returns."""
        parts = []
        for text in opened.shown:
            if text is None:
                break
            parts.append(text)
        more = ", " if len(parts) < len(opened.shown) and parts else ""
        return f"{self._paint(opened.event.name, _BOLD)}({', '.join(parts)}{more}"

    # Events.

    def on_event(self, event: Event) -> None:
        """Show ``event``."""
        match event:
            case Enter():
                self._enter(event)
            case Route():
                self._route(event)
            case Exit():
                self._exit(event)
            case Spawn():
                if event.child_tid > 1:
                    self._line(event, self._paint(f"=== thread {event.child_tid} ===", _DIM))
                else:
                    self._line(event, self._paint(f"=== cage {event.child} forked from cage {event.cage} ===", _DIM))
            case Exec():
                argv = ", ".join(f'"{a}"' for a in event.argv)
                self._line(event, self._paint(f'=== runs "{event.path}" [{argv}] ===', _DIM))
            case Signal():
                self._line(event, self._paint(f"--- {flags.signal(event.signo)} ({event.action}) ---", _PALETTE[1]))
            case End():
                self._end(event)
            case Note():
                self._line(event, self._paint(f"*** {event.text}", _RED))
            case _:
                pass  # choices belong to the JSON trace

    def _enter(self, event: Enter) -> None:
        if self._only is not None and event.number not in self._only:
            return
        row = self._system.kernel.rows.get(event.number)
        if row is not None:
            shown = self._decoder.before(row, event.args)
        elif event.number in _THREEI:
            shown = list(threei_args(event, self._system))
        else:
            shown = [hex(value) for value, _ in event.args if value != UNUSED]
        self._cut()
        self._open[event.call] = self._uncut = _Open(event, row, shown)

    def _route(self, event: Route) -> None:
        opened = self._open.get(event.call)
        if opened is None:
            return
        if event.handler not in BENEATH:
            opened.beneath = False
            name = function_name(self._system, event.handler, event.address)
            route = f" → grate {event.handler}" + (f" {name}" if name else "")
            opened.route = self._paint(route, _BOLD, _PALETTE[event.handler % len(_PALETTE)])
            self._cut()
        elif self._routes:
            name = {RAWPOSIX_CAGE: "RawPOSIX", THREEI_CAGE: "3i"}.get(event.handler, "runtime")
            opened.route = self._paint(f" → {name}", _DIM)

    def _exit(self, event: Exit) -> None:
        opened = self._open.get(event.call)
        if opened is None:
            return
        row, enter = opened.row, opened.event
        shown = list(opened.shown)
        if row is not None and event.result is not None:
            written = self._decoder.after(row, enter.args, event.result)
            shown = [written.get(i, text or "") for i, text in enumerate(shown)]
        result = "?" if event.result is None else self._result(row, event.result)
        if opened.cut:
            rest = ""
            if None in opened.shown:
                rest = ", ".join(t or "" for t in shown[opened.shown.index(None) :])
            head = self._paint(f"<... {enter.name} resumed>", _DIM) + rest
            del self._open[event.call]
            self._line(event, f"{head}) = {result}{opened.route if opened.beneath else ''}", enter.within)
        else:
            self._uncut = None
            del self._open[event.call]
            name = self._paint(enter.name, _BOLD)
            text = f"{name}({', '.join(t or '' for t in shown)})"
            self._line(event, f"{text} = {result}{opened.route}", enter.within)

    def _result(self, row: CallRow | None, result: int) -> str:
        for error in ThreeIError:
            if result == error:
                return self._paint(f"{result} ({error.name})", _RED)
        if -_ERRNOS < result < 0 and not (row is not None and row.returns is ReturnKind.ADDRESS and result % 4096 == 0):
            name = errno.name_of(-result)
            return self._paint(f"-1 {name} ({os.strerror(-result)})", _RED)
        return shown_result(row, result)

    def _end(self, event: End) -> None:
        if not event.whole:
            if event.trap:
                self._line(event, self._paint(f"+++ trapped: {event.trap} +++", _RED))
            return
        how = f"killed by {flags.signal(event.signal)}" if event.signal else f"exited with {event.status}"
        self._line(event, self._paint(f"+++ {how} +++", _DIM))


def threei_args(event: Enter, system: System) -> tuple[str, ...]:
    """The arguments of a call of 3i itself, which travel in cage positions too (3i.md 1.6)."""
    args = event.args
    match event.number:
        case 1001:
            (cage, number), (_, grate), (address, _) = args[0], args[1], args[2]
            if grate == DEREGISTER:
                return (f"cage {cage}", system.call_name(number), "remove")
            name = function_name(system, grate, address) or f"fn {address}"
            return (f"cage {cage}", system.call_name(number), f"grate {grate}", name)
        case 1003:
            return (f"from cage {args[0][0]}", f"to cage {args[0][1]}")
        case _:
            (source, source_cage), (dest, dest_cage), (length, _), (kind, _) = args[:4]
            return (
                f"cage {source_cage} {source:#x}",
                f"cage {dest_cage} {dest:#x}",
                str(length),
                {0: "bytes", 1: "string"}.get(kind, str(kind)),
            )


__all__ = ["THREEI_CAGE", "Strace"]

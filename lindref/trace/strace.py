"""The trace as strace shows it: one line a call, with cage, decoded arguments, route and result.

A call during which something else is shown is cut in two, ``<unfinished ...>`` and ``<... resumed>``; what a grate
does to serve a call is indented beneath it. The text is a function of the trace's records alone, so a trace file and a
live run give the same (FORMAT-6).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from lindref import classes
from lindref.posix import errno, flags
from lindref.posix.params import CallRow
from lindref.posix.table import CALLS
from lindref.system.events import Event
from lindref.threei.numbers import BENEATH, RAWPOSIX_CAGE, THREEI_CAGE, UNUSED, ThreeIError
from lindref.trace import sockaddr
from lindref.trace.decode import Decoder, shown_result
from lindref.trace.filters import call_name
from lindref.trace.format import Record
from lindref.trace.recorder import Recorder, is_error

if TYPE_CHECKING:
    from lindref.system.system import System

_PALETTE = (36, 33, 35, 32, 34, 96, 93, 95, 92, 94)
_DIM, _RED, _BOLD = 2, 31, 1
#: Shows arguments of which nothing but the numbers is known.
_NUMBERS_ONLY = Decoder(lambda _address, _count: None)
_UNSAFE = {code: f"\\{code:o}" for code in (*range(32), *range(127, 160))} | {10: "\\n", 9: "\\t", 13: "\\r"}


def plain(text: str) -> str:
    """Text that is safe to show: control characters as C escapes."""
    return text if text.isprintable() else text.translate(_UNSAFE)


def arguments(enter: Record) -> list[str | None]:
    """A call's arguments as shown when it enters: what the trace says, or what the numbers alone tell."""
    shown: list[str | None] | None = enter.get("shown")
    row = CALLS.get(enter["number"])
    if shown is not None:
        told = [sockaddr.in_fields(row, at, text, enter) for at, text in enumerate(shown)]
        return [None if text is None else plain(text) for text in told]
    args = [(value, 0 if owner is None else owner) for value, owner in enter.get("args", ())]
    if row is not None and len(args) == 6:
        seen = _NUMBERS_ONLY.before(row, args)
        return [hex(value) if text is None else text for text, (value, _) in zip(seen, args, strict=False)]
    return [hex(value) for value, _ in args if value != UNUSED]


def written_argument(row: CallRow | None, at: str, text: str) -> str:
    """What a call of ``row`` wrote where its argument ``at`` points to, as shown when it comes back."""
    return sockaddr.in_fields(row, int(at), text, {}) or text


@classes.define
class _Open:
    """A call that has entered and not come back: what is known of its line."""

    enter: Record
    row: CallRow | None
    name: str
    shown: list[str | None]
    route: str = ""
    beneath: bool = True
    cut: bool = False


class StraceText:
    """Writes lines to ``write`` as records of a trace come.

    ``only``: the call numbers to show, ``None`` for all. ``routes``: name who served each call, RawPOSIX included.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        *,
        only: frozenset[int] | None = None,
        colour: bool = False,
        routes: bool = False,
    ) -> None:
        self._write = write
        self._only = only
        self._colour = colour
        self._routes = routes
        self._open: dict[int, _Open] = {}
        self._uncut: _Open | None = None

    # Colours and lines.

    def _paint(self, text: str, *codes: int) -> str:
        return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m" if self._colour else text

    def _tag(self, record: Record) -> str:
        cage, tid = record["cage"], record.get("tid", 1)
        who = f"cage {cage}" if tid == 1 else f"cage {cage} thread {tid}"
        return self._paint(f"[{who}]", _PALETTE[cage % len(_PALETTE)])

    def _depth(self, call: int) -> int:
        depth = 0
        while call in self._open and depth < len(self._open):
            depth += 1
            call = self._open[call].enter.get("within", 0)
        return depth

    def _line(self, record: Record, text: str, within: int = 0) -> None:
        """A whole line; a call whose line stands open is cut first."""
        self._cut()
        indent = self._paint("│ " * self._depth(within), _DIM)
        self._write(f"{self._tag(record)} {indent}{text}\n")

    def _cut(self) -> None:
        opened = self._uncut
        if opened is not None:
            self._uncut = None
            opened.cut = True
            known = self._known(opened)
            rest = self._paint("<unfinished ...>", _DIM) + ("" if opened.beneath else opened.route)
            self._line(opened.enter, f"{known} {rest}", opened.enter.get("within", 0))

    def _known(self, opened: _Open) -> str:
        """A call's beginning, as far as it is known before it returns."""
        parts = []
        for text in opened.shown:
            if text is None:
                break
            parts.append(text)
        more = ", " if len(parts) < len(opened.shown) and parts else ""
        return f"{self._paint(opened.name, _BOLD)}({', '.join(parts)}{more}"

    def flush(self) -> None:
        """Show a call that has just begun, too: as unfinished."""
        self._cut()

    # Records.

    def on_record(self, record: Record) -> None:
        """Show ``record``."""
        match record["event"]:
            case "enter":
                self._enter(record)
            case "route":
                self._route(record)
            case "exit":
                self._exit(record)
            case "spawn":
                cage, child, tid = record["cage"], record["child"], record.get("child_tid", 1)
                what = f"thread {tid}" if tid > 1 else f"cage {child} forked from cage {cage}"
                self._line(record, self._paint(f"=== {what} ===", _DIM))
            case "exec":
                argv = ", ".join(f'"{plain(a)}"' for a in record.get("argv", ()))
                self._line(record, self._paint(f'=== runs "{plain(record["path"])}" [{argv}] ===', _DIM))
            case "signal":
                text = f"--- {flags.signal(record['signo'])} ({plain(record['action'])}) ---"
                self._line(record, self._paint(text, _PALETTE[1]))
            case "end":
                self._end(record)
            case "note":
                self._line(record, self._paint(f"*** {plain(record['text'])}", _RED))
            case _:
                pass  # choices, memory, input and the outcome are for programs

    def _enter(self, record: Record) -> None:
        number = record["number"]
        if self._only is not None and number not in self._only:
            return
        self._cut()
        name = plain(record.get("name") or call_name(number))
        opened = _Open(record, CALLS.get(number), name, arguments(record))
        self._open[record["call"]] = self._uncut = opened

    def _route(self, record: Record) -> None:
        opened = self._open.get(record["call"])
        if opened is None:
            return
        handler = record["handler"]
        if handler not in BENEATH:
            opened.beneath = False
            name = plain(record.get("function", ""))
            route = f" → grate {handler}" + (f" {name}" if name else "")
            opened.route = self._paint(route, _BOLD, _PALETTE[handler % len(_PALETTE)])
            self._cut()
        elif self._routes:
            name = {RAWPOSIX_CAGE: "RawPOSIX", THREEI_CAGE: "3i"}.get(handler, "runtime")
            opened.route = self._paint(f" → {name}", _DIM)

    def _exit(self, record: Record) -> None:
        opened = self._open.get(record["call"])
        if opened is None:
            return
        written = record.get("shown", {})
        brought = {at: written_argument(opened.row, at, text) for at, text in written.items()}
        shown = [plain(brought.get(str(i), text or "")) for i, text in enumerate(opened.shown)]
        ret = record.get("ret")
        result = "?" if ret is None else self._result(opened.row, ret)
        within = opened.enter.get("within", 0)
        if opened.cut:
            rest = ""
            if None in opened.shown:
                rest = ", ".join(shown[opened.shown.index(None) :])
            head = self._paint(f"<... {opened.name} resumed>", _DIM) + rest
            del self._open[record["call"]]
            self._line(record, f"{head}) = {result}{opened.route if opened.beneath else ''}", within)
        else:
            self._uncut = None
            del self._open[record["call"]]
            name = self._paint(opened.name, _BOLD)
            self._line(record, f"{name}({', '.join(shown)}) = {result}{opened.route}", within)

    def _result(self, row: CallRow | None, result: int) -> str:
        text, wrong = result_text(row, result)
        return self._paint(text, _RED) if wrong else text

    def _end(self, record: Record) -> None:
        if not record["whole"]:
            if record.get("trap"):
                self._line(record, self._paint(f"+++ trapped: {plain(record['trap'])} +++", _RED))
            return
        signo = record.get("signal", 0)
        how = f"killed by {flags.signal(signo)}" if signo else f"exited with {record.get('status', '?')}"
        self._line(record, self._paint(f"+++ {how} +++", _DIM))
        for call in [call for call, opened in self._open.items() if opened.enter["cage"] == record["cage"]]:
            del self._open[call]


def result_text(row: CallRow | None, result: int) -> tuple[str, bool]:
    """A result as strace shows it, and whether it is an error."""
    for error in ThreeIError:
        if result == error:
            return f"{result} ({error.name})", True
    if is_error(row, result):
        return f"-1 {errno.name_of(-result)} ({os.strerror(-result)})", True
    return shown_result(row, result), False


class Strace:
    """The strace text of a live run; implements ``Observer``. The options are those of ``StraceText``."""

    def __init__(
        self,
        system: System,
        write: Callable[[str], object],
        *,
        only: frozenset[int] | None = None,
        colour: bool = False,
        routes: bool = False,
    ) -> None:
        self._recorder = Recorder(system)
        self._text = StraceText(write, only=only, colour=colour, routes=routes)

    def on_event(self, event: Event) -> None:
        """Show ``event``."""
        for record in self._recorder.records(event):
            self._text.on_record(record)


__all__ = ["Strace", "StraceText", "arguments", "plain", "result_text", "written_argument"]

"""A trace as one self-contained page: what the page needs is put together here, what it does is view.js.

The page shows a lane for each thread (and for each worker of a grate that serves a call), calls as bars, forks, waits
and routes to grates as arrows; it needs no server and no network, and holds the whole trace (PAGE-1, PAGE-2).
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from lindref import classes
from lindref.posix import flags
from lindref.posix.table import CALLS
from lindref.threei.numbers import (
    BENEATH,
    COPY_DATA_BETWEEN_CAGES,
    COPY_HANDLER_TABLE_TO_CAGE,
    MAX_CAGE_ID,
    RAWPOSIX_CAGE,
    REGISTER_HANDLER,
    THREEI_CAGE,
    UNUSED,
)
from lindref.trace.filters import call_name
from lindref.trace.format import Record
from lindref.trace.page.sources import Sources, place
from lindref.trace.strace import arguments, plain, result_text, written_argument

#: How many events a page holds unless more are asked for: it stays smooth well beyond, but loads longer.
MOST = 100_000
#: What the arguments of 3i's own calls are called, as they are shown.
_THREEI_NAMES = {
    REGISTER_HANDLER: ["cage", "call", "grate", "function"],
    COPY_DATA_BETWEEN_CAGES: ["source", "destination", "length", "kind"],
    COPY_HANDLER_TABLE_TO_CAGE: ["source", "target"],
}


class TooManyError(ValueError):
    """A trace with more events than a page is to hold; one line."""


@classes.define
class Builder:
    """Puts a page's data together from the records of a trace.

    ``events`` are rows of kind, lane, number, time, text, call (index, -1 for none), rule; ``calls`` what a call was,
    ``arrows`` rows of event, lane, event, lane, kind. Indices, where not said otherwise, are those of ``events``.
    """

    most: int = MOST
    only: frozenset[int] | None = None
    sources: Sources = classes.field(factory=lambda: Sources(()))
    #: Calls in progress where a call was made, innermost first, each chain once: rows of function, file ("" if not
    #: known), line, and the number of the folder that has its source (-1 if none has).
    places: list[list[list[Any]]] = classes.field(factory=list)
    #: Lines of source by ``file:line``.
    excerpts: dict[str, list[tuple[int, str]]] = classes.field(factory=dict)
    lanes: list[str] = classes.field(factory=list)
    events: list[list[Any]] = classes.field(factory=list)
    calls: list[dict[str, Any]] = classes.field(factory=list)
    arrows: list[list[Any]] = classes.field(factory=list)
    _lane_of: dict[tuple[int, str], int] = classes.field(factory=dict)
    _places: dict[tuple[str, ...], int] = classes.field(factory=dict)
    _open: dict[int, int] = classes.field(factory=dict)
    #: Worker lanes in use: (cage, number of the lane) by the call that is served.
    _serving: dict[int, tuple[int, int]] = classes.field(factory=dict)
    _ended: dict[int, int] = classes.field(factory=dict)

    def _lane(self, cage: int, name: str) -> int:
        """The lane of a thread or worker, made where there is none yet."""
        key = (cage, name)
        if key not in self._lane_of:
            self._lane_of[key] = len(self.lanes)
            self.lanes.append(f"cage {cage}{name}")
        return self._lane_of[key]

    def _thread(self, cage: int, tid: int) -> int:
        return self._lane(cage, "" if tid == 1 else f" thread {tid}")

    def _lane_for(self, record: Record) -> int:
        """Where an event is shown: its thread's lane, or that of the worker that serves a call."""
        cage = record.get("cage", 0)
        if not cage:
            return -1  # the run itself
        call = self._open.get(record.get("call", -1))
        if call is not None and record["event"] != "enter":
            lane: int = self.calls[call]["lane"]
            return lane
        within = record.get("within", 0)
        if not within:
            return self._thread(cage, record.get("tid", 1))
        if within not in self._serving:
            used = {number for owner, number in self._serving.values() if owner == cage}
            number = next(n for n in range(1, len(used) + 2) if n not in used)
            self._serving[within] = (cage, number)
        return self._lane(cage, f" worker {self._serving[within][1]}")

    def add(self, record: Record) -> None:
        """Take ``record`` in."""
        event = record["event"]
        if self.only is not None and event in ("enter", "route", "exit", "memory"):
            if event == "enter" and record["number"] not in self.only:
                return
            if event in ("route", "exit") and record["call"] not in self._open:
                self._serving.pop(record["call"] if event == "exit" else -1, None)
                return
        if event == "memory":
            self._memory(record)
            return
        if len(self.events) >= self.most:
            raise TooManyError(f"more than {self.most} events: choose some (-e trace=…), or raise --most")
        index = len(self.events)
        row = [event, self._lane_for(record), record.get("n", index + 1), record.get("time", 0), "", -1, ""]
        row[6] = record.get("rule", "")
        self.events.append(row)
        row[4] = self._text(record, index, row)

    def _memory(self, record: Record) -> None:
        """What a call changed: its exit is the event before."""
        if self.events and self.events[-1][0] == "exit" and self.events[-1][5] >= 0:
            call = self.calls[self.events[-1][5]]
            change = [record["owner"], record["offset"], record.get("before", ""), record.get("after", "")]
            call.setdefault("memory", []).append(change)

    def _text(self, record: Record, index: int, row: list[Any]) -> str:
        match record["event"]:
            case "enter":
                return self._enter(record, index, row)
            case "route" | "exit":
                call = self._open.get(record["call"])
                if call is None:
                    return str(record["event"])
                row[5] = call
                return self._route(record, call) if record["event"] == "route" else self._exit(record, index, call)
            case "spawn":
                tid = record.get("child_tid", 1)
                self.arrows.append([index, row[1], index, self._thread(record["child"], tid), "spawn"])
                return f"thread {tid}" if tid > 1 else f"cage {record['child']} forked from cage {record['cage']}"
            case "exec":
                return f"runs {plain(record['path'])} {' '.join(map(plain, record.get('argv', ())))}"
            case "end":
                return self._end(record, index)
            case "signal":
                return f"{flags.signal(record['signo'])} ({plain(record['action'])})"
            case "choice":
                return f"{plain(record['point'])}: {record['answer']} of 0 to {record['options'] - 1}"
            case "note":
                return plain(record["text"])
            case "input":
                return f"from outside: {plain(record['what'])}"
            case _:
                return f"{plain(record['ending'])}, status {record.get('status', '?')} {plain(record.get('text', ''))}"

    def _enter(self, record: Record, index: int, row: list[Any]) -> str:
        shown = arguments(record)
        name = plain(record.get("name") or call_name(record["number"]))
        row_of = CALLS.get(record["number"])
        names = [p.name for p in row_of.params] if row_of else _THREEI_NAMES.get(record["number"], [])
        args: list[list[Any]] = []
        for i, (value, owner) in enumerate(record.get("args", ())):
            text = (shown[i] if i < len(shown) else None) or ""
            if text or i < len(shown) or (value != UNUSED and i < len(names)):
                name_of = names[i] if i < len(names) else f"argument {i + 1}"
                args.append([name_of, text, hex(value), owner if (owner or 0) < MAX_CAGE_ID else None])
        outer = self._open.get(record.get("within", 0), -1)
        call = {
            "enter": index, "exit": -1, "lane": row[1], "name": name, "args": args, "result": "", "wrong": False,
            "within": outer, "number": record["number"], "self": record.get("self"), "target": record.get("target"),
            "cage": record["cage"], "handler": None, "function": "", "routed": -1,
            "where": self._where(record.get("where", ())),
        }  # fmt: skip
        self._open[record["call"]] = row[5] = len(self.calls)
        self.calls.append(call)
        if outer >= 0 and self.calls[outer].pop("first", True):
            self.calls[outer]["first"] = False
            at = max(self.calls[outer]["routed"], self.calls[outer]["enter"])
            self.arrows.append([at, self.calls[outer]["lane"], index, row[1], "route"])
        return f"{name}({', '.join(text if text is not None else '…' for text in shown)})"

    def _where(self, where: Sequence[str]) -> int:
        """The number of these places; -1 where none is known."""
        key = tuple(map(plain, where))
        if not key:
            return -1
        if key not in self._places:
            self._places[key] = len(self.places)
            rows: list[list[Any]] = []
            for text in key:
                function, file, line = place(text) or (text, "", 0)
                folder, lines = self.sources.excerpt(file, line) if file else (-1, [])
                rows.append([function, file, line, folder])
                if lines:
                    self.excerpts[f"{file}:{line}"] = lines
            self.places.append(rows)
        return self._places[key]

    def _route(self, record: Record, index: int) -> str:
        call = self.calls[index]
        handler = record["handler"]
        call["routed"] = len(self.events) - 1
        call["handler"], call["function"] = handler, plain(record.get("function", ""))
        return f"{call['name']} → {_who(handler)} {call['function']}".rstrip()

    def _exit(self, record: Record, index: int, at: int) -> str:
        call = self.calls[at]
        ret = record.get("ret")
        call["exit"] = index
        if ret is not None:
            call["result"], call["wrong"] = result_text(CALLS.get(call["number"]), ret)
        else:
            call["result"] = "never returns" if "ret" in record else "not observed"
        for position, text in record.get("shown", {}).items():
            if int(position) < len(call["args"]):
                call["args"][int(position)][1] = plain(written_argument(CALLS.get(call["number"]), position, text))
        if call["name"] == "wait4" and ret in self._ended:
            ended = self._ended.pop(ret)
            self.arrows.append([ended, self.events[ended][1], index, call["lane"], "wait"])
        del self._open[record["call"]]
        self._serving.pop(record["call"], None)
        return f"{call['name']} = {call['result']}"

    def _end(self, record: Record, index: int) -> str:
        if not record["whole"]:
            return "thread ends" + (f": trap {plain(record['trap'])}" if record.get("trap") else "")
        self._ended[record["cage"]] = index
        for call in [c for c, i in self._open.items() if self.calls[i]["cage"] == record["cage"]]:
            self.calls[self._open[call]]["exit"] = index
            self.calls[self._open[call]]["result"] = "the cage ended"
            del self._open[call]
        signo = record.get("signal", 0)
        return f"killed by {flags.signal(signo)}" if signo else f"exited with {record.get('status', '?')}"

    def data(self, header: Record, rules: Mapping[str, str]) -> dict[str, Any]:
        """Everything, as the page wants it."""
        used = {row[6] for row in self.events} - {""}
        for call in self.calls:
            call.pop("first", None)
            call["handler"] = None if call["handler"] is None else [call["handler"], _who(call["handler"])]
        return {
            "header": header,
            "lanes": self.lanes,
            "events": self.events,
            "calls": self.calls,
            "arrows": self.arrows,
            "places": self.places,
            "excerpts": self.excerpts,
            "rules": {name: rules[name] for name in sorted(used) if name in rules},
        }


def _who(handler: int) -> str:
    if handler in BENEATH:
        return {RAWPOSIX_CAGE: "RawPOSIX", THREEI_CAGE: "3i"}.get(handler, "the runtime")
    return f"grate {handler}"


def page(
    header: Record,
    records: Iterable[Record],
    *,
    title: str,
    rules: Mapping[str, str],
    only: frozenset[int] | None = None,
    most: int = MOST,
    sources: Sequence[str] = (),
) -> str:
    """The page of a trace. ``rules``: text by id, for those that its events name. ``sources``: folders from which lines
    of source may be shown. Raises ``TooManyError``.
    """
    builder = Builder(most, only, Sources(sources))
    for record in records:
        builder.add(record)
    data = json.dumps(builder.data(header, rules), separators=(",", ":"), ensure_ascii=True)
    here = files("lindref.trace.page")
    parts = {
        "title": html.escape(plain(title)),
        "style": here.joinpath("style.css").read_text(encoding="utf-8"),
        "script": here.joinpath("view.js").read_text(encoding="utf-8"),
        # Inside a script element nothing may look like its end.
        "data": data.replace("<", "\\u003c"),
    }
    text = here.joinpath("page.html").read_text(encoding="utf-8")
    pieces = text.split("@@")
    return "".join(parts[piece] if i % 2 else piece for i, piece in enumerate(pieces))

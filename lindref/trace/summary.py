"""Summary tables of a trace: calls by name, as ``strace -c``, and by who makes and who serves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lindref import classes
from lindref.posix.table import CALLS
from lindref.threei.numbers import RAWPOSIX_CAGE, RUNTIME_CAGE, THREEI_CAGE
from lindref.trace.filters import call_name
from lindref.trace.format import Record
from lindref.trace.strace import plain, result_text

_BENEATH = {RAWPOSIX_CAGE: "RawPOSIX", RUNTIME_CAGE: "the runtime", THREEI_CAGE: "3i"}


@classes.define
class Count:
    """Calls of one kind: how many, how many of them failed, and the virtual time they took together, ns."""

    calls: int = 0
    errors: int = 0
    time: int = 0


#: How the calls of a summary may be sorted: as ``strace -S``.
ORDERS: dict[str, Callable[[Count], int]] = {
    "time": lambda count: -count.time,
    "calls": lambda count: -count.calls,
    "errors": lambda count: -count.errors,
    "name": lambda _: 0,
}


@classes.define
class Summary:
    """Counts of the calls of a trace: ``by_name``, and ``by_route`` (cage, who serves)."""

    only: frozenset[int] | None = None
    by_name: dict[str, Count] = classes.field(factory=dict)
    by_route: dict[tuple[int, str], Count] = classes.field(factory=dict)
    _open: dict[int, tuple[Record, str]] = classes.field(factory=dict)

    def add(self, record: Record) -> None:
        """Take ``record`` into account."""
        match record["event"]:
            case "enter" if self.only is None or record["number"] in self.only:
                self._open[record["call"]] = (record, "nobody")
                self.by_name.setdefault(_name(record), Count()).calls += 1
            case "route" if record["call"] in self._open:
                handler = record["handler"]
                who = _BENEATH.get(handler) or f"grate {handler}"
                self._open[record["call"]] = (self._open[record["call"]][0], who)
            case "exit" if record["call"] in self._open:
                self._exit(record)
            case "end" if record["whole"]:
                for call in [c for c, (enter, _) in self._open.items() if enter["cage"] == record["cage"]]:
                    enter, who = self._open.pop(call)
                    self.by_route.setdefault((enter["cage"], who), Count()).calls += 1

    def _exit(self, record: Record) -> None:
        enter, who = self._open.pop(record["call"])
        ret = record.get("ret")
        failed = ret is not None and result_text(CALLS.get(enter["number"]), ret)[1]
        took = max(record.get("time", 0) - enter.get("time", 0), 0)
        by_route = self.by_route.setdefault((enter["cage"], who), Count())
        by_route.calls += 1
        for count in (self.by_name[_name(enter)], by_route):
            count.errors += failed
            count.time += took

    def lines(self, order: str = "time") -> Iterable[str]:
        """The tables as text; calls by one of `ORDERS`."""
        rows = sorted(self.by_name.items())
        if order != "name":
            rows.sort(key=lambda item: (ORDERS[order](item[1]), -item[1].calls))
        yield from _table("call", [(name, count) for name, count in rows])
        yield ""
        routes = sorted(self.by_route.items())
        yield from _table("made by, served by", [(f"cage {cage} → {who}", count) for (cage, who), count in routes])

    def value(self) -> dict[str, Any]:
        """The tables as data."""
        return {
            "calls": {name: classes.asdict(count) for name, count in sorted(self.by_name.items())},
            "routes": [
                {"cage": cage, "served_by": who, **classes.asdict(count)}
                for (cage, who), count in sorted(self.by_route.items())
            ],
        }


def _name(enter: Record) -> str:
    return plain(enter.get("name") or call_name(enter["number"]))


def _table(title: str, rows: list[tuple[str, Count]]) -> Iterable[str]:
    whole = Count(*(sum(getattr(count, name) for _, count in rows) for name in ("calls", "errors", "time")))
    line: Callable[[str, str, str, str, str, str], str] = "{:>6} {:>11} {:>11} {:>9} {:>9} {}".format
    yield line("% time", "seconds", "usecs/call", "calls", "errors", title)
    rule = line("-" * 6, "-" * 11, "-" * 11, "-" * 9, "-" * 9, "-" * 20)
    yield rule
    for name, count in [*rows, ("total", whole)]:
        if name == "total" and count is whole:
            yield rule
        share = 100 * count.time / whole.time if whole.time else 0.0
        each = count.time // 1000 // count.calls if count.calls else 0
        seconds = f"{count.time // 1_000_000_000}.{count.time % 1_000_000_000 // 1000:06d}"
        yield line(f"{share:.2f}", seconds, str(each), str(count.calls), str(count.errors or ""), name)

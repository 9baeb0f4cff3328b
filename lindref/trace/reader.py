"""Reading a trace: line by line, in constant memory, every mistake told with its line (FORMAT-3)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any, NoReturn

from lindref import classes
from lindref.trace import recorded
from lindref.trace.addresses import Addresses
from lindref.trace.format import Record, clip, header_problem, problem

#: Longest line that is read, in bytes. No event comes near it.
LONGEST = 8 << 20


class TraceError(ValueError):
    """A trace that cannot be read: which, where and why, in one line. ``line``: where (from 1; 0 for nowhere in it)."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


def _keys_once(pairs: list[tuple[str, Any]]) -> Record:
    """An object; of a key that stands twice readers would differ in which one they take."""
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise _TwiceError(f"the key {clip(twice)} stands twice")
    return found


class _TwiceError(Exception):
    """An object that has a key twice."""


#: Reads a line.
_DECODER = json.JSONDecoder(parse_constant=_no_constant, object_pairs_hook=_keys_once)


@classes.define
class Reader:
    """The events of a trace, in the order of its lines.

    ``header`` is read at once, the events as they are asked for; ``line`` is the line (from 1) of the event given last.
    Raises ``TraceError`` here and while it is iterated. A recorded trace (no header, one line a call) is read as the
    events that it stands for.
    """

    stream: IO[bytes]
    name: str
    header: Record = classes.field(init=False)
    line: int = 0
    recorded: bool = False
    _first: list[Record] = classes.field(factory=list, init=False)
    _last: int = classes.field(default=0, init=False)
    _last_event: str = classes.field(default="", init=False)
    _order: dict[tuple[int, int], int] = classes.field(factory=dict, init=False)
    _open: dict[int, tuple[int, int]] = classes.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        first = self._next()
        if first is None:
            self._fail("empty, not even a header", 1)
        if recorded.is_recorded(first):
            self.recorded = True
            self._first = [first]
            self.header = dict(recorded.HEADER)
            return
        wrong = header_problem(first)
        if wrong:
            self._fail(wrong)
        self.header = first

    def _fail(self, what: str, line: int = 0) -> NoReturn:
        at = line or self.line
        raise TraceError(f"{self.name}:{at}: {what}", at)

    def _next(self) -> Record | None:
        """The object on the next line, ``None`` at the end."""
        data = self.stream.readline(LONGEST + 1)
        if not data:
            return None
        self.line += 1
        if len(data) > LONGEST:
            self._fail(f"longer than {LONGEST} bytes")
        try:
            value: Any = _DECODER.decode(data.decode("utf-8"))
        except UnicodeDecodeError as error:
            if self.line == 1 and data.startswith(b"\x1f\x8b"):
                self._fail("compressed: unpack it (zcat FILE | lindref trace ... -)")
            self._fail(f"not UTF-8 (byte {error.start + 1})")
        except RecursionError:
            self._fail("not an event: nested too deeply")
        except _TwiceError as error:
            self._fail(str(error))
        except ValueError as error:
            why = "cut off" if not data.endswith(b"\n") else f"not JSON ({clip(str(error))[1:-1]})"
            self._fail(why)
        if not isinstance(value, dict):
            self._fail("not an object")
        return value

    def __iter__(self) -> Iterator[Record]:
        """The events to come."""
        records = self._records()
        if self.recorded:
            yield from recorded.events(records, self._fail)
            return
        thread_order = self.header.get("order") == "thread"
        whole = self.header.get("begins", 1) <= 1
        addresses = Addresses(self.header)
        for record in records:
            wrong = problem(record) or self._disorder(record, thread_order=thread_order, whole=whole)
            if wrong:
                self._fail(wrong)
            yield addresses.translated(record) if addresses.needed else record

    def _records(self) -> Iterator[Record]:
        yield from self._first
        self._first = []
        while (record := self._next()) is not None:
            yield record

    def _disorder(self, record: Record, *, thread_order: bool, whole: bool) -> str | None:
        """What is wrong with the order of ``record`` among those before it (FORMAT-4)."""
        event = record["event"]
        if self._last_event == "outcome":
            return f"{event} after the outcome"
        self._last_event = event
        if event == "outcome":
            return None
        thread = (record["cage"], record.get("tid", 1))
        n = record.get("n")
        if n is not None:
            before = self._order.get(thread, 0) if thread_order else self._last
            # What a call did to memory goes with its exit.
            if n < before or (n == before and event != "memory"):
                return f"out of order: event {n} after event {before}"
            self._last = n
            if thread_order:
                self._order[thread] = n
        return self._call_disorder(record, thread, whole=whole)

    def _call_disorder(self, record: Record, thread: tuple[int, int], *, whole: bool) -> str | None:
        """The same for calls: they enter once, and come back, after that, to the cage that made them."""
        event, call = record["event"], record.get("call")
        if event == "enter":
            if call in self._open:
                return f"call {call} enters again before it came back"
            self._open[record["call"]] = thread
        elif event in ("route", "exit"):
            if call not in self._open:
                return f"{event} of call {call}, which did not enter" if whole else None
            maker = self._open[record["call"]][0]
            if maker != record["cage"]:
                return f"{event} of call {call} in cage {record['cage']}, which cage {maker} made"
            if event == "exit":
                del self._open[record["call"]]
        elif event == "end":
            # Calls of what has ended never come back.
            for one in [c for c, (cage, _) in self._open.items() if cage == thread[0] and record["whole"]]:
                del self._open[one]
        return None


__all__ = ["LONGEST", "Reader", "TraceError"]

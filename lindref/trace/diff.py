"""Two traces compared: the first difference in normalised terms, with what came before it (FORMAT-7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from lindref import classes
from lindref.threei.numbers import BENEATH
from lindref.trace.format import Record
from lindref.trace.normal import Symbol, Term, cage, fields, result
from lindref.trace.reader import Reader

#: The events that are compared, where both producers observe them. Choices, notes, memory and input are not.
COMPARED = frozenset({"enter", "route", "exit", "spawn", "exec", "end", "signal", "outcome"})
#: How symbols are shown, by kind.
_SIGNS = {"cage": "cage#", "thread": "thread#", "address": "@", "guest address": "guest@", "call": "call#"}


@classes.define
class Bijection:
    """Which value of the first trace goes with which of the second, for each kind of symbol."""

    _there: dict[tuple[str, object], tuple[object, int]] = classes.field(factory=dict)
    _back: dict[tuple[str, object], object] = classes.field(factory=dict)
    _counts: dict[str, int] = classes.field(factory=dict)

    def bind(self, kind: str, a: object, b: object) -> bool:
        """Bind ``a`` and ``b`` if neither is bound; whether they go together."""
        known = self._there.get((kind, a))
        if known is not None:
            return known[0] == b
        if (kind, b) in self._back:
            return False
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._there[kind, a] = (b, self._counts[kind])
        self._back[kind, b] = a
        return True

    def forget(self, kind: str, a: object) -> None:
        """``a`` will not come again."""
        known = self._there.pop((kind, a), None)
        if known is not None:
            self._back.pop((kind, known[0]), None)

    def partner(self, kind: str, a: object) -> object | None:
        """What ``a`` is bound to."""
        known = self._there.get((kind, a))
        return None if known is None else known[0]

    def named(self, symbol: Symbol, *, second: bool) -> str:
        """A symbol as shown: by its number where it is bound, else with its value."""
        value: object = self._back.get((symbol.kind, symbol.value)) if second else symbol.value
        known = self._there.get((symbol.kind, value))
        sign = _SIGNS.get(symbol.kind, symbol.kind + "#")
        return f"{sign}{known[1]}" if known is not None else f"{sign}?({symbol.value})"


@classes.frozen
class Item:
    """One step of a trace: where it stands, whose it is, what it says."""

    line: int
    key: tuple[str, object]
    terms: Mapping[str, Term]


@classes.frozen
class Difference:
    """Where two traces part. ``lines`` are those of the two files; one that has ended has None."""

    what: str
    context: tuple[str, ...]
    first: str | None
    second: str | None
    lines: tuple[int | None, int | None]


@classes.define
class Side:
    """One of the traces: its steps, and the calls that are under way in it."""

    trace: Reader
    calls_only: bool
    kinds: frozenset[str]
    _open: dict[int, Record] = classes.field(factory=dict)
    _lines: dict[int, int] = classes.field(factory=dict)
    #: Results not compared yet, by call, with the line at which the call entered.
    results: dict[int, tuple[int, Term | None]] = classes.field(factory=dict)

    def items(self) -> Iterator[Item]:
        """The steps, as far as they are compared. With ``calls_only`` results go to ``results``."""
        for record in self.trace:
            event, call = record["event"], record.get("call")
            enter = self._open.get(call) if call is not None else None
            if event == "enter":
                enter = self._open[record["call"]] = record
                self._lines[record["call"]] = self.trace.line
            elif event == "exit":
                self._open.pop(record["call"], None)
                line = self._lines.pop(record["call"], 0)
                if self.calls_only and enter is not None and not self._internal(enter, enter):
                    self.results[record["call"]] = (line, result(enter, record))
            elif event == "end" and record["whole"]:
                for gone in [c for c, e in self._open.items() if e["cage"] == record["cage"]]:
                    del self._open[gone], self._lines[gone]
            if event not in self.kinds or (self.calls_only and self._internal(record, enter)):
                continue
            yield Item(self.trace.line, self._key(record, enter), self._terms(record, enter))

    @staticmethod
    def _internal(record: Record, enter: Record | None) -> bool:
        """Steps that only one of the two sees: the runtime's own calls, and who makes a call beside its self."""
        if record["event"] == "exit":
            return True
        maker = (enter.get("self") or enter["cage"]) if enter is not None else 0
        return maker in BENEATH

    def _key(self, record: Record, enter: Record | None) -> tuple[str, object]:
        """Whose sequence a step belongs to: a thread's, or that of a call that a grate serves."""
        if record["event"] == "outcome":
            return ("run", 0)
        if self.calls_only and enter is not None:
            return ("cage", enter.get("self") or enter["cage"])
        within = enter.get("within", 0) if enter is not None else 0
        return ("call", within) if within else ("thread", (record["cage"], record.get("tid", 1)))

    def _terms(self, record: Record, enter: Record | None) -> Mapping[str, Term]:
        terms = fields(record, enter)
        if self.calls_only:
            for name in ("cage", "thread", "within", "function"):
                terms.pop(name, None)
            if record["event"] == "enter":
                terms = {"cage": (cage(record.get("self") or record["cage"]),), **terms}
        return terms


class Comparison:
    """Compares two traces step by step, in constant memory where both are in the order of their runs.

    ``by_thread``: only the order within each thread counts. ``context``: how many equal steps a difference shows.
    """

    def __init__(self, first: Reader, second: Reader, *, by_thread: bool = False, context: int = 3) -> None:
        calls_only = first.recorded or second.recorded
        orders = {side.header.get("order", "global") for side in (first, second)}
        self.by_thread = by_thread or calls_only or "thread" in orders
        kinds = COMPARED
        for side in (first, second):
            kinds &= frozenset(side.header.get("observes", COMPARED))
        if calls_only:
            kinds &= {"enter", "route", "exit"}
        self._sides = (Side(first, calls_only, kinds), Side(second, calls_only, kinds))
        self._names = Bijection()
        self._context: deque[str] = deque(maxlen=context) if context else deque(maxlen=0)
        self.compared = 0

    def run(self) -> Difference | None:
        """The first difference, ``None`` where there is none."""
        pairs = self._threads() if self.by_thread else self._lockstep()
        for a, b in pairs:
            found = self._compare(a, b) or self._results()
            if found is not None:
                return found
        return self._results()

    def _lockstep(self) -> Iterator[tuple[Item | None, Item | None]]:
        """The steps in the order of the runs, side by side."""
        first, second = self._sides[0].items(), self._sides[1].items()
        while True:
            a, b = next(first, None), next(second, None)
            if a is None and b is None:
                return
            yield a, b

    def _threads(self) -> Iterator[tuple[Item | None, Item | None]]:
        """The steps of each thread side by side; a thread's partner is known once it was seen to be made, or else the
        first that is left."""
        queues: tuple[dict[tuple[str, object], deque[Item]], ...] = ({}, {})
        streams = [self._sides[0].items(), self._sides[1].items()]
        going = [True, True]
        first: list[tuple[str, object]] = []
        while any(going):
            for i in (0, 1):
                item = next(streams[i], None)
                if item is None:
                    going[i] = False
                else:
                    queues[i].setdefault(item.key, deque()).append(item)
                    if len(first) == i:
                        first.append(item.key)
                        if i:
                            self._pair(first[0], first[1])  # the runs begin with these
            yield from self._matched(queues)
        while True:
            yield from self._matched(queues)
            left = [next((key for key, queue in side.items() if queue), None) for side in queues]
            a = queues[0][left[0]][0] if left[0] else None
            b = queues[1][left[1]][0] if left[1] else None
            if a is None and b is None:
                return
            if a is None or b is None or not self._pair(a.key, b.key):
                yield a, b
                for key, side in zip(left, queues, strict=True):
                    if key is not None:
                        side[key].popleft()

    def _pair(self, a: tuple[str, object], b: tuple[str, object]) -> bool:
        """Two sequences of which nothing is known: they go together."""
        return a[0] == b[0] and self._partner(a) is None and self._names.bind(f"{a[0]} sequence", a[1], b[1])

    def _matched(
        self, queues: tuple[dict[tuple[str, object], deque[Item]], ...]
    ) -> Iterator[tuple[Item, Item]]:
        moved = True
        while moved:
            moved = False
            for key, queue in list(queues[0].items()):
                other = self._partner(key)
                theirs = queues[1].get(other) if other is not None else None
                while queue and theirs:
                    moved = True
                    yield queue.popleft(), theirs.popleft()
                if not queue:
                    del queues[0][key]

    def _partner(self, key: tuple[str, object]) -> tuple[str, object] | None:
        """The second trace's sequence that goes with one of the first."""
        kind, value = key
        if kind == "run":
            return key
        paired = self._names.partner(f"{kind} sequence", value)
        if paired is not None:
            return (kind, paired)
        if kind == "thread":
            assert isinstance(value, tuple)
            where = self._names.partner("cage", value[0])
            if value[1] == 1:
                return None if where is None else (kind, (where, 1))
            found = self._names.partner("thread", value)
        else:
            found = self._names.partner(kind, value)
        return None if found is None else (kind, found)

    def _compare(self, a: Item | None, b: Item | None) -> Difference | None:
        if a is None or b is None:
            missing = "first" if a is None else "second"
            return self._difference(f"the {missing} trace has no more", a, b)
        # What kind of step it is tells more than whose it is.
        for name in sorted(a.terms.keys() & b.terms.keys(), key=lambda n: (n != "event", n != "name")):
            one, other = a.terms[name], b.terms[name]
            if not self._same(one, other):
                shown = self._shown(one, second=False), self._shown(other, second=True)
                return self._difference(f"{name}: {shown[0]}, not {shown[1]}", a, b)
        self.compared += 1
        self._context.append(self._line(a, second=False))
        self._forget(a)
        return None

    def _same(self, a: Term, b: Term) -> bool:
        """Whether two terms are equal up to symbols, which are bound."""
        if len(a) != len(b):
            return False
        for one, other in zip(a, b, strict=True):
            if isinstance(one, Symbol) and isinstance(other, Symbol):
                if one.kind != other.kind or not self._names.bind(one.kind, one.value, other.value):
                    return False
            elif one != other:
                return False
        return True

    def _results(self) -> Difference | None:
        """Results of calls that came back on both sides, where they are compared apart from the steps."""
        first, second = self._sides[0].results, self._sides[1].results
        for call in list(first):
            other = self._names.partner("call", call)
            if not isinstance(other, int) or other not in second:
                continue
            (line, a), (other_line, b) = first.pop(call), second.pop(other)
            if a is not None and b is not None and not self._same(a, b):
                one, another = self._shown(a, second=False), self._shown(b, second=True)
                what = f"result of the call: {one}, not {another}"
                return Difference(what, tuple(self._context), one, another, (line, other_line))
            self._names.forget("call", call)
        return None

    def _forget(self, item: Item) -> None:
        """A call that came back is not spoken of again."""
        if item.terms["event"] == ("exit",):  # with calls only, see _results
            (call,) = item.terms["call"]
            assert isinstance(call, Symbol)
            self._names.forget("call", call.value)

    # Words.

    def _difference(self, what: str, a: Item | None, b: Item | None) -> Difference:
        first = None if a is None else self._line(a, second=False)
        second = None if b is None else self._line(b, second=True)
        lines = (None if a is None else a.line, None if b is None else b.line)
        return Difference(what, tuple(self._context), first, second, lines)

    def _shown(self, term: Term, *, second: bool) -> str:
        return "".join(p if isinstance(p, str) else self._names.named(p, second=second) for p in term)

    def _line(self, item: Item, *, second: bool) -> str:
        """A step on one line."""
        texts = {name: self._shown(term, second=second) for name, term in item.terms.items()}
        head = [texts.pop(name) for name in ("cage", "event", "name") if name in texts]
        for dull in ("call", "thread"):
            texts.pop(dull, None)
        return f"{' '.join(head)}  {', '.join(f'{name}={text}' for name, text in texts.items())}".rstrip()


def lines(found: Difference, names: tuple[str, str]) -> Iterator[str]:
    """A difference as text."""
    places = [f"{name}:{line}" if line else f"the end of {name}" for name, line in zip(names, found.lines, strict=True)]
    yield f"{places[0]} and {places[1]} differ: {found.what}"
    yield from (f"  {text}" for text in found.context)
    for sign, text in (("-", found.first), ("+", found.second)):
        if text is not None:
            yield f"{sign} {text}"


__all__ = ["Bijection", "Comparison", "Difference", "lines"]

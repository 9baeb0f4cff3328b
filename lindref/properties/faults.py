"""Broken implementations, one fault each: what shows that a check can fail.

``TABLE_FAULTS`` and ``COPY_FAULTS`` are flags of small models of their own, ``RUN_FAULTS`` are changes to lindref
itself for as long as a ``with`` lasts. Each names the statements that are to catch it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lindref import classes
from lindref.posix import memory, openfile, processes, signals
from lindref.properties.copies import Pages
from lindref.properties.tables import BENEATH, DEREGISTER, EXITING, NOT_THERE, Row, Whole
from lindref.state.pmap import PMap
from lindref.state.records import replace
from lindref.system import calls, capable, grates, lifecycle, schedule
from lindref.system.python.grate import Grate
from lindref.threei import capabilities, tables
from lindref.threei.tables import Handler

#: Fault of handler tables -> statements of which at least one catches it.
TABLE_FAULTS: dict[str, tuple[str, ...]] = {
    "a row is not replaced": ("1", "2"),
    "a registration sets the next number too": ("1",),
    "a registration forgets the address": ("1", "2"),
    "a registration is seen in the handler's table": ("1",),
    "an unknown cage is refused": ("8",),
    "a large number is refused": ("8",),
    "an exiting cage can be registered for": ("7",),
    "an exiting cage can be a handler": ("7",),
    "a removal for an exiting cage is no error": ("7",),
    "registering again removes": ("3",),
    "a removal restores RawPOSIX": ("6",),
    "a removal of nothing fails": ("4",),
    "a removal empties the table": ("4",),
    "an empty table stays": ("5",),
    "a copy merges": ("10",),
    "a copy is the same table": ("10",),
    "a copy goes the wrong way": ("10",),
    "a copy from none empties": ("11",),
    "a copy from an exiting cage works": ("12",),
    "a copy to an exiting cage works": ("12",),
    "a copy onto itself loses a row": ("11",),
    "a forked cage has no table": ("13",),
    "a forked cage has RawPOSIX's table": ("13",),
    "a forked cage shares the table": ("13",),
    "exec brings RawPOSIX back": ("14",),
    "an end leaves the rows": ("16",),
    "an end removes the rows": ("16",),
    "an end removes the cage's own table": ("17",),
    "an end is forgotten": ("18", "7"),
    "a cage's own calls are refused at its end": ("18",),
    "exits of the dying are refused": ("18",),
    "calls to the dying pass": ("18",),
    "a call without a row goes to RawPOSIX": ("5", "6"),
    "a call of a dead grate goes to RawPOSIX": ("16",),
    "the route is that of another cage": ("9", "1"),
    "the target's table is looked at": ("21",),
}


class FaultyTables:
    """Handler tables as a dict of dicts, with one fault; without one they are right."""

    def __init__(self, fault: str = "") -> None:
        assert not fault or fault in TABLE_FAULTS, fault
        self.fault = fault
        self.rows: Whole = {}
        self.exiting: set[int] = set()

    def boot(self, cage: int, numbers: tuple[int, ...]) -> None:
        """See ``tables.Tables``."""
        self.rows[cage] = dict.fromkeys(numbers, (BENEATH, 0))

    def register(self, cage: int, number: int, handler: int, address: int) -> int:
        """See ``tables.Tables``."""
        f = self.fault
        if cage in self.exiting and not (
            f == "an exiting cage can be registered for"
            or (f == "a removal for an exiting cage is no error" and handler == DEREGISTER)
        ):
            return EXITING
        if handler in self.exiting and f != "an exiting cage can be a handler":
            return EXITING
        if (f == "an unknown cage is refused" and cage not in self.rows and cage > 5) or (
            f == "a large number is refused" and number > 5000
        ):
            return -22
        if handler == DEREGISTER:
            return self._remove(cage, number)
        rows = self.rows.setdefault(cage, {})
        if f == "registering again removes" and rows.get(number) == (handler, address):
            del rows[number]
            return 0
        if not (f == "a row is not replaced" and rows.get(number) is not None):
            rows[number] = (handler, 0 if f == "a registration forgets the address" else address)
        if f == "a registration sets the next number too":
            rows[number + 1] = (handler, address)
        if f == "a registration is seen in the handler's table":
            self.rows.setdefault(handler, {})[number] = (handler, address)
        return 0

    def _remove(self, cage: int, number: int) -> int:
        f = self.fault
        rows = self.rows.get(cage, {})
        if number not in rows:
            return -2 if f == "a removal of nothing fails" else 0
        if f == "a removal restores RawPOSIX":
            rows[number] = (BENEATH, 0)
            return 0
        del rows[number]
        if f == "a removal empties the table":
            rows.clear()
        if not rows and f != "an empty table stays":
            del self.rows[cage]
        return 0

    def copy(self, source: int, target: int) -> int:
        """See ``tables.Tables``."""
        f = self.fault
        if source in self.exiting and f != "a copy from an exiting cage works":
            return EXITING
        if target in self.exiting and f != "a copy to an exiting cage works":
            return EXITING
        if source not in self.rows:
            if f == "a copy from none empties":
                self.rows.pop(target, None)
            return NOT_THERE
        if f == "a copy goes the wrong way":
            source, target = target, source
        rows = self.rows.get(source, {})
        if f == "a copy is the same table":
            self.rows[target] = rows
        elif f == "a copy merges":
            self.rows[target] = {**self.rows.get(target, {}), **rows}
        else:
            self.rows[target] = dict(rows)
        if f == "a copy onto itself loses a row" and source == target and rows:
            self.rows[target].popitem()
        return 0

    def fork(self, parent: int, child: int) -> None:
        """See ``tables.Tables``."""
        f = self.fault
        if f == "a forked cage has no table" or parent in self.exiting or child in self.exiting:
            return
        if parent not in self.rows:
            return
        if f == "a forked cage has RawPOSIX's table":
            self.rows[child] = dict.fromkeys(self.rows[parent], (BENEATH, 0))
        elif f == "a forked cage shares the table":
            self.rows[child] = self.rows[parent]
        else:
            self.rows[child] = dict(self.rows[parent])

    def exec(self, cage: int) -> None:
        """See ``tables.Tables``."""
        if self.fault == "exec brings RawPOSIX back" and cage in self.rows:
            self.rows[cage] = dict.fromkeys(self.rows[cage], (BENEATH, 1))

    def exit(self, cage: int) -> None:
        """See ``tables.Tables``."""
        f = self.fault
        for rows in self.rows.values():
            for number, row in list(rows.items()):
                if row is not None and row[0] == cage and f != "an end leaves the rows":
                    rows[number] = None
                    if f == "an end removes the rows":
                        del rows[number]
        if f == "an end removes the cage's own table":
            self.rows.pop(cage, None)
        if f != "an end is forgotten":
            self.exiting.add(cage)

    def route(self, caller: int, number: int) -> Row | str:
        """See ``tables.Tables``."""
        f = self.fault
        if f == "the route is that of another cage":
            caller = caller % 5 + 1
        rows = self.rows.get(caller, {})
        if number not in rows:
            return (BENEATH, 0) if f == "a call without a row goes to RawPOSIX" else "no handler"
        if rows[number] is None and f == "a call of a dead grate goes to RawPOSIX":
            return (BENEATH, 0)
        return rows[number]

    def refused(self, caller: int, number: int, target: int) -> bool:
        """See ``tables.Tables``."""
        f = self.fault
        if f == "the target's table is looked at" and target in self.rows and target > 5:
            return True
        if target not in self.exiting or f == "calls to the dying pass":
            return False
        if number in (60, 231) and f != "exits of the dying are refused":
            return False
        return caller != target or f == "a cage's own calls are refused at its end"

    def whole(self) -> Whole:
        """See ``tables.Tables``."""
        return {cage: dict(rows) for cage, rows in self.rows.items()}


#: Fault of copying -> statements of which at least one catches it.
COPY_FAULTS: dict[str, tuple[str, ...]] = {
    "within one cage": ("33",),
    "a range that is too long": ("33",),
    "any kind": ("33",),
    "a null source": ("33",),
    "a part of what does not fit": ("33",),
    "into what cannot be written": ("33",),
    "a string without its NUL": ("34",),
    "a string with what comes after it": ("34",),
    "a string that does not end": ("34", "33"),
    "a byte too many": ("35",),
    "nothing, to a cage that is not there": ("35", "33"),
    "the source's address as the result": ("36",),
    "the whole address as the result": ("36",),
}


class FaultyCopier:
    """Call 1002, with one fault; without one it is right."""

    def __init__(self, fault: str = "") -> None:
        assert not fault or fault in COPY_FAULTS, fault
        self.fault = fault

    def copy(self, pages: Pages, source: int, cage: int, dest: int, dest_cage: int, length: int, kind: int) -> int:
        """See ``copies.Copier``."""
        f = self.fault
        if (cage == dest_cage and f != "within one cage") or (length > 0xFFFFFFFF and f != "a range that is too long"):
            return NOT_THERE
        if (kind not in (0, 1) and f != "any kind") or (not source and f != "a null source"):
            return NOT_THERE
        if f == "a range that is too long":
            length &= 0xFFFFFFFF
        known = pages.exists(cage) and pages.exists(dest_cage)
        if not known and f != "nothing, to a cage that is not there":
            return NOT_THERE
        data = pages.read_string(cage, source, length) if kind == 1 else pages.read(cage, source, length)
        if kind != 1 and not length:
            data = b""
        if data is None and kind == 1 and f == "a string that does not end":
            data = pages.read(cage, source, length)
        if data is None:
            return NOT_THERE
        if f == "a string without its NUL" and kind == 1:
            data = data[:-1]
        if f == "a string with what comes after it" and kind == 1:
            data = pages.read(cage, source, length) or data
        if f == "a byte too many" and kind == 0 and data:
            data += b"\xff"
        if f == "into what cannot be written":
            pages.fixed = frozenset()
        if data and not pages.write(dest_cage, dest, data):
            if f == "a part of what does not fit":
                pages.write(dest_cage, dest, data[:1])
            return NOT_THERE
        if f == "the whole address as the result":
            return dest
        low = (source if f == "the source's address as the result" else dest) & 0xFFFFFFFF
        return low - (1 << 32) if low >> 31 else low


# Faults of lindref itself.

Change = tuple[Any, str, Callable[[Any], Any]]


def _no_table(_: Any) -> Any:
    return lambda state, parent, child: tables.boot(state, child, [*range(320)])


def _forget_end(_: Any) -> Any:
    return lambda state, cage: state


def _past_the_grate(real: Any) -> Any:
    return lambda state, caller, number: Handler(BENEATH, 0) if number == 102 else real(state, caller, number)


def _short_results(real: Any) -> Any:
    return lambda system, worker, value, *rest: real(system, worker, value if value < 0 else value & 0xFF, *rest)


def _other_error(real: Any) -> Any:
    def finish(system: Any, worker: Any, value: int, rule: str = "3I-GRATE-2") -> None:
        real(system, worker, -14 if rule == "3I-GRATE-3" else value, rule)

    return finish


def _child_hidden(real: Any) -> Any:
    def complete(system: Any, thread: Any, pending: Any, value: int, *rest: Any) -> None:
        real(system, thread, replace(pending, child=0), value, *rest)

    return complete


def _no_mask(_: Any) -> Any:
    return lambda code: code << 8 & 0xFFFFFF


def _no_zombie(real: Any) -> Any:
    def tell(kernel: Any, parent: Any, zombie: Any) -> None:
        real(kernel, parent, zombie)
        kernel.update(parent.id, zombies=())

    return tell


def _not_kept(_: Any) -> Any:
    return lambda kernel, number: None


def _by_luck(real: Any) -> Any:
    turns = itertools.count()

    def pick(system: Any) -> Any:
        order = schedule.candidates(system)
        return order[next(turns) % 3 % len(order)] if order else real(system)

    return pick


def _nothing_wrong(_: Any) -> Any:
    return lambda *_: ""


def _any_function(real: Any) -> Any:
    def registration(state: Any, actor: int, runs: int, cage: int, number: int, to: Any) -> str:
        row = state.rows.get(cage, {}).get(number)
        same = row is not None and row.cage == to.cage
        return str(real(state, actor, runs, cage, number, row if same else to))

    return registration


def _not_passed_on(real: Any) -> Any:
    def served(system: Any, thread: Any) -> Any:
        pending = real(system, thread)
        return None if pending is None else replace(pending, args=())

    return served


def _not_for_oneself(real: Any) -> Any:
    return lambda state, cage, number, to, address: (state, 0) if to == cage else real(state, cage, number, to, address)


def _one_more(real: Any) -> Any:
    def call(system: Any, thread: Any, pending: Any, handler: Any) -> None:
        config = system.config
        system.config = classes.evolve(config, workers=config.workers + 1)
        real(system, thread, pending, handler)
        system.config = config

    return call


def _on_itself(real: Any) -> Any:
    def forward(self: Any, *args: Any, **more: Any) -> Any:
        about_memory = self._serving.number in (9, 12)  # noqa: SLF001  # its own method, in effect
        return real(self, *args, **({**more, "target": self.id} if about_memory else more))

    return forward


def _no_status(real: Any) -> Any:
    def end_group(system: Any, thread: Any, pending: Any, end: Any) -> None:
        system.kernel.update(end.cage, status=processes.exited(system.kernel.cages[end.cage].status >> 8 ^ 1))
        real(system, thread, pending, end)

    return end_group


def _no_actions(real: Any) -> Any:
    def fork(system: Any, thread: Any, pending: Any, made: Any) -> None:
        real(system, thread, pending, made)
        system.kernel.update(made.child, actions=PMap())

    return fork


def _never(_: Any) -> Any:
    return lambda *_: None


def _lost(_: Any) -> Any:
    return lambda *_: True


def _all_of_them(_: Any) -> Any:
    return lambda cage: tuple(cage.pending)


def _only_itself(real: Any) -> Any:
    def deliver(kernel: Any, cage: Any, signo: int) -> Any:
        found = real(kernel, cage, signo)
        kernel.update(cage.id, mask=cage.mask | 1 << signo - 1)
        return found

    return deliver


def _for_ever(_: Any) -> Any:
    return lambda system, cage: system.tables.parents.get(cage, cage)


#: Fault of whole runs -> what is changed (object, name, a function from the real thing to the broken one), and the
#: statements of which at least one catches it.
RUN_FAULTS: dict[str, tuple[Change, tuple[str, ...]]] = {
    "a forked cage begins with RawPOSIX": ((tables, "on_fork", _no_table), ("T4", "T1")),
    "a grate's end leaves its rows": ((tables, "on_exit", _forget_end), ("T5",)),
    "one call goes past every grate": ((tables, "route", _past_the_grate), ("T4", "23")),
    "results of handlers lose their high bits": ((grates, "finish", _short_results), ("23",)),
    "a handler that traps is an address error": ((grates, "finish", _other_error), ("24",)),
    "a fork through a grate hides the child": ((calls, "complete", _child_hidden), ("31",)),
    "an exit code is not cut": ((processes, "exited", _no_mask), ("40",)),
    "nobody learns of a child's end": ((processes, "_tell_parent", _no_zombie), ("39",)),
    "a child's descriptors are not counted": ((openfile, "retain", _not_kept), ("44",)),
    "registrations are not judged": ((capabilities, "registration", _nothing_wrong), ("C1", "C2")),
    "copies of tables are not judged": ((capabilities, "copy", _nothing_wrong), ("C1",)),
    "self and target are not compared": ((capabilities, "call", _nothing_wrong), ("C1",)),
    "copies of memory are not judged": ((capabilities, "data", _nothing_wrong), ("C3",)),
    "only the grate of a row counts, not its function": ((capabilities, "registration", _any_function), ("C4",)),
    "who passes a registration on is judged, not who asked": ((capable, "served", _not_passed_on), ("C2",)),
    "a program has its parent's rights after exec": ((capable, "master", _for_ever), ("C1", "C3")),
    "a registration for oneself is forgotten": ((tables, "register", _not_for_oneself), ("15",)),
    "a grate takes one call more than it has workers": ((grates, "call", _one_more), ("25",)),
    "a mapping passed on is the grate's": ((Grate, "forward", _on_itself), ("32",)),
    "exit_group's status is lost": ((lifecycle, "end_group", _no_status), ("41",)),
    "a child has no handlers": ((lifecycle, "fork", _no_actions), ("43",)),
    "signals get lost": ((signals, "send", _lost), ("45", "46")),
    "the mask is not looked at": ((signals, "deliverable", _all_of_them), ("46",)),
    "the mask stays as the handler left it": ((signals, "handler_returned", _never), ("47",)),
    "a handler's own mask is not added": ((signals, "_deliver", _only_itself), ("48",)),
    "the heap does not grow": ((memory, "_grow", _never), ("50",)),
    "the scheduler does not ask": ((schedule, "pick", _by_luck), ("T6",)),
}


@contextmanager
def broken(fault: str) -> Iterator[None]:
    """lindref with one of ``RUN_FAULTS``."""
    (owner, name, change), _ = RUN_FAULTS[fault]
    real = getattr(owner, name)
    setattr(owner, name, change(real))
    try:
        yield
    finally:
        setattr(owner, name, real)

"""Broken implementations, one fault each: what shows that a check can fail.

``TABLE_FAULTS`` and ``COPY_FAULTS`` are flags of small models of their own, ``RUN_FAULTS`` (``run_faults``) are changes
to lindref itself for as long as a ``with`` lasts. Each names the statements that are to catch it.
"""

from __future__ import annotations

from lindref.properties.copies import Pages
from lindref.properties.run_faults import RUN_FAULTS, broken
from lindref.properties.tables import BENEATH, DEREGISTER, EXITING, NOT_THERE, Row, Whole

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


__all__ = ["COPY_FAULTS", "RUN_FAULTS", "TABLE_FAULTS", "FaultyCopier", "FaultyTables", "broken"]

"""Tables (spec §4.2.7): a list of references, which freezes by what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lindref.state.pmap import PMap
from lindref.state.records import record
from lindref.vm.traps import TABLE_BOUNDS, Trap
from lindref.vm.values import Value
from lindref.wasm.types import Limits, RefType, TableType

#: Elements that the tables of a store may have together: a limit of ours, a hundred times what a big program has.
MAX_ELEMENTS = 1_000_000


@record("table")
class TableState:
    """A table as a value: ``elements`` holds those that are not null."""

    ref: RefType
    maximum: int | None
    size: int
    elements: PMap[Value]


class Table:
    """A live table. ``elements`` may be read freely; it is written by the methods, so that they note what changed."""

    __slots__ = ("_changed", "_frozen", "caches", "elements", "maximum", "ref")

    def __init__(self, tabletype: TableType, init: Value = None) -> None:
        self.ref: RefType = tabletype.ref
        """The element type, closed."""
        self.maximum = tabletype.limits.maximum
        self.elements: list[Value] = [init] * tabletype.limits.minimum
        self._frozen = TableState(self.ref, self.maximum, 0, PMap())
        self._changed: list[range] = [range(len(self.elements))]
        self.caches: list[dict[int, Any]] = []
        """What others know of the elements; emptied when one changes."""

    def _note(self, changed: range) -> None:
        self._changed.append(changed)
        for cache in self.caches:
            cache.clear()

    @property
    def type(self) -> TableType:
        """The type it has now: its size is the minimum (§4.5.3)."""
        return TableType(Limits(len(self.elements), self.maximum), self.ref)

    def check(self, start: int, count: int) -> None:
        """Traps unless ``count`` elements from ``start`` on are inside."""
        if start + count > len(self.elements):
            raise Trap(TABLE_BOUNDS)

    def get(self, index: int) -> Value:
        """``table.get``."""
        self.check(index, 1)
        return self.elements[index]

    def set(self, index: int, value: Value) -> None:
        """``table.set``."""
        self.check(index, 1)
        self.elements[index] = value
        self._note(range(index, index + 1))
        if len(self._changed) > len(self.elements) + 64:
            self._changed = [range(len(self.elements))]

    def write(self, start: int, values: Sequence[Value]) -> None:
        """Stores ``values`` from ``start`` on, all or (trapping) nothing."""
        self.check(start, len(values))
        self.elements[start : start + len(values)] = values
        self._note(range(start, start + len(values)))

    def read(self, start: int, count: int) -> list[Value]:
        """``count`` elements from ``start`` on."""
        self.check(start, count)
        return self.elements[start : start + count]

    def grow(self, count: int, init: Value, room: int = MAX_ELEMENTS) -> int:
        """The size before, or -1 if the table cannot grow so far (``table.grow``).

        ``room``: how many elements more there may be in the store.
        """
        size = len(self.elements)
        if count > room or (self.maximum is not None and size + count > self.maximum):
            return -1
        self.elements += [init] * count
        if init is not None:
            self._note(range(size, size + count))
        return size

    def freeze(self) -> TableState:
        """The table as a value; costs what has changed since the last time."""
        if self._changed or self._frozen.size != len(self.elements):
            touched = sorted({i for part in self._changed for i in part})
            elements = self._frozen.elements
            present = {i: self.elements[i] for i in touched if self.elements[i] is not None}
            for i in touched:
                if self.elements[i] is None and i in elements:
                    elements = elements.remove(i)
            self._frozen = TableState(self.ref, self.maximum, len(self.elements), elements.update(present))
            self._changed = []
        return self._frozen

    @classmethod
    def thaw(cls, state: TableState) -> Table:
        """A live table in this state."""
        table = cls(TableType(Limits(0, state.maximum), state.ref))
        table.elements = [None] * state.size
        for index, value in state.elements.items():
            table.elements[index] = value
        table._frozen = state
        table._changed = []
        return table

    def copy(self) -> Table:
        """A table of its own with the same contents."""
        other = Table(TableType(Limits(0, self.maximum), self.ref))
        other.elements = list(self.elements)
        other._frozen = self._frozen
        other._changed = list(self._changed)
        return other

"""Tables (spec §4.4.6): bounds are checked before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.vm.handler import Handler
from lindref.vm.table import Table
from lindref.vm.traps import TABLE_BOUNDS, Trap

if TYPE_CHECKING:
    from lindref.vm.machine import Machine


def _table(m: Machine, index: int) -> Table:
    """Table ``index`` of the present instance."""
    assert m.view is not None
    return m.view.tables[index]


def table_get(m: Machine, index: int) -> None:
    """``table.get x``."""
    m.stack[-1] = _table(m, index).get(m.stack[-1])


def table_set(m: Machine, index: int) -> None:
    """``table.set x``."""
    value = m.stack.pop()
    _table(m, index).set(m.stack.pop(), value)


def table_size(m: Machine, index: int) -> None:
    """``table.size x``."""
    m.stack.append(len(_table(m, index).elements))


def table_grow(m: Machine, index: int) -> None:
    """``table.grow x``: -1 when it cannot."""
    count = m.stack.pop()
    m.stack[-1] = _table(m, index).grow(count, m.stack[-1], m.store.table_room()) & 0xFFFF_FFFF


def table_fill(m: Machine, index: int) -> None:
    """``table.fill x``."""
    s = m.stack
    count, value, start = s.pop(), s.pop(), s.pop()
    table = _table(m, index)
    table.check(start, count)
    table.write(start, [value] * count)


def table_copy(m: Machine, imm: tuple[int, int]) -> None:
    """``table.copy x y``: to ``x`` from ``y``, which may be the same and overlap."""
    s = m.stack
    count, source, target = s.pop(), s.pop(), s.pop()
    values = _table(m, imm[1]).read(source, count)
    _table(m, imm[0]).write(target, values)


def table_init(m: Machine, imm: tuple[int, int]) -> None:
    """``table.init y x``: the immediate is the segment, then the table."""
    s = m.stack
    count, source, target = s.pop(), s.pop(), s.pop()
    assert m.view is not None
    segment = m.view.elems[imm[0]]
    if source + count > len(segment):
        raise Trap(TABLE_BOUNDS)
    _table(m, imm[1]).write(target, segment[source : source + count])


def elem_drop(m: Machine, index: int) -> None:
    """``elem.drop x``: the segment is empty from now on."""
    assert m.view is not None
    m.view.elems[index] = ()


HANDLERS: dict[str, Handler] = {
    "table.get": table_get,
    "table.set": table_set,
    "table.size": table_size,
    "table.grow": table_grow,
    "table.fill": table_fill,
    "elem.drop": elem_drop,
}

#: Those with two immediates.
SEVERAL: dict[str, Handler] = {"table.copy": table_copy, "table.init": table_init}

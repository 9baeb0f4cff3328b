"""Statements about handler tables (3i.md 9, numbers 1 to 21)."""

from __future__ import annotations

from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from lindref.properties.statements import states
from lindref.properties.strategies import ADDRESSES, CAGES, NUMBERS, Copy, Fork, Operation, Register, operations
from lindref.properties.tables import BENEATH, DEREGISTER, EXITING, NOT_THERE, Tables, Whole

_FAR = st.integers(6, 2000)


def _exiting(tables: Tables, cage: int) -> bool:
    """Whether a cage is exiting, as a call to it by another shows."""
    return tables.refused(cage + 10_000, 39, cage)


def _others(before: Whole, cage: int, number: int) -> Whole:
    """All rows but one, and no empty tables."""
    kept = {c: {n: row for n, row in rows.items() if (c, n) != (cage, number)} for c, rows in before.items()}
    return {c: rows for c, rows in kept.items() if rows}


@states("1", "tables", "a registration sets its row, and changes nothing else")
def _(tables: Tables, data: Any) -> None:
    cage, number, handler, address = (data.draw(s) for s in (CAGES, NUMBERS, CAGES, ADDRESSES))
    assume(not _exiting(tables, cage) and not _exiting(tables, handler))
    before = _others(tables.whole(), cage, number)
    assert tables.register(cage, number, handler, address) == 0
    assert tables.route(cage, number) == (handler, address)
    assert _others(tables.whole(), cage, number) == before


@states("2", "tables", "the last registration wins, and there is one handler at most")
def _(tables: Tables, data: Any) -> None:
    cage, number = data.draw(CAGES), data.draw(NUMBERS)
    pairs = data.draw(st.lists(st.tuples(CAGES, ADDRESSES), min_size=1, max_size=4))
    assume(not any(_exiting(tables, c) for c in (cage, *(h for h, _ in pairs))))
    for handler, address in pairs:
        tables.register(cage, number, handler, address)
    assert tables.route(cage, number) == pairs[-1]


@states("3", "tables", "registering twice is registering once")
def _(tables: Tables, data: Any) -> None:
    words = tuple(data.draw(s) for s in (CAGES, NUMBERS, CAGES, ADDRESSES))
    first = tables.register(*words)
    once = tables.whole()
    assert tables.register(*words) == first
    assert tables.whole() == once


@states("4", "tables", "deregistering removes one row, says 0 whether or not it was there, and twice is once")
def _(tables: Tables, data: Any) -> None:
    cage, number = data.draw(CAGES), data.draw(NUMBERS)
    assume(not _exiting(tables, cage))
    before = _others(tables.whole(), cage, number)
    for _ in range(2):
        assert tables.register(cage, number, DEREGISTER, 0) == 0
        assert number not in tables.whole().get(cage, {})
        assert _others(tables.whole(), cage, number) == before


@states("5", "tables", "a cage whose last row is removed has no table, and none of its calls has a handler")
def _(tables: Tables, data: Any) -> None:
    cage = data.draw(CAGES)
    assume(not _exiting(tables, cage))
    for number in list(tables.whole().get(cage, {})):
        tables.register(cage, number, DEREGISTER, 0)
    assert cage not in tables.whole()
    assert isinstance(tables.route(cage, data.draw(NUMBERS)), str)
    other = 1 + cage % 5
    assume(not _exiting(tables, other))
    assert tables.copy(cage, other) == NOT_THERE


@states("6", "tables", "a call whose row was removed has no handler: it does not fall back to RawPOSIX")
def _(tables: Tables, data: Any) -> None:
    cage, number = data.draw(CAGES), data.draw(NUMBERS)
    assume(not _exiting(tables, cage))
    tables.register(cage, number, DEREGISTER, data.draw(ADDRESSES))
    assert isinstance(tables.route(cage, number), str)


@states("7", "tables", "a registration that names an exiting cage is refused and changes nothing, removals included")
def _(tables: Tables, data: Any) -> None:
    gone, other, number = data.draw(CAGES), data.draw(CAGES), data.draw(NUMBERS)
    tables.exit(gone)
    before = tables.whole()
    assert tables.register(gone, number, other, 1) == EXITING
    assert tables.register(other, number, gone, 1) == EXITING
    assert tables.register(gone, number, DEREGISTER, 0) == EXITING
    assert tables.whole() == before


@states("8", "tables", "nothing is validated: cages and numbers that do not exist are accepted")
def _(tables: Tables, data: Any) -> None:
    cage, number, handler = data.draw(_FAR), data.draw(st.integers(0, 1 << 40)), data.draw(_FAR)
    assume(handler != DEREGISTER)
    assert tables.register(cage, number, handler, 3) == 0
    assert tables.whole()[cage][number] == (handler, 3)


@states("9", "tables", "who serves a call depends on the row of self alone")
def _(tables: Tables, data: Any) -> None:
    caller, number = data.draw(CAGES), data.draw(NUMBERS)
    before = tables.route(caller, number)
    for operation in data.draw(st.lists(operations(), max_size=4)):
        assume(_elsewhere(operation, caller))
        operation.apply(tables)
    assert tables.route(caller, number) == before


def _elsewhere(operation: Operation, cage: int) -> bool:
    """Whether an operation is none about the rows of ``cage``."""
    match operation:
        case Register(changed, _, _, _):
            return changed != cage
        case Copy(_, target):
            return target != cage
        case Fork(_, child):
            return child != cage
        case _:
            return False  # an exit empties rows everywhere


@states("10", "tables", "copying replaces the whole table, and what is then written to one is not seen in the other")
def _(tables: Tables, data: Any) -> None:
    source, target = data.draw(CAGES), data.draw(CAGES)
    assume(source != target and not _exiting(tables, source) and not _exiting(tables, target))
    assume(source in tables.whole())
    others = {c: rows for c, rows in tables.whole().items() if c != target}
    assert tables.copy(source, target) == 0
    assert tables.whole()[target] == others[source]
    assert {c: rows for c, rows in tables.whole().items() if c != target} == others
    copied = tables.whole()[target]
    tables.register(source, 77, source, 9)
    assert tables.whole()[target] == copied
    tables.register(target, 78, target, 9)
    assert 78 not in tables.whole()[source]


@states("11", "tables", "copying twice is copying once, onto itself is nothing, from none is refused")
def _(tables: Tables, data: Any) -> None:
    source, target = data.draw(CAGES), data.draw(CAGES)
    assume(not _exiting(tables, source) and not _exiting(tables, target))
    before = tables.whole()
    if source in before:
        assert tables.copy(source, source) == 0
        assert tables.whole() == before
        tables.copy(source, target)
        once = tables.whole()
        assert tables.copy(source, target) == 0
        assert tables.whole() == once
    else:
        assert tables.copy(source, target) == NOT_THERE
        assert tables.whole() == before


@states("12", "tables", "copying from or to an exiting cage is refused and changes nothing")
def _(tables: Tables, data: Any) -> None:
    gone, other = data.draw(CAGES), data.draw(CAGES)
    tables.exit(gone)
    before = tables.whole()
    assert tables.copy(gone, other) == EXITING
    assert tables.copy(other, gone) == EXITING
    assert tables.whole() == before


@states("13", "tables", "a forked cage begins with its parent's table, and they are independent from then on")
def _(tables: Tables, data: Any) -> None:
    parent, child = data.draw(CAGES), data.draw(_FAR)
    assume(parent in tables.whole() and not _exiting(tables, parent))
    before = tables.whole()
    tables.fork(parent, child)
    assert tables.whole() == {**before, child: before[parent]}
    tables.register(parent, 77, parent, 1)
    tables.register(child, 78, child, 1)
    assert 77 not in tables.whole()[child]
    assert 78 not in tables.whole()[parent]


@states("14", "tables", "exec leaves the table as it is")
def _(tables: Tables, data: Any) -> None:
    before = tables.whole()
    tables.exec(data.draw(CAGES))
    assert tables.whole() == before


@states("16", "tables", "no row names a cage that ended: rows that did are there, and empty")
def _(tables: Tables, data: Any) -> None:
    gone = data.draw(CAGES)
    before = tables.whole()
    tables.exit(gone)
    after = tables.whole()
    for cage, rows in before.items():
        for number, row in rows.items():
            expected = None if row is not None and row[0] == gone else row
            assert after[cage][number] == expected
            assert tables.route(cage, number) == expected


@states("17", "tables", "a cage's own table survives its end")
def _(tables: Tables, data: Any) -> None:
    gone = data.draw(CAGES)
    before = tables.whole().get(gone, {})
    tables.exit(gone)
    after = tables.whole().get(gone, {})
    assert set(before) == set(after)
    assert all(after[number] == row for number, row in before.items() if row is None or row[0] != gone)


@states("18", "tables", "a call to an exiting cage is refused, but for exits and the cage's own calls")
def _(tables: Tables, data: Any) -> None:
    target, caller, number = data.draw(CAGES), data.draw(CAGES), data.draw(NUMBERS)
    gone = data.draw(st.booleans())
    if gone:
        tables.exit(target)
    refused = (gone or _exiting(tables, target)) and number not in (60, 231) and caller != target
    assert tables.refused(caller, number, target) == refused
    assert not tables.refused(caller, number, 99)


@states("21", "tables", "the target's table is never consulted")
def _(tables: Tables, data: Any) -> None:
    caller, target, number = data.draw(CAGES), data.draw(_FAR), data.draw(NUMBERS)
    before, refused = tables.route(caller, number), tables.refused(caller, number, target)
    tables.register(target, number, BENEATH, 0)
    assert tables.route(caller, number) == before
    assert tables.refused(caller, number, target) == refused

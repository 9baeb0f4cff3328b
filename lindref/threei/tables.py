"""Handler tables: (cage, number) → handler, and the pure functions that change and question them.

A row is ``None`` when it is present but empty: its grate has died. All functions return new tables.
Rules: spec/3i.md.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from lindref import classes
from lindref.state.pmap import PMap
from lindref.state.records import record, replace
from lindref.threei.numbers import (
    BENEATH,
    DEREGISTER,
    EXIT_CALLS,
    HANDED_ON,
    RAWPOSIX_CAGE,
    RUNTIME_CAGE,
    THREEI_CAGE,
    THREEI_CALLS,
    ThreeIError,
)


@record("3i.handler", version=2)
class Handler:
    """Who serves a call: a grate (or a cage beneath all grates) and the function there.

    ``address`` is the function's index in the grate's table; 0 for handlers beneath all grates. ``wild``: a
    registration named a cage beneath all grates, where no guest knows the address of a function.
    """

    cage: int
    address: int
    wild: bool = False


Rows = PMap[Handler | None]


@record("3i.tables", version=3)
class HandlerTables:
    """All handler tables, and the cages that are exiting or gone (never removed: ids are not reused). ``parents`` is
    who stands above a cage for good: who forked it, or the grate in Python that was put over it (CAP-1).
    ``panicked``: cages in whose calls 3i panicked with the lock on the tables in its hand (deviation ``3I-LOST``).
    """

    rows: PMap[Rows] = classes.field(factory=PMap)
    exiting: PMap[bool] = classes.field(factory=PMap)
    parents: PMap[int] = classes.field(factory=PMap)
    panicked: PMap[bool] = classes.field(factory=PMap)


class NoHandler(enum.Enum):
    """Why a lookup found no handler (3I-ROUTE-3)."""

    NO_TABLE = "no handler table"
    NO_ROW = "no handler for this number"
    EMPTY_ROW = "the grate that served this number is gone"


def boot(tables: HandlerTables, cage: int, numbers: Iterable[int], *, hands_on: bool = False) -> HandlerTables:
    """The first cage's table: RawPOSIX for each number, 3i for its own calls (3I-TABLE-1); ``hands_on``: and the table
    by which RawPOSIX hands on to the runtime (deviation ``3I-RUNTIME-TABLE``).
    """
    if hands_on:
        beneath = Rows({number: Handler(RUNTIME_CAGE, 0) for number in HANDED_ON})
        tables = replace(tables, rows=tables.rows.set(RAWPOSIX_CAGE, beneath))
    rows: Rows = PMap()
    for number in numbers:
        rows = rows.set(number, Handler(RAWPOSIX_CAGE, 0))
    for number in THREEI_CALLS:
        rows = rows.set(number, Handler(THREEI_CAGE, 0))
    return replace(tables, rows=tables.rows.set(cage, rows))


def register(
    tables: HandlerTables, cage: int, number: int, handler_cage: int, address: int
) -> tuple[HandlerTables, int]:
    """Call 1001 (3I-REG-1 … 3I-REG-4): set, replace or (``handler_cage`` 500) delete row ``number`` of ``cage``.

    Nothing is validated: neither cage need exist, any number is accepted. Returns the tables and the caller's result.
    """
    if cage in tables.exiting or handler_cage in tables.exiting:  # 3I-REG-2
        return tables, ThreeIError.NO_SUCH_CAGE
    rows = tables.rows.get(cage)
    if handler_cage == DEREGISTER:  # 3I-REG-3
        if rows is None or number not in rows:
            return tables, 0
        rows = rows.remove(number)
        # 3I-REG-4: without rows the cage has no table any more.
        whole = tables.rows.set(cage, rows) if len(rows) else tables.rows.remove(cage)
        return replace(tables, rows=whole), 0
    empty: Rows = PMap()
    handler = Handler(handler_cage, address, wild=handler_cage in BENEATH)
    row = (empty if rows is None else rows).set(number, handler)  # 3I-REG-1
    return replace(tables, rows=tables.rows.set(cage, row)), 0


def copy_table(tables: HandlerTables, source: int, target: int) -> tuple[HandlerTables, int]:
    """Call 1003 (3I-COPY-1 … 3I-COPY-3): replace the whole table of ``target`` by a copy of that of ``source``."""
    if source in tables.exiting or target in tables.exiting:  # 3I-COPY-2
        return tables, ThreeIError.NO_SUCH_CAGE
    rows = tables.rows.get(source)
    if rows is None:  # 3I-COPY-3
        return tables, ThreeIError.ABORTED
    return replace(tables, rows=tables.rows.set(target, rows)), 0


def on_fork(tables: HandlerTables, parent: int, child: int) -> HandlerTables:
    """A forked cage begins with its parent's table (3I-FORK-1); the copy is direct, nobody can interpose it."""
    return replace(copy_table(tables, parent, child)[0], parents=tables.parents.set(child, parent))


def put_over(tables: HandlerTables, grate: int, cage: int) -> HandlerTables:
    """``grate`` comes between ``cage`` and who stood above it, with the table that ``cage`` has (PY-1)."""
    above = tables.parents.get(cage)
    parents = tables.parents.set(cage, grate)
    copied, _ = copy_table(tables, cage, grate)
    return replace(copied, parents=parents if above is None else parents.set(grate, above))


def on_exit(tables: HandlerTables, cage: int) -> HandlerTables:
    """``cage`` is ending (3I-EXIT-1): rows served by it stay, empty; its own table stays (3I-EXIT-2)."""
    if cage in tables.exiting:  # nothing has named it since (3I-REG-2)
        return tables
    return replace(emptied(tables, cage), exiting=tables.exiting.set(cage, True))


def emptied(tables: HandlerTables, cage: int) -> HandlerTables:
    """All rows that ``cage`` serves are empty."""
    whole = tables.rows
    # Copied tables are one object for as long as nobody writes to them: each is looked at once.
    known: dict[int, tuple[Rows, Rows]] = {}  # by identity, each kept so that its id stays its own
    for other, rows in tables.rows.items():
        if id(rows) not in known:
            served = [number for number, handler in rows.items() if handler is not None and handler.cage == cage]
            known[id(rows)] = (rows, rows.update(dict.fromkeys(served)) if served else rows)
        left = known[id(rows)][1]
        if left is not rows:
            whole = whole.set(other, left)
    return replace(tables, rows=whole)


def unreachable(tables: HandlerTables, caller: int, number: int, target: int) -> bool:
    """Whether ``target`` is exiting and the call is refused for it (3I-ROUTE-1).

    A cage's own calls go on until it is gone, and exit calls always do.
    """
    return caller != target and number not in EXIT_CALLS and target in tables.exiting


def route(tables: HandlerTables, caller: int, number: int) -> Handler | NoHandler:
    """Who serves call ``number`` made with self = ``caller``: its own row, nothing else (3I-ROUTE-2)."""
    rows = tables.rows.get(caller)
    if rows is None:
        return NoHandler.NO_TABLE
    handler = rows.get(number)
    if handler is None:
        return NoHandler.EMPTY_ROW if number in rows else NoHandler.NO_ROW
    return handler

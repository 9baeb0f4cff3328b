"""Whom a cage may name in its calls: pure functions that say which rule a call breaks, "" if none (CAP-1 … CAP-5).

``handed`` are the cages that the calls being served name: their targets, and the owners of their arguments.
"""

from __future__ import annotations

from collections.abc import Iterable

from lindref.threei.numbers import (
    BENEATH,
    COPY_HANDLER_TABLE_TO_CAGE,
    DEREGISTER,
    REGISTER_HANDLER,
    THREEI_CALLS,
)
from lindref.threei.tables import Handler, HandlerTables

#: Handlers that a call is followed through at most: tables can lead in a circle.
_LONGEST = 64


def below(tables: HandlerTables, cage: int, ancestor: int) -> bool:
    """Whether ``ancestor`` stands above ``cage``: forked it, directly or not, or is a grate in Python put over it."""
    seen = tables.parents.get(cage)
    steps = 0
    while seen is not None and steps < len(tables.parents):
        if seen == ancestor:
            return True
        seen = tables.parents.get(seen)
        steps += 1
    return False


def _may_act(tables: HandlerTables, actor: int, cage: int, handed: frozenset[int]) -> bool:
    return cage == actor or cage in handed or below(tables, cage, actor)


def call(
    tables: HandlerTables,
    actor: int,
    number: int,
    caller: int,
    target: int,
    owners: Iterable[int],
    handed: frozenset[int],
) -> str:
    """What is wrong with the ids of a call that ``actor`` makes; ``owners`` are living cages."""
    launches = number in (REGISTER_HANDLER, COPY_HANDLER_TABLE_TO_CAGE) and caller == target
    if not (launches and below(tables, actor, caller)):
        if not all(_may_act(tables, actor, cage, handed) for cage in (caller, target)):
            return "CAP-1"
    if number not in THREEI_CALLS and not all(_may_act(tables, actor, owner, handed) for owner in owners):
        return "CAP-2"
    return ""


def registration(tables: HandlerTables, actor: int, cage: int, number: int, handler: int) -> str:
    """What is wrong with a registration that ``actor`` asks for."""
    if not _may_act(tables, actor, cage, frozenset()) or handler in BENEATH:
        return "CAP-3"
    related = handler in (actor, DEREGISTER) or below(tables, handler, actor) or below(tables, actor, handler)
    rows = tables.rows.get(cage)
    row = rows.get(number) if rows is not None else None
    if not related or not _stays(tables, actor, (cage, number), row, handler):
        return "CAP-3"
    return ""


def copy(tables: HandlerTables, actor: int, source: int, target: int) -> str:
    """What is wrong with a copy of a table that ``actor`` asks for."""
    if not _may_act(tables, actor, target, frozenset()):
        return "CAP-4"
    new = tables.rows.get(source)
    for number, row in (tables.rows.get(target) or {}).items():
        after = new.get(number) if new is not None else None
        if not _stays(tables, actor, (target, number), row, DEREGISTER if after is None else after.cage):
            return "CAP-4"
    return ""


def data(tables: HandlerTables, actor: int, cages: Iterable[int], handed: frozenset[int]) -> str:
    """What is wrong with copying data between ``cages``."""
    return "" if all(_may_act(tables, actor, cage, handed) for cage in cages) else "CAP-5"


def _stays(
    tables: HandlerTables, actor: int, place: tuple[int, int], row: Handler | None, handler: int
) -> bool:
    """Whether what the row at ``place`` (cage, number) imposes rests on the cage still when ``handler`` is there."""
    cage, number = place
    if row is None or row.cage in BENEATH or row.cage == actor or below(tables, row.cage, actor):
        return True
    for _ in range(_LONGEST):
        if handler == row.cage:
            return True
        if handler == cage:
            return False  # its way is the row that is to be replaced
        rows = tables.rows.get(handler)
        following = rows.get(number) if rows is not None else None
        if following is None or following.cage == handler:
            return False
        handler = following.cage
    return False

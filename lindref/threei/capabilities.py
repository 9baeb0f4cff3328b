"""Whom a cage may name in its calls: pure functions that say which rule a call breaks, "" if none (CAP-1 … CAP-5).

``handed`` are the cages that the call being served hands over: its target and the owners of its arguments, as far as
its maker may name them. ``master`` is the cage whose program the actor runs: itself, or, in a forked child that has not
exec'd, the cage it comes from.

The *way* of a call is who serves it, and who serves it when that one passes it on, and so on. What others have imposed
on a cage is what stands on the ways of its calls.
"""

from __future__ import annotations

from collections.abc import Iterable

from lindref import classes
from lindref.state.pmap import PMap
from lindref.threei.numbers import (
    BENEATH,
    COPY_DATA_BETWEEN_CAGES,
    COPY_HANDLER_TABLE_TO_CAGE,
    DEREGISTER,
    REGISTER_HANDLER,
    THREEI_CALLS,
)
from lindref.threei.tables import Handler, HandlerTables, Rows

#: Handlers that a call is followed through at most: tables can lead in a circle.
_LONGEST = 64


@classes.frozen
class Way:
    """The way of a call: the handlers in cages, the nearest first, and how it ends: ``beneath`` (it is served),
    ``gone`` (at a row whose grate is gone), ``none`` (where there is no row), ``circle``.
    """

    handlers: tuple[Handler, ...]
    end: str


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


def way(tables: HandlerTables, cage: int, number: int) -> Way:
    """Where call ``number`` of ``cage`` goes."""
    found: list[Handler] = []
    seen = {cage}
    while len(found) < _LONGEST:
        rows = tables.rows.get(cage)
        if rows is None or number not in rows:
            return Way(tuple(found), "none")
        row = rows[number]
        if row is None:
            return Way(tuple(found), "gone")
        if row.cage in BENEATH:
            return Way(tuple(found), "beneath")
        found.append(row)
        if row.cage in seen:
            break
        cage = row.cage
        seen.add(cage)
    return Way(tuple(found), "circle")


def _may_act(tables: HandlerTables, actor: int, cage: int, handed: frozenset[int] = frozenset()) -> bool:
    return cage == actor or cage in handed or below(tables, cage, actor)


def call(
    tables: HandlerTables,
    actor: int,
    master: int,
    number: int,
    caller: int,
    target: int,
    owners: Iterable[int],
    handed: frozenset[int],
) -> str:
    """What is wrong with the ids of a call that ``actor`` makes; ``owners`` are living cages."""
    about_tables = number in (REGISTER_HANDLER, COPY_HANDLER_TABLE_TO_CAGE) and caller == target
    if not (about_tables and (caller == master or below(tables, actor, caller))):
        if not (_may_act(tables, actor, caller) and _may_act(tables, actor, target, handed)):
            return "CAP-1"
        if not _bound_as(tables, actor, target, caller, number):
            return "CAP-1"
    mine = master if caller == master or not below(tables, actor, caller) else actor
    if caller != actor and not _rests(tables, mine, actor, caller, number):
        return "CAP-1"
    if number in THREEI_CALLS:
        return ""
    for owner in owners:
        if not (_may_act(tables, actor, owner, handed) and _bound_as(tables, actor, owner, caller, number)):
            return "CAP-2"
    return ""


def _bound_as(tables: HandlerTables, actor: int, cage: int, caller: int, number: int) -> bool:
    """Whether a call for ``cage``, with the table of ``caller``, is bound as one that ``cage`` would make. What is
    beneath the actor is the actor's; a cage above may not be served by one that is freer than it is."""
    return cage == actor or below(tables, cage, actor) or _rests(tables, cage, cage, caller, number)


def _rests(tables: HandlerTables, master: int, cage: int, caller: int, number: int) -> bool:
    """Whether what others than ``master`` imposed on call ``number`` of ``cage`` rests on that of ``caller`` too."""
    old, new = way(tables, cage, number), way(tables, caller, number)
    bound = _others(tables, master, old)
    if bound is not None:
        return bound in new.handlers
    return old.end not in ("gone", "none") or new.end != "beneath"


def registration(tables: HandlerTables, actor: int, master: int, cage: int, number: int, to: Handler) -> str:
    """What is wrong with a registration that ``actor`` asks for."""
    if not _may_act(tables, actor, cage) or to.cage in BENEATH:
        return "CAP-3"
    offered = to.cage in (DEREGISTER, master) or _may_act(tables, actor, to.cage)
    if not offered and to not in way(tables, actor, number).handlers:
        return "CAP-3"
    nothing: Rows = PMap()
    rows = tables.rows.get(cage, nothing)
    if to.cage != DEREGISTER:
        rows = rows.set(number, to)
    elif number in rows:
        rows = rows.remove(number)
    after = HandlerTables(tables.rows.set(cage, rows), tables.exiting, tables.parents)
    return "" if _stays(tables, after, master, cage, number) else "CAP-3"


def copy(tables: HandlerTables, actor: int, master: int, source: int, target: int) -> str:
    """What is wrong with a copy of a table that ``actor`` asks for."""
    new = tables.rows.get(source)
    if new is None:
        return ""  # nothing changes (3I-COPY-3)
    if not _may_act(tables, actor, target) or not _kin(tables, actor, source):
        return "CAP-4"
    after = HandlerTables(tables.rows.set(target, new), tables.exiting, tables.parents)
    old = tables.rows.get(target)
    numbers = {*new.keys(), *(() if old is None else old.keys())}
    fits = (_stays(tables, after, master, target, number) for number in sorted(numbers))
    return "" if all(fits) else "CAP-4"


def data(tables: HandlerTables, actor: int, master: int, cages: Iterable[int], handed: frozenset[int]) -> str:
    """What is wrong with copying data between ``cages``."""
    for cage in cages:
        if cage != master and not (
            _may_act(tables, actor, cage, handed)
            and _bound_as(tables, actor, cage, actor, COPY_DATA_BETWEEN_CAGES)
        ):
            return "CAP-5"
    return ""


def _kin(tables: HandlerTables, actor: int, cage: int) -> bool:
    """Whether one of the two is the other, or stands above it."""
    return cage == actor or below(tables, cage, actor) or below(tables, actor, cage)


def _others(tables: HandlerTables, master: int, found: Way) -> Handler | None:
    """The first handler on a way that neither ``master`` nor a cage beneath it has."""
    return next((h for h in found.handlers if h.cage != master and not below(tables, h.cage, master)), None)


def _stays(before: HandlerTables, after: HandlerTables, master: int, cage: int, number: int) -> bool:
    """Whether a change of row ``number`` of ``cage`` leaves what others than ``master`` imposed on it, and makes it no
    freer than ``master`` is itself."""
    old, new = way(before, cage, number), way(after, cage, number)
    mine = way(before, master, number)
    given = master != cage and mine.end == "beneath"
    if old == new:
        return True
    if not new.handlers and new.end == "none":  # the row is removed
        first = old.handlers[0].cage if old.handlers else None
        if first is None:
            return old.end != "gone" or given
        return first == master or below(before, first, master)
    imposed = _others(before, master, old)
    if imposed is not None and imposed not in new.handlers:
        return False
    if imposed is None and old.end == "gone" and new.end != "gone" and not given:
        return False
    if new.end == "beneath":
        if old.end != "beneath" and not given:
            return False
        bound = _others(before, master, mine)
        if master != cage and bound is not None and bound not in new.handlers:
            return False
    return True

"""Faults of 3i: tables, routes, grates, copies between cages."""

from __future__ import annotations

from typing import Any

from lindref import classes
from lindref.conformance.mutants import patch
from lindref.conformance.mutants.patch import Mutant
from lindref.system import grates
from lindref.system.system import System
from lindref.system.threads import Thread
from lindref.threei import copydata, tables
from lindref.threei.copydata import Copied
from lindref.threei.numbers import RAWPOSIX_CAGE, ThreeIError
from lindref.threei.tables import Handler, HandlerTables

_ALL = ("3i-*",)
_GRATE = ("grate",)


def _unchanged(old: Any, held: HandlerTables, *args: Any) -> tuple[HandlerTables, int]:
    return held, old(held, *args)[1]


def _wrong_address(old: Any, held: HandlerTables, cage: int, number: int, handler: int, address: int) -> Any:
    return old(held, cage, number, handler, address + 1 if handler < 500 else address)


def _never_removes(old: Any, held: HandlerTables, cage: int, number: int, handler: int, address: int) -> Any:
    return (held, 0) if handler == 500 else old(held, cage, number, handler, address)


def _keeps_first(old: Any, held: HandlerTables, cage: int, number: int, handler: int, address: int) -> Any:
    """A row that a grate serves is not replaced."""
    rows = held.rows.get(cage)
    row = rows.get(number) if rows is not None else None
    if row is not None and row.cage < 500 and handler < 500:
        return held, 0
    return old(held, cage, number, handler, address)


def _child_begins_anew(old: Any, held: HandlerTables, parent: int, child: int) -> HandlerTables:
    made: HandlerTables = old(held, parent, child)
    rows = made.rows[child]
    for number, handler in rows.items():
        if handler is not None and handler.cage < 500:
            rows = rows.set(number, Handler(RAWPOSIX_CAGE, 0))
    return classes.evolve(made, rows=made.rows.set(child, rows))


def _past_grates(old: Any, held: HandlerTables, caller: int, number: int) -> Any:
    found = old(held, caller, number)
    return Handler(RAWPOSIX_CAGE, 0) if isinstance(found, Handler) and found.cage < 500 else found


def _first_function(old: Any, held: HandlerTables, caller: int, number: int) -> Any:
    found = old(held, caller, number)
    return Handler(found.cage, 1) if isinstance(found, Handler) and found.cage < 500 else found


def _rows_stay(old: Any, held: HandlerTables, cage: int) -> HandlerTables:
    made: HandlerTables = old(held, cage)
    return classes.evolve(made, rows=held.rows)


def _off_by_one(old: Any, system: System, worker: Thread, value: int, rule: str = "3I-GRATE-2") -> None:
    old(system, worker, value + 1, rule)


def _no_error(old: Any, system: System, worker: Thread, value: int, rule: str = "3I-GRATE-2") -> None:
    old(system, worker, 0 if value == ThreeIError.GRATE_ERROR else value, rule)


def _one_byte_less(old: Any, memories: Any, source: int, at: int, dest: int, to: int, length: int, how: int) -> Copied:
    found: Copied = old(memories, source, at, dest, to, length - 1 if length > 1 else length, how)
    return found


def _answers_zero(old: Any, *args: Any) -> Copied:
    found: Copied = old(*args)
    return classes.evolve(found, result=0) if found.rule == "3I-DATA-6" else found


def _same_cage(old: Any, memories: Any, source: int, at: int, dest: int, to: int, length: int, how: int) -> Copied:
    found: Copied = old(memories, source, at, dest, to, length, how)
    return Copied(0, rule="3I-DATA-6") if at == to else found


def _bytes_as_string(
    old: Any, memories: Any, source: int, at: int, dest: int, to: int, length: int, how: int
) -> Copied:
    found: Copied = old(memories, source, at, dest, to, length, 1 if how == 0 else how)
    return found


MUTANTS = (
    Mutant(
        "register-lost",
        "3i tables",
        "register_handler registers nothing",
        patch.function(tables, "register", _unchanged),
        _GRATE,
        ("3i-reg.*", "3i-basic.*"),
    ),
    Mutant(
        "register-wrong-function",
        "3i tables",
        "the function registered is the next one",
        patch.function(tables, "register", _wrong_address),
        _GRATE,
        ("3i-basic.*",),
    ),
    Mutant(
        "deregister-lost",
        "3i tables",
        "deregistering does nothing",
        patch.function(tables, "register", _never_removes),
        _GRATE,
        ("3i-reg.*", "3i-*"),
    ),
    Mutant(
        "register-keeps-first",
        "3i tables",
        "a registration does not replace another",
        patch.function(tables, "register", _keeps_first),
        _GRATE,
        ("3i-reg.*", "3i-*"),
    ),
    Mutant(
        "copy-table-lost",
        "3i tables",
        "copy_handler_table_to_cage copies nothing",
        patch.function(tables, "copy_table", _unchanged),
        (),
        ("3i-table.*", "3i-*"),
    ),
    Mutant(
        "fork-without-table",
        "3i tables",
        "a child begins without its parent's grates",
        patch.function(tables, "on_fork", _child_begins_anew),
        _GRATE,
        ("3i-inherit.*", "3i-*"),
    ),
    Mutant(
        "exit-leaves-rows",
        "3i tables",
        "rows of a grate that ended still name it",
        patch.function(tables, "on_exit", _rows_stay),
        (),
        ("3i-*",),
    ),
    Mutant(
        "route-past-grates",
        "3i routes",
        "calls go past all grates",
        patch.function(tables, "route", _past_grates),
        _GRATE,
        ("3i-basic.*",),
    ),
    Mutant(
        "route-first-function",
        "3i routes",
        "a grate's first function serves all",
        patch.function(tables, "route", _first_function),
        _GRATE,
        ("3i-basic.*", "3i-*"),
    ),
    Mutant(
        "grate-result-off-by-one",
        "grates",
        "a handler's result is one more",
        patch.function(grates, "finish", _off_by_one),
        _GRATE,
        ("3i-basic.*", "3i-*"),
    ),
    Mutant(
        "grate-trap-hidden",
        "grates",
        "a handler that traps gives 0",
        patch.function(grates, "finish", _no_error),
        (),
        ("3i-basic.trap*", "3i-basic.slot*", "3i-*"),
    ),
    Mutant(
        "copy-one-byte-less",
        "copy",
        "copy_data copies one byte less",
        patch.function(copydata, "copy_data", _one_byte_less),
        (),
        ("3i-copy.*",),
    ),
    Mutant(
        "copy-answers-zero",
        "copy",
        "copy_data returns 0",
        patch.function(copydata, "copy_data", _answers_zero),
        (),
        ("3i-copy.*",),
    ),
    Mutant(
        "copy-same-cage",
        "copy",
        "a copy within a cage works",
        patch.function(copydata, "copy_data", _same_cage),
        (),
        ("3i-copy.*",),
    ),
    Mutant(
        "copy-stops-at-nul",
        "copy",
        "bytes are copied as a string",
        patch.function(copydata, "copy_data", _bytes_as_string),
        (),
        ("3i-copy.*",),
    ),
)

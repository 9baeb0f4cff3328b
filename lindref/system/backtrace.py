"""Where a thread stands, for people: functions by name, lines of source where the module has them (EXIT-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.vm.machine import Machine, Place

if TYPE_CHECKING:
    from lindref.vm.program import Program
    from lindref.wasm.dwarf import Lines

#: Frames that are shown, innermost first.
SHOWN = 32


def backtrace(
    machine: Machine, count: int = SHOWN, lines: dict[str, Lines | None] | None = None
) -> tuple[str, ...]:
    """The innermost ``count`` calls in progress, those by the host left out. ``lines``: the line tables of programs by
    their digests, kept by who asks more than once.
    """
    lines = {} if lines is None else lines
    several = len(machine.store.views) > 1
    return tuple(
        _describe(machine.store.views[place.instance].instance.program, place, lines, several=several)
        for place in machine.backtrace(count)
        if place.func >= 0
    )


def _describe(program: Program, place: Place, lines: dict[str, Lines | None], *, several: bool) -> str:
    """One call: function, then file and line or else the offset in the module; which module where there are several."""
    module = program.names.module if several else None
    where = f" of {module}" if module else ""
    name = f"{place.name or f'func {place.func}'}{where}"
    if program.digest not in lines:
        lines[program.digest] = _lines(program)
    table = lines[program.digest]
    found = table.place(place.offset) if table is not None else None
    if found is not None and found.line:
        return f"{name} ({found.file}:{found.line})"
    return f"{name} +{place.offset:#x}"


def _lines(program: Program) -> Lines | None:
    """The line table of a module that has one."""
    if not any(custom.name == ".debug_line" for custom in program.module.customs):
        return None
    from lindref.wasm.dwarf import Lines  # few programs trap, fewer have line numbers

    return Lines(program.module)

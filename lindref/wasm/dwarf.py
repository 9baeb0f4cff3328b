"""Line numbers from DWARF: which source line an instruction came from (pyelftools reads the tables).

Addresses in a module's DWARF count from the start of the code section's content; everything here takes and gives
offsets in the file instead, as ``Instr.offset`` has them. Debug information is a note for people: what is wrong with
it is reported in ``Lines.problems`` and spoils only itself.
"""

from __future__ import annotations

import bisect
import io
import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo
from elftools.dwarf.ranges import BaseAddressEntry

from lindref import classes
from lindref.wasm.binary.leb import read_unsigned
from lindref.wasm.errors import Malformed
from lindref.wasm.module import ExternKind, Module

if TYPE_CHECKING:
    from elftools.dwarf.compileunit import CompileUnit

#: The sections that pyelftools can take, by the names of its parameters.
_SECTIONS = (
    *("info", "aranges", "abbrev", "frame", "str", "loc", "ranges", "line", "pubtypes", "pubnames"),
    *("addr", "str_offsets", "line_str", "loclists", "rnglists", "sup", "types"),
)

#: The sections that line numbers cannot do without.
_WANTED = (".debug_info", ".debug_abbrev", ".debug_line")


@classes.frozen
class Place:
    """Where in the source an instruction comes from."""

    function: int | None
    """Index of the function (imports first) that holds the instruction."""
    file: str
    """Path as the compiler wrote it, ``/`` between parts."""
    line: int
    """From 1; 0 where the compiler made code that belongs to no line."""
    column: int
    """From 1; 0 for the whole line."""


@classes.frozen
class _Row:
    """From this address on, up to the next row's: this line."""

    address: int
    file: str
    line: int
    column: int
    statement: bool
    """Whether a stop for the line belongs here."""
    body: bool
    """Whether what the compiler made for the function's entry ends here."""


#: Consecutive rows and the address where the last one ends.
_Run = tuple[list[_Row], int]


def _run_start(run: _Run) -> int:
    """The first address of a run."""
    return run[0][0].address


class Lines:
    """The line table of a module. Units of compilation are read when an address or file in them is asked for."""

    def __init__(self, module: Module) -> None:
        self.problems: list[str] = []
        """One line for each unit or table that could not be read."""
        self._base = module.code_start
        self._first_func = len(module.imported(ExternKind.FUNC))
        self._starts = [code.offset for code in module.codes]
        self._ends = [code.offset + code.size for code in module.codes]
        self._runs: dict[int, list[_Run]] = {}
        self._line_data = next((c.data for c in module.customs if c.name == ".debug_line"), b"")
        self._dwarf = _dwarf(module, self.problems)
        self._units: list[CompileUnit] = []
        self._ranges: list[tuple[int, int, int]] = []  # first address, end, unit
        if self._dwarf is not None:
            self._find_units(self._dwarf)
        self._ranges.sort()

    def place(self, offset: int) -> Place | None:
        """The place in the source of the instruction at ``offset`` in the file, where it is known."""
        address = offset - self._base
        number = self.unit_at(offset)
        if number is None:
            return None
        runs = self._table(number)
        found = bisect.bisect_right(runs, address, key=_run_start) - 1
        if found < 0 or address >= runs[found][1]:
            return None
        rows = runs[found][0]
        row = rows[bisect.bisect_right(rows, address, key=lambda r: r.address) - 1]
        return Place(self._function(offset), row.file, row.line, row.column)

    def offsets(self, file: str, line: int) -> list[int]:
        """Where in the file to stop for a source line: the statement starts of the line, ascending.

        ``file`` is a path or the last parts of one.
        """
        found = set()
        for unit in range(len(self._units)):
            for rows, _ in self._table(unit):
                for row in rows:
                    same = row.file == file or row.file.endswith("/" + file)
                    if row.statement and row.line == line and same:
                        found.add(row.address + self._base)
        return sorted(found)

    def starts(self, first: int, end: int) -> list[tuple[int, int, bool]]:
        """Where statements start in the code from ``first`` up to ``end``, offsets in the file: offset and line of
        each, and whether the compiler's code for the function's entry ends there."""
        number = self.unit_at(first)
        found = []
        for rows, _ in [] if number is None else self._table(number):
            if rows[-1].address + self._base >= first and rows[0].address + self._base < end:
                for row in rows:
                    if row.statement and first <= row.address + self._base < end:
                        found.append((row.address + self._base, row.line, row.body))
        return sorted(set(found))

    def unit_at(self, offset: int) -> int | None:
        """The number of the unit of compilation that has code at an offset in the file."""
        address = offset - self._base
        known = bisect.bisect_right(self._ranges, address, key=lambda r: r[0]) - 1
        if known < 0 or address >= self._ranges[known][1]:
            return None
        return self._ranges[known][2]

    @property
    def units(self) -> list[CompileUnit]:
        """The units of compilation, as pyelftools has them."""
        return self._units

    def file(self, unit: CompileUnit, number: int) -> str:
        """The path of file ``number`` of a unit's line table; empty if there is none."""
        attributes: dict[str, Any] = unit.get_top_DIE().attributes
        assert self._dwarf is not None
        if "DW_AT_stmt_list" not in attributes:
            return ""
        _check_header(self._line_data, attributes["DW_AT_stmt_list"].value)
        program = self._dwarf.line_program_for_CU(unit)
        assert program is not None
        return _paths(program.header, _text(attributes.get("DW_AT_comp_dir"))).get(number, "")

    def files(self) -> list[str]:
        """The source files that have lines, sorted."""
        runs = [rows for unit in range(len(self._units)) for rows, _ in self._table(unit)]
        return sorted({row.file for rows in runs for row in rows})

    def _function(self, offset: int) -> int | None:
        """The index of the function whose code entry holds ``offset``."""
        index = bisect.bisect_right(self._starts, offset) - 1
        return self._first_func + index if index >= 0 and offset < self._ends[index] else None

    def _find_units(self, dwarf: DWARFInfo) -> None:
        """The units of compilation and the addresses they have code at."""
        try:
            for unit in dwarf.iter_CUs():
                number = len(self._units)
                self._units.append(unit)
                self._ranges += [(low, high, number) for low, high in _unit_ranges(dwarf, unit)]
        except Exception as error:  # noqa: BLE001 -- a foreign parser on foreign data: whatever it trips over
            self.problems.append(f"debug_info: {_reason(error)}")

    def _table(self, number: int) -> list[_Run]:
        """The runs of rows of one unit, read now if they were not yet."""
        if number not in self._runs:
            self._runs[number] = []
            assert self._dwarf is not None
            try:
                runs = _unit_runs(self._dwarf, self._units[number], self._line_data)
                self._runs[number] = sorted(runs, key=_run_start)
            except Exception as error:  # noqa: BLE001 -- as above
                self.problems.append(f"debug_line, unit {number}: {_reason(error)}")
        return self._runs[number]


def lines(module: Module) -> Lines:
    """The line table of ``module``; empty for a module without debug information."""
    return Lines(module)


def _reason(error: Exception) -> str:
    """An error of the foreign parser in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


#: Nothing that a compiler writes; the foreign parser takes time quadratic in it, where it expects a LEB128 number.
_ENDLESS = re.compile(rb"[\x80-\xff]{4096}")


def _dwarf(module: Module, problems: list[str]) -> DWARFInfo | None:
    """The module's debug sections as pyelftools takes them; ``None`` if needed ones are missing or absurd."""
    contents: dict[str, bytes] = {}
    for custom in module.customs:
        contents.setdefault(custom.name, custom.data)
    if any(name not in contents for name in _WANTED):
        return None
    absurd = [name for name in _WANTED if _ENDLESS.search(contents[name])]
    if absurd:
        problems.append(f"{absurd[0][1:]}: not DWARF, thousands of bytes without an ASCII one")
        return None
    sections: dict[str, DebugSectionDescriptor | None] = dict.fromkeys(("eh_frame_sec", "gnu_debugaltlink_sec"), None)
    for part in _SECTIONS:
        data = contents.get(f".debug_{part}")
        sections[f"debug_{part}_sec"] = (
            None if data is None else DebugSectionDescriptor(io.BytesIO(data), f".debug_{part}", None, len(data), 0)
        )
    return DWARFInfo(config=DwarfConfig(True, "wasm", 4), **sections)


def _is_code(low: int, high: int) -> bool:
    """Whether a range is of code that the linker kept.

    What it threw away is given addresses that no code can have: 0 (there stands the number of functions) or a
    number at the end of the address space.
    """
    return 0 < low < high and low < 0xFFFFFFF0


def _unit_ranges(dwarf: DWARFInfo, unit: CompileUnit) -> Iterator[tuple[int, int]]:
    """The ranges of addresses at which a unit has code."""
    attributes: dict[str, Any] = unit.get_top_DIE().attributes
    low_attribute = attributes.get("DW_AT_low_pc")
    base = int(low_attribute.value) if low_attribute else 0
    if "DW_AT_ranges" in attributes:
        lists = dwarf.range_lists()
        if lists is None:
            return
        for entry in lists.get_range_list_at_offset(attributes["DW_AT_ranges"].value, unit):
            if isinstance(entry, BaseAddressEntry):
                base = entry.base_address
                continue
            shift = 0 if entry.is_absolute else base
            if _is_code(entry.begin_offset + shift, entry.end_offset + shift):
                yield entry.begin_offset + shift, entry.end_offset + shift
    elif low_attribute and "DW_AT_high_pc" in attributes:
        high = attributes["DW_AT_high_pc"]
        end = int(high.value) + (0 if high.form.startswith("DW_FORM_addr") else base)
        if _is_code(base, end):
            yield base, end


def _unit_runs(dwarf: DWARFInfo, unit: CompileUnit, line_data: bytes) -> Iterator[_Run]:
    """The line table of a unit in runs."""
    attributes: dict[str, Any] = unit.get_top_DIE().attributes
    if "DW_AT_stmt_list" not in attributes:
        return
    _check_header(line_data, attributes["DW_AT_stmt_list"].value)
    program = dwarf.line_program_for_CU(unit)
    assert program is not None
    paths = _paths(program.header, _text(attributes.get("DW_AT_comp_dir")))
    rows: list[_Row] = []
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if state.end_sequence:
            if rows and _is_code(rows[0].address, state.address):
                rows.sort(key=lambda row: row.address)
                yield rows, state.address
            rows = []
        else:
            path = paths.get(state.file, "?")
            rows.append(
                _Row(state.address, path, state.line, state.column, bool(state.is_stmt), bool(state.prologue_end))
            )


def _text(attribute: Any) -> str:
    """A string attribute's value; empty if it is missing."""
    return attribute.value.decode("utf-8", "replace") if attribute is not None and attribute.value else ""


def _paths(header: Any, directory: str) -> dict[int, str]:
    """The path of each file that a line program can name."""

    def text(raw: bytes | None) -> str:
        return (raw or b"").decode("utf-8", "replace")

    directories = [text(d) for d in header["include_directory"]]
    first = 0 if header["version"] >= 5 else 1
    if first:
        directories.insert(0, directory)
    found: dict[int, str] = {}
    for number, entry in enumerate(header["file_entry"], first):
        inside = directories[entry.dir_index] if entry.dir_index < len(directories) else ""
        found[number] = posixpath.normpath(posixpath.join(directory, inside, text(entry.name)))
    return found


#: The forms that a field of a DWARF 5 directory or file entry may have → bytes; 0: a string, -1: LEB128, -2: a block.
_ENTRY_FORMS = {0x08: 0, 0x0E: 4, 0x1F: 4, 0x0F: -1, 0x0B: 1, 0x05: 2, 0x06: 4, 0x07: 8, 0x1E: 16, 0x09: -2}


def _check_header(data: bytes, pos: int) -> None:
    """Raises ``Malformed`` for a line program header of version 5 that announces more entries than it has bytes.

    The foreign parser believes a number of entries, also of entries that take no bytes.
    """
    if len(data) < pos + 6 or data[pos + 4 : pos + 6] != b"\x05\x00":
        return
    try:
        pos += 17
        pos += data[pos]  # opcode_base: as many bytes with itself as it says
        for what in ("directories", "files"):
            forms: list[int] = []
            count = data[pos]
            pos += 1
            for _ in range(count):
                _, pos = read_unsigned(data, pos, 64)
                form, pos = read_unsigned(data, pos, 64)
                if form not in _ENTRY_FORMS:
                    raise Malformed(f"form 0x{form:x} in the list of {what}")
                forms.append(form)
            entries, pos = read_unsigned(data, pos, 64)
            if entries and not forms:
                raise Malformed(f"{entries} {what} without content")
            if entries > len(data) - pos:
                raise Malformed(f"{entries} {what} in {len(data) - pos} bytes")
            pos = _skip(data, pos, forms * entries if what == "directories" else ())
    except IndexError:
        raise Malformed("cut off header") from None


def _skip(data: bytes, pos: int, forms: Iterable[int]) -> int:
    """The position after values of the given forms."""
    for form in forms:
        size = _ENTRY_FORMS[form]
        if size == 0:
            size = data.find(b"\0", pos) + 1 - pos
        elif size < 0:
            value, after = read_unsigned(data, pos, 64)
            size = after - pos + (value if form == 0x09 else 0)
        if size <= 0 or pos + size > len(data):
            raise Malformed("cut off header")
        pos += size
    return pos

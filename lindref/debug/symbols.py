"""What a module's DWARF says of functions, variables and types (pyelftools reads the entries).

Units of compilation are read when something in them is asked for. What cannot be read is missing, and said once in
``problems``: debug information is a note for people, and spoils only itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from elftools.dwarf.locationlists import LocationExpr, LocationParser
from elftools.dwarf.ranges import BaseAddressEntry

from lindref import classes
from lindref.debug.types import VOID, Array, Base, CType, Enum, FunctionType, Member, Named, Pointer, Struct
from lindref.wasm.dwarf import Lines
from lindref.wasm.module import Module

T = TypeVar("T")

_KINDS = {
    1: "unsigned",
    2: "bool",
    4: "float",
    5: "signed",
    6: "signed",
    7: "unsigned",
    8: "unsigned",
    0x10: "unsigned",
}
_CHARS = {6, 8, 0x10}
_QUALIFIERS = {
    "DW_TAG_const_type": "const",
    "DW_TAG_volatile_type": "volatile",
    "DW_TAG_restrict_type": "restrict",
    "DW_TAG_atomic_type": "_Atomic",
}
_STRUCTS = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union", "DW_TAG_class_type": "class"}


@classes.frozen(eq=False)
class Variable:
    """A variable or parameter. ``location(address)`` is its location expression for code at an address of the code
    section: bytes, or ``None`` where it has none there (it was optimised away)."""

    name: str
    type: CType
    location: Callable[[int], bytes | None]
    parameter: bool = False
    line: int = 0
    constant: int | None = None


@classes.frozen(eq=False)
class Inlined:
    """A function whose body was put in place of a call: its name, its block, and the line of the call."""

    name: str
    block: Any
    call_file: str
    call_line: int
    call_column: int


class Function:
    """A function with code: its name, the addresses of its code, and the entry that describes it."""

    def __init__(self, symbols: Symbols, die: Any, low: int, high: int) -> None:
        self._symbols = symbols
        self.die, self.low, self.high = die, low, high
        self._variables: dict[tuple[int, int | None], list[Variable]] = {}

    @cached_property
    def name(self) -> str:
        """Its name in the source."""
        return self._symbols.guarded("", lambda: self._symbols.name(self.die))

    @cached_property
    def frame_base(self) -> bytes | None:
        """The expression of the place that locals count from."""
        attribute = self.die.attributes.get("DW_AT_frame_base")
        return None if attribute is None or not isinstance(attribute.value, list) else bytes(attribute.value)

    def blocks(self, address: int) -> list[Any]:
        """The entries of the blocks that code at an address is in, the function first."""
        return self._symbols.guarded([self.die], lambda: list(self._blocks(address)))

    def _blocks(self, address: int) -> Iterator[Any]:
        block: Any = self.die
        while block is not None:
            yield block
            inner = None
            for child in block.iter_children():
                if child.tag in ("DW_TAG_lexical_block", "DW_TAG_inlined_subroutine", "DW_TAG_try_block"):
                    if any(low <= address < high for low, high in self._symbols.ranges(child)):
                        inner = child
                        break
            block = inner

    def inlined(self, address: int) -> list[Inlined]:
        """The functions that were put in place of calls there, the outermost first."""
        none: list[Inlined] = []
        return self._symbols.guarded(none, lambda: self._inlined(address))

    def _inlined(self, address: int) -> list[Inlined]:
        found = []
        for block in self.blocks(address):
            if block.tag == "DW_TAG_inlined_subroutine":
                get = block.attributes.get
                line, column = get("DW_AT_call_line"), get("DW_AT_call_column")
                file = self._symbols.file(block.cu, get("DW_AT_call_file"))
                found.append(
                    Inlined(
                        self._symbols.name(block), block, file,
                        line.value if line else 0, column.value if column else 0,
                    )
                )  # fmt: skip
        return found

    def variables(self, address: int, block: Any = None) -> list[Variable]:
        """The variables in scope at an address, those of inner blocks first; of the function itself, or of the inlined
        one that ``block`` is the entry of."""
        key = address, None if block is None else block.offset
        if key not in self._variables:
            self._variables[key] = self._read_variables(address, block)
        return self._variables[key]

    def _read_variables(self, address: int, block: Any) -> list[Variable]:
        blocks = self.blocks(address)
        start = next((i for i, one in enumerate(blocks) if one is block or one == block), 0)
        mine = blocks[start : start + 1]
        for one in blocks[start + 1 :]:
            if one.tag == "DW_TAG_inlined_subroutine":
                break
            mine.append(one)
        none: list[Variable] = []
        return self._symbols.guarded(none, lambda: [v for one in reversed(mine) for v in self._symbols.variables(one)])


class Symbols:
    """The debug information of one module. ``lines`` is its line table."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.lines = Lines(module)
        self.problems = self.lines.problems
        self._types: dict[int, CType] = {}
        self._functions: dict[int, list[Function]] = {}
        self._globals: dict[int, list[Variable]] = {}

    def guarded(self, otherwise: T, read: Callable[[], T]) -> T:
        """What ``read`` gives, or ``otherwise`` where the information is broken."""
        try:
            return read()
        except Exception as error:  # noqa: BLE001 -- a foreign parser on foreign data: whatever it trips over
            said = " ".join(f"debug_info: {type(error).__name__}: {error}".split())
            if said not in self.problems:
                self.problems.append(said)
            return otherwise

    def address(self, offset: int) -> int:
        """The address in DWARF's terms of an ``Instr.offset``."""
        return offset - self.module.code_start

    def function(self, offset: int) -> Function | None:
        """The function that holds the instruction at ``offset`` in the file."""
        address = self.address(offset)
        unit = self.lines.unit_at(offset)
        for function in [] if unit is None else self._of_unit(unit):
            if function.low <= address < function.high:
                return function
        return None

    def _of_unit(self, number: int) -> list[Function]:
        if number not in self._functions:
            self._functions[number] = self.guarded([], lambda: list(self._read_functions(number)))
        return self._functions[number]

    def _read_functions(self, number: int) -> Iterator[Function]:
        todo = [self.lines.units[number].get_top_DIE()]
        while todo:
            for child in todo.pop().iter_children():
                if child.tag == "DW_TAG_subprogram":
                    for low, high in self.ranges(child):
                        yield Function(self, child, low, high)
                elif child.tag == "DW_TAG_namespace":
                    todo.append(child)

    def functions(self) -> list[Function]:
        """All functions that have code."""
        return [f for number in range(len(self.lines.units)) for f in self._of_unit(number)]

    def globals(self, offset: int | None = None) -> list[Variable]:
        """The variables outside of functions, those of the unit that has code at ``offset`` first."""
        first = None if offset is None else self.lines.unit_at(offset)
        order = [] if first is None else [first]
        order += [n for n in range(len(self.lines.units)) if n != first]
        return [v for number in order for v in self._unit_globals(number)]

    def unit_globals(self, offset: int) -> list[Variable]:
        """Those of the unit alone."""
        unit = self.lines.unit_at(offset)
        return [] if unit is None else self._unit_globals(unit)

    def _unit_globals(self, number: int) -> list[Variable]:
        if number not in self._globals:
            top = self.lines.units[number]
            none: list[Variable] = []
            found = self.guarded(none, lambda: list(self.variables(top.get_top_DIE())))
            self._globals[number] = [v for v in found if v.name]
        return self._globals[number]

    # Entries.

    def name(self, die: Any) -> str:
        """The name of an entry, or of the one it is an instance of."""
        for _ in range(8):
            attribute = die.attributes.get("DW_AT_name")
            if attribute is not None:
                return _text(attribute.value)
            key = next((k for k in ("DW_AT_abstract_origin", "DW_AT_specification") if k in die.attributes), None)
            if key is None:
                return ""
            die = die.get_DIE_from_attribute(key)
        return ""

    def _attribute(self, die: Any, name: str) -> tuple[Any, Any] | None:
        """An attribute of an entry, or of the one it is an instance of; with the entry that has it."""
        for _ in range(8):
            if name in die.attributes:
                return die, die.attributes[name]
            key = next((k for k in ("DW_AT_abstract_origin", "DW_AT_specification") if k in die.attributes), None)
            if key is None:
                return None
            die = die.get_DIE_from_attribute(key)
        return None

    def file(self, unit: Any, attribute: Any) -> str:
        """The path of the file of that number in a unit's line table."""
        if attribute is None:
            return ""
        return self.lines.file(unit, attribute.value)

    def ranges(self, die: Any) -> list[tuple[int, int]]:
        """The addresses of the code that an entry describes."""
        attributes = die.attributes
        if "DW_AT_low_pc" in attributes and "DW_AT_high_pc" in attributes:
            low, high = attributes["DW_AT_low_pc"].value, attributes["DW_AT_high_pc"]
            end = high.value if high.form.startswith("DW_FORM_addr") else low + high.value
            return [(low, end)] if 0 < low < end and low < 0xFFFFFFF0 else []
        if "DW_AT_ranges" not in attributes:
            return []
        top = die.cu.get_top_DIE().attributes.get("DW_AT_low_pc")
        base = top.value if top is not None else 0
        found = []
        lists = die.dwarfinfo.range_lists()
        for entry in lists.get_range_list_at_offset(attributes["DW_AT_ranges"].value, die.cu):
            if isinstance(entry, BaseAddressEntry):
                base = entry.base_address
                continue
            shift = 0 if getattr(entry, "is_absolute", False) else base
            found.append((entry.begin_offset + shift, entry.end_offset + shift))
        return found

    def variables(self, block: Any) -> Iterator[Variable]:
        """The variables that a block declares."""
        for child in block.iter_children():
            if child.tag not in ("DW_TAG_variable", "DW_TAG_formal_parameter"):
                continue
            found = self._attribute(child, "DW_AT_type")
            declared = "DW_AT_declaration" in child.attributes and "DW_AT_location" not in child.attributes
            if found is None or declared:
                continue
            line = self._attribute(child, "DW_AT_decl_line")
            constant = self._attribute(child, "DW_AT_const_value")
            value = constant[1].value if constant is not None else None
            yield Variable(
                self.name(child),
                self.type_of(found[0]),
                self._locator(child),
                child.tag == "DW_TAG_formal_parameter",
                line[1].value if line is not None else 0,
                value if isinstance(value, int) else None,
            )

    def _locator(self, die: Any) -> Callable[[int], bytes | None]:
        attribute = die.attributes.get("DW_AT_location")

        def none(_address: int) -> bytes | None:
            return None

        if attribute is None:
            return none

        def locate(address: int) -> bytes | None:
            lists = die.dwarfinfo.location_lists()
            parser = LocationParser(lists)
            parsed: Any = parser.parse_from_attribute(attribute, die.cu["version"], die)
            if isinstance(parsed, LocationExpr):
                return bytes(parsed.loc_expr)
            top = die.cu.get_top_DIE().attributes.get("DW_AT_low_pc")
            base = top.value if top is not None else 0
            for entry in parsed or ():
                if hasattr(entry, "base_address"):
                    base = entry.base_address
                    continue
                shift = 0 if getattr(entry, "is_absolute", False) else base
                if entry.begin_offset + shift <= address < entry.end_offset + shift:
                    return bytes(entry.loc_expr)
            return None

        return lambda address: self.guarded(None, lambda: locate(address))

    # Types.

    def type_of(self, die: Any) -> CType:
        """The type that an entry's ``DW_AT_type`` names; ``void`` without."""
        if "DW_AT_type" not in die.attributes:
            return VOID
        return self.type_at(die.get_DIE_from_attribute("DW_AT_type"))

    def type_at(self, die: Any) -> CType:
        """The type that an entry describes."""
        found = self._types.get(die.offset)
        if found is None:
            found = self._types[die.offset] = self._make_type(die)
        return found

    def _make_type(self, die: Any) -> CType:
        tag, name = die.tag, _text(die.attributes["DW_AT_name"].value) if "DW_AT_name" in die.attributes else ""
        size = die.attributes["DW_AT_byte_size"].value if "DW_AT_byte_size" in die.attributes else 0
        if tag == "DW_TAG_base_type":
            encoding = die.attributes["DW_AT_encoding"].value
            return Base(name, size, _KINDS.get(encoding, "unsigned"), char=encoding in _CHARS)
        if tag in ("DW_TAG_pointer_type", "DW_TAG_reference_type", "DW_TAG_rvalue_reference_type"):
            return Pointer(lambda: self._lazily(die), size or 4)
        if tag in _STRUCTS:
            kind = _STRUCTS[tag]
            return Struct(kind, name, size, lambda: self.guarded((), lambda: tuple(self._members(die))))
        if tag == "DW_TAG_array_type":
            return self._array(die)
        if tag == "DW_TAG_enumeration_type":
            values = tuple(
                (_text(c.attributes["DW_AT_name"].value), c.attributes["DW_AT_const_value"].value)
                for c in die.iter_children()
                if c.tag == "DW_TAG_enumerator"
            )
            return Enum(name, size or 4, values)
        if tag == "DW_TAG_subroutine_type":
            params = [c for c in die.iter_children() if c.tag == "DW_TAG_formal_parameter"]
            return FunctionType(lambda: self._lazily(die), lambda: tuple(map(self._lazily, params)))
        if tag in _QUALIFIERS:
            return Named("", lambda: self._lazily(die), _QUALIFIERS[tag])
        if tag in ("DW_TAG_typedef", "DW_TAG_unspecified_type"):
            return Named(name, lambda: self._lazily(die))
        return VOID

    def _lazily(self, die: Any) -> CType:
        nothing: CType = VOID
        return self.guarded(nothing, lambda: self.type_of(die))

    def _array(self, die: Any) -> CType:
        counts: list[int | None] = []
        for child in die.iter_children():
            if child.tag == "DW_TAG_subrange_type":
                get = child.attributes.get
                count, upper = get("DW_AT_count"), get("DW_AT_upper_bound")
                number = count.value if count is not None else upper.value + 1 if upper is not None else None
                counts.append(number if isinstance(number, int) else None)
        made = self.type_of(die)
        for number in reversed(counts):
            made = Array(made, number)
        return made

    def _members(self, die: Any) -> Iterator[Member]:
        for child in die.iter_children():
            if child.tag != "DW_TAG_member":
                continue
            get = child.attributes.get
            kind = self.type_of(child)
            place, bits = get("DW_AT_data_member_location"), get("DW_AT_bit_size")
            at = place.value if place is not None and isinstance(place.value, int) else 0
            shift, width = 0, 0
            if bits is not None:
                width, unit = bits.value, max(kind.size, 1)
                from_start, from_end = get("DW_AT_data_bit_offset"), get("DW_AT_bit_offset")
                if from_start is not None:
                    at, shift = from_start.value // (8 * unit) * unit, from_start.value % (8 * unit)
                elif from_end is not None:
                    shift = 8 * unit - width - from_end.value
            yield Member(self.name(child), kind, at, width, shift)

    def find_type(self, name: str, keyword: str = "") -> CType | None:
        """The type of that name: with a keyword (``struct``, ``union``, ``enum``) by its tag, else a typedef or base
        type; a declaration alone is no type."""
        found = self._named.get((keyword, name))
        return None if found is None else self.guarded(None, lambda: self.type_at(found))

    @cached_property
    def _named(self) -> dict[tuple[str, str], Any]:
        """The entries of types outside of functions by keyword (empty for typedefs and base types) and name."""
        keywords = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union", "DW_TAG_enumeration_type": "enum"}
        keywords |= dict.fromkeys(("DW_TAG_typedef", "DW_TAG_base_type"), "")
        found: dict[tuple[str, str], Any] = {}

        def read(unit: Any) -> None:
            for die in unit.get_top_DIE().iter_children():
                if die.tag in keywords and "DW_AT_declaration" not in die.attributes:
                    found.setdefault((keywords[die.tag], self.name(die)), die)

        for unit in self.lines.units:
            self.guarded(None, lambda unit=unit: read(unit))  # type: ignore[misc]  # bound now
        return found

    def enumerator(self, name: str) -> int | None:
        """The value of an enumerator of any unit."""
        return self._enumerators.get(name)

    @cached_property
    def _enumerators(self) -> dict[str, int]:
        found: dict[str, int] = {}

        def read(unit: Any) -> None:
            for die in unit.get_top_DIE().iter_children():
                kind = self.type_at(die) if die.tag == "DW_TAG_enumeration_type" else None
                for label, value in kind.values if isinstance(kind, Enum) else ():
                    found.setdefault(label, value)

        for unit in self.lines.units:
            self.guarded(None, lambda unit=unit: read(unit))  # type: ignore[misc]  # bound now
        return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


__all__ = ["Function", "Inlined", "Symbols", "Variable"]

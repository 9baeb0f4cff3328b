"""Custom sections with a meaning: names (spec §7.4.1), producers and dynamic linking (tool conventions).

A name or producers section is a note for people: a malformed one never spoils a module, what can be read of it is
taken and the rest reported. ``dylink.0`` decides how a module is loaded, so a malformed one is an error.
"""

from __future__ import annotations

from collections.abc import Callable

from lindref import classes
from lindref.wasm.binary.leb import unsigned
from lindref.wasm.binary.reader import Reader
from lindref.wasm.errors import Malformed
from lindref.wasm.module import Custom, Module
from lindref.wasm.names import Names

#: Subsections of the name section that map an index to a name.
_FLAT = {
    1: "funcs",
    4: "types",
    5: "tables",
    6: "memories",
    7: "globals",
    8: "elems",
    9: "datas",
    11: "tags",
}

#: Subsections that map a function index and an index in it to a name.
_NESTED = {2: "locals", 3: "labels"}


def _sections(module: Module, name: str) -> list[Custom]:
    """The custom sections called ``name``."""
    return [c for c in module.customs if c.name == name]


def _reader(custom: Custom, module: Module) -> Reader:
    """A reader of a custom section's content."""
    return Reader(custom.data, module.features)


def _subsections(reader: Reader, read: Callable[[int, Reader], None]) -> None:
    """Gives ``read`` each subsection of the reader's data as id and reader of its own.

    Raises:
        Malformed: a subsection is cut off; those before it have been read.
    """
    while reader.pos < len(reader.data):
        subsection = reader.byte()
        size = reader.unsigned(32)
        read(subsection, Reader(reader.take(size), reader.features))


# Names.


def names(module: Module) -> Names:
    """The names of the module's items: those of its text, else of its name section, else none.

    Read once: the module remembers them. ``read_names`` tells what is wrong with a name section.
    """
    if not isinstance(module.text_names, Names):
        module.text_names = read_names(module)[0]
    assert isinstance(module.text_names, Names)
    return module.text_names


def read_names(module: Module) -> tuple[Names, list[str]]:
    """What the name section says, and one line for each thing that is wrong with it."""
    found = Names()
    problems: list[str] = []
    customs = _sections(module, "name")
    if len(customs) > 1:
        problems.append("more than one name section: the first is used")
    if not customs:
        return found, problems
    seen = -1

    def subsection(number: int, reader: Reader) -> None:
        """One subsection; each stands at most once, in ascending order."""
        nonlocal seen
        if number <= seen:
            problems.append(f"name section: subsection {number} after {seen}: ignored")
            return
        seen = number
        try:
            if number == 0:
                found.module = reader.name()
            elif number in _FLAT:
                _name_map(reader, getattr(found, _FLAT[number]))
            elif number in _NESTED:
                _indirect_map(reader, getattr(found, _NESTED[number]))
            else:
                return
            if reader.pos != len(reader.data):
                problems.append(f"name section: {len(reader.data) - reader.pos} bytes too many in {number}")
        except Malformed as error:
            problems.append(f"name section: subsection {number}: {error}")

    try:
        _subsections(_reader(customs[0], module), subsection)
    except Malformed as error:
        problems.append(f"name section: {error}")
    return found, problems


def module_name(module: Module) -> str:
    """The module's own name, empty where it has none; the rest of the name section is not read."""
    if isinstance(module.text_names, Names):
        return module.text_names.module or ""
    for custom in _sections(module, "name")[:1]:
        reader = _reader(custom, module)
        try:
            if reader.pos < len(reader.data) and reader.byte() == 0:
                return Reader(reader.take(reader.unsigned(32)), module.features).name()
        except Malformed:
            return ""
    return ""


def _name_map(reader: Reader, into: dict[int, str]) -> None:
    """An association of indices with names; the first of several for one index holds."""
    for _ in range(reader.unsigned(32)):
        index = reader.u32()
        into.setdefault(index, reader.name())


def _indirect_map(reader: Reader, into: dict[int, dict[int, str]]) -> None:
    """An association of indices with name maps."""
    for _ in range(reader.unsigned(32)):
        _name_map(reader, into.setdefault(reader.u32(), {}))


def name_section(found: Names) -> Custom:
    """The name section that says ``found``; it belongs after the data section."""
    from lindref.wasm.binary import encoder  # few who read sections write them

    parts: list[bytes] = []

    def add(number: int, content: bytes) -> None:
        parts.append(bytes((number,)) + unsigned(len(content)) + content)

    if found.module is not None:
        add(0, encoder.name(found.module))
    for number in sorted(_FLAT | _NESTED):
        if number in _FLAT:
            flat: dict[int, str] = getattr(found, _FLAT[number])
            if flat:
                add(number, _encoded_map(flat))
            continue
        nested: dict[int, dict[int, str]] = getattr(found, _NESTED[number])
        kept = {index: inner for index, inner in nested.items() if inner}
        if kept:
            inner_maps = [unsigned(index) + _encoded_map(kept[index]) for index in sorted(kept)]
            add(number, unsigned(len(kept)) + b"".join(inner_maps))
    return Custom("name", b"".join(parts), after=11)


def _encoded_map(mapping: dict[int, str]) -> bytes:
    """A name map in ascending order of its indices."""
    from lindref.wasm.binary import encoder

    pairs = [unsigned(index) + encoder.name(mapping[index]) for index in sorted(mapping)]
    return unsigned(len(pairs)) + b"".join(pairs)


# Producers.


def producers(module: Module) -> dict[str, dict[str, str]]:
    """Which tools made the module: field ("language", "processed-by", "sdk") → tool → version."""
    return read_producers(module)[0]


def read_producers(module: Module) -> tuple[dict[str, dict[str, str]], list[str]]:
    """What the producers section says, and one line for each thing that is wrong with it."""
    found: dict[str, dict[str, str]] = {}
    problems: list[str] = []
    for custom in _sections(module, "producers")[:1]:
        reader = _reader(custom, module)
        try:
            for _ in range(reader.unsigned(32)):
                field = found.setdefault(reader.name(), {})
                for _ in range(reader.unsigned(32)):
                    tool = reader.name()
                    field[tool] = reader.name()
        except Malformed as error:
            problems.append(f"producers section: {error}")
    return found, problems


# Dynamic linking.

#: Symbol flags in ``dylink.0``.
BINDING_WEAK = 0x01
BINDING_LOCAL = 0x02
VISIBILITY_HIDDEN = 0x04
UNDEFINED = 0x10
EXPORTED = 0x20
THREAD_LOCAL = 0x100


@classes.frozen
class ExportInfo:
    """Symbol flags of an export."""

    name: str
    flags: int


@classes.frozen
class ImportInfo:
    """Symbol flags of an import, e.g. that it may stay undefined (``BINDING_WEAK``)."""

    module: str
    name: str
    flags: int


@classes.frozen
class Dylink:
    """What ``dylink.0`` says about a position-independent module."""

    has_memory_info: bool = False
    """Whether the subsection with the four sizes is there at all."""
    memory_size: int = 0
    """Bytes of static data."""
    memory_align: int = 0
    """Its alignment as an exponent."""
    table_size: int = 0
    """Table elements."""
    table_align: int = 0
    """Their alignment as an exponent."""
    needed: tuple[str, ...] = ()
    """Names of libraries to be loaded before."""
    exports: tuple[ExportInfo, ...] = ()
    imports: tuple[ImportInfo, ...] = ()
    runtime_path: tuple[str, ...] = ()


def dylink(module: Module) -> Dylink | None:
    """What the first ``dylink.0`` section says; ``None`` for a module without one.

    Raises:
        Malformed: the section cannot be read.
    """
    customs = _sections(module, "dylink.0")
    if not customs:
        return None
    found = Dylink()

    def subsection(number: int, reader: Reader) -> None:
        """One subsection; those of unknown number are for others."""
        nonlocal found
        if number == 1:
            sizes = [reader.u32() for _ in range(4)]
            found = classes.evolve(
                found,
                has_memory_info=True,
                memory_size=sizes[0],
                memory_align=sizes[1],
                table_size=sizes[2],
                table_align=sizes[3],
            )
        elif number == 2:
            found = classes.evolve(found, needed=found.needed + reader.vector(Reader.name))
        elif number == 3:
            exports = reader.vector(lambda r: ExportInfo(r.name(), r.u32()))
            found = classes.evolve(found, exports=found.exports + exports)
        elif number == 4:
            imports = reader.vector(lambda r: ImportInfo(r.name(), r.name(), r.u32()))
            found = classes.evolve(found, imports=found.imports + imports)
        elif number == 5:
            found = classes.evolve(found, runtime_path=found.runtime_path + reader.vector(Reader.name))
        else:
            return
        if reader.pos != len(reader.data):
            raise reader.malformed("subsection size mismatch")

    try:
        _subsections(_reader(customs[0], module), subsection)
    except Malformed as error:
        raise Malformed(error.message, f"dylink.0 section, {error.where}") from None
    return found

"""``lindref objdump``: what a module holds, as text that parses back, function by function, or section by section."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

import lindref.wasm.sections as conventions
from lindref.arguments import USAGE, Arguments
from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.binary.leb import read_unsigned
from lindref.wasm.errors import Malformed, WasmError
from lindref.wasm.module import ExternKind, Instr, Module
from lindref.wasm.text.parser import parse_module
from lindref.wasm.text.printer import Comment, print_function, print_module
from lindref.wasm.validator import validate

_SECTIONS = (
    *("custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code"),
    *("data", "data count", "tag"),
)


def _arguments() -> Arguments:
    """The command line."""
    parser = Arguments(
        prog="lindref objdump",
        description="Show a wasm module, binary or text: as text that parses back, with the names it carries.",
        epilog="Example: lindref objdump --func main --lines hello.wasm",
    )
    add = parser.add_argument
    add("file", metavar="FILE", help="the module")
    add("-s", "--sections", action="store_true", help="its sections, imports, exports and notes instead")
    only = "only this function, by name, export or index; may be given more than once"
    add("-f", "--func", metavar="NAME", action="append", default=[], help=only)
    add("-o", "--offsets", action="store_true", help="where each instruction stands in the file")
    add("-l", "--lines", action="store_true", help="which line of source it comes from")
    add("--validate", action="store_true", help="check the module first")
    return parser


def read_module(path: Path) -> tuple[Module, bytes]:
    """The module in a file, and its binary; raises ``OSError`` or ``WasmError``."""
    data = path.read_bytes()
    if data[:4] == b"\0asm":
        return decode(data, eager=True), data
    module = parse_module(data)
    return module, encode(module)


def _sections(data: bytes) -> Iterator[str]:
    """One line for each section of a well-formed binary: name, offset and size of the content, entries."""
    pos = 8
    while pos < len(data):
        number = data[pos]
        size, start = read_unsigned(data, pos + 1, 32)
        if number:
            entries = "" if number == 8 else f"  {read_unsigned(data, start, 32)[0]:>6}"
        else:
            length, at = read_unsigned(data, start, 32)
            entries = f"  {_shown(data[at : at + length].decode())}"
        yield f"section   {_SECTIONS[number]:<10}  at {start:#08x}  {size:>8} bytes{entries}"
        pos = start + size


def _shown(name: str) -> str:
    """A name in one line."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in name)


def overview(module: Module, data: bytes) -> Iterator[str]:
    """Sections, imports, exports and what custom sections say, one thing a line."""
    yield from _sections(data)
    for item in module.imports:
        yield f"import    {item.kind.name.lower():<7} {_shown(item.module)}.{_shown(item.name)}"
    for export in module.exports:
        yield f"export    {export.kind.name.lower():<7} {_shown(export.name)} = {export.index}"
    if module.start is not None:
        yield f"start     func {module.start}"
    known = conventions.names(module)
    if known.module:
        yield f"name      {_shown(known.module)}"
    if known.funcs:
        count = len(module.funcs) + len(module.imported(ExternKind.FUNC))
        yield f"names     {len(known.funcs)} of {count} functions"
    for field, tools in conventions.producers(module).items():
        versions = (f"{tool} {version}".strip() for tool, version in tools.items())
        yield f"producers {_shown(field)}: {_shown(', '.join(versions))}"
    yield from _dylink(module)


def _dylink(module: Module) -> Iterator[str]:
    """What a position-independent module says of how it is to be linked."""
    try:
        found = conventions.dylink(module)
    except Malformed:
        return  # a warning tells
    if found is None:
        return
    if found.has_memory_info:
        yield f"dylink.0  memory {found.memory_size} bytes, aligned to {1 << min(found.memory_align, 32)}"
        yield f"dylink.0  table {found.table_size} elements, aligned to {1 << min(found.table_align, 32)}"
    for library in found.needed:
        yield f"dylink.0  needs {_shown(library)}"
    for path in found.runtime_path:
        yield f"dylink.0  looks in {_shown(path)}"
    for export in found.exports:
        yield f"dylink.0  export {_shown(export.name)}: flags {export.flags:#x}"
    for item in found.imports:
        yield f"dylink.0  import {_shown(item.module)}.{_shown(item.name)}: flags {item.flags:#x}"


def warnings(module: Module) -> Iterator[str]:
    """What is wrong with notes that spoil nothing else, one line each."""
    yield from conventions.read_names(module)[1]
    yield from conventions.read_producers(module)[1]
    try:
        conventions.dylink(module)
    except Malformed as error:
        yield str(error)


def function(module: Module, wanted: str) -> int | None:
    """The index of a function by its index, its export or its name."""
    count = len(module.funcs) + len(module.imported(ExternKind.FUNC))
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= 10:
        return int(wanted) if int(wanted) < count else None
    export = module.export(wanted)
    if export is not None and export.kind is ExternKind.FUNC:
        return export.index
    named = conventions.names(module).funcs.items()
    return next((index for index, name in named if name == wanted.removeprefix("$") and index < count), None)


def _comment(module: Module, *, offsets: bool, lines: bool, problems: list[str]) -> Comment | None:
    """What to say of each instruction."""
    if not offsets and not lines:
        return None
    binary = bool(module.digest)
    if lines and binary:
        from lindref.wasm.dwarf import lines as line_table

        table = line_table(module)
        if not any(custom.name == ".debug_line" for custom in module.customs):
            problems.append("no lines: the module has no debug information")
    else:
        table = None
    last = ""

    def comment(instr: Instr) -> str:
        nonlocal last
        said = [f"{instr.offset:#x}" if binary else f"line {instr.offset}"] if offsets or not binary else []
        place = table.place(instr.offset) if table else None
        now = f"{place.file}:{place.line}:{place.column}" if place and place.line else ""
        if now and now != last:
            said.append(now)
        last = now
        if table:
            problems.extend(table.problems)
            table.problems.clear()
        return "  ".join(said)

    return comment


def _dump(options: Namespace, warn: list[str]) -> str:
    """The output; what is not quite right is added to ``warn``. Raises ``OSError``, ``WasmError``, ``LookupError``."""
    module, data = read_module(Path(options.file))
    if options.validate:
        validate(module)
    warn += warnings(module)
    if options.sections:
        return "\n".join(overview(module, data)) + "\n"
    comment = _comment(module, offsets=options.offsets, lines=options.lines, problems=warn)
    if not options.func:
        return print_module(module, comment=comment)
    out = []
    for wanted in options.func:
        index = function(module, wanted)
        if index is None:
            raise LookupError(f"no function {wanted}")
        out.append(print_function(module, index, comment=comment))
    return "".join(out)


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    options = _arguments().parse_args(argv)
    warn: list[str] = []
    try:
        text = _dump(options, warn)
    except OSError as error:
        wrong = error.strerror or str(error)
    except (WasmError, LookupError) as error:
        wrong = str(error)
    else:
        for line in warn:
            sys.stderr.write(f"lindref objdump: warning: {line}\n")
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # names may have any characters
        sys.stdout.write(text)
        return 0
    sys.stderr.write(f"lindref objdump: {options.file}: {wrong}\n")
    return USAGE

"""``lindref objdump``: what a module holds, as text that parses back, or section by section."""

from __future__ import annotations

import sys
from pathlib import Path

from lindref.wasm.binary.decoder import decode
from lindref.wasm.errors import WasmError
from lindref.wasm.module import Module
from lindref.wasm.sections import dylink, names, producers
from lindref.wasm.text.parser import parse_module
from lindref.wasm.text.printer import print_module
from lindref.wasm.validator import validate

_HELP = """usage: lindref objdump [--sections] [--validate] FILE

Show a wasm module (binary or text) as text, with the names it carries; --sections gives an overview instead,
--validate checks the whole module first. Example: lindref objdump --sections hello.wasm
"""


def read_module(path: Path) -> Module:
    """The module in a file; raises ``OSError`` or ``WasmError``."""
    data = path.read_bytes()
    return decode(data, eager=True) if data[:4] == b"\0asm" else parse_module(data)


def overview(module: Module) -> list[str]:
    """One line for each thing that a module has some of."""
    lines = [f"types     {len(module.types)}"]
    for item in module.imports:
        lines.append(f"import    {item.module}.{item.name} ({item.kind.name.lower()})")
    for what, items in (
        ("funcs", module.funcs),
        ("tables", module.tables),
        ("memories", module.memories),
        ("globals", module.globals),
        ("tags", module.tags),
        ("elems", module.elems),
        ("datas", module.datas),
    ):
        if len(items):
            lines.append(f"{what:<9} {len(items)}")
    lines += [f"export    {e.name} ({e.kind.name.lower()} {e.index})" for e in module.exports]
    if module.start is not None:
        lines.append(f"start     func {module.start}")
    lines += [f"custom    {c.name} ({len(c.data)} bytes)" for c in module.customs]
    known = names(module)
    lines.append(f"names     {len(known.funcs)} functions" + (f", module {known.module}" if known.module else ""))
    for field, values in producers(module).items():
        lines.append(f"producers {field}: {values}")
    found = dylink(module)
    if found is not None:
        lines.append(f"dylink.0  {found}")
    return lines


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    flags = {word for word in argv if word.startswith("-")}
    files = [word for word in argv if not word.startswith("-")]
    if flags & {"-h", "--help"}:
        sys.stdout.write(_HELP)
        return 0
    unknown = sorted(flags - {"--sections", "--validate"})
    if unknown or len(files) != 1:
        sys.stderr.write(f"lindref objdump: {unknown[0] + ' is no option' if unknown else 'want one file'} (see --help)\n")
        return 2
    try:
        module = read_module(Path(files[0]))
        if "--validate" in flags:
            validate(module)
        print("\n".join(overview(module)) if "--sections" in flags else print_module(module))
    except OSError as error:
        sys.stderr.write(f"lindref objdump: {files[0]}: {error.strerror}\n")
        return 2
    except WasmError as error:
        sys.stderr.write(f"lindref objdump: {files[0]}: {error}\n")
        return 2
    return 0

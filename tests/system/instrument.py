"""The instrumented stage of the tool chain, for tests: a pass of our own that checks the epoch word at the places where
the real one does, then binaryen's asyncify and exnref passes, where ``wasm-opt`` is there.

``python tests/system/instrument.py OUT IN.wasm`` makes a fixture.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from lindref.classes import evolve
from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.instructions import BY_NAME, Imm
from lindref.wasm.module import Code, Elem, Export, ExternKind, Global, Import, Instr, Module
from lindref.wasm.names import Names
from lindref.wasm.sections import dylink, name_section, read_names
from lindref.wasm.types import BlockType, FuncType, GlobalType, NumType, RecGroup, SubType

EPOCH = GlobalType(NumType.I64, mutable=True)
CALLBACK = FuncType((NumType.I32, NumType.I32))

#: What the passes may use, and what they make; binaryen's default would go beyond what the tool chain has.
FEATURES = (
    *("-mvp", "--enable-threads", "--enable-bulk-memory", "--enable-exception-handling", "--enable-mutable-globals"),
    *("--enable-sign-ext", "--enable-multivalue", "--enable-reference-types", "--enable-nontrapping-float-to-int"),
)
#: One run each: binaryen does not survive them together where there are exceptions.
PASSES = ("--asyncify", "--translate-to-exnref", "-O1")


def wasm_opt() -> list[str] | None:
    """The words that start wasm-opt: named by LINDREF_WASM_OPT, or on PATH."""
    named = os.environ.get("LINDREF_WASM_OPT", "").split()
    found = shutil.which("wasm-opt")
    return named or ([found] if found else None)


def instrumented(data: bytes, folder: Path, tool: list[str]) -> bytes:
    """A module after all passes, in the order of the tool chain: what the checks call may be unwound."""
    before, after = folder / "before.wasm", folder / "after.wasm"
    before.write_bytes(with_epoch_checks(data))
    dynamic = dylink(decode(data)) is not None
    more = ["--pass-arg=asyncify-import-globals"] if dynamic else []
    for each in PASSES:
        words = [*tool, str(before), *FEATURES, each, *more, "-g", "-o", str(after)]
        subprocess.run(words, check=True, capture_output=True)
        after.replace(before)
    return before.read_bytes()


def with_epoch_checks(data: bytes) -> bytes:
    """A module that calls ``lind.epoch_callback`` where its epoch word is not 0: at each function's entry, at each
    loop's head, before each return, before the last expression of each body (binaries.md). A static module exports
    the word, a dynamic one imports it; and where it does not define ``signal_callback``, imports that and exports it
    again."""
    module = decode(data, eager=True)
    dynamic = dylink(module) is not None
    borrows = dynamic and not any(export.name == "signal_callback" for export in module.exports)
    first_func = len(module.imported(ExternKind.FUNC))
    first_global = len(module.imported(ExternKind.GLOBAL))
    types = len(module.types)
    imports = [Import("lind", "epoch_callback", ExternKind.FUNC, types)]
    if dynamic:
        imports.append(Import("lind", "epoch", ExternKind.GLOBAL, EPOCH))
    if borrows:
        imports.append(Import("env", "signal_callback", ExternKind.FUNC, types + 1))
    word = first_global if dynamic else first_global + len(module.globals)

    def func(index: int) -> int:
        return index + (index >= first_func) * (1 + borrows)

    def glob(index: int) -> int:
        return index + (dynamic and index >= first_global)

    moved = _moved(module, func, glob)
    check = [_instr("global.get", word), _instr("i64.const", 0), _instr("i64.ne"), _instr("if", BlockType())]
    check += [_instr("call", first_func), _instr("end")]
    codes = [Code(code.locals_, body=tuple(_checked(code.body, check))) for code in moved.codes]
    names = read_names(module)[0]
    shifted = Names(module=names.module, funcs={func(i): n for i, n in names.funcs.items()})
    own = () if dynamic else (Global(EPOCH, (_instr("i64.const", 0), _instr("end"))),)
    exported = [] if dynamic else [Export("epoch", ExternKind.GLOBAL, word)]
    if borrows:
        exported.append(Export("signal_callback", ExternKind.FUNC, first_func + 1))
    customs = tuple(c for c in moved.customs if c.name in ("dylink.0", "target_features"))
    return encode(
        evolve(
            moved,
            rec_groups=(*moved.rec_groups, *(RecGroup((SubType(each),)) for each in (FuncType(), CALLBACK))),
            imports=(*moved.imports, *imports),
            globals=(*moved.globals, *own),
            exports=(*moved.exports, *exported),
            codes=codes,
            customs=(*customs, name_section(shifted)),
        )
    )


def _instr(name: str, *args: object) -> Instr:
    return Instr(BY_NAME[name], args)


def _checked(body: tuple[Instr, ...], check: list[Instr]) -> Iterator[Instr]:
    """A body with the check at all its places."""
    yield from check
    for i, instr in enumerate(body):
        last = i == len(body) - 2 and instr.op.name not in ("end", "else", "return")
        if instr.op.name == "return" or (last and instr.op.name != "loop"):
            yield from check
        yield instr
        if instr.op.name == "loop":
            yield from check


def _moved(module: Module, func: Callable[[int], int], glob: Callable[[int], int]) -> Module:
    """The module with other numbers for its functions and globals."""
    change = {Imm.FUNC: func, Imm.GLOBAL: glob}

    def expr(body: tuple[Instr, ...]) -> tuple[Instr, ...]:
        out = []
        for instr in body:
            args = tuple(
                change[kind](arg) if kind in change else arg  # type: ignore[arg-type]
                for kind, arg in zip(instr.op.imms, instr.args, strict=True)
            )
            out.append(Instr(instr.op, args))
        return tuple(out)

    def elem(item: Elem) -> Elem:
        return evolve(item, init=tuple(map(expr, item.init)), offset=expr(item.offset))

    of = {ExternKind.FUNC: func, ExternKind.GLOBAL: glob}
    return evolve(
        module,
        globals=tuple(evolve(g, init=expr(g.init)) for g in module.globals),
        exports=tuple(evolve(e, index=of.get(e.kind, int)(e.index)) for e in module.exports),
        start=None if module.start is None else func(module.start),
        elems=tuple(map(elem, module.elems)),
        codes=[Code(code.locals_, body=expr(code.body)) for code in module.codes],
        datas=tuple(evolve(d, offset=expr(d.offset)) for d in module.datas),
    )


if __name__ == "__main__":
    tool = wasm_opt()
    if tool is None:
        sys.exit("no wasm-opt: set LINDREF_WASM_OPT")
    target, source = map(Path, sys.argv[1:])
    target.write_bytes(instrumented(source.read_bytes(), target.parent, tool))

"""A guest's module as the engine takes it: the memory is the engine's own, and what the runtime calls is exported."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from lindref import classes
from lindref.conformance.adapters.interface import NotApplicable
from lindref.conformance.adapters.wasmtime_.engine import engine
from lindref.system.abi import CALLED
from lindref.system.image import Image
from lindref.system.wrappers import wrapped
from lindref.vm.memory import MAX_SIZE
from lindref.wasm.binary.encoder import encode
from lindref.wasm.module import Export, ExternKind, Import
from lindref.wasm.types import Limits, MemoryType

#: Prefix of the names under which the functions that wrappers wrap are exported (LOAD-3), and of mutable globals.
INNER, GLOBAL = "lindref inner ", "lindref global "
#: What wasm-opt may use, and what it does: exceptions of the old kind become new ones, and stacks can be copied.
FEATURES = (
    *("-mvp", "--enable-threads", "--enable-bulk-memory", "--enable-exception-handling", "--enable-mutable-globals"),
    *("--enable-sign-ext", "--enable-multivalue", "--enable-reference-types", "--enable-nontrapping-float-to-int"),
)
#: One run each: binaryen does not survive them together where there are exceptions.
PASSES = (("--asyncify", "--pass-arg=asyncify-imports@lind.make-syscall"), ("--translate-to-exnref",))


def _import(one: Import) -> Import:
    """The memory as one of 4 GiB that threads share."""
    if not isinstance(one.desc, MemoryType):
        return one
    return classes.evolve(one, desc=MemoryType(Limits(one.desc.limits.minimum, MAX_SIZE), shared=True))


@cache
def compiled(image: Image, tool: tuple[str, ...] = ()) -> Any:
    """The engine's module of an image; rewritten so that its stack can be copied where ``tool``, the words that start
    wasm-opt, is given. Raises ``NotApplicable`` for one that the engine does not take.
    """
    import wasmtime

    module = image.program.module
    more = [
        Export(INNER + export.name, ExternKind.FUNC, wrapped(image.program, export.index))
        for export in module.exports
        if export.kind is ExternKind.FUNC and export.name in CALLED
    ]
    first = len(module.imported(ExternKind.GLOBAL))
    more += [
        Export(f"{GLOBAL}{number}", ExternKind.GLOBAL, number)
        for number, one in enumerate(module.globals, first)
        if one.type.mutable
    ]
    changed = classes.evolve(module, imports=tuple(map(_import, module.imports)), exports=(*module.exports, *more))
    try:
        return wasmtime.Module(engine(), _rewritten(encode(changed), tool))
    except wasmtime.WasmtimeError as error:
        raise NotApplicable(f"the engine refuses the module: {_reason(str(error))}") from None


def _rewritten(data: bytes, tool: tuple[str, ...]) -> bytes:
    """A module after the passes of wasm-opt."""
    if not tool or b"asyncify_start_unwind" in data:
        return data
    with tempfile.TemporaryDirectory(prefix="lindref-") as place:
        before, after = Path(place, "before.wasm"), Path(place, "after.wasm")
        before.write_bytes(data)
        for passes in PASSES:
            words = [*tool, str(before), *FEATURES, *passes, "-o", str(after)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            if done.returncode or not after.is_file():
                raise NotApplicable(f"wasm-opt refuses the module: {_reason(done.stderr)}")
            after.replace(before)
        return before.read_bytes()


def _reason(text: str) -> str:
    """The line of the engine's message that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("0: ")[:200] if lines else "no reason given"

"""A guest's module as the engine takes it: the memory is the engine's own, and what the runtime calls is exported."""

from __future__ import annotations

from functools import cache
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

#: Prefix of the names under which the functions that wrappers wrap are exported (LOAD-3).
INNER = "lindref inner "


def _import(one: Import) -> Import:
    """The memory as one that belongs to one thread: the engine's interface cannot hand over a shared one."""
    if not isinstance(one.desc, MemoryType):
        return one
    return classes.evolve(one, desc=MemoryType(Limits(one.desc.limits.minimum, MAX_SIZE), shared=False))


@cache
def compiled(image: Image) -> Any:
    """The engine's module of an image. Raises ``NotApplicable`` for one that it does not take."""
    import wasmtime

    module = image.program.module
    more = [
        Export(INNER + export.name, ExternKind.FUNC, wrapped(image.program, export.index))
        for export in module.exports
        if export.kind is ExternKind.FUNC and export.name in CALLED
    ]
    changed = classes.evolve(module, imports=tuple(map(_import, module.imports)), exports=(*module.exports, *more))
    try:
        return wasmtime.Module(engine(), encode(changed))
    except wasmtime.WasmtimeError as error:
        raise NotApplicable(f"the engine refuses the module: {_reason(str(error))}") from None


def _reason(text: str) -> str:
    """The line of the engine's message that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("0: ")[:200] if lines else "no reason given"

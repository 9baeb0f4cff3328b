"""The names of a grate's functions: what a handler, a number on the wire, is called in the grate's source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lindref.system.wasm_runner import WasmRunner
from lindref.vm.values import FuncInst

if TYPE_CHECKING:
    from lindref.system.system import System


def function_name(system: System, cage: int, address: int) -> str:
    """The name of the function at table index ``address`` of ``cage``'s program, "" where there is none."""
    grate = system.python.get(cage)
    if grate is not None:
        from lindref.system.python.grate import method_of

        method = method_of(type(grate), address)
        return f"{type(grate).__name__}.{method}" if method else ""
    thread = system.main_thread(cage)
    runner = thread.runner if thread is not None else None
    if not isinstance(runner, WasmRunner) or runner.view is None or not runner.view.tables:
        return ""
    elements = runner.view.tables[0].elements
    found = elements[address] if 0 <= address < len(elements) else None
    if not isinstance(found, FuncInst):
        return ""
    return runner.store.views[found.instance].instance.program.func_name(found.index)

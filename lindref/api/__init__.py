"""Plain WebAssembly from Python: modules, instances, and what they import and export.

    >>> add = Module.from_text('(module (func (export "add") (param i32 i32) (result i32) '
    ...                        '(i32.add (local.get 0) (local.get 1))))')
    >>> instantiate(add).exports["add"](2, -3)
    -1

Integers go in signed or unsigned and come out signed; floats are Python floats; a null reference is ``None``; an
external reference is any Python object; a function reference is a ``Function``.
"""

from __future__ import annotations

from lindref.api.errors import Exhaustion, LinkError, Trap, WasmException
from lindref.api.function import Function
from lindref.api.instance import Importable, Instance, instantiate
from lindref.api.items import Global, Memory, Table
from lindref.api.module import Module
from lindref.vm.engines import ENGINES

__all__ = [
    "ENGINES",
    "Exhaustion",
    "Function",
    "Global",
    "Importable",
    "Instance",
    "LinkError",
    "Memory",
    "Module",
    "Table",
    "Trap",
    "WasmException",
    "instantiate",
]

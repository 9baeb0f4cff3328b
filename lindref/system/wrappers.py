"""Command wrappers: the linker exports the functions of a static program through wrappers that run the constructors
first, and the destructors after (LOAD-3)."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from lindref.vm.program import Program
from lindref.wasm.module import ExternKind, Instr
from lindref.wasm.types import FuncType

#: What the linker calls a wrapper.
SUFFIX = ".command_export"

ENTRY = "_start"

_NOTHING = FuncType()

_KNOWN: WeakKeyDictionary[Program, dict[int, int]] = WeakKeyDictionary()


def wrapped(program: Program, index: int) -> int:
    """The function that function ``index`` wraps; ``index`` itself if it is no wrapper."""
    known = _KNOWN.get(program)
    if known is None:
        known = _KNOWN[program] = _find(program)
    return known.get(index, index)


def _find(program: Program) -> dict[int, int]:
    """The wrappers among the exported functions but the entry, each with what it wraps: by their names, or else by
    their bodies where they call first what the entry's wrapper does."""
    exported = {e.name: e.index for e in program.module.exports if e.kind is ExternKind.FUNC}
    by_name = {name: index for index, name in program.names.funcs.items()}
    entry = _shape(program, exported[ENTRY]) if ENTRY in exported else None
    found = {}
    for name, index in exported.items():
        if name == ENTRY or index < program.n_imported:
            continue
        if program.func_name(index) == name + SUFFIX and name in by_name:
            found[index] = by_name[name]
            continue
        shape = _shape(program, index)
        if shape is not None and entry is not None and shape[0] == entry[0]:
            found[index] = shape[1]
    return found


def _shape(program: Program, index: int) -> tuple[int, int] | None:
    """The constructors and the function that a wrapper calls: a body that does nothing but call something without
    parameters, a function of its own type with its own parameters, and perhaps something without parameters again."""
    if index < program.n_imported:
        return None
    functype = program.body(index).type
    body = program.module.codes[index - program.n_imported].body
    count = len(functype.params)
    calls = [instr for instr in body if instr.op.name == "call"]
    if len(calls) not in (2, 3) or len(body) != count + len(calls) + 1:
        return None
    middle = body[1 : 1 + count]
    passes = all(i.op.name == "local.get" and i.args == (n,) for n, i in enumerate(middle))
    first, inner, *last = calls
    if body[0] is not first or not passes or body[1 + count] is not inner:
        return None
    plain = all(_type(program, call) == _NOTHING for call in (first, *last))
    if not plain or _type(program, inner) != functype:
        return None
    return _callee(first), _callee(inner)


def _callee(call: Instr) -> int:
    (index,) = call.args
    assert isinstance(index, int)
    return index


def _type(program: Program, call: Instr) -> FuncType | None:
    """The type of a called function that the module defines."""
    index = _callee(call)
    return program.body(index).type if index >= program.n_imported else None

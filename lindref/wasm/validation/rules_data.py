"""Typing rules of parametric, variable, reference and table instructions (spec §3.4.1, §3.4.4 to §3.4.7, §3.4.10)."""

from __future__ import annotations

from collections.abc import Callable

from lindref.wasm.errors import Invalid
from lindref.wasm.types import GlobalType, HeapType, NumType, RefType, TableType, ValType
from lindref.wasm.typing import closed, closed_heap, matches_ref
from lindref.wasm.validation.rules_control import non_null
from lindref.wasm.validation.stack import Bottom, State, mismatch

_I32 = NumType.I32


# Parametric


def drop(s: State) -> None:
    """``drop``."""
    s.pop_any()


def select(s: State) -> None:
    """``select`` without a type: two numbers of the same type."""
    s.pop(_I32)
    second, first = s.pop_any(), s.pop_any()
    for operand in (first, second):
        if not isinstance(operand, NumType) and operand is not Bottom.VALUE:
            raise Invalid(f"type mismatch: instruction requires a number but stack has [{operand}]")
    if first is Bottom.VALUE:
        s.vals.append(second)
    elif second is first or second is Bottom.VALUE:
        s.vals.append(first)
    else:
        raise mismatch([first, first], [first, second])


def select_t(s: State, types: tuple[ValType, ...]) -> None:
    """``select`` with its type."""
    if len(types) != 1:
        raise Invalid("invalid result arity")
    valtype = closed(s.context.types, types[0])
    s.pop(_I32)
    s.pop(valtype)
    s.pop(valtype)
    s.vals.append(valtype)


# Variables


def local_get(s: State, index: int) -> None:
    """``local.get``."""
    s.vals.append(s.readable.get(index) or s.read(index))


def local_set(s: State, index: int) -> None:
    """``local.set``."""
    s.write(index)


def local_tee(s: State, index: int) -> None:
    """``local.tee``."""
    s.write(index)
    s.vals.append(s.readable[index])


def global_type(s: State, index: int) -> GlobalType:
    """The type of a global that may be named here; ``Invalid`` ("unknown global") if there is none."""
    if not 0 <= index < s.visible_globals:
        raise Invalid(f"unknown global {index}")
    return s.context.globals[index]


def global_get(s: State, index: int) -> None:
    """``global.get``."""
    s.vals.append(global_type(s, index).value)


def global_get_constant(s: State, index: int) -> None:
    """``global.get`` in a constant expression."""
    found = global_type(s, index)
    if found.mutable:
        raise Invalid(f"constant expression required: global {index} is mutable")
    s.vals.append(found.value)


def global_set(s: State, index: int) -> None:
    """``global.set``."""
    found = global_type(s, index)
    if not found.mutable:
        raise Invalid(f"immutable global {index}")
    s.pop(found.value)


# References


def ref_null(s: State, heap: HeapType) -> None:
    """``ref.null``."""
    s.vals.append(RefType(True, closed_heap(s.context.types, heap)))


def ref_is_null(s: State) -> None:
    """``ref.is_null``."""
    s.pop_ref()
    s.vals.append(_I32)


def ref_func(s: State, index: int) -> None:
    """``ref.func``: the function must be named outside of bodies too."""
    context = s.context
    if not 0 <= index < len(context.funcs):
        raise Invalid(f"unknown function {index}")
    if index not in context.declared:
        raise Invalid(f"undeclared function reference {index}")
    s.vals.append(RefType(False, context.types[context.funcs[index]]))


def ref_as_non_null(s: State) -> None:
    """``ref.as_non_null``."""
    s.vals.append(non_null(s.pop_ref()))


# Tables


def table_type(s: State, index: int) -> TableType:
    """The type of a table; ``Invalid`` ("unknown table") out of range."""
    tables = s.context.tables
    if not 0 <= index < len(tables):
        raise Invalid(f"unknown table {index}")
    return tables[index]


def elem_type(s: State, index: int) -> RefType:
    """The type of an element segment; ``Invalid`` ("unknown elem segment") out of range."""
    segments = s.context.module.elems
    if not 0 <= index < len(segments):
        raise Invalid(f"unknown elem segment {index}")
    ref = segments[index].type
    return RefType(ref.nullable, closed_heap(s.context.types, ref.heap))


def _stored(sub: RefType, sup: RefType) -> None:
    """Elements of one type are put where another is kept."""
    if not matches_ref(sub, sup):
        raise Invalid(f"type mismatch: table requires {sup} but elements are {sub}")


def table_get(s: State, table: int) -> None:
    """``table.get``."""
    found = table_type(s, table)
    s.pop(_I32)
    s.vals.append(found.ref)


def table_set(s: State, table: int) -> None:
    """``table.set``."""
    s.pop_list([_I32, table_type(s, table).ref])


def table_size(s: State, table: int) -> None:
    """``table.size``."""
    table_type(s, table)
    s.vals.append(_I32)


def table_grow(s: State, table: int) -> None:
    """``table.grow``."""
    s.pop_list([table_type(s, table).ref, _I32])
    s.vals.append(_I32)


def table_fill(s: State, table: int) -> None:
    """``table.fill``."""
    s.pop_list([_I32, table_type(s, table).ref, _I32])


def table_copy(s: State, target: int, source: int) -> None:
    """``table.copy``."""
    to, of = table_type(s, target), table_type(s, source)
    _stored(of.ref, to.ref)
    s.pop_list([_I32, _I32, _I32])


def table_init(s: State, segment: int, table: int) -> None:
    """``table.init``."""
    to = table_type(s, table)
    _stored(elem_type(s, segment), to.ref)
    s.pop_list([_I32, _I32, _I32])


def elem_drop(s: State, segment: int) -> None:
    """``elem.drop``."""
    elem_type(s, segment)


RULES: dict[str, Callable[..., None]] = {
    "drop": drop,
    "select": select,
    "local.get": local_get,
    "local.set": local_set,
    "local.tee": local_tee,
    "global.get": global_get,
    "global.set": global_set,
    "ref.null": ref_null,
    "ref.is_null": ref_is_null,
    "ref.func": ref_func,
    "ref.as_non_null": ref_as_non_null,
    "table.get": table_get,
    "table.set": table_set,
    "table.size": table_size,
    "table.grow": table_grow,
    "table.fill": table_fill,
    "table.copy": table_copy,
    "table.init": table_init,
    "elem.drop": elem_drop,
}

"""Linking and instantiation (spec §4.5.3, §4.5.4)."""

from __future__ import annotations

from collections.abc import Mapping

from lindref.vm.instance import Instance
from lindref.vm.memory import Memory
from lindref.vm.numeric.floats import f32_from_bits, f64_from_bits
from lindref.vm.numeric.table import OPERATIONS
from lindref.vm.program import Program, program
from lindref.vm.store import Store, View
from lindref.vm.table import MAX_ELEMENTS
from lindref.vm.values import (
    Extern,
    FuncInst,
    GlobalAddr,
    HostFunc,
    MemoryAddr,
    TableAddr,
    TagInst,
    Value,
)
from lindref.wasm import typing as wasm_typing
from lindref.wasm.errors import Exhausted, WasmError
from lindref.wasm.module import Expr, ExternKind, Import, Module, SegmentMode

#: What a module's imports are: ``(module, name)`` → item of the store, or a host function.
Imports = Mapping[tuple[str, str], Extern]


class LinkError(WasmError):
    """A module's import is missing ("unknown import") or of another type ("incompatible import type")."""


def instantiate(
    store: Store, module: Module, imports: Imports, *, eager: bool = False, any_memory: bool = False
) -> Instance:
    """A new instance in the store; its start function is for the caller to run (``Instance.start``).

    With ``any_memory`` an imported memory matches whatever limits the module declares: a host whose address spaces
    all have one size says so.

    Raises ``Invalid`` or ``Malformed`` (with ``eager`` also for bodies, otherwise those are found out when called),
    ``LinkError``, ``Exhausted``, and ``Trap`` for an active segment out of bounds; what segments before it wrote
    stays written.
    """
    ready = program(module, eager=eager)
    found: dict[ExternKind, list[Extern]] = {kind: [] for kind in ExternKind}
    for item in module.imports:
        given = _given(item, imports)
        exempt = any_memory and item.kind is ExternKind.MEMORY and isinstance(given, MemoryAddr)
        if not exempt and not _fits(store, ready, item.kind, len(found[item.kind]), given):
            raise LinkError("incompatible import type", f"{item.module}.{item.name}")
        found[item.kind].append(given)
    elements = sum(table.type.limits.minimum for table in module.tables)
    if elements > store.table_room():
        raise Exhausted(f"tables of {elements} elements, at most {MAX_ELEMENTS} are allowed in a store")
    instance = Instance(
        number=len(store.views),
        program=ready,
        imports=tuple(f for f in found[ExternKind.FUNC] if isinstance(f, FuncInst | HostFunc)),
        tables=_numbers(found[ExternKind.TABLE], len(store.tables), len(module.tables)),
        memories=_numbers(found[ExternKind.MEMORY], len(store.memories), len(module.memories)),
        globals=_numbers(found[ExternKind.GLOBAL], len(store.globals), len(module.globals)),
        tags=tuple(t for t in found[ExternKind.TAG] if isinstance(t, TagInst))
        + tuple(TagInst(len(store.tags) + i) for i in range(len(module.tags))),
    )
    view = _allocate(store, instance)
    _fill(store, view)
    return instance


def _numbers(imported: list[Extern], first: int, defined: int) -> tuple[int, ...]:
    """An index space: the imports' numbers, then those that the module's own items will get."""
    numbers = [a.number for a in imported if isinstance(a, TableAddr | MemoryAddr | GlobalAddr)]
    return (*numbers, *range(first, first + defined))


def _given(item: Import, imports: Imports) -> Extern:
    """What is given for an import."""
    given = imports.get((item.module, item.name))
    if given is None:
        raise LinkError("unknown import", f"{item.module}.{item.name}")
    return given


def _fits(store: Store, ready: Program, kind: ExternKind, index: int, given: Extern) -> bool:
    """Whether what is given matches the type of import ``index`` of a kind (§3.5.9)."""
    context = ready.context
    match kind, given:
        case ExternKind.FUNC, FuncInst() | HostFunc():
            return wasm_typing.matches_heap(store.type_of(given), ready.func_types[index])
        case ExternKind.TABLE, TableAddr(number):
            return wasm_typing.matches_table(store.tables[number].type, context.tables[index])
        case ExternKind.MEMORY, MemoryAddr(number):
            return wasm_typing.matches_memory(store.memories[number].type, context.memories[index])
        case ExternKind.GLOBAL, GlobalAddr(number):
            return wasm_typing.matches_global(store.globals[number].type, context.globals[index])
        case ExternKind.TAG, TagInst(number):
            return store.tags[number] is ready.tag_types[index]
        case _:
            return False


def _allocate(store: Store, instance: Instance) -> View:
    """Makes the module's own items, in the order in which initialisers may refer to them."""
    ready, module, context = instance.program, instance.program.module, instance.program.context
    for deftype in ready.tag_types[len(instance.tags) - len(module.tags) :]:
        store.add_tag(deftype)
    for memory in module.memories:
        store.add_memory(Memory.of(memory, store.budget))
    own_globals = context.globals[len(context.globals) - len(module.globals) :]
    for globaltype, item in zip(own_globals, module.globals, strict=True):
        store.add_global(globaltype, evaluate(store, instance, item.init))
    own_tables = context.tables[len(context.tables) - len(module.tables) :]
    for tabletype, table in zip(own_tables, module.tables, strict=True):
        init = None if table.init is None else evaluate(store, instance, table.init)
        store.add_table(tabletype, init)
    view = View(instance, store)
    view.elems = [tuple(evaluate(store, instance, init) for init in elem.init) for elem in module.elems]
    view.datas = [data.init for data in module.datas]
    store.views.append(view)
    return view


def _fill(store: Store, view: View) -> None:
    """Writes and drops the active segments, elements first."""
    instance, module = view.instance, view.instance.program.module
    for i, elem in enumerate(module.elems):
        if elem.mode is SegmentMode.ACTIVE:
            view.tables[elem.table].write(evaluate(store, instance, elem.offset), view.elems[i])
        if elem.mode is not SegmentMode.PASSIVE:
            view.elems[i] = ()
    for i, data in enumerate(module.datas):
        if data.mode is SegmentMode.ACTIVE:
            view.memories[data.memory].init(evaluate(store, instance, data.offset), data.init)
            view.datas[i] = b""


def evaluate(store: Store, instance: Instance, expr: Expr) -> Value:
    """The value of a constant expression (§3.4.11)."""
    stack: list[Value] = []
    for op, args, _offset in expr:
        match op.name, args:
            case "i32.const" | "i64.const", (value,):
                stack.append(value)
            case "f32.const", (int() as bits,):
                stack.append(f32_from_bits(bits))
            case "f64.const", (int() as bits,):
                stack.append(f64_from_bits(bits))
            case "ref.null", _:
                stack.append(None)
            case "ref.func", (int() as index,):
                stack.append(instance.func(index))
            case "global.get", (int() as index,):
                stack.append(store.globals[instance.globals[index]].value)
            case "end", _:
                break
            case name, _:
                b = stack.pop()
                stack[-1] = OPERATIONS[name](stack[-1], b)
    return stack[-1]

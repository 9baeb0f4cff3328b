"""A module with more exports, through which everything goes in and out as the bits of integers.

What is exported as ``f0`` can be called as ``bits f0``: floats are reinterpreted, a reference that goes in is null, of
one that comes out it is told whether it is one. ``bits g0`` gives the value of a global, ``bits t0`` the size of a
table. So no engine's way to hand over a NaN, or a reference, is in the way of comparing results bit by bit.
"""

from __future__ import annotations

from lindref import classes
from lindref.wasm.instructions import BY_NAME
from lindref.wasm.module import Code, Export, ExternKind, Instr, Module
from lindref.wasm.types import FuncType, NumType, RecGroup, RefType, SubType, ValType

#: Prefix of the names of what is added.
BITS = "bits "

_AS = {NumType.I32: NumType.I32, NumType.I64: NumType.I64, NumType.F32: NumType.I32, NumType.F64: NumType.I64}
_IN = {NumType.F32: "f32.reinterpret_i32", NumType.F64: "f64.reinterpret_i64"}
_OUT = {NumType.F32: "i32.reinterpret_f32", NumType.F64: "i64.reinterpret_f64"}


def _i(name: str, *args: object) -> Instr:
    return Instr(BY_NAME[name], args)


def _number(kind: ValType) -> NumType:
    """The integer type whose bits stand for a value."""
    return _AS[kind] if isinstance(kind, NumType) else NumType.I32


def callable_with_bits(functype: FuncType) -> bool:
    """Whether a function can be called so: it wants no reference that cannot be null."""
    return all(not isinstance(kind, RefType) or kind.nullable for kind in functype.params)


def with_bits(module: Module) -> tuple[Module, dict[str, FuncType]]:
    """A module that imports nothing with these exports, and their types by name: functions, globals, tables."""
    assert not module.imports, "indices are those of what it defines"
    made = _Maker(module)
    for export in module.exports:
        if export.kind is ExternKind.FUNC:
            made.function(export)
    for export in module.exports:
        if export.kind is ExternKind.GLOBAL:
            made.value(export, module.globals[export.index].type.value, _i("global.get", export.index))
    for export in module.exports:
        if export.kind is ExternKind.TABLE:
            made.value(export, NumType.I32, _i("table.size", export.index))
    return made.module(), made.types


class _Maker:
    """Functions to be added to a module."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._first = len(module.funcs)
        self.types: dict[str, FuncType] = {}
        self._codes: list[Code] = []

    def module(self) -> Module:
        """The module with what was added."""
        module = self._module
        first_type = len(module.types)
        groups = tuple(RecGroup((SubType(functype),)) for functype in self.types.values())
        exports = [Export(name, ExternKind.FUNC, self._first + i) for i, name in enumerate(self.types)]
        return classes.evolve(
            module,
            rec_groups=(*module.rec_groups, *groups),
            funcs=(*module.funcs, *range(first_type, first_type + len(groups))),
            exports=(*module.exports, *exports),
            codes=(*module.codes, *self._codes),
        )

    def _add(self, export: Export, functype: FuncType, locals_: tuple[ValType, ...], body: list[Instr]) -> None:
        self.types[BITS + export.name] = functype
        runs = tuple((1, kind) for kind in locals_)
        self._codes.append(Code(runs, body=(*body, _i("end"))))

    def function(self, export: Export) -> None:
        """A function that calls another."""
        inner = self._module.func_type(self._module.funcs[export.index])
        if not callable_with_bits(inner):
            return
        params, results = tuple(map(_number, inner.params)), tuple(map(_number, inner.results))
        body: list[Instr] = []
        for place, kind in enumerate(inner.params):
            if isinstance(kind, RefType):
                body.append(_i("ref.null", kind.heap))
                continue
            body.append(_i("local.get", place))
            if kind in _IN:
                body.append(_i(_IN[kind]))
        body.append(_i("call", export.index))
        for place, kind in reversed(list(enumerate(inner.results, len(params)))):
            body += [*self._bits(kind), _i("local.set", place)]
        body += [_i("local.get", place) for place in range(len(params), len(params) + len(results))]
        self._add(export, FuncType(params, results), results, body)

    def value(self, export: Export, kind: ValType, get: Instr) -> None:
        """A function that gives a value."""
        self._add(export, FuncType((), (_number(kind),)), (), [get, *self._bits(kind)])

    @staticmethod
    def _bits(kind: ValType) -> list[Instr]:
        if isinstance(kind, RefType):
            return [_i("ref.is_null"), _i("i32.eqz")]
        return [_i(_OUT[kind])] if kind in _OUT else []

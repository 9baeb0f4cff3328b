"""Instructions with rules of their own, as lines and expressions: control, variables, calls, memory as a whole.

A rule gets the translator and the instruction's immediates. One that deals with the instruction behind it too says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lindref.vm.compiled import exceptions, memory_access
from lindref.vm.compiled.nodes import If, Leave, Line, Site, Switch
from lindref.vm.compiled.operand import M32, M64, Operand, int_of, integer, plain_of, test_of
from lindref.vm.compiled.translate import SHARED, Translator
from lindref.wasm.types import NumType


def _nop(_t: Translator) -> None:
    pass


def _drop(t: Translator) -> None:
    if t.stack[-1].place is not None:
        t.spill(len(t.stack) - 1)
    t.stack.pop()


def _unreachable(t: Translator) -> None:
    t.settle()
    t.out.append(Leave("raise BAIL", Site(t.state())))


def _return(t: Translator) -> None:
    t.return_()


def _br(t: Translator, depth: int) -> None:
    label = t.target(depth)
    t.settle(keep=label.arity)
    t.out += t.jump(label)


def _br_if(t: Translator, depth: int) -> None:
    t.settle(keep=1)
    (condition,) = t.pop(1)
    site = Site(t.state(condition))
    t.out.append(If(condition.test, condition.untest, site, t.jump(t.target(depth))))


def _br_table(t: Translator, depths: tuple[int, ...]) -> None:
    t.settle(keep=1)
    (index,) = t.pop(1)
    site = Site(t.state(index))
    numbers = {depth: n for n, depth in enumerate(dict.fromkeys(depths))}
    targets = [t.jump(t.target(depth)) for depth in numbers]
    t.out.append(Switch(index.value, site, targets, [numbers[depth] for depth in depths]))


def _br_on(t: Translator, depth: int, *, null: bool) -> None:
    t.settle()
    reference = t.stack[-1]
    if not reference.literal:
        t.spill(len(t.stack) - 1)
    site = Site(t.state())
    is_null, is_there = f"{reference.inner} is None", f"{reference.inner} is not None"
    if null:
        t.stack.pop()
        t.out.append(If(is_null, is_there, site, t.jump(t.target(depth))))
        t.stack.append(reference)
    else:
        t.out.append(If(is_there, is_null, site, t.jump(t.target(depth))))
        t.stack.pop()


def _local_get(t: Translator, index: int) -> None:
    if index >= t.body.n_params and index not in t.assigned:
        t.preset.add(index)
    t.push(t.typed(f"v{index}", t.types[index]))


def _assign_local(t: Translator, index: int) -> Operand:
    name = f"v{index}"
    t.settle(name, keep=1)
    (operand,) = t.pop(1)
    t.note_assigned(index)
    if operand.text != name:
        t.assign(name, operand, t.state(operand))
    operand.become(name)
    return operand


def _local_set(t: Translator, index: int) -> None:
    _assign_local(t, index)


def _local_tee(t: Translator, index: int) -> None:
    t.push(_assign_local(t, index))


def _global_get(t: Translator, index: int) -> None:
    kind = t.program.context.globals[index]
    t.push(t.typed(f"g{index}.value", kind.value, *((f"g{index}", SHARED) if kind.mutable else ())))


def _global_set(t: Translator, index: int) -> None:
    t.settle(f"g{index}", keep=1)
    (operand,) = t.pop(1)
    t.assign(f"g{index}.value", operand, t.state(operand))


def _const(mask: int) -> Callable[[Translator, int], None]:
    def rule(t: Translator, value: int) -> None:
        t.push(integer(value, mask))

    return rule


def _float_const(width: int) -> Callable[[Translator, int], None]:
    def rule(t: Translator, bits: int) -> None:
        t.push(memory_access.float_constant(bits, width))

    return rule


def _ref_null(t: Translator, _heap: object) -> None:
    t.push(Operand("None", atom=True))


def _ref_is_null(t: Translator) -> None:
    (a,) = t.pop(1)
    t.push(test_of(f"{a.inner} is None", f"{a.inner} is not None", a))


def _select(t: Translator, _types: object = ()) -> None:
    if t.stack[-3].place is not None or t.stack[-2].place is not None:
        t.settle()
    a, b, c = t.pop(3)
    text = f"{a.part} if {c.test} else {b.part}"
    if a.mask or b.mask:
        high = max(o.high if o.canonical or o.form == Operand.CONDITION else o.mask for o in (a, b))
        made = int_of(text, max(a.mask, b.mask), 0, high, a, b, c)
    else:
        made = plain_of(text, a, b, c)
    t.push(made)


def _results(t: Translator, text: str, consumed: list[Operand], results: Any) -> bool:
    """The line of a call, whose results go to variables; whether the instruction after it is dealt with too."""
    site = Site(t.state(*consumed), (t.starts[t.at + 1], t.texts(t.stack)))
    following = t.instrs[t.at + 1]
    if len(results) == 1 and following.op.name == "local.set":
        index = following.args[0]
        assert isinstance(index, int)
        if not any(f"v{index}" in o.names for o in t.stack):
            t.note_assigned(index)
            t.out.append(Line(f"v{index} = {text}", site))
            return True
    names = [t.temp() for _ in results]
    t.out.append(Line(", ".join(names) + " = " * bool(names) + text, site))
    for name, kind in zip(names, results, strict=True):
        t.push(t.typed(name, kind))
    return False


def _call(t: Translator, index: int) -> bool:
    functype = t.module.func_type(t.signatures[index])
    t.settle(SHARED, keep=len(functype.params))
    consumed = t.pop(len(functype.params))
    args = ", ".join(o.value for o in consumed)
    return _results(t, f"f{index}({args})", consumed, functype.results)


def _call_indirect(t: Translator, type_index: int, table: int) -> bool:
    functype = t.module.func_type(type_index)
    t.settle(SHARED, keep=len(functype.params) + 1)
    *args, index = consumed = t.pop(len(functype.params) + 1)
    text = f"i{table}_{type_index}[{index.value}]({', '.join(o.value for o in args)})"
    return _results(t, text, consumed, functype.results)


def _call_ref(t: Translator, type_index: int) -> bool:
    functype = t.module.func_type(type_index)
    t.settle(SHARED, keep=len(functype.params) + 1)
    *args, func = consumed = t.pop(len(functype.params) + 1)
    return _results(t, f"callee({func.value})({', '.join(o.value for o in args)})", consumed, functype.results)


def _tail(t: Translator, functype: Any, also: int, callee: Callable[..., str]) -> None:
    """A tail call: what is to be called is returned, see ``space.trampoline``. ``callee`` names it, from the ``also``
    operands that lie on the arguments."""
    t.settle(keep=len(functype.params) + also)
    consumed = t.pop(len(functype.params) + also)
    args, of = consumed[: len(functype.params)], consumed[len(functype.params) :]
    text = ", ".join([callee(*of), *(o.value for o in args)])
    t.out.append(Leave(f"return tail({text})", Site(t.state(*consumed))))


def _return_call(t: Translator, index: int) -> None:
    _tail(t, t.module.func_type(t.signatures[index]), 0, lambda: f"f{index}")


def _return_call_indirect(t: Translator, type_index: int, table: int) -> None:
    _tail(t, t.module.func_type(type_index), 1, lambda i: f"i{table}_{type_index}[{i.value}]")


def _return_call_ref(t: Translator, type_index: int) -> None:
    _tail(t, t.module.func_type(type_index), 1, lambda f: f"callee({f.value})")


def _memory_size(t: Translator, index: int) -> None:
    text = f"m{index}.size"
    t.push(Operand(text, frozenset((text, SHARED)), form=Operand.INT, atom=True, high=65536, mask=M32))


def _effect(template: str, count: int) -> Callable[..., None]:
    """An instruction that is one line."""

    def rule(t: Translator, *args: int) -> None:
        t.settle(SHARED, keep=count)
        consumed = t.pop(count)
        text = template.format(*(o.part for o in consumed), i=args[0], j=args[-1])
        t.out.append(Line(text, Site(t.state(*consumed))))

    return rule


def _memory_grow(t: Translator, index: int) -> None:
    t.settle(SHARED, keep=1)
    consumed = t.pop(1)
    name = t.temp()
    t.out.append(Line(f"{name} = w{index}({consumed[0].value}) & 0xffffffff", Site(t.state(*consumed))))
    t.push(t.typed(name, NumType.I32))


#: Instructions that are more than one operand made of others, by name.
RULES: dict[str, Callable[..., Any]] = {
    "nop": _nop,
    "atomic.fence": lambda _t, *_: None,
    "drop": _drop,
    "unreachable": _unreachable,
    "return": _return,
    "br": _br,
    "br_if": _br_if,
    "br_table": _br_table,
    "br_on_null": lambda t, depth: _br_on(t, depth, null=True),
    "br_on_non_null": lambda t, depth: _br_on(t, depth, null=False),
    "local.get": _local_get,
    "local.set": _local_set,
    "local.tee": _local_tee,
    "global.get": _global_get,
    "global.set": _global_set,
    "i32.const": _const(M32),
    "i64.const": _const(M64),
    "f32.const": _float_const(4),
    "f64.const": _float_const(8),
    "ref.null": _ref_null,
    "ref.is_null": _ref_is_null,
    "select": _select,
    "call": _call,
    "call_indirect": _call_indirect,
    "call_ref": _call_ref,
    "return_call": _return_call,
    "return_call_indirect": _return_call_indirect,
    "return_call_ref": _return_call_ref,
    **exceptions.RULES,
    "memory.size": _memory_size,
    "memory.grow": _memory_grow,
    "memory.fill": _effect("z{i}({0}, {1} & 255, {2})", 3),
    "memory.copy": _effect("c{i}({0}, {1}, {2}, m{j})", 3),
}

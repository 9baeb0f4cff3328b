"""From a validated body to a tree of Python lines: the operand stack becomes expressions.

An operand stays an expression until something would change it. What has an effect first puts those operands in
variables (*spills* them) that it would change, and all whose evaluation may fail, so that failures come in order. Each
line remembers where the reference machine has to go on if the line fails: at the first instruction whose evaluation may
fail, with the operands that lay there.

Variables: ``v3`` local 3; ``t5`` a spilled operand, assigned in one place; ``s2`` the operand at height 2 where
control flow meets; ``x`` and ``y`` within one expression; ``g1`` the cell of global 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.vm.compiled import arithmetic, memory_access
from lindref.vm.compiled.nodes import Block, Branch, If, Label, Leave, Line, Loop, Node, Site, State, Switch
from lindref.vm.compiled.operand import M32, M64, MAX_NESTING, Operand, int_of, integer, plain_of, test_of
from lindref.vm.numeric.table import OPERATIONS
from lindref.vm.prepare import layout
from lindref.wasm.instructions import MemArg
from lindref.wasm.module import ExternKind
from lindref.wasm.types import BlockType, NumType

if TYPE_CHECKING:
    from lindref.vm.program import Body

_MASKS = {NumType.I32: M32, NumType.I64: M64}

#: Names that an effect on something other than a local changes.
SHARED = "shared"


@classes.define(eq=False)
class Open:
    """A block that is open: its node (``None``: it stands where control never comes), what it leaves, and the operands
    and the list of nodes around it."""

    label: Label
    node: Block | Loop | If | None
    results: Any
    stack: list[Operand]
    outer: list[Node]
    caught: bool = False
    """Whether this is behind a ``catch``, which is never run by compiled code."""


OPENERS = frozenset({"block", "loop", "if", "try", "try_table"})
STRUCTURE = OPENERS | {"else", "end", "catch", "catch_all", "delegate"}


class Translator:
    """One body on its way to a tree."""

    def __init__(self, body: Body) -> None:
        assert body.program is not None
        assert body.facts is not None
        self.body = body
        self.program = body.program
        self.module = body.program.module
        self.facts = body.facts
        code = self.module.codes[body.code_index]
        self.instrs = code.body
        self.starts = layout(self.instrs, self.facts)
        self.types: list[Any] = [*body.type.params, *code.local_types()]
        imported = [item.desc for item in self.module.imported(ExternKind.FUNC)]
        self.signatures: list[Any] = [*imported, *self.module.funcs]
        self.stack: list[Operand] = []
        self.out: list[Node] = []
        self.temps = 0
        self.at = 0
        self.blocks: list[Open] = []
        self.labels = 0
        self.assigned: set[int] = set()  # locals that have been assigned on every way here
        self.preset: set[int] = set()  # locals that may be read before they are assigned
        self.function = Label(0, loop=False, height=0, arity=body.n_results)

    # Operands.

    def push(self, operand: Operand) -> None:
        """An operand more; an expression nested too deep goes to a variable."""
        self.stack.append(operand)
        if operand.nesting > MAX_NESTING:
            self.spill(len(self.stack) - 1, self.starts[self.at + 1])

    def pop(self, count: int) -> list[Operand]:
        """Takes operands, in the order in which they were pushed."""
        at = len(self.stack) - count
        taken = self.stack[at:]
        del self.stack[at:]
        return taken

    @staticmethod
    def texts(operands: Iterable[Operand]) -> str:
        """A tuple of values."""
        return "(" + "".join(f"{o.value if o.atom else o.part}, " for o in operands) + ")"

    def state(self, *consumed: Operand) -> State:
        """Where to go on if the evaluation of ``consumed``, which were just taken, fails."""
        for o in consumed:
            if o.place is not None:
                return o.place[0], self.texts(o.place[1])
        return self.starts[self.at], self.texts((*self.stack, *consumed))

    def failing(self, operand: Operand, *parts: Operand) -> Operand:
        """Notes that the evaluation of an operand, made of ``parts`` by this instruction, may fail."""
        if operand.place is None:
            operand.place = (self.starts[self.at], (*self.stack, *parts))
        return operand

    def temp(self) -> str:
        """A new variable."""
        self.temps += 1
        return f"t{self.temps}"

    def spill(self, i: int, pc: int | None = None) -> None:
        """Puts the operand at ``i`` in a variable, and before it those beneath whose evaluation may fail.

        ``pc`` is where to go on with the stack as it is (the present instruction).
        """
        operand = self.stack[i]
        if operand.place is not None:
            for beneath in range(i):
                if self.stack[beneath].place is not None:
                    self.spill(beneath)
            state = self.state(operand)
        else:
            state = (self.starts[self.at] if pc is None else pc), self.texts(self.stack)
        name = self.temp()
        self.assign(name, operand, state)
        operand.become(name)

    def assign(self, name: str, operand: Operand, state: State) -> None:
        """``name = operand``."""
        if operand.form == Operand.NAN:
            self.out.append(Line(f"{name} = {operand.text}", Site(state)))
            self.out.append(Line(f"if {name} != {name}: {name} = NAN", Site(state)))
        else:
            self.out.append(Line(f"{name} = {operand.value}", Site(state)))

    def settle(self, name: str | None = None, keep: int = 0) -> None:
        """Before an effect: spills what may fail, and what reads ``name``; not the topmost ``keep`` operands."""
        for i in range(len(self.stack) - keep):
            operand = self.stack[i]
            if operand.place is not None or (name is not None and name in operand.names):
                self.spill(i)

    def settle_all(self, keep: int = 0) -> None:
        """Before a block: spills all but constants and what is in a variable of its own."""
        for i in range(len(self.stack) - keep):
            operand = self.stack[i]
            text = operand.text
            if not operand.literal and not (operand.atom and operand.canonical and own_variable(text, i)):
                self.spill(i)

    def typed(self, name: str, valtype: Any, *names: str) -> Operand:
        """A variable (or other atom) that holds a value of a type."""
        mask = _MASKS.get(valtype)
        read = frozenset((name, *names))
        if mask is None:
            return Operand(name, read, atom=True)
        return Operand(name, read, form=Operand.INT, atom=True, high=mask, mask=mask)

    # The body.

    def translate(self) -> list[Node]:
        """The tree."""
        last = len(self.instrs) - 1
        skip = False
        for i, (op, args, _offset) in enumerate(self.instrs):
            if skip:
                skip = False
                continue
            self.at = i
            name = op.name
            dead = self.facts.heights[i] < 0
            assert dead or len(self.stack) == self.facts.heights[i], (i, name)
            if name in STRUCTURE:
                if i == last:
                    if not dead:
                        self.return_()
                else:
                    self.structure(i, name, args, dead=dead)
            elif not dead:
                rule = RULES.get(name)
                if rule is not None:
                    skip = bool(rule(self, *args))
                elif name in OPERATIONS and op.sig is not None:
                    self.numeric(name, len(op.sig[0]))
                elif op.width and not op.atomic and isinstance(args[0], MemArg) and args[0].memory == 0:
                    self.access(name, args[0])
                else:
                    self.foreign()
        return self.out

    def numeric(self, name: str, count: int) -> None:
        """An instruction that makes one number of one or two."""
        operands = self.pop(count)
        made = arithmetic.apply(name, operands)
        if arithmetic.may_trap(name, operands):
            self.failing(made, *operands)
        self.push(made)

    def access(self, name: str, memarg: MemArg) -> None:
        """A load or store, memory 0."""
        if "load" in name:
            (address,) = self.pop(1)
            self.push(self.failing(memory_access.load(name, address, memarg.offset), address))
            return
        self.settle(SHARED, keep=2)
        address, value = self.pop(2)
        text = memory_access.store(name, address, memarg.offset, value)
        self.out.append(Line(text, Site(self.state(address, value))))

    def foreign(self) -> None:
        """What is left to the reference machine; compiled code may go on at a loop behind it."""
        self.settle()
        self.out.append(Leave("raise BAIL", Site(self.state())))
        height = self.facts.heights[self.at + 1]
        self.stack = [Operand(self.temp(), atom=True) for _ in range(height)]
        for operand in self.stack:
            operand.names = frozenset((operand.text,))

    # Blocks.

    def arities(self, block: BlockType) -> tuple[Any, Any]:
        """What a block takes and leaves."""
        if block.type_index is not None:
            functype = self.module.func_type(block.type_index)
            return functype.params, functype.results
        return (), () if block.result is None else (block.result,)

    def structure(self, i: int, name: str, args: tuple[Any, ...], *, dead: bool) -> None:
        """An instruction that opens, divides or closes a block."""
        if name in OPENERS:
            if dead:
                self.blocks.append(Open(Label(-1, loop=False, height=0, arity=0), None, (), [], self.out))
                self.out = []
            else:
                self.open(i, name, args[0])
        elif name in ("end", "delegate"):
            self.close(dead=dead)
        else:
            self.divide(name, dead=dead)

    def open(self, i: int, name: str, block: BlockType) -> None:
        """Enters a block."""
        params, results = self.arities(block)
        self.labels += 1
        self.settle_all(keep=1 if name == "if" else 0)
        condition = self.pop(1)[0] if name == "if" else None
        height = len(self.stack) - len(params)
        label = Label(self.labels, name == "loop", height, len(params if name == "loop" else results))
        node: Block | Loop | If
        if condition is not None:
            node = If(condition.test, condition.untest, Site(self.state(condition)), [])
        elif name == "loop":
            self.move(height, self.pop(len(params)))
            self.stack += [self.typed(f"s{height + k}", kind) for k, kind in enumerate(params)]
            pc = self.starts[i + 1]
            label.head = Site((pc, self.texts(self.stack)))
            node = Loop(label, [], pc, tuple(o.text for o in self.stack))
        else:
            node = Block(label, [])
        self.blocks.append(Open(label, node, results, list(self.stack), self.out))
        self.out = []

    def move(self, height: int, operands: list[Operand]) -> None:
        """Puts operands, just taken from the stack, in the variables of their heights."""
        pairs = [(f"s{height + k}", o) for k, o in enumerate(operands) if o.text != f"s{height + k}" or not o.canonical]
        if pairs:
            targets = ", ".join(name for name, _ in pairs)
            values = ", ".join(o.value if len(pairs) == 1 else o.part for _, o in pairs)
            self.out.append(Line(f"{targets} = {values}", Site(self.state(*operands))))

    def divide(self, name: str, *, dead: bool) -> None:
        """``else`` and ``catch``."""
        opened = self.blocks[-1]
        if opened.node is None:
            self.out = []
            return
        if not dead:
            self.move(opened.label.height, self.pop(len(opened.results)))
        self.arm_done(opened)
        self.stack = list(opened.stack)
        if name == "else":
            assert isinstance(opened.node, If)
            self.out = opened.node.other
        else:
            opened.caught = True
            self.out = []
            del self.stack[opened.label.height :]
            height = self.facts.heights[self.at + 1]
            while len(self.stack) < height:
                name = self.temp()
                self.stack.append(Operand(name, frozenset((name,)), atom=True))

    def arm_done(self, opened: Open) -> None:
        """The nodes of a part of a block go where they belong."""
        if opened.caught:
            return
        if not isinstance(opened.node, If):
            assert opened.node is not None
            opened.node.body = self.out
        elif self.out is not opened.node.other:
            opened.node.then = self.out

    def close(self, *, dead: bool) -> None:
        """The end of a block."""
        opened = self.blocks.pop()
        if opened.node is None:
            self.out = opened.outer
            return
        label = opened.label
        if not dead:
            self.move(label.height, self.pop(len(opened.results)))
        if isinstance(opened.node, If) and self.out is not opened.node.other:
            self.arm_done(opened)
            self.out = opened.node.other  # there is no else: what the block takes is what it leaves
            self.stack = list(opened.stack)
            self.move(label.height, self.pop(len(opened.results)))
        else:
            self.arm_done(opened)
        self.out = opened.outer
        self.out.append(Block(label, [opened.node]) if isinstance(opened.node, If) else opened.node)
        self.stack = opened.stack[: label.height]
        self.stack += [self.typed(f"s{label.height + k}", kind) for k, kind in enumerate(opened.results)]

    def target(self, depth: int) -> Label:
        """The label of a branch."""
        return self.function if depth == len(self.blocks) else self.blocks[-1 - depth].label

    def jump(self, label: Label) -> list[Node]:
        """The nodes of a branch that carries the operands on top of the stack, which stay there."""
        kept, self.out = self.out, []
        stack = list(self.stack)
        operands = self.pop(label.arity)
        if label is self.function:
            self.out.append(Leave(self.returning(operands), Site(self.state(*operands))))
        else:
            label.used = True
            self.move(label.height, operands)
            self.out.append(Branch(label))
        self.stack = stack
        made, self.out = self.out, kept
        return made

    @staticmethod
    def returning(operands: list[Operand]) -> str:
        """A return statement."""
        if len(operands) == 1:
            return f"return {operands[0].value}"
        return "return" + (" (" + ", ".join(o.part for o in operands) + ")" if operands else "")

    def return_(self) -> None:
        """``return`` and the function's end."""
        self.settle(keep=self.body.n_results)
        self.out += self.jump(self.function)

    def note_assigned(self, index: int) -> None:
        """A local is assigned here."""
        if index < self.body.n_params:
            return
        if not self.blocks:
            self.assigned.add(index)
        elif index not in self.assigned:
            self.preset.add(index)


def own_variable(text: str, i: int) -> bool:
    """Whether a name is a variable that only the operand at ``i`` is in."""
    return text[0] == "t" or text == f"s{i}"


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
    t.out.append(Switch(index.value, site, [t.jump(t.target(depth)) for depth in depths]))


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
    "memory.size": _memory_size,
    "memory.grow": _memory_grow,
    "memory.fill": _effect("z{i}({0}, {1} & 255, {2})", 3),
    "memory.copy": _effect("c{i}({0}, {1}, {2}, m{j})", 3),
}

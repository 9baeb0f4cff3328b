"""From a validated body to a tree of Python lines: the operand stack becomes expressions.

An operand stays an expression until something would change it. What has an effect first puts those operands in
variables (*spills* them) that it would change, and all whose evaluation may fail, so that failures come in order. Each
line remembers where the reference machine has to go on if the line fails: at the first instruction whose evaluation may
fail, with the operands that lay there.

Variables: ``v3`` local 3; ``t5`` a spilled operand, assigned in one place; ``s2`` the operand at height 2 where
control flow meets; ``x`` and ``y`` within one expression; ``g1`` the cell of global 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.vm.compiled import arithmetic, atomics, exceptions, memory_access
from lindref.vm.compiled.nodes import Block, Branch, If, Label, Leave, Line, Loop, Node, Site, State
from lindref.vm.compiled.operand import M32, M64, MAX_NESTING, Operand
from lindref.vm.numeric.table import OPERATIONS
from lindref.vm.prepare import layout
from lindref.wasm.instructions import Catch, MemArg
from lindref.wasm.module import ExternKind
from lindref.wasm.types import BlockType, NumType, TagType

if TYPE_CHECKING:
    from lindref.vm.program import Body

_MASKS = {NumType.I32: M32, NumType.I64: M64}

_LETTERS = {"i": NumType.I32, "I": NumType.I64}

#: Operands and results of instructions whose handlers do them, where the table has no signature.
SIMPLE_COUNTS = {
    "table.get": (1, 1),
    "table.set": (2, 0),
    "table.size": (0, 1),
    "table.grow": (2, 1),
    "table.fill": (3, 0),
    "table.copy": (3, 0),
    "table.init": (3, 0),
    "elem.drop": (0, 0),
    "ref.func": (0, 1),
    "ref.as_non_null": (1, 1),
}
_RESULTS = {"table.size": NumType.I32, "table.grow": NumType.I32}

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
    parts: exceptions.Parts | None = None
    """Of a ``try``."""
    landings: list[Label] = classes.field(factory=list)
    """Where exceptions that are delegated to the present part go on."""


OPENERS = frozenset({"block", "loop", "if", "try", "try_table"})
STRUCTURE = OPENERS | {"else", "end", "catch", "catch_all", "delegate"}


class Translator:
    """One body on its way to a tree."""

    def __init__(self, body: Body, rules: Mapping[str, Callable[..., Any]]) -> None:
        """``rules``: instructions that are more than one operand made of others, by name (``rules.RULES``)."""
        self.rules = rules
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
        tags = [item.desc for item in self.module.imported(ExternKind.TAG)]
        self.tags: list[int] = [tag.type_index for tag in (*tags, *self.module.tags) if isinstance(tag, TagType)]
        self.stack: list[Operand] = []
        self.out: list[Node] = []
        self.temps = 0
        self.at = 0
        self.blocks: list[Open] = []
        self.labels = 0
        self.assigned: set[int] = set()  # locals that have been assigned on every way here
        self.preset: set[int] = set()  # locals that may be read before they are assigned
        self.function = Label(0, loop=False, height=0, arity=body.n_results)
        self.landings: list[Label] = []
        self.hidden = len(self.types)

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
        if operand.form == Operand.NAN and name not in operand.names:
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
                    exceptions.land(self, self.landings, self.out)
                else:
                    self.structure(i, name, args, dead=dead)
            elif not dead:
                rule = self.rules.get(name)
                if rule is not None:
                    skip = bool(rule(self, *args))
                elif name in OPERATIONS and op.sig is not None:
                    self.numeric(name, len(op.sig[0]))
                elif op.width and not op.atomic and isinstance(args[0], MemArg):
                    self.access(name, args[0])
                elif op.atomic and not name.startswith("memory.") and isinstance(args[0], MemArg):
                    atomics.access(self, op, args[0])
                else:
                    self.foreign(name, op.sig)
        return self.out

    def numeric(self, name: str, count: int) -> None:
        """An instruction that makes one number of one or two."""
        operands = self.pop(count)
        made = arithmetic.apply(name, operands)
        if arithmetic.may_trap(name, operands):
            self.failing(made, *operands)
        self.push(made)

    def access(self, name: str, memarg: MemArg) -> None:
        """A load or store."""
        if "load" in name:
            (address,) = self.pop(1)
            self.push(self.failing(memory_access.load(name, address, memarg), address))
            return
        self.settle(SHARED, keep=2)
        address, value = self.pop(2)
        text = memory_access.store(name, address, memarg, value)
        self.out.append(Line(text, Site(self.state(address, value))))

    def foreign(self, name: str, sig: tuple[str, str] | None) -> None:
        """An instruction that the reference machine's handler does, on operands that it is given."""
        counts = SIMPLE_COUNTS.get(name)
        if counts is None:
            if sig is None:
                self.leave()
                return
            counts = len(sig[0]), len(sig[1])
        self.settle(SHARED, keep=counts[0])
        consumed = self.pop(counts[0])
        text = f"h{self.body.index}_{self.starts[self.at]}({', '.join(o.value for o in consumed)})"
        site = Site(self.state(*consumed))
        if not counts[1]:
            self.out.append(Line(text, site))
            return
        made = self.temp()
        self.out.append(Line(f"{made} = {text}", site))
        self.push(self.typed(made, _LETTERS.get(sig[1]) if sig else _RESULTS.get(name)))

    def leave(self) -> None:
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
                self.open(i, name, *args)
        elif name == "delegate":
            self.close(dead=dead, delegate=args[0])
        elif name == "end":
            self.close(dead=dead)
        else:
            self.divide(name, *args, dead=dead)

    def open(self, i: int, name: str, block: BlockType, catches: tuple[Catch, ...] = ()) -> None:
        """Enters a block."""
        params, results = self.arities(block)
        parts = exceptions.clauses(self, catches) if name in ("try", "try_table") else None
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
        self.blocks.append(Open(label, node, results, list(self.stack), self.out, parts))
        self.out = []

    def next_hidden(self) -> int:
        """The local that keeps the exception of the next ``try`` that has a ``catch``."""
        self.hidden += 1
        return self.hidden - 1

    def move(self, height: int, operands: list[Operand]) -> None:
        """Puts operands, just taken from the stack, in the variables of their heights."""
        pairs = [(f"s{height + k}", o) for k, o in enumerate(operands) if o.text != f"s{height + k}" or not o.canonical]
        if pairs:
            targets = ", ".join(name for name, _ in pairs)
            values = ", ".join(o.value if len(pairs) == 1 else o.part for _, o in pairs)
            self.out.append(Line(f"{targets} = {values}", Site(self.state(*operands))))

    def divide(self, name: str, tag: int | None = None, *, dead: bool) -> None:
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
            exceptions.divide(self, opened, tag)

    def arm_done(self, opened: Open) -> None:
        """The nodes of a part of a block go where they belong."""
        exceptions.land(self, opened.landings, self.out)
        if not isinstance(opened.node, If):
            assert opened.node is not None
            opened.node.body = self.out
        elif self.out is not opened.node.other:
            opened.node.then = self.out

    def close(self, *, dead: bool, delegate: int | None = None) -> None:
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
        if opened.parts is not None:
            if delegate is not None:
                exceptions.delegate(self, opened, delegate)
            assert isinstance(opened.node, Block)
            opened.node.body = exceptions.close(opened, self.out)
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

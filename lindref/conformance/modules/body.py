"""Random function bodies, made by type: every piece leaves on the stack exactly what it promised.

``value`` makes code that pushes one value of a type, ``statement`` code that leaves the stack as it was. Both pick
among *makers*, functions that either emit something that fits or say that they cannot. Code after a branch that is
always taken is made like any other: the stack is polymorphic there, so whatever is planned stays valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lindref.conformance.modules.control import CONTROL_STATEMENTS, CONTROL_VALUES, EMPTY
from lindref.conformance.modules.types import BY_LETTER, LETTERS, Label, defaultable, number
from lindref.wasm.features import BUILT, Feature
from lindref.wasm.instructions import BY_NAME, SELECT_T, TABLE, Imm, MemArg, Op
from lindref.wasm.module import Code, Instr
from lindref.wasm.types import NumType, RefType, ValType

if TYPE_CHECKING:
    from lindref.conformance.modules.module import World

#: How deep expressions and blocks may be inside each other.
MAX_DEPTH = 14

_WAITS = ("memory.atomic.wait32", "memory.atomic.wait64")


class Body:
    """The body of one function in the making."""

    def __init__(self, world: World, func: int) -> None:
        self.world = world
        self.ch = world.ch
        self.types = world.types
        self.type = world.func_type(func)
        self.out: list[Instr] = []
        self.labels: list[Label] = []
        self.budget = 1 + self.ch.below(world.shape.size)
        self.depth = 0
        self.runs = tuple((self.ch.count(3), self.types.val_type()) for _ in range(self.ch.count(3)))
        self.locals = [*self.type.params, *(t for n, t in self.runs for _ in range(n))]
        params = len(self.type.params)
        self.ready = {i for i, t in enumerate(self.locals) if i < params or defaultable(t)}

    def code(self) -> Code:
        """The finished function."""
        self.burn_fuel()
        self.labels.append(Label(self.type.results))
        while self.budget > 0 and not self.ch.chance(6):
            self.statement()
        self.values(self.type.results)
        self.emit("end")
        return Code(self.runs, body=tuple(self.out))

    def emit(self, name: str, *args: object) -> None:
        """One instruction."""
        self.out.append(Instr(BY_NAME[name], args))

    def has(self, feature: Feature) -> bool:
        """Whether a feature may be used."""
        return feature is Feature.BASE or (feature in self.world.features and feature in BUILT)

    def burn_fuel(self) -> None:
        """Code that counts the fuel down and traps when there is none left, where the run is to end."""
        fuel = self.world.fuel
        if fuel is None:
            return
        self.emit("global.get", fuel)
        self.emit("i32.eqz")
        self.emit("if", EMPTY)
        self.emit("unreachable")
        self.emit("end")
        self.emit("global.get", fuel)
        self.emit("i32.const", 1)
        self.emit("i32.sub")
        self.emit("global.set", fuel)

    @contextmanager
    def block(self, label: Label) -> Iterator[None]:
        """The inside of a block: one label more, and locals set in it count as unset after it."""
        ready = set(self.ready)
        self.labels.append(label)
        self.depth += 1
        yield
        self.depth -= 1
        self.labels.pop()
        self.ready = ready

    # Values.

    def values(self, kinds: Sequence[ValType]) -> None:
        """Code that pushes values of these types."""
        for kind in kinds:
            self.value(kind)

    def value(self, kind: ValType) -> None:
        """Code that pushes a value of type ``kind`` or of a subtype."""
        self.budget -= 1
        if self.budget <= 0 or self.depth >= MAX_DEPTH:
            self.leaf(kind)
            return
        self.depth += 1
        makers = NUMBER_MAKERS if isinstance(kind, NumType) else REFERENCE_MAKERS
        start = self.ch.below(len(makers))
        for step in range(len(makers)):
            if makers[start - step](self, kind):
                break
        else:
            self.leaf(kind)
        self.depth -= 1

    def leaf(self, kind: ValType) -> None:
        """The shortest code for a value."""
        ch = self.ch
        if ch.chance(60) and (variable_local(self, kind) or variable_global(self, kind)):
            return
        if isinstance(kind, NumType):
            constant(self, kind)
            return
        functions = self.world.funcs_of(kind)
        if functions and (not kind.nullable or ch.chance(60)):
            func = ch.pick(functions)
            self.world.taken.add(func)
            self.emit("ref.func", func)
            return
        self.emit("ref.null", kind.heap)
        if not kind.nullable:
            self.emit("ref.as_non_null")

    def small(self, most: int) -> None:
        """An ``i32`` that is usually at most ``most``: an address, index or length."""
        ch = self.ch
        if self.budget <= 0 or ch.chance(60):
            self.emit("i32.const", ch.below(most + 1))
        elif ch.chance(60 if self.world.fuel is None else 95):
            self.value(NumType.I32)
            self.emit("i32.const", (1 << most.bit_length()) - 1)
            self.emit("i32.and")
        else:
            self.value(NumType.I32)

    def drop(self, count: int) -> None:
        """Code that removes the topmost values."""
        for _ in range(count):
            self.emit("drop")

    def consume(self, kinds: Sequence[ValType]) -> None:
        """Code that does something with the values of these types on top of the stack and removes them."""
        for kind in reversed(kinds):
            homes = [i for i, t in enumerate(self.locals) if self.types.matches(kind, t)]
            if homes and self.ch.chance(60):
                home = self.ch.pick(homes)
                self.ready.add(home)
                self.emit("local.set", home)
            else:
                self.emit("drop")

    # Instructions with a fixed signature.

    def fixed(self, op: Op) -> bool:
        """An instruction of fixed signature with its operands; false if what it works on is not there."""
        world, ch = self.world, self.ch
        args: list[object] = []
        for imm in op.imms:
            if imm in (Imm.MEMARG, Imm.MEMORY):
                if not world.memories:
                    return False
                memory = ch.below(len(world.memories))
                args.append(memory if imm is Imm.MEMORY else self.memarg(op, memory))
            elif imm is Imm.DATA:
                if not world.datas:
                    return False
                args.append(ch.below(len(world.datas)))
            else:
                assert imm is Imm.ZERO
                args.append(0)
        if world.fuel is not None and op.name in _WAITS:
            return False
        assert op.sig is not None
        for place, letter in enumerate(op.sig[0]):
            if op.prefix == 0xFC and op.imms:
                self.small(40)
            elif place == 0 and op.atomic and self.world.fuel is not None and ch.chance(95):
                self.emit("i32.const", ch.below(32) * 8)
            elif place == 0 and op.width:
                self.small(200)
            else:
                self.value(BY_LETTER[letter])
        self.out.append(Instr(op, tuple(args)))
        return True

    def memarg(self, op: Op, memory: int) -> MemArg:
        """A memory argument: any alignment up to the natural one (atomics: just that)."""
        align = op.natural_align if op.atomic else self.ch.below(op.natural_align + 1)
        offset = self.ch.below(2**32) if self.ch.chance(2) else self.ch.below(200)
        if op.atomic and self.world.fuel is not None:
            offset &= ~7
        return MemArg(align, offset, memory)

    def statements(self) -> None:
        """A few statements, as the budget allows."""
        for _ in range(self.ch.count(5)):
            if self.budget <= 0 or self.depth >= MAX_DEPTH:
                return
            self.statement()

    def statement(self) -> None:
        """Code that leaves the stack as it was."""
        self.budget -= 1
        self.depth += 1
        start = self.ch.below(len(STATEMENT_MAKERS))
        for step in range(len(STATEMENT_MAKERS)):
            if STATEMENT_MAKERS[start - step](self):
                break
        self.depth -= 1


# Makers of values: each emits code for one value of the type, or emits nothing and says so.

ValueMaker = Callable[[Body, ValType], bool]


def _fixed_ops() -> dict[str, list[Op]]:
    """The instructions of fixed signature by what they push, constants apart."""
    found: dict[str, list[Op]] = {}
    consts = {Imm.I32, Imm.I64, Imm.F32, Imm.F64}
    for op in TABLE:
        if op.sig is not None and not consts & set(op.imms):
            found.setdefault(op.sig[1], []).append(op)
    return found


_FIXED = _fixed_ops()


def short_reference(body: Body, kind: ValType) -> bool:
    """A reference made on the spot."""
    body.leaf(kind)
    return True


def constant(body: Body, kind: ValType) -> bool:
    """A number."""
    assert isinstance(kind, NumType)
    body.emit(f"{kind.value}.const", number(body.ch, kind))
    return True


def variable_local(body: Body, kind: ValType) -> bool:
    """A local that has a value."""
    fitting = [i for i in sorted(body.ready) if body.types.matches(body.locals[i], kind)]
    if fitting:
        body.emit("local.get", body.ch.pick(fitting))
    return bool(fitting)


def variable_global(body: Body, kind: ValType) -> bool:
    """A global."""
    fitting = [i for i, g in enumerate(body.world.globals) if body.types.matches(g.value, kind)]
    if fitting:
        body.emit("global.get", body.ch.pick(fitting))
    return bool(fitting)


def _operation(body: Body, options: list[Op]) -> bool:
    usable = [op for op in options if body.has(op.feature)]
    return bool(usable) and body.fixed(body.ch.pick(usable))


def arithmetic(body: Body, kind: ValType) -> bool:
    """An instruction that works on the stack alone."""
    assert isinstance(kind, NumType)
    return _operation(body, [op for op in _FIXED[LETTERS[kind]] if not op.imms])


def memory_access(body: Body, kind: ValType) -> bool:
    """A load, an atomic access, or the size of a memory."""
    assert isinstance(kind, NumType)
    if not body.world.memories:
        return False
    atomic = body.ch.chance(50)
    options = [op for op in _FIXED[LETTERS[kind]] if op.imms and op.atomic == atomic]
    return _operation(body, options)


def teed_local(body: Body, kind: ValType) -> bool:
    """``local.tee``."""
    fitting = [i for i, t in enumerate(body.locals) if body.types.matches(t, kind)]
    if fitting:
        local = body.ch.pick(fitting)
        body.value(body.locals[local])
        body.ready.add(local)
        body.emit("local.tee", local)
    return bool(fitting)


def selection(body: Body, kind: ValType) -> bool:
    """``select``, typed where it must be."""
    body.value(kind)
    body.value(kind)
    body.value(NumType.I32)
    if isinstance(kind, RefType) or body.ch.chance(30):
        body.out.append(Instr(SELECT_T, ((kind,),)))
    else:
        body.emit("select")
    return True


def reference_test(body: Body, kind: ValType) -> bool:
    """``ref.is_null``."""
    if kind is not NumType.I32:
        return False
    body.value(body.types.ref_type())
    body.emit("ref.is_null")
    return True


def non_null(body: Body, kind: ValType) -> bool:
    """``ref.as_non_null``."""
    if not isinstance(kind, RefType) or not body.types.references:
        return False
    body.value(RefType(True, kind.heap))
    body.emit("ref.as_non_null")
    return True


def table_access(body: Body, kind: ValType) -> bool:
    """``table.get``, ``table.size``, ``table.grow``."""
    tables = body.world.tables
    if kind is NumType.I32 and tables:
        table = body.ch.below(len(tables))
        if body.ch.chance(50):
            body.value(tables[table].ref)
            body.small(3)
            body.emit("table.grow", table)
        else:
            body.emit("table.size", table)
        return True
    fitting = [i for i, t in enumerate(tables) if body.types.matches(t.ref, kind)]
    if fitting:
        body.small(8)
        body.emit("table.get", body.ch.pick(fitting))
    return bool(fitting)


# Makers of statements.


def dropped(body: Body) -> bool:
    """A value that nobody wants."""
    body.value(body.types.val_type())
    body.emit("drop")
    return True


def set_local(body: Body) -> bool:
    """``local.set``."""
    if not body.locals:
        return False
    local = body.ch.below(len(body.locals))
    body.value(body.locals[local])
    body.ready.add(local)
    body.emit("local.set", local)
    return True


def set_global(body: Body) -> bool:
    """``global.set``; not of the fuel."""
    world = body.world
    mutable = [i for i, g in enumerate(world.globals) if g.mutable and i != world.fuel]
    if mutable:
        target = body.ch.pick(mutable)
        body.value(world.globals[target].value)
        body.emit("global.set", target)
    return bool(mutable)


def effect(body: Body) -> bool:
    """A store, a bulk operation on memory, a fence, ``nop``."""
    usable = [op for op in _FIXED[""] if body.has(op.feature)]
    return body.fixed(body.ch.pick(usable))


def table_effect(body: Body) -> bool:
    """A table instruction that pushes nothing."""
    world, ch = body.world, body.ch
    if world.elems and ch.chance(20):
        body.emit("elem.drop", ch.below(len(world.elems)))
        return True
    if not world.tables:
        return False
    table = ch.below(len(world.tables))
    ref = world.tables[table].ref
    sources = [i for i, t in enumerate(world.tables) if body.types.matches(t.ref, ref)]
    segments = [i for i, e in enumerate(world.elems) if body.types.matches(e.type, ref)]
    what = ch.below(4)
    body.small(8)
    if what == 1 and sources:
        body.small(8)
        body.small(4)
        body.emit("table.copy", table, ch.pick(sources))
    elif what == 2 and segments:
        body.small(4)
        body.small(4)
        body.emit("table.init", ch.pick(segments), table)
    elif what == 3:
        body.value(ref)
        body.small(4)
        body.emit("table.fill", table)
    else:
        body.value(ref)
        body.emit("table.set", table)
    return True


NUMBER_MAKERS: tuple[ValueMaker, ...] = (
    *(constant, variable_local, variable_global, teed_local, selection, reference_test, table_access),
    *(arithmetic,) * 8,
    *(memory_access,) * 4,
    *CONTROL_VALUES,
)
REFERENCE_MAKERS: tuple[ValueMaker, ...] = (
    *(short_reference, variable_local, variable_global, teed_local, selection, non_null, table_access),
    *CONTROL_VALUES,
)
STATEMENT_MAKERS: tuple[Callable[[Body], bool], ...] = (
    *(dropped, set_local, set_local, set_global, effect, effect, effect, table_effect),
    *CONTROL_STATEMENTS,
)

"""Random modules: index spaces, constant expressions and segments around the bodies that ``gen_body`` makes."""

from __future__ import annotations

from lindref import classes
from lindref.conformance.modules.body import Body
from lindref.conformance.modules.types import Chooser, Shape, Types, number
from lindref.wasm.binary.decoder import FUNC_REF, ORDER
from lindref.wasm.features import Feature
from lindref.wasm.instructions import BY_NAME
from lindref.wasm.module import (
    Custom,
    Data,
    Elem,
    Export,
    Expr,
    ExternKind,
    Global,
    Import,
    ImportDesc,
    Instr,
    Module,
    SegmentMode,
    Table,
)
from lindref.wasm.names import Names
from lindref.wasm.sections import name_section
from lindref.wasm.types import (
    AbsHeap,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    NumType,
    RefType,
    TableType,
    TagType,
    ValType,
)

TEXTS = ("a", "", "f", "memory", "é", "名前", "\0", "𝄞", '"quoted\\"', "a b\n", "x" * 130)


def expr(*instrs: tuple[str, object] | str) -> Expr:
    """A constant expression from names and arguments, with its ``end``."""
    flat = [Instr(BY_NAME[i]) if isinstance(i, str) else Instr(BY_NAME[i[0]], i[1:]) for i in instrs]
    return (*flat, Instr(BY_NAME["end"]))


class World:
    """A module in the making: what stands in each index space, imports first."""

    def __init__(self, ch: Chooser, shape: Shape) -> None:
        self.ch = ch
        self.shape = shape
        self.features = shape.features
        self.types = Types(ch, shape)
        self.imports: list[Import] = []
        self.funcs: list[int] = []
        self.tables: list[TableType] = []
        self.memories: list[MemoryType] = []
        self.globals: list[GlobalType] = []
        self.tags: list[int] = []
        self.elems: list[Elem] = []
        self.datas: list[Data] = []
        self.own_tables: list[Table] = []
        self.own_globals: list[Global] = []
        self.taken: set[int] = set()
        """Functions that bodies take references to."""
        self.fuel: int | None = None

    def has(self, feature: Feature) -> bool:
        """Whether a feature may be used."""
        return feature in self.features

    @property
    def tags_allowed(self) -> bool:
        """Whether there may be tags."""
        return self.has(Feature.EXCEPTIONS) or self.has(Feature.LEGACY_EXCEPTIONS)

    def func_type(self, func: int) -> FuncType:
        """The type of a function."""
        return self.types.all[self.funcs[func]].comp

    def funcs_of(self, kind: ValType) -> list[int]:
        """The functions a reference to which has the type ``kind``."""
        return [i for i, t in enumerate(self.funcs) if self.types.matches(self.reference(t), kind)]

    def reference(self, type_index: int) -> RefType:
        """The type of a reference to a function of the given type."""
        return RefType(False, type_index) if self.types.references else RefType(True, AbsHeap.FUNC)

    # The parts, in the order in which they are made.

    def make(self) -> Module:
        """The module."""
        ch = self.ch
        if self.shape.imports:
            self.import_items()
        imported_funcs = len(self.funcs)
        imported_memories = len(self.memories)
        imported_tags = len(self.tags)
        for _ in range(1 + ch.below(self.shape.functions)):
            self.funcs.append(ch.below(len(self.types.all)))
        self.define_memories()
        for _ in range(ch.count(3)):
            self.define_table()
        if self.tags_allowed:
            self.tags += [self.tag_type() for _ in range(ch.count(3))]
        for _ in range(ch.count(5)):
            self.define_global()
        if self.shape.fuel is not None:
            self.fuel = len(self.globals)
            kind = GlobalType(NumType.I32, mutable=True)
            self.globals.append(kind)
            self.own_globals.append(Global(kind, expr(("i32.const", self.shape.fuel))))
        self.elems = [self.elem() for _ in range(ch.count(4))]
        self.datas = [self.data() for _ in range(ch.count(4))]
        codes = [Body(self, func).code() for func in range(imported_funcs, len(self.funcs))]
        if self.taken:
            taken = tuple(expr(("ref.func", f)) for f in sorted(self.taken))
            self.elems.append(Elem(FUNC_REF, taken, SegmentMode.DECLARATIVE))
        starts = [i for i in range(len(self.funcs)) if self.func_type(i) == FuncType()]
        module = Module(
            rec_groups=tuple(self.types.groups),
            imports=tuple(self.imports),
            funcs=tuple(self.funcs[imported_funcs:]),
            tables=tuple(self.own_tables),
            memories=tuple(self.memories[imported_memories:]),
            tags=tuple(TagType(t) for t in self.tags[imported_tags:]),
            globals=tuple(self.own_globals),
            exports=self.exports(),
            start=ch.pick(starts) if starts and self.fuel is None and ch.chance(20) else None,
            elems=tuple(self.elems),
            codes=tuple(codes),
            datas=tuple(self.datas),
            data_count=len(self.datas) if self.datas or ch.chance(50) else None,
            features=self.features,
        )
        module.customs = self.customs(module) if self.shape.customs else ()
        return module

    def import_items(self) -> None:
        """A few imports of any kind."""
        ch = self.ch
        for _ in range(ch.count(6)):
            kind = ch.pick(tuple(ExternKind))
            desc: ImportDesc
            if kind is ExternKind.FUNC:
                desc = ch.below(len(self.types.all))
                self.funcs.append(desc)
            elif kind is ExternKind.TABLE:
                desc = self.table_type()
                self.tables.append(desc)
            elif kind is ExternKind.MEMORY and (not self.memories or self.has(Feature.MULTI_MEMORY)):
                desc = self.memory_type()
                self.memories.append(desc)
            elif kind is ExternKind.TAG and self.tags_allowed:
                tag = self.tag_type()
                desc = TagType(tag)
                self.tags.append(tag)
            else:
                kind = ExternKind.GLOBAL
                desc = GlobalType(self.types.val_type(), ch.chance(40))
                self.globals.append(desc)
            self.imports.append(Import(ch.pick(TEXTS), ch.pick(TEXTS), kind, desc))

    def limits(self, least: int, slack: int, most: int) -> Limits:
        """Limits with a minimum up to ``least``; without fuel the maximum may be as big as is allowed."""
        ch = self.ch
        minimum = ch.below(least + 1)
        if self.fuel_wanted:
            minimum = max(minimum, 1)
            return Limits(minimum, minimum + ch.below(slack))
        if ch.chance(50):
            return Limits(minimum, ch.pick((minimum, minimum + ch.below(slack), most)))
        return Limits(minimum)

    @property
    def fuel_wanted(self) -> bool:
        """Whether the module is to be run: then nothing may grow big."""
        return self.shape.fuel is not None

    def memory_type(self) -> MemoryType:
        """A memory type; shared ones have a maximum."""
        limits = self.limits(2, 4, 65536)
        return MemoryType(limits, self.has(Feature.THREADS) and limits.maximum is not None and self.ch.chance(40))

    def table_type(self) -> TableType:
        """A table type."""
        return TableType(self.limits(12, 12, 2**32 - 1), self.types.ref_type())

    def tag_type(self) -> int:
        """The index of a type without results."""
        return self.ch.pick([i for i, t in enumerate(self.types.all) if not t.comp.results])

    def define_memories(self) -> None:
        """Own memories, as many as the features allow."""
        most = 3 if self.has(Feature.MULTI_MEMORY) else 1 - len(self.memories)
        self.memories += [self.memory_type() for _ in range(self.ch.below(most + 1))]

    def define_table(self) -> None:
        """A table, with an initial element where its type asks for one."""
        kind = self.table_type()
        init = None
        if not kind.ref.nullable or (self.types.references and self.ch.chance(30)):
            imported = len(self.globals)
            init = self.constant(kind.ref, imported)
            if init is None:
                kind = classes.evolve(kind, ref=classes.evolve(kind.ref, nullable=True))
        self.tables.append(kind)
        self.own_tables.append(Table(kind, init))

    def define_global(self) -> None:
        """A global with its initialiser."""
        value = self.types.val_type()
        init = self.constant(value, len(self.globals))
        if init is None:
            assert isinstance(value, RefType)
            value = classes.evolve(value, nullable=True)
            init = self.constant(value, len(self.globals))
            assert init is not None
        kind = GlobalType(value, self.ch.chance(60))
        self.globals.append(kind)
        self.own_globals.append(Global(kind, init))

    def constant(self, kind: ValType, globals_: int) -> Expr | None:
        """A constant expression of a type, or ``None`` if there is none; it may read the first globals."""
        ch = self.ch
        imported = len(self.globals) - len(self.own_globals)
        visible = globals_ if self.types.references else min(globals_, imported)
        readable = [
            i for i, g in enumerate(self.globals[:visible]) if not g.mutable and self.types.matches(g.value, kind)
        ]
        if readable and ch.chance(40):
            return expr(("global.get", ch.pick(readable)))
        if isinstance(kind, NumType):
            return self.number_constant(kind)
        choices: list[Expr] = []
        if kind.nullable:
            choices.append(expr(("ref.null", kind.heap)))
        choices += [expr(("ref.func", f)) for f in self.funcs_of(kind)[:8]]
        choices += [expr(("global.get", i)) for i in readable]
        return ch.pick(choices) if choices else None

    def number_constant(self, kind: NumType) -> Expr:
        """A number, or a sum of numbers."""
        ch = self.ch
        prefix = kind.value
        plain: tuple[str, object] = (f"{prefix}.const", number(ch, kind))
        whole = kind in (NumType.I32, NumType.I64)
        if self.has(Feature.EXTENDED_CONST) and whole and ch.chance(15):
            other = (f"{prefix}.const", number(ch, kind))
            return expr(plain, other, f"{prefix}.{ch.pick(('add', 'sub', 'mul'))}")
        return expr(plain)

    def offset(self, room: int, length: int) -> Expr | None:
        """Where an active segment goes: inside ``room``, or (nobody will run it) anywhere."""
        if length <= room:
            return expr(("i32.const", self.ch.below(room - length + 1)))
        if self.fuel_wanted:
            return None
        return self.constant(NumType.I32, len(self.globals))

    def elem(self) -> Elem:
        """An element segment of any mode."""
        ch = self.ch
        kind = self.types.ref_type()
        mode = ch.pick(tuple(SegmentMode)[::-1])
        fitting = [i for i, t in enumerate(self.tables)]
        table = ch.pick(fitting) if fitting else 0
        if mode is SegmentMode.ACTIVE and fitting:
            narrower = self.types.below(self.tables[table].ref)
            assert isinstance(narrower, RefType)
            kind = narrower
        functions = self.funcs_of(kind)
        if functions and kind.heap is AbsHeap.FUNC and self.types.references and ch.chance(50):
            kind = FUNC_REF
            items = [expr(("ref.func", ch.pick(functions))) for _ in range(ch.count(6))]
        else:
            made = [self.constant(kind, len(self.globals)) for _ in range(ch.count(6))]
            items = [item for item in made if item is not None]
        if mode is SegmentMode.ACTIVE:
            where = self.offset(self.tables[table].limits.minimum, len(items)) if fitting else None
            if where is not None:
                return Elem(kind, tuple(items), mode, table, where)
            mode = SegmentMode.PASSIVE
        return Elem(kind, tuple(items), mode)

    def data(self) -> Data:
        """A data segment, active or passive."""
        ch = self.ch
        content = bytes(ch.below(256) for _ in range(ch.count(20)))
        if self.memories and ch.chance(50):
            memory = ch.below(len(self.memories))
            where = self.offset(self.memories[memory].limits.minimum << 16, len(content))
            if where is not None:
                return Data(content, SegmentMode.ACTIVE, memory, where)
        return Data(content, SegmentMode.PASSIVE)

    def exports(self) -> tuple[Export, ...]:
        """Exports under different names; all there is, if the module is to be run."""
        ch = self.ch
        spaces = (
            (ExternKind.FUNC, len(self.funcs)),
            (ExternKind.TABLE, len(self.tables)),
            (ExternKind.MEMORY, len(self.memories)),
            (ExternKind.GLOBAL, len(self.globals)),
            (ExternKind.TAG, len(self.tags)),
        )
        if self.fuel_wanted:
            found = [
                Export(f"{letter}{i}", kind, i)
                for letter, (kind, count) in zip("ftmge", spaces, strict=True)
                for i in range(count)
            ]
            assert self.fuel is not None
            return (*found, Export("fuel", ExternKind.GLOBAL, self.fuel))
        some = [(kind, count) for kind, count in spaces if count]
        exports: dict[str, Export] = {}
        for _ in range(ch.count(6)):
            kind, count = ch.pick(some)
            name = ch.pick(TEXTS)
            exports.setdefault(name, Export(name, kind, ch.below(count)))
        return tuple(exports.values())

    def customs(self, module: Module) -> tuple[Custom, ...]:
        """Custom sections at places where the module has sections, and sometimes a name section."""
        ch = self.ch
        absent = {8, 12} if self.tags_allowed else {8, 12, 13}
        places = [0, *(s for s in ORDER if s not in absent)]
        if module.start is not None:
            places.append(8)
        if module.data_count is not None:
            places.append(12)
        order = (0, *ORDER)
        made = [
            Custom(ch.pick(TEXTS), bytes(ch.below(256) for _ in range(ch.count(12))), ch.pick(places))
            for _ in range(ch.count(4))
        ]
        made.sort(key=lambda c: order.index(c.after))
        if ch.chance(20):
            named = Names(module="m", funcs={i: f"f{i}" for i in range(len(self.funcs))})
            named.globals = {i: f"g {i}" for i in range(0, len(self.globals), 2)}
            made.append(name_section(named))
        return tuple(made)

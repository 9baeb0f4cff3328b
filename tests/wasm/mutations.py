"""Valid modules made a little different: most are invalid then, in ways that decoders let through."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import attrs

from lindref.wasm.instructions import BY_NAME, TABLE, Catch, CatchKind, Imm, MemArg, Op
from lindref.wasm.module import Code, Export, Expr, ExternKind, Instr, Module, Table
from lindref.wasm.types import (
    AbsHeap,
    BlockType,
    FuncType,
    GlobalType,
    HeapType,
    Limits,
    MemoryType,
    NumType,
    RecGroup,
    RefType,
    SubType,
    TableType,
    TagType,
    ValType,
)

_NUMBERS = (NumType.I32, NumType.I64, NumType.F32, NumType.F64)
_LEGACY = {"try", "catch", "catch_all", "delegate", "rethrow"}
_END = Instr(BY_NAME["end"])


class Mutator:
    """Changes to ``module``, chosen by ``chance``; without ``legacy`` no legacy exceptions come in."""

    def __init__(self, module: Module, chance: random.Random, *, legacy: bool = True) -> None:
        self.module = attrs.evolve(module)
        self.chance = chance
        self.ops: list[Op] = [op for op in TABLE if legacy or op.name not in _LEGACY]
        self.sizes = {kind: len(module.imported(kind)) for kind in ExternKind}
        for kind, defined in (
            (ExternKind.FUNC, module.funcs),
            (ExternKind.TABLE, module.tables),
            (ExternKind.MEMORY, module.memories),
            (ExternKind.GLOBAL, module.globals),
            (ExternKind.TAG, module.tags),
        ):
            self.sizes[kind] += len(defined)

    def mutated(self) -> Module:
        """The module with one to three changes."""
        changes: list[Callable[[], None]] = [self.body] * 6
        changes += [self.locals, self.global_, self.elem, self.data, self.type, self.item]
        for _ in range(self.chance.randint(1, 3)):
            self.chance.choice(changes)()
        return self.module

    # Pieces

    def index(self, size: int) -> int:
        """An index, mostly in range."""
        return self.chance.randrange(size if size and self.chance.random() < 0.95 else size + 2)

    def heap(self) -> HeapType:
        """A heap type."""
        return self.chance.choice(list(AbsHeap)) if self.chance.random() < 0.6 else self.index(len(self.module.types))

    def ref(self) -> RefType:
        """A reference type."""
        return RefType(self.chance.random() < 0.6, self.heap())

    def val(self) -> ValType:
        """A value type."""
        return self.chance.choice(_NUMBERS) if self.chance.random() < 0.6 else self.ref()

    def vals(self) -> tuple[ValType, ...]:
        """A few value types."""
        return tuple(self.val() for _ in range(self.chance.randrange(3)))

    def blocktype(self) -> BlockType:
        """A block type."""
        return self.chance.choice(
            [BlockType(), BlockType(result=self.val()), BlockType(type_index=self.index(len(self.module.types)))]
        )

    def catches(self) -> tuple[Catch, ...]:
        """Catch clauses."""
        kinds = [CatchKind(self.chance.randrange(4)) for _ in range(self.chance.randrange(3))]
        tags = self.sizes[ExternKind.TAG]
        return tuple(Catch(k, self.index(tags) if k < 2 else None, self.chance.randrange(4)) for k in kinds)

    def immediate(self, kind: Imm) -> object:
        """An immediate of a kind."""
        chance, module, sizes = self.chance, self.module, self.sizes
        spaces = {
            Imm.FUNC: sizes[ExternKind.FUNC],
            Imm.TABLE: sizes[ExternKind.TABLE],
            Imm.MEMORY: sizes[ExternKind.MEMORY],
            Imm.GLOBAL: sizes[ExternKind.GLOBAL],
            Imm.TAG: sizes[ExternKind.TAG],
            Imm.TYPE: len(module.types),
            Imm.ELEM: len(module.elems),
            Imm.DATA: len(module.datas),
            Imm.LABEL: 4,
            Imm.LOCAL: 4,
        }
        if kind in spaces:
            return self.index(spaces[kind])
        match kind:
            case Imm.BLOCK:
                return self.blocktype()
            case Imm.LABELS:
                return tuple(chance.randrange(4) for _ in range(chance.randint(1, 3)))
            case Imm.MEMARG:
                offset = chance.choice([0, 1, 8, 2**32 - 1, 2**32])
                return MemArg(chance.randrange(5), offset, self.index(sizes[ExternKind.MEMORY]))
            case Imm.HEAP:
                return self.heap()
            case Imm.VALTYPES:
                return (self.val(),) if chance.random() < 0.8 else self.vals()
            case Imm.CATCHES:
                return self.catches()
            case Imm.ZERO:
                return 0
        return chance.choice([0, 1, 0x7F, 0x80000000])

    def instr(self) -> Instr:
        """Any instruction."""
        op = self.chance.choice(self.ops)
        return Instr(op, tuple(map(self.immediate, op.imms)))

    def code(self, body: Sequence[Instr]) -> tuple[Instr, ...]:
        """A body with a few changes."""
        chance, out = self.chance, list(body)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(out))
            match chance.randrange(6):
                case 0:
                    out[at] = self.instr()
                case 1:
                    out.insert(at, self.instr())
                case 2 if len(out) > 1:
                    del out[at]
                case 3:
                    other = chance.randrange(len(out))
                    out[at], out[other] = out[other], out[at]
                case 4:
                    op, args = out[at].op, list(out[at].args)
                    if args:
                        place = chance.randrange(len(args))
                        args[place] = self.immediate(op.imms[place])
                        out[at] = Instr(op, tuple(args))
                case _:
                    opener = BY_NAME[chance.choice(["block", "loop", "if", "try_table"])]
                    out.insert(chance.randrange(at, len(out)), _END)
                    out.insert(at, Instr(opener, tuple(map(self.immediate, opener.imms))))
        return tuple(out)

    # Changes

    def change(self, items: Sequence[object], new: Callable[[int], object]) -> tuple[object, ...]:
        """The items with one made new (none if there is none)."""
        out = list(items)
        if out:
            at = self.chance.randrange(len(out))
            out[at] = new(at)
        return tuple(out)

    def body(self) -> None:
        """Another body."""
        codes = self.module.codes
        self.module.codes = self.change(codes, lambda i: Code(codes[i].locals_, body=self.code(codes[i].body)))  # type: ignore[assignment]

    def locals(self) -> None:
        """More locals."""
        codes = self.module.codes
        more = (self.chance.randrange(3), self.val())
        self.module.codes = self.change(codes, lambda i: Code((*codes[i].locals_, more), body=codes[i].body))  # type: ignore[assignment]

    def global_(self) -> None:
        """Another global."""
        items, chance = self.module.globals, self.chance

        def new(i: int) -> object:
            if chance.random() < 0.5:
                return attrs.evolve(items[i], type=GlobalType(self.val(), chance.random() < 0.5))
            return attrs.evolve(items[i], init=self.code(items[i].init))

        self.module.globals = self.change(items, new)  # type: ignore[assignment]

    def elem(self) -> None:
        """Another element segment."""
        items, chance = self.module.elems, self.chance

        def new(i: int) -> object:
            segment = items[i]
            if segment.init and chance.random() < 0.5:
                return attrs.evolve(segment, init=(self.code(segment.init[0]), *segment.init[1:]))
            if segment.offset and chance.random() < 0.5:
                return attrs.evolve(segment, offset=self.code(segment.offset))
            return attrs.evolve(segment, type=self.ref())

        self.module.elems = self.change(items, new)  # type: ignore[assignment]

    def data(self) -> None:
        """Another data segment."""
        items = self.module.datas

        def new(i: int) -> object:
            return attrs.evolve(items[i], offset=self.code(items[i].offset)) if items[i].offset else items[i]

        self.module.datas = self.change(items, new)  # type: ignore[assignment]

    def type(self) -> None:
        """Another type."""

        def member(old: SubType) -> SubType:
            match self.chance.randrange(4):
                case 0:
                    return attrs.evolve(old, comp=FuncType(self.vals(), old.comp.results))
                case 1:
                    return attrs.evolve(old, comp=FuncType(old.comp.params, self.vals()))
                case 2:
                    return attrs.evolve(old, final=not old.final)
            return attrs.evolve(old, supers=(self.index(len(self.module.types)),))

        groups = self.module.rec_groups

        def group(i: int) -> object:
            members = groups[i].members
            return RecGroup(self.change(members, lambda k: member(members[k])))  # type: ignore[arg-type]

        self.module.rec_groups = self.change(groups, group)  # type: ignore[assignment]

    def item(self) -> None:
        """One more item, or another start function."""
        chance, module = self.chance, self.module
        match chance.randrange(5):
            case 0:
                module.start = self.index(self.sizes[ExternKind.FUNC])
            case 1:
                kind = chance.choice(list(ExternKind))
                module.exports += (Export(chance.choice("ab"), kind, self.index(self.sizes[kind])),)
            case 2:
                limits = Limits(chance.choice([0, 1, 65536, 65537]), chance.choice([None, 0, 2, 65536, 65537]))
                module.memories += (MemoryType(limits, chance.random() < 0.3),)
            case 3:
                limits = Limits(chance.choice([0, 1, 2**32 - 1, 2**32]), chance.choice([None, 0, 2**32 - 1]))
                init: Expr | None = chance.choice(
                    [None, (op("ref.null", self.heap()), _END), (op("ref.func", 0), _END)]
                )
                module.tables += (Table(TableType(limits, self.ref()), init),)
            case 4:
                module.tags += (TagType(self.index(len(module.types))),)


def op(name: str, *args: object) -> Instr:
    """An instruction."""
    return Instr(BY_NAME[name], args)


def mutated(module: Module, chance: random.Random, *, legacy: bool = True) -> Module:
    """The module with a few changes."""
    return Mutator(module, chance, legacy=legacy).mutated()

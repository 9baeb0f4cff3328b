"""Random control flow: blocks, branches, calls, exceptions of both kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lindref.conformance.modules.types import Label
from lindref.wasm.features import Feature
from lindref.wasm.instructions import Catch, CatchKind
from lindref.wasm.types import EXNREF, AbsHeap, BlockType, FuncType, NumType, RefType, ValType

if TYPE_CHECKING:
    from lindref.conformance.modules.body import Body

EMPTY = BlockType()


def _block_type(body: Body, first: ValType | None) -> tuple[BlockType, FuncType]:
    """A block type without results, or whose first result is of the given type."""
    ch = body.ch
    if ch.chance(40):
        options = [
            i
            for i, t in enumerate(body.types.all)
            if (not t.comp.results if first is None else _gives(body, t.comp, first))
        ]
        if options:
            index = ch.pick(options)
            return BlockType(type_index=index), body.types.all[index].comp
    if first is None:
        return EMPTY, FuncType()
    return BlockType(result=first), FuncType((), (first,))


def _gives(body: Body, type_: FuncType, first: ValType) -> bool:
    """Whether the first result can be taken for a value of type ``first``."""
    return bool(type_.results) and body.types.matches(type_.results[0], first)


def _inside(body: Body, params: tuple[ValType, ...], results: tuple[ValType, ...], label: Label) -> None:
    """What stands in a block between its opening and what ends or divides it."""
    with body.block(label):
        body.consume(params)
        body.statements()
        body.values(results)


def block(body: Body, first: ValType | None) -> bool:
    """A block, loop, ``if`` or one of the ``try``s, whose results beyond the first are dropped."""
    makers = [_plain, _loop, _if]
    if body.has(Feature.EXCEPTIONS):
        makers.append(_try_table)
    if body.has(Feature.LEGACY_EXCEPTIONS):
        makers += [_try, _delegate]
    kind, type_ = _block_type(body, first)
    maker = body.ch.pick(makers)
    if maker is not _try_table:
        body.values(type_.params)
    maker(body, kind, type_)
    body.drop(max(0, len(type_.results) - 1) if first is not None else 0)
    return True


def _plain(body: Body, kind: BlockType, type_: FuncType) -> None:
    body.emit("block", kind)
    _inside(body, type_.params, type_.results, Label(type_.results))
    body.emit("end")


def _loop(body: Body, kind: BlockType, type_: FuncType) -> None:
    body.emit("loop", kind)
    body.burn_fuel()
    _inside(body, type_.params, type_.results, Label(type_.params))
    body.emit("end")


def _if(body: Body, kind: BlockType, type_: FuncType) -> None:
    body.value(NumType.I32)
    body.emit("if", kind)
    label = Label(type_.results)
    _inside(body, type_.params, type_.results, label)
    if type_.params != type_.results or body.ch.chance(50):
        body.emit("else")
        _inside(body, type_.params, type_.results, label)
    body.emit("end")


def _try(body: Body, kind: BlockType, type_: FuncType) -> None:
    """A legacy ``try`` with any number of handlers."""
    ch, world = body.ch, body.world
    body.emit("try", kind)
    _inside(body, type_.params, type_.results, Label(type_.results))
    handler = Label(type_.results, catch=True)
    for _ in range(ch.count(3) if world.tags else 0):
        tag = ch.below(len(world.tags))
        body.emit("catch", tag)
        _inside(body, body.types.all[world.tags[tag]].comp.params, type_.results, handler)
    if ch.chance(50):
        body.emit("catch_all")
        _inside(body, (), type_.results, handler)
    body.emit("end")


def _delegate(body: Body, kind: BlockType, type_: FuncType) -> None:
    """A legacy ``try`` that leaves its exceptions to another block; the label counts from outside."""
    body.emit("try", kind)
    _inside(body, type_.params, type_.results, Label(type_.results))
    body.emit("delegate", body.ch.below(len(body.labels)))


def _try_table(body: Body, kind: BlockType, type_: FuncType) -> None:
    """A ``try_table``, often in a block of its own that takes what a clause catches."""
    handler = _handler(body) if body.ch.chance(70) else None
    if handler is None:
        body.values(type_.params)
        body.emit("try_table", kind, _clauses(body))
        _inside(body, type_.params, type_.results, Label(type_.results))
        body.emit("end")
        return
    # block $done (results) · block $caught (what a clause delivers) · try_table … end · br $done · end ·
    # consume what was caught · results · end
    wrapper, caught = handler
    body.values(type_.params)
    body.emit("block", kind)
    with body.block(Label(type_.results)):
        body.consume(type_.params)
        body.emit("block", wrapper)
        with body.block(Label(caught)):
            inner = BlockType(result=type_.results[0]) if len(type_.results) == 1 else EMPTY
            results = type_.results if len(type_.results) == 1 else ()
            body.emit("try_table", inner, _clauses(body))
            _inside(body, (), results, Label(results))
            body.emit("end")
            if len(type_.results) != 1:
                body.values(type_.results)
            body.emit("br", 1)
        body.emit("end")
        body.consume(caught)
        body.values(type_.results)
    body.emit("end")


def _handler(body: Body) -> tuple[BlockType, tuple[ValType, ...]] | None:
    """A block type without parameters whose results are what some clause delivers."""
    options: list[tuple[BlockType, tuple[ValType, ...]]] = [(BlockType(result=EXNREF), (EXNREF,)), (EMPTY, ())]
    wanted = [body.types.all[t].comp.params for t in body.world.tags]
    wanted += [(*w, EXNREF) for w in wanted]
    options += [(BlockType(result=w[0]), w) for w in wanted if len(w) == 1]
    options += [
        (BlockType(type_index=i), t.comp.results)
        for i, t in enumerate(body.types.all)
        if not t.comp.params and t.comp.results in wanted
    ]
    return body.ch.pick(options)


def _clauses(body: Body) -> tuple[Catch, ...]:
    """Clauses that fit some label around; labels count from outside the ``try_table``."""
    fitting: list[Catch] = []
    for depth, label in enumerate(reversed(body.labels)):
        for tag, type_index in enumerate(body.world.tags):
            params = body.types.all[type_index].comp.params
            if body.types.all_match(params, label.types):
                fitting.append(Catch(CatchKind.CATCH, tag, depth))
            if body.types.all_match((*params, EXNREF), label.types):
                fitting.append(Catch(CatchKind.CATCH_REF, tag, depth))
        if not label.types:
            fitting.append(Catch(CatchKind.CATCH_ALL, None, depth))
        if body.types.all_match((EXNREF,), label.types):
            fitting.append(Catch(CatchKind.CATCH_ALL_REF, None, depth))
    return tuple(body.ch.pick(fitting) for _ in range(body.ch.count(4))) if fitting else ()


# Calls.


def _callees(body: Body, fits: Callable[[FuncType], bool], prefix: str) -> bool:
    """A direct call, one through a table or one through a reference, of a function whose type fits."""
    ch, world = body.ch, body.world
    how = ch.below(3)
    types = [i for i, t in enumerate(body.types.all) if fits(t.comp)]
    if how == 1 and types:
        tables = [i for i, t in enumerate(world.tables) if body.types.matches(t.ref, RefType(True, AbsHeap.FUNC))]
        if tables:
            index = ch.pick(types)
            body.values(body.types.all[index].comp.params)
            body.small(8)
            body.emit(prefix + "call_indirect", index, ch.pick(tables))
            return True
    if how == 2 and types and body.types.references:
        inhabited = [i for i in types if world.funcs_of(RefType(False, i))]
        index = ch.pick(inhabited or types)
        body.values(body.types.all[index].comp.params)
        body.value(RefType(not inhabited or ch.chance(20), index))
        body.emit(prefix + "call_ref", index)
        return True
    funcs = [i for i in range(len(world.funcs)) if fits(world.func_type(i))]
    if funcs:
        func = ch.pick(funcs)
        body.values(world.func_type(func).params)
        body.emit(prefix + "call", func)
    return bool(funcs)


def _called(body: Body) -> FuncType:
    """The type that the call just emitted has."""
    op, args, _ = body.out[-1]
    index = args[0]
    assert isinstance(index, int)
    return body.world.func_type(index) if op.name == "call" else body.types.all[index].comp


def call_value(body: Body, kind: ValType) -> bool:
    """A call whose first result is wanted and the others dropped."""
    if not _callees(body, lambda type_: _gives(body, type_, kind), ""):
        return False
    body.drop(len(_called(body).results) - 1)
    return True


def call_statement(body: Body) -> bool:
    """A call whose results are consumed."""
    if not _callees(body, lambda _: True, ""):
        return False
    body.consume(_called(body).results)
    return True


def tail_call(body: Body) -> bool:
    """A call in place of a return."""
    results = body.type.results
    if not body.has(Feature.TAIL_CALL):
        return False
    return _callees(body, lambda t: body.types.all_match(t.results, results), "return_")


# Branches.


def _depth(body: Body, fits: Callable[[Label], bool]) -> int | None:
    """A label that fits."""
    options = [d for d, label in enumerate(reversed(body.labels)) if fits(label)]
    return body.ch.pick(options) if options else None


def conditional_value(body: Body, kind: ValType) -> bool:
    """``br_if`` with one value, which stays when the branch is not taken."""
    depth = _depth(body, lambda label: len(label.types) == 1 and body.types.matches(label.types[0], kind))
    if depth is None:
        return False
    body.values(body.labels[-1 - depth].types)
    body.value(NumType.I32)
    body.emit("br_if", depth)
    return True


def null_branch_value(body: Body, kind: ValType) -> bool:
    """``br_on_null``: what stays is not null."""
    depth = _depth(body, lambda label: not label.types)
    if depth is None or not isinstance(kind, RefType) or not body.types.references:
        return False
    body.value(RefType(True, kind.heap))
    body.emit("br_on_null", depth)
    return True


def unreachable_value(body: Body, kind: ValType) -> bool:
    """A place that is never passed has values of any type; rare where the code is to be run."""
    del kind
    if not body.ch.chance(5 if body.world.fuel is not None else 25):
        return False
    return jump(body) if body.ch.chance(70) else _unreachable(body)


def _unreachable(body: Body) -> bool:
    body.emit("unreachable")
    return True


def jump(body: Body) -> bool:
    """An instruction that never goes on."""
    ch, world = body.ch, body.world
    makers: list[Callable[[Body], bool]] = [_branch, _return, _table_branch, tail_call]
    if world.tags and (body.has(Feature.EXCEPTIONS)):
        makers += [_throw, _throw]
    if body.has(Feature.EXCEPTIONS):
        makers.append(_throw_ref)
    if any(label.catch for label in body.labels):
        makers += [_rethrow] * 3
    return ch.pick(makers)(body) or _unreachable(body)


def _branch(body: Body) -> bool:
    depth = body.ch.below(len(body.labels))
    body.values(body.labels[-1 - depth].types)
    body.emit("br", depth)
    return True


def _return(body: Body) -> bool:
    body.values(body.type.results)
    body.emit("return")
    return True


def _table_branch(body: Body) -> bool:
    ch = body.ch
    default = ch.below(len(body.labels))
    types = body.labels[-1 - default].types
    same = [d for d, label in enumerate(reversed(body.labels)) if body.types.all_match(types, label.types)]
    body.values(types)
    body.small(4)
    body.emit("br_table", (*(ch.pick(same) for _ in range(ch.count(5))), default))
    return True


def _throw(body: Body) -> bool:
    tag = body.ch.below(len(body.world.tags))
    body.values(body.types.all[body.world.tags[tag]].comp.params)
    body.emit("throw", tag)
    return True


def _throw_ref(body: Body) -> bool:
    body.value(EXNREF)
    body.emit("throw_ref")
    return True


def _rethrow(body: Body) -> bool:
    depth = _depth(body, lambda label: label.catch)
    if depth is None:
        return False
    body.emit("rethrow", depth)
    return True


def conditional(body: Body) -> bool:
    """``br_if`` or, with a reference on top, ``br_on_null`` and ``br_on_non_null``."""
    ch = body.ch
    depth = ch.below(len(body.labels))
    types = body.labels[-1 - depth].types
    if types and isinstance(types[-1], RefType) and body.types.references and ch.chance(70):
        body.values(types[:-1])
        body.value(RefType(True, types[-1].heap))
        body.emit("br_on_non_null", depth)
        body.consume(types[:-1])
    elif body.types.references and ch.chance(20):
        body.values(types)
        body.value(body.types.ref_type())
        body.emit("br_on_null", depth)
        body.drop(1)
        body.consume(types)
    else:
        body.values(types)
        body.value(NumType.I32)
        body.emit("br_if", depth)
        body.consume(types)
    return True


def jump_statement(body: Body) -> bool:
    """An unconditional jump, after which nothing is reached; rare where the code is to be run."""
    if not body.ch.chance(15 if body.world.fuel is not None else 60):
        return False
    return jump(body)


def block_statement(body: Body) -> bool:
    """A block without results, or with results that are dropped."""
    if body.ch.chance(70):
        return block(body, None)
    block(body, body.types.val_type())
    body.emit("drop")
    return True


CONTROL_VALUES = (block, call_value, call_value, conditional_value, null_branch_value, unreachable_value)
CONTROL_STATEMENTS = (*(block_statement, call_statement, conditional, block_statement, jump_statement),)

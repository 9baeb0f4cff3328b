"""Closing types and matching them."""

from __future__ import annotations

import copy
import gc
import itertools
import pickle

import pytest

from lindref.wasm import typing as t
from lindref.wasm.errors import Exhausted, Invalid
from lindref.wasm.module import Module
from lindref.wasm.text.parser import parse_module
from lindref.wasm.types import (
    EXTERNREF,
    FUNCREF,
    AbsHeap,
    DefType,
    FuncType,
    GlobalType,
    Limits,
    MemoryType,
    NumType,
    RecGroup,
    RecRef,
    RefType,
    SubType,
    TableType,
)

I32, I64 = NumType.I32, NumType.I64


def types(text: str) -> tuple[DefType, ...]:
    """The closed types of a module's fields."""
    return t.close(parse_module(f"(module {text})"))


# Closing


def test_equal_types_of_different_modules_are_one_object() -> None:
    (first,) = types("(type (func (param i32)))")
    _, second = types("(type (func)) (type (func (param i32)))")
    assert first is second
    assert copy.deepcopy(first) is first
    assert pickle.loads(pickle.dumps(first)) is first


def test_groups_are_equal_as_wholes() -> None:
    a, b = types("(rec (type (func)) (type (func (param i32))))")
    c, d = types("(rec (type (func)) (type (func (param i32))))")
    e, f = types("(rec (type (func (param i32))) (type (func)))")
    alone, other = types("(type (func)) (type (func (param i32)))")
    assert (a, b) == (c, d)
    assert len({a, b, e, f, alone, other}) == 6


def test_recursion_is_the_same_wherever_the_group_stands() -> None:
    (near,) = types("(rec (type $a (func (result (ref $a)))))")
    _, far = types("(type (func)) (type $a (func (result (ref $a))))")
    assert near is far
    assert t.unrolled(near).comp.results == (RefType(False, RecRef(0)),)
    assert t.expand(near) == FuncType((), (RefType(False, near),))


def test_references_out_of_the_group_are_closed() -> None:
    inner, outer = types("(type $i (func)) (type (func (param (ref null $i))))")
    assert t.expand(outer) == FuncType((RefType(True, inner),), ())
    assert t.closed((inner, outer), RefType(False, 1)) == RefType(False, outer)
    assert t.closed((inner, outer), I32) is I32
    assert t.closed((inner, outer), FUNCREF) is FUNCREF


def test_types_that_nest_deeply_cost_little() -> None:
    # Written out as a tree, type n would have 2**n leaves.
    count = 3000
    groups = [RecGroup((SubType(FuncType()),))]
    groups += [RecGroup((SubType(FuncType((RefType(True, n), RefType(True, n)))),)) for n in range(count - 1)]
    first, second = (t.close(Module(rec_groups=tuple(groups))) for _ in range(2))
    assert all(map(lambda a, b: a is b, first, second))
    assert not t.matches_heap(first[-1], first[-2])
    assert len(str(RefType(True, first[-1]))) < 80


def test_a_big_group_closes_quickly_every_time() -> None:
    members = tuple(SubType(FuncType((RefType(True, n),))) for n in range(20_000))
    module = Module(rec_groups=(RecGroup(members),))
    assert t.close(module) == t.close(module)


def test_types_are_forgotten() -> None:
    from lindref.wasm.types import _DEFTYPES

    gc.collect()
    before = len(_DEFTYPES)
    made = t.close(Module(rec_groups=(RecGroup(tuple(SubType(FuncType((I64,) * 7)) for _ in range(50))),)))
    assert len(_DEFTYPES) == before + 50
    del made
    gc.collect()
    assert len(_DEFTYPES) == before


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ("(type (func (param (ref 1))))", "unknown type 1", "type 0"),
        ("(type (func (param (ref 1)))) (type (func))", "unknown type 1", "type 0"),
        ("(rec (type (func (result (ref 2)))) (type (func)))", "unknown type 2", "type 0"),
        ("(type (sub 3 (func)))", "unknown type 3", "type 0"),
        ("(type (sub 0 (func)))", "sub type is declared before its super type 0", "type 0"),
        ("(rec (type (sub 1 (func))) (type (sub (func))))", "sub type is declared before its super type 1", "type 0"),
        ("(type (func)) (type (sub 0 (func)))", "sub type 1 has a final super type 0", "type 1"),
        ("(type (sub final (func))) (type (sub 0 (func)))", "sub type 1 has a final super type 0", "type 1"),
        (
            "(type (sub (func))) (type (sub 0 (func (param i32))))",
            "sub type 1 does not match its super type 0",
            "type 1",
        ),
        (
            "(type (sub (func (param funcref)))) (type (sub 0 (func (param (ref func)))))",
            "sub type 1 does not match its super type 0",
            "type 1",
        ),
        (
            "(type (sub (func))) (type (sub (func))) (type (sub 0 1 (func)))",
            "sub type has more than one super type",
            "type 2",
        ),
    ],
)
def test_invalid_types(text: str, message: str, where: str) -> None:
    with pytest.raises(Invalid) as caught:
        types(text)
    assert (caught.value.message, caught.value.where) == (message, where)


def test_limits_of_ours() -> None:
    with pytest.raises(Exhausted, match="more than 1000 parameters"):
        t.close(Module(rec_groups=(RecGroup((SubType(FuncType((I32,) * 1001)),)),)))
    chain = [RecGroup((SubType(FuncType(), final=False),))]
    chain += [RecGroup((SubType(FuncType(), final=False, supers=(n,)),)) for n in range(t.MAX_SUBTYPING_DEPTH + 1)]
    assert len(t.close(Module(rec_groups=tuple(chain[:-1])))) == t.MAX_SUBTYPING_DEPTH + 1
    with pytest.raises(Exhausted, match="super types above one another"):
        t.close(Module(rec_groups=tuple(chain)))


# Matching

HIERARCHY = {
    AbsHeap.NONE: [AbsHeap.I31, AbsHeap.STRUCT, AbsHeap.ARRAY],
    AbsHeap.I31: [AbsHeap.EQ],
    AbsHeap.STRUCT: [AbsHeap.EQ],
    AbsHeap.ARRAY: [AbsHeap.EQ],
    AbsHeap.EQ: [AbsHeap.ANY],
    AbsHeap.NOFUNC: [AbsHeap.FUNC],
    AbsHeap.NOEXTERN: [AbsHeap.EXTERN],
    AbsHeap.NOEXN: [AbsHeap.EXN],
}
"""The steps of §3.3.3; matching is what they reach."""


def reachable(heap: AbsHeap) -> set[AbsHeap]:
    """The heap types that ``heap`` matches, by following single steps."""
    found = {heap}
    for step in HIERARCHY.get(heap, []):
        found |= reachable(step)
    return found


def test_abstract_heap_types() -> None:
    for sub, sup in itertools.product(AbsHeap, repeat=2):
        assert t.matches_heap(sub, sup) == (sup in reachable(sub)), (sub, sup)


def test_defined_types_match_what_they_declare() -> None:
    top, middle, low, twin = types(
        "(type $t (sub (func))) (type $m (sub $t (func))) (type $l (sub $m (func))) (type $w (sub $t (func (result))))"
    )
    assert twin is middle
    (stranger,) = types("(type (func))")
    order = [low, middle, top]
    for (i, sub), (j, sup) in itertools.product(enumerate(order), repeat=2):
        assert t.matches_heap(sub, sup) == (i <= j)
    assert not t.matches_heap(stranger, top)
    assert not t.matches_heap(top, stranger)
    for heap in AbsHeap:
        assert t.matches_heap(low, heap) == (heap is AbsHeap.FUNC)
        assert t.matches_heap(heap, low) == (heap is AbsHeap.NOFUNC)


def test_subtyping_within_a_group() -> None:
    _, low, high = types("(type (func)) (rec (type $h (sub (func))) (type $l (sub $h (func))))")
    assert t.supertypes(high) == [low]
    assert t.matches_heap(high, low)
    assert not t.matches_heap(low, high)


def test_references_and_values() -> None:
    func, maybe = RefType(False, AbsHeap.FUNC), RefType(True, AbsHeap.FUNC)
    assert t.matches_ref(func, maybe)
    assert not t.matches_ref(maybe, func)
    assert t.matches_val(func, FUNCREF)
    assert not t.matches_val(func, EXTERNREF)
    assert not t.matches_val(I32, FUNCREF)
    assert not t.matches_val(FUNCREF, I32)
    assert not t.matches_val(I32, I64)
    assert t.matches_val(I64, I64)


def test_function_types_turn_their_parameters() -> None:
    func, maybe = RefType(False, AbsHeap.FUNC), RefType(True, AbsHeap.FUNC)
    assert t.matches_func(FuncType((maybe,), (func,)), FuncType((func,), (maybe,)))
    assert not t.matches_func(FuncType((func,), ()), FuncType((maybe,), ()))
    assert not t.matches_func(FuncType((), (maybe,)), FuncType((), (func,)))
    assert not t.matches_func(FuncType((I32,), ()), FuncType((), ()))
    assert not t.matches_func(FuncType((), (I32,)), FuncType((), (I32, I32)))


@pytest.mark.parametrize(
    ("sub", "sup", "expected"),
    [
        (Limits(1), Limits(1), True),
        (Limits(2), Limits(1), True),
        (Limits(0), Limits(1), False),
        (Limits(1, 5), Limits(1), True),
        (Limits(1), Limits(1, 5), False),
        (Limits(1, 5), Limits(1, 5), True),
        (Limits(1, 4), Limits(0, 5), True),
        (Limits(1, 6), Limits(1, 5), False),
        (Limits(1, 0), Limits(1, 0), True),
    ],
)
def test_limits(sub: Limits, sup: Limits, *, expected: bool) -> None:
    assert t.matches_limits(sub, sup) == expected
    assert t.matches_extern(MemoryType(sub), MemoryType(sup)) == expected
    assert t.matches_extern(TableType(sub, FUNCREF), TableType(sup, FUNCREF)) == expected


def test_externs() -> None:
    func = RefType(False, AbsHeap.FUNC)
    low, high = types("(rec (type $h (sub (func))) (type $l (sub $h (func))))")[::-1]
    one = Limits(1, 1)
    assert t.matches_extern(low, high)
    assert not t.matches_extern(high, low)
    # Shared or not, written or not, must agree; what is written must match both ways.
    assert not t.matches_extern(MemoryType(one, shared=True), MemoryType(one))
    assert t.matches_extern(MemoryType(one, shared=True), MemoryType(one, shared=True))
    assert not t.matches_extern(TableType(one, func), TableType(one, FUNCREF))
    assert t.matches_extern(GlobalType(func), GlobalType(FUNCREF))
    assert not t.matches_extern(GlobalType(FUNCREF), GlobalType(func))
    assert not t.matches_extern(GlobalType(func, mutable=True), GlobalType(FUNCREF, mutable=True))
    assert t.matches_extern(GlobalType(func, mutable=True), GlobalType(func, mutable=True))
    assert not t.matches_extern(GlobalType(func, mutable=True), GlobalType(func))
    assert t.matches_extern(t.TagExtern(low), t.TagExtern(low))
    assert not t.matches_extern(t.TagExtern(low), t.TagExtern(high))
    kinds: list[t.ExternType] = [low, TableType(one, FUNCREF), MemoryType(one), GlobalType(I32), t.TagExtern(low)]
    for a, b in itertools.product(kinds, repeat=2):
        assert t.matches_extern(a, b) == (a is b)


def test_defaults() -> None:
    assert t.defaultable(I32)
    assert t.defaultable(FUNCREF)
    assert not t.defaultable(RefType(False, AbsHeap.EXTERN))

"""The generator of random modules: valid under every set of features, and rich."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasm.strategies import ANY, RUNNABLE, Shape, module_from, modules

from lindref.wasm.binary.encoder import encode
from lindref.wasm.features import BUILT, DEFAULT, Feature
from lindref.wasm.module import Code, ExternKind, Module
from lindref.wasm.validator import validate

SHAPES = {
    "any": ANY,
    "runnable": RUNNABLE,
    "big": Shape(size=1500, functions=8),
    "base": Shape(features=frozenset({Feature.BASE})),
} | {f"without {f.value}": Shape(features=DEFAULT - {f}) for f in sorted(BUILT - {Feature.BASE}, key=lambda f: f.value)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_seeded_modules_are_valid(shape: Shape) -> None:
    for seed in range(60):
        validate(module_from(seed, shape))


@given(modules())
def test_modules_are_valid(module: Module) -> None:
    validate(module)


@given(st.binary(max_size=2000))
def test_modules_from_bytes_are_valid(choices: bytes) -> None:
    validate(module_from(choices))


@given(st.sets(st.sampled_from(sorted(BUILT, key=lambda f: f.value))), st.integers(0, 2**32))
def test_modules_under_any_features_are_valid(features: set[Feature], seed: int) -> None:
    validate(module_from(seed, Shape(features=frozenset(features | {Feature.BASE}))))


@pytest.mark.campaign
def test_many_modules_are_valid() -> None:
    for seed in range(30_000):
        validate(module_from(seed))


def uses(module: Module, feature: Feature) -> bool:
    """Whether a body has an instruction of a feature."""
    return any(instr.op.feature is feature for code in module.codes for instr in code.body)


def test_every_feature_is_used_only_where_it_may_be() -> None:
    some = {f for f in BUILT if any(uses(module_from(seed), f) for seed in range(100))}
    assert some == BUILT - {Feature.EXTENDED_CONST, Feature.MULTI_MEMORY, Feature.ANNOTATIONS}
    for feature in some - {Feature.BASE}:
        shape = Shape(features=DEFAULT - {feature})
        assert not any(uses(module_from(seed, shape), feature) for seed in range(100))


def test_runnable_modules_offer_everything_and_need_nothing() -> None:
    for seed in range(50):
        module = module_from(seed, RUNNABLE)
        assert module.imports == ()
        assert module.start is None
        names = [e.name for e in module.exports]
        assert names[-1] == "fuel"
        for letter, items in (("f", module.funcs), ("m", module.memories), ("t", module.tables)):
            assert [n for n in names if n[0] == letter and n != "fuel"] == [f"{letter}{i}" for i in range(len(items))]
        fuel = module.export("fuel")
        assert fuel is not None
        assert fuel.kind is ExternKind.GLOBAL
        for code in module.codes:
            assert _burns(code, fuel.index)
            loops = sum(i.op.name == "loop" for i in code.body)
            sets = [i for i in code.body if i.op.name == "global.set" and i.args == (fuel.index,)]
            assert len(sets) == loops + 1
        assert all(m.limits.maximum is not None and m.limits.maximum <= 8 for m in module.memories)


def _burns(code: Code, fuel: int) -> bool:
    """Whether a function begins with counting the fuel down."""
    return [i.op.name for i in code.body[:3]] == ["global.get", "i32.eqz", "if"] and code.body[0].args == (fuel,)


def test_modules_differ() -> None:
    assert len({encode(module_from(seed)) for seed in range(200)}) == 200

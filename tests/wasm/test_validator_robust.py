"""Modules that are nearly valid: a typed error or acceptance, and the same verdict as another engine's."""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasm.mutations import mutated
from wasm.strategies import Shape, module_from

from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.errors import Exhausted, Invalid, Unsupported, WasmError
from lindref.wasm.features import DEFAULT, Feature
from lindref.wasm.module import Module
from lindref.wasm.validator import validate

SMALL = Shape(size=120, functions=3)
#: What the other engine has (it lacks legacy exceptions).
COMMON = Shape(size=120, functions=3, features=DEFAULT - {Feature.LEGACY_EXCEPTIONS})
ROUNDS = 3000 if os.environ.get("LINDREF_CAMPAIGN") != "long" else 300_000


def verdict(module: Module) -> WasmError | None:
    """What is wrong with a module; anything but a ``WasmError`` fails the test."""
    try:
        validate(module)
    except WasmError as error:
        found = error
    else:
        return None
    assert "\n" not in str(found)
    assert found.where
    return found


@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_nothing_but_typed_errors(seed: int, change: int) -> None:
    verdict(mutated(module_from(seed, SMALL), random.Random(change)))


def test_mutations_break_every_kind_of_rule() -> None:
    chance = random.Random(1)
    seen: Counter[str] = Counter()
    for round_ in range(2500):
        found = verdict(mutated(module_from(round_ % 50, SMALL), chance))
        seen["valid" if found is None else type(found).__name__] += 1
        if isinstance(found, Invalid):
            seen[" ".join(found.message.split(":")[0].split()[:2])] += 1
    wanted = ["valid", "Invalid", "Malformed", "type mismatch", "constant expression", "unknown label", "unknown type"]
    wanted += ["sub type", "alignment must", "immutable global", "undeclared function", "unknown tag", "memory size"]
    assert [word for word in wanted if not seen[word]] == []


def test_another_engine_agrees() -> None:
    wasmtime = pytest.importorskip("wasmtime", reason="the other engine, wasmtime, is not installed")
    config = wasmtime.Config()
    for name in ("exceptions", "function_references", "gc", "multi_memory", "tail_call", "threads", "memory64"):
        setattr(config, f"wasm_{name}", True)
    engine = wasmtime.Engine(config)
    chance = random.Random(2 if ROUNDS == 3000 else None)
    judged: Counter[bool] = Counter()
    for round_ in range(ROUNDS):
        seed = round_ % 100 if ROUNDS == 3000 else chance.randrange(2**32)
        data = encode(mutated(module_from(seed, COMMON), chance, legacy=False))
        try:
            found = verdict(decode(data))
        except WasmError as error:
            found = error
        if isinstance(found, Exhausted | Unsupported):
            continue  # a body that ends early leaves bytes that may mean anything
        try:
            wasmtime.Module.validate(engine, data)
        except wasmtime.WasmtimeError as error:
            other = str(error)
        else:
            other = ""
        assert (found is None) == (other == ""), (data.hex(), found, other)
        judged[found is None] += 1
    assert min(judged[True], judged[False]) > ROUNDS // 10

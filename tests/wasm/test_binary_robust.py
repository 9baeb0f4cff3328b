"""Whatever the bytes are: a module or a ``WasmError``, in bounded time and memory."""

from __future__ import annotations

import contextlib
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import NoneType
from typing import TypeVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wasm.strategies import module_from, modules

from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.binary.leb import unsigned
from lindref.wasm.dwarf import lines
from lindref.wasm.errors import Exhausted, Invalid, Malformed, WasmError
from lindref.wasm.module import Module
from lindref.wasm.sections import dylink, read_names, read_producers
from lindref.wasm.validator import validate

T = TypeVar("T")

HEADER = b"\0asm\1\0\0\0"
ONE_FUNCTION = HEADER + b"\1\4\1\x60\0\0" + b"\3\2\1\0"
DATA = Path(__file__).resolve().parents[1] / "data"
#: Small ones: they are judged byte by byte.
REAL = {name: (DATA / name).read_bytes() for name in ("lines.wasm", "lines5.wasm", "shared.wasm")}


def outcome(action: Callable[[], T]) -> T | WasmError:
    """What it gives, or an error of one line; anything else that is raised fails the test."""
    try:
        return action()
    except WasmError as error:
        wrong = error
    assert "\n" not in str(wrong)
    assert wrong.message
    return wrong


def attempt(data: bytes, *, eager: bool) -> Module | WasmError:
    """The module or what is wrong with it; anything else that is raised fails the test."""
    return outcome(lambda: decode(data, eager=eager))


def check(data: bytes) -> None:
    """Eager and lazy decoding agree about these bytes; what was decoded encodes to an equal module, is valid or not."""
    eager = attempt(data, eager=True)
    lazy = attempt(data, eager=False)
    if isinstance(eager, Module):
        assert lazy == eager
        assert decode(encode(eager), eager=True) == eager
        read_names(eager)
        read_producers(eager)
        with contextlib.suppress(Malformed):
            dylink(eager)
        assert isinstance(outcome(lambda: validate(eager)), NoneType | Invalid | Exhausted)
    elif isinstance(lazy, Module):
        # Only a body can be wrong; it says so when it is asked for.
        with pytest.raises(type(eager)):
            encode(lazy)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few changes of the kinds that break parsers."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(8, len(out)) if len(out) > 8 else 0
        kind = chance.randrange(6)
        if kind == 0:
            out[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            out[place] = chance.randrange(256)
        elif kind == 2:
            del out[place : place + chance.randint(1, 4)]
        elif kind == 3:
            out[place:place] = chance.randbytes(chance.randint(1, 4))
        elif kind == 4:
            out[place : place + 1] = unsigned(chance.choice((2**32 - 1, 2**31, 2**32, 2**64, 0x7F, 0x80)))
        else:
            start = chance.randrange(len(out))
            out[place:place] = out[start : start + chance.randint(1, 30)]
    return bytes(out)


@pytest.mark.parametrize("name", REAL)
def test_every_prefix_of_a_real_module(name: str) -> None:
    data = REAL[name]
    for length in range(len(data)):
        check(data[:length])


@given(modules())
def test_every_prefix_of_a_made_module(module: Module) -> None:
    data = encode(module)
    for length in range(0, len(data), max(1, len(data) // 60)):
        attempt(data[:length], eager=True)
        check(data[:length])


@pytest.mark.parametrize("part", range(5))
def test_thousands_of_changed_modules(part: int) -> None:
    """10,000 between them."""
    chance = random.Random(20 + part)
    for seed in range(1500):
        check(mutated(encode(module_from(1500 * part + seed)), chance))
    for _ in range(500):
        check(mutated(chance.choice(list(REAL.values())), chance))


def test_every_byte_of_a_real_module_changed() -> None:
    data = REAL["lines.wasm"]
    for place in range(len(data)):
        for new in (0, 0x7F, 0x80, 0xFF, data[place] ^ 1):
            check(data[:place] + bytes((new,)) + data[place + 1 :])


@pytest.mark.campaign
def test_many_more_changed_modules() -> None:
    chance = random.Random()
    for seed in range(20_000):
        check(mutated(encode(module_from(seed)), chance))


@given(st.binary(max_size=200))
@example(b"\1\4\1\x60\0\0")
def test_any_bytes_after_the_header(rest: bytes) -> None:
    check(HEADER + rest)


@given(st.integers(0, 13), st.binary(max_size=60))
def test_any_content_of_a_section(number: int, content: bytes) -> None:
    check(HEADER + bytes((number,)) + unsigned(len(content)) + content)


@given(st.binary(max_size=60))
def test_any_body(content: bytes) -> None:
    entry = unsigned(len(content) + 1) + content + b"\x0b"
    check(ONE_FUNCTION + b"\x0a" + unsigned(len(entry) + 1) + b"\1" + entry)


# Absurd numbers.


@pytest.mark.parametrize("number", range(1, 14))
def test_a_vector_of_four_billion_entries(number: int) -> None:
    for count in (2**32 - 1, 2**31, 10_000_000):
        content = unsigned(count) + b"\0" * 20
        data = HEADER + bytes((number,)) + unsigned(len(content)) + content
        tracemalloc.start()
        begin = time.perf_counter()
        found = attempt(data, eager=True)
        assert time.perf_counter() - begin < 0.5
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        tracemalloc.stop()
        assert isinstance(found, Malformed) or number in (8, 12)


def test_four_billion_targets_locals_and_parameters() -> None:
    big = unsigned(2**32 - 1)
    for body in (b"\0\x0e" + big, b"\0\x1c" + big, b"\0\x1f\x40" + big, big, b"\1" + big + b"\x7f"):
        entry = unsigned(len(body) + 2) + body + b"\0\x0b"
        data = ONE_FUNCTION + b"\x0a" + unsigned(len(entry) + 1) + b"\1" + entry
        assert isinstance(attempt(data, eager=True), (Malformed, Exhausted))
        assert isinstance(attempt(HEADER + b"\1\x08\1\x60" + big + b"\0", eager=True), Malformed)


def test_blocks_a_hundred_thousand_deep() -> None:
    depth = 100_000
    body = b"\0" + b"\2\x40" * depth + b"\x0b" * (depth + 1)
    entry = unsigned(len(body)) + body
    data = ONE_FUNCTION + b"\x0a" + unsigned(len(entry) + 1) + b"\1" + entry
    begin = time.perf_counter()
    module = decode(data, eager=True)
    assert len(module.codes[0].body) == 2 * depth + 1
    assert encode(module) == data
    assert time.perf_counter() - begin < 5
    unclosed = data.replace(b"\x0b" * 50, b"\1" * 50)
    assert isinstance(attempt(unclosed, eager=True), Malformed)


def test_a_body_costs_its_own_size_only() -> None:
    """Bodies without an end do not make the decoder read the rest of the file once for each of them."""
    count = 3000
    entry = unsigned(40) + b"\0" + b"\1" * 39
    content = unsigned(count) + entry * count
    data = HEADER + b"\1\4\1\x60\0\0"
    funcs = unsigned(count) + b"\0" * count
    data += b"\3" + unsigned(len(funcs)) + funcs + b"\x0a" + unsigned(len(content)) + content
    module = decode(data)
    begin = time.perf_counter()
    for code in module.codes:
        with pytest.raises(Malformed, match=r"section size mismatch|unexpected end"):
            code.body  # noqa: B018 -- decoding is the point
    assert time.perf_counter() - begin < 2


def test_a_large_module_opens_fast() -> None:
    """About 2 MB: 3,000 functions, as many exports, a megabyte of custom sections."""
    count = 3000
    entry = unsigned(403) + b"\1\1\x7f" + b"\x20\0\x41\1\x6a\x21\0" * 57 + b"\x0b"
    assert len(entry) == 405
    funcs = unsigned(count) + b"\0" * count
    exports = unsigned(count) + b"".join(b"\7" + b"%07d" % n + b"\0" + unsigned(n) for n in range(count))
    codes = unsigned(count) + entry * count
    custom = b"\4note" + bytes(1_000_000)
    data = HEADER + b"\1\4\1\x60\0\0"
    for number, content in ((3, funcs), (7, exports), (10, codes), (0, custom)):
        data += bytes((number,)) + unsigned(len(content)) + content
    begin = time.perf_counter()
    module = decode(data)
    assert time.perf_counter() - begin < 1
    assert len(module.codes) == len(module.exports) == count
    assert module == decode(data, eager=True)


# Notes for people.


def test_changed_debug_information() -> None:
    """Line tables from damaged sections: no line, a wrong line or a reported problem, never an exception."""
    chance = random.Random(3)
    begin = time.perf_counter()
    for name in ("lines.wasm", "lines5.wasm"):
        module = decode(REAL[name])
        offsets = [instr.offset for code in module.codes for instr in code.body]
        for _ in range(150):
            customs = list(module.customs)
            place = chance.choice([n for n, c in enumerate(customs) if c.name.startswith(".debug")])
            custom = customs[place]
            broken = mutated(b"\0" * 8 + custom.data, chance)[8:]
            damaged = Module(
                codes=module.codes,
                code_start=module.code_start,
                customs=(*customs[:place], type(custom)(custom.name, broken), *customs[place + 1 :]),
            )
            table = lines(damaged)
            for offset in offsets:
                table.place(offset)
            table.offsets("lines.c", 15)
            assert all("\n" not in problem for problem in table.problems)
    assert time.perf_counter() - begin < 30

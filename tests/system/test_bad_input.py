"""Damaged programs through the whole system: refused in one line, or run to an outcome, never an exception of ours."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import dynamic_scenes as dynamic
import pytest
from scenes import FORK, GUESTS, module, program, world

from lindref.profile import LIND, SPEC, Profile
from lindref.system.image import ImageError
from lindref.system.outcome import Ending
from lindref.system.runtime import Config

#: A program with something of everything: memory, a table, globals, a fork, calls, a loop, a branch table.
SOUND = program(
    f"""(local $i i32)
    (global.set $g (i32.const 3))
    (loop $l
      (block $b (block $a (br_table $a $b (local.get $i))) (i32.store (i32.const 8) (i32.const 1)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (i32.const 5))))
    (call_indirect (type $void) (i32.const 1))
    (if (i32.eqz {FORK}) (then (call $exit (i64.const 1))))
    (call $exit (i64.extend_i32_u (global.get $g)))""",
    """(type $void (func)) (table 2 2 funcref) (elem (i32.const 1) $hello) (global $g (mut i32) (i32.const 0))
    (data (i32.const 16) "hi")
    (func $hello (call $write (i32.const 1) (i32.const 16) (i32.const 2)))""",
)
LIMITS = Config(max_ticks=3_000, max_memory=4 << 20, quantum=500)
ENDINGS = {ending.value for ending in Ending}
#: All tries together, in parts that may run side by side.
TRIES, PARTS = 10_000, 20


def attempt(image: bytes) -> str:
    """How a run of ``image`` ends; ``refused`` where it is no program."""
    try:
        run = world(image, config=LIMITS)
    except ImageError as error:
        return "refused" if "\n" not in str(error) else "refused in more than a line"
    for _ in range(5_000):
        if not run.system.step():
            break
    outcome = run.system.outcome
    assert outcome is not None, "the run does not end"
    assert outcome.ending in ENDINGS
    assert 0 <= outcome.status <= 255
    return outcome.ending


def damaged(dice: random.Random) -> bytes:
    """``SOUND`` with one to four bytes changed, or a piece cut out, doubled or moved."""
    data = bytearray(SOUND)
    kind = dice.randrange(6)
    if kind < 4:
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(8, len(data))] = dice.choice((dice.randrange(256), 0, 0x7F, 0x80, 0xFF))
    elif kind == 4:
        start = dice.randrange(8, len(data))
        del data[start : start + dice.randint(1, 9)]
    else:
        start, to = dice.randrange(8, len(data)), dice.randrange(8, len(data))
        data[to:to] = data[start : start + dice.randint(1, 9)]
    return bytes(data)


def test_the_sound_program_runs() -> None:
    assert attempt(SOUND) == "exit"


def prefixes() -> Iterator[bytes]:
    return (SOUND[:n] for n in range(len(SOUND)))


def test_every_prefix_is_refused() -> None:
    assert {attempt(prefix) for prefix in prefixes()} <= {"refused", "trap", "exit"}
    assert sum(attempt(prefix) == "refused" for prefix in prefixes()) > len(SOUND) - 40


@pytest.mark.parametrize("part", range(PARTS))
def test_damaged_programs(part: int) -> None:
    dice = random.Random(f"damaged/{part}")
    seen = [attempt(damaged(dice)) for _ in range(TRIES // PARTS)]
    assert {"refused", "exit"} <= set(seen) <= {"refused", *ENDINGS}


@pytest.mark.parametrize(
    ("text", "ending"),
    [
        ("(loop (br 0))", "limit"),
        ("(loop (drop (call $call0 (i32.const 24))) (br 0))", "limit"),
        (f"(loop (drop {FORK}) (br 0))", "limit"),
        ("(drop (i32.load (i32.const -1)))", "trap"),
        ("(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))", "trap"),
        ("(memory.copy (i32.const 0) (i32.const 1) (i32.const -2))", "trap"),
        ("(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x0f000000))", "limit"),
    ],
)
def test_hostile_programs_end_within_limits(text: str, ending: str) -> None:
    run = world(program(text), config=LIMITS)
    run.run()
    assert run.system.outcome is not None and run.system.outcome.ending == ending
    assert run.system.budget.used <= (4 << 20) // 4096


BAD = "(param i32 i64 f64) (drop (local.get 2))"
SIGNAL = """(i32.store (i32.const 0x910) (i32.const 5))
  (drop (call $call3 (i32.const 13) (i64.const 10) (call $at (i32.const 0x910)) (i64.const 0)))
  (drop (call $call3 (i32.const 62) (i64.extend_i32_u (call $call0 (i32.const 39))) (i64.const 10) (i64.const 0)))
  (drop (call $call0 (i32.const 39)))"""
THREAD = """(i64.store (i32.const 0x400) (i64.const 0x100)) (i64.store (i32.const 0x410) (call $at (i32.const 0x500)))
  (i64.store (i32.const 0x428) (i64.const 0x6000)) (i64.store (i32.const 0x430) (i64.const 0x1000))
  (drop (call $call3 (i32.const 56) (call $at (i32.const 0x400)) (i64.const 0) (i64.const 0)))"""


@pytest.mark.parametrize(
    ("start", "export", "status", "said"),
    [
        (SIGNAL, "signal_callback", 70, "exports no signal_callback"),
        (THREAD, "__get_aligned_tls_size", 0, ""),
        (THREAD, "__wasm_init_tls", 0, ""),
        ("(nop)", "_initialize", 0, ""),
    ],
)
def test_an_export_of_another_type_is_none(start: str, export: str, status: int, said: str) -> None:
    """LOAD-2: what the runtime calls has its type, or counts as not exported."""
    run = world(program(start, f'(func (export "{export}") {BAD})'))
    assert run.run() == status and said in str(run.system.outcome)


def test_load_2_an_entry_takes_nothing() -> None:
    """LOAD-2."""
    run = world(module(f'(func (export "_start") {BAD})'))
    assert run.run() == 70 and "_start is of another type" in str(run.system.outcome)


@pytest.mark.parametrize("profile", [SPEC, LIND])
def test_dynamic_modules_that_ask_for_too_much(profile: Profile) -> None:
    """DYN-2, DYN-4: a line, whatever the sizes and types."""
    huge, small = (1 << 32) - 1, "(nop)"
    said = {
        "table of 4000000000 elements": dynamic.main(small, table=4_000_000_000),
        "takes parameters": dynamic.main(small, "", f'(func (export "__wasm_call_ctors") {BAD})'),
    }
    for text, image in said.items():
        run = dynamic.dynamic(image, profile=profile)
        assert run.run() == 70 and text in str(run.system.outcome)
    full = dynamic.dynamic(dynamic.main(small), {"a.so": dynamic.module("a.so", table=huge)}, profile=profile)
    assert full.run() == 70 and "table is full" in str(full.system.outcome)
    big = dynamic.dynamic(dynamic.main(small, size=huge), profile=profile)
    assert big.run() == 70


def damaged_set(rng: random.Random) -> tuple[Profile, dict[str, bytes]]:
    """The dynamic guest with one of its modules damaged, mostly near its beginning: sizes, imports, exports."""
    names = ("main.wasm", "first.so", "second.so", "alone.so")
    files = {name: (GUESTS / "dynamic" / name).read_bytes() for name in names}
    victim = rng.choice(("main.wasm", "main.wasm", "first.so", "second.so"))
    data = bytearray(files[victim])
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        i = rng.randrange(8, min(len(data), rng.choice((120, 600, len(data)))))
        data[i] = rng.choice((rng.randrange(256), data[i] ^ 1, 0, 0xFF, data[i] + 1 & 255))
    return rng.choice((SPEC, LIND)), files | {victim: bytes(data)}


def try_damaged_sets(seed: int, count: int) -> None:
    rng = random.Random(seed)
    library = (GUESTS / "dynamic" / "lib" / "libc.so").read_bytes()
    for _ in range(count):
        profile, files = damaged_set(rng)
        image = files.pop("main.wasm")
        there = {b"/" + name.encode(): data for name, data in files.items()} | {b"/lib/libc.so": library}
        words = [b"lind"] if profile is LIND else []
        config = Config(max_ticks=60_000, max_memory=16 << 20, quantum=5_000)
        with contextlib.suppress(ImageError):
            run = world(image, *words, files=there, profile=profile, config=config)
            run.run()
            assert run.system.outcome is not None and run.system.outcome.ending in ENDINGS


def test_damaged_dynamic_modules() -> None:
    """DYN-5, DL-7: refused, or run to an outcome."""
    try_damaged_sets(0, 25)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1, 9))
def test_many_damaged_dynamic_modules(seed: int) -> None:
    """DYN-5, DL-7."""
    try_damaged_sets(seed, 250)

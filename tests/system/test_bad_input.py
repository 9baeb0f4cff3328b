"""Damaged programs through the whole system: refused in one line, or run to an outcome, never an exception of ours."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from scenes import FORK, program, world

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

"""What ended cages and replaced images held counts no more against the limit of a run's memory."""

from __future__ import annotations

from scenes import FORK, program, world
from test_lifecycle import EXEC

from lindref.system.runtime import Config

#: Touches 14 pages of 4 KiB.
TOUCH = "(memory.fill (i32.const 0x1000) (i32.const 7) (i32.const 0xe000))"


def test_children_that_ended_hold_nothing() -> None:
    start = f"""(local $i i32)
      (loop $again
        (if (i32.eqz {FORK}) (then {TOUCH} (call $exit (i64.const 0))))
        (drop (call $call3 (i32.const 61) (i64.const -1) (i64.const 0) (i64.const 0)))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 20))))
      (call $exit (i64.const 3))"""
    run = world(program(start), config=Config(max_memory=64 << 12))
    assert run.run() == 3


def test_images_that_were_replaced_hold_nothing() -> None:
    last = program("(call $exit (i64.const 4))")
    middle = program(f"(local $r i32) {TOUCH} {EXEC} unreachable", '(data (i32.const 0x200) "/last\\00")')
    first = program(f"(local $r i32) {TOUCH} {EXEC} unreachable", '(data (i32.const 0x200) "/next\\00")')
    run = world(first, files={b"/next": middle, b"/last": last}, config=Config(max_memory=24 << 12))
    assert run.run() == 4

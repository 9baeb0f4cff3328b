"""Going back and forth along a run of some 100,000 events: one cage writes memory, the other writes output.

By itself, ``python -m benchmarks.travel``: the same along a run of more than 1,000,000, with the memory that the whole
process takes.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from pathlib import Path

import lindref
from benchmarks.bars import Bar, show
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

_I64 = "(param i64)" * 15
_CALL = """(call $raw (i32.const %s) (i64.const 0) (local.get $me) (local.get $me)
  (i64.const %s) (local.get $me) (i64.add (call $base) (i64.const 64)) (local.get $me) (i64.const %s) (local.get $me)
  (i64.const 0) (local.get $me) (i64.const 0) (local.get $me) (i64.const 0) (local.get $me))"""
_FORK = _CALL.replace("(i64.const %s)", "(i64.add (call $base) (i64.const 64))", 1)
#: Forks; the child calls getpid and stores, the parent writes a byte, each so many times.
PROGRAM = f"""(module
  (import "lind" "make-syscall" (func $raw (param i32) {_I64} (result i32)))
  (import "lind" "lind-get-memory-base" (func $base (result i64)))
  (import "lind" "lind-get-cage-id" (func $cage (result i64)))
  (import "env" "memory" (memory 2 65536 shared))
  (func (export "_start") (local $i i32) (local $child i32) (local $me i64)
    (local.set $me (call $cage))
    (local.set $child (i32.eqz {_FORK % (56, 0)}))
    (local.set $me (call $cage))
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (if (local.get $child)
        (then (drop {_CALL % (39, 0, 0)})
          (i32.store (i32.add (i32.const 16384) (i32.and (local.get $i) (i32.const 32764))) (local.get $i)))
        (else (drop {_CALL % (1, 1, 1)})))
      (br_if $again (i32.lt_u (local.get $i) (i32.const COUNT))))))"""


#: Computes and stores, in turns of 50,000 rounds; the body of the loop is some 20 instructions.
LONG = """(module
  (import "env" "memory" (memory 2 65536 shared))
  (func $mix (param $i i32) (result i32)
    (i32.xor (i32.mul (local.get $i) (i32.const 0x9E3779B1)) (i32.shr_u (local.get $i) (i32.const 7))))
  (func (export "_start") (local $i i32)
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (i32.store (i32.add (i32.const 16384) (i32.and (local.get $i) (i32.const 32764))) (call $mix (local.get $i)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const COUNT))))))"""


def inside(count: int = 500_000) -> tuple[int, float, float]:
    """Instructions of a run with long turns, and the longest step back by one instruction and the longest jump to any
    of many, in seconds of processor time."""
    from lindref.debug.debugger import Debugger
    from lindref.system.position import Position

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "p.wasm").write_bytes(encode(parse_module(LONG.replace("COUNT", str(count)))))
        debugger = Debugger(lindref.boot("p.wasm", root=folder))
        debugger.session.run()
        debugger.settle()
        turns = debugger.session.turn
        chance = random.Random(1)
        back, jump = 0.0, 0.0
        for _ in range(20):
            begun = time.process_time()
            debugger.goto(Position(chance.randrange(1, turns - 1), chance.randrange(49_000), chance.randrange(8)))
            jump = max(jump, time.process_time() - begun)
            for _ in range(6):
                begun = time.process_time()
                debugger.back("in", lines=False)
                back = max(back, time.process_time() - begun)
    return 24 * count, back, jump


def measure(count: int = 16_000) -> tuple[int, float, float]:
    """Events of the run, and the longest step back and the longest jump of many, in seconds of processor time."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "p.wasm").write_bytes(encode(parse_module(PROGRAM.replace("COUNT", str(count)))))
        system = lindref.boot("p.wasm", root=folder)
        system.run()
        events = system.position
        chance = random.Random(1)
        back, jump = 0.0, 0.0
        for _ in range(40):
            for _ in range(5):
                begun = time.process_time()
                system.back()
                back = max(back, time.process_time() - begun)
            begun = time.process_time()
            system.goto(chance.randrange(events))
            jump = max(jump, time.process_time() - begun)
    return events, back, jump


def main() -> int:
    """A history of more than a million events; exit status 1 where a bar is missed."""
    events, back, jump = measure(143_000)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bars = [
        Bar(f"memory of a process with a history of {events} events", memory, most=500, unit="MiB"),
        Bar("a step back in it, the longest of 200", 1000 * back, most=50, unit="ms"),
        Bar("a jump in it, the longest of 40", 1000 * jump, most=1000, unit="ms"),
    ]
    print(show(bars))
    return 0 if all(bar.met for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())

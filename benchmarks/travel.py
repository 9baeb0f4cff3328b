"""Going back and forth along a run of some 100,000 events: one cage writes memory, the other writes output."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import lindref
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

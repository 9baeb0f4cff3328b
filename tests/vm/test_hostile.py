"""Modules that mean harm: every demand gets an answer, in bounded time and with bounded memory of the host.

They run one after another in a process of its own whose address space is bounded, so that a demand that is taken
literally ends in a ``MemoryError``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Address space that the process may have.
SPACE = 1 << 30

#: Name → (module, what calling "f" comes to).
CASES: dict[str, tuple[str, str]] = {
    "memory.grow beyond everything": (
        """(module (memory 1) (func (export "f") (result i32 i32)
          (memory.grow (i32.const -1)) (memory.grow (i32.const 65536))))""",
        "(-1, -1)",
    ),
    "memory.grow to the most": (
        """(module (memory 0) (func (export "f") (result i32 i32 i32)
          (memory.grow (i32.const 65536)) (memory.size) (memory.grow (i32.const 1))))""",
        "(0, 65536, -1)",
    ),
    "zeros over 4 GiB": (
        """(module (memory 65536) (func (export "f") (result i32)
          (memory.fill (i32.const 0) (i32.const 0) (i32.const -1)) (i32.load8_u (i32.const -1))))""",
        "0",
    ),
    "ones over 4 GiB": (
        """(module (memory 65536) (func (export "f")
          (memory.fill (i32.const 0) (i32.const 1) (i32.const -1))))""",
        "Exhaustion: memory limit reached: 2048 pages of 4096 bytes",
    ),
    "a page here and there": (
        """(module (memory 65536) (func (export "f") (local $a i32)
          (loop $l (i32.store8 (local.get $a) (i32.const 1))
            (br_if $l (local.tee $a (i32.add (local.get $a) (i32.const 4096)))))))""",
        "Exhaustion: memory limit reached: 2048 pages of 4096 bytes",
    ),
    "several memories share the limit": (
        """(module (memory 100) (memory 100) (func (export "f")
          (memory.fill (i32.const 0) (i32.const 1) (i32.const 0x500000))
          (memory.fill 1 (i32.const 0) (i32.const 1) (i32.const 0x500000))))""",
        "Exhaustion: memory limit reached: 2048 pages of 4096 bytes",
    ),
    "segments beyond the limit": (
        "(module (memory 65536) " + " ".join(f'(data (i32.const {p << 12}) "x")' for p in range(2049)) + ")",
        "Exhaustion: memory limit reached: 2048 pages of 4096 bytes",
    ),
    "copy 4 GiB that were never written": (
        """(module (memory 65536) (func (export "f") (result i32)
          (i32.store8 (i32.const 5) (i32.const 9))
          (memory.copy (i32.const 1) (i32.const 0) (i32.const -2)) (i32.load8_u (i32.const 6))))""",
        "9",
    ),
    "fill out of bounds": (
        '(module (memory 1) (func (export "f") (memory.fill (i32.const 1) (i32.const 1) (i32.const -1))))',
        "Trap: out of bounds memory access",
    ),
    "copy out of bounds": (
        '(module (memory 1) (func (export "f") (memory.copy (i32.const 1) (i32.const 0) (i32.const -1))))',
        "Trap: out of bounds memory access",
    ),
    "init out of bounds": (
        """(module (memory 1) (data "abc") (func (export "f")
          (memory.init 0 (i32.const 0) (i32.const 1) (i32.const -1))))""",
        "Trap: out of bounds memory access",
    ),
    "a load at the end of everything": (
        '(module (memory 65536) (func (export "f") (result i64) (i64.load offset=4294967295 (i32.const -1))))',
        "Trap: out of bounds memory access",
    ),
    "table.grow beyond everything": (
        '(module (table 1 funcref) (func (export "f") (result i32) (table.grow (ref.null func) (i32.const -1))))',
        "-1",
    ),
    "tables that grow as long as they can": (
        """(module (table $a 0 externref) (table $b 0 externref) (func (export "f") (result i32)
          (loop $l (br_if $l (i32.ge_s (table.grow $a (ref.null extern) (i32.const 300000)) (i32.const 0))))
          (loop $l (br_if $l (i32.ge_s (table.grow $b (ref.null extern) (i32.const 1000)) (i32.const 0))))
          (i32.add (table.size $a) (table.size $b))))""",
        "1000000",
    ),
    "a table of 2^32 - 1 elements": (
        "(module (table 0xffffffff funcref))",
        "Exhausted: tables of 4294967295 elements, at most 1000000 are allowed in a store",
    ),
    "a hundred tables": (
        "(module " + "(table 1000000 funcref)" * 100 + ")",
        "Exhausted: tables of 100000000 elements, at most 1000000 are allowed in a store",
    ),
    "table.fill out of bounds": (
        """(module (table 10 funcref) (func (export "f")
          (table.fill (i32.const 1) (ref.null func) (i32.const -1))))""",
        "Trap: out of bounds table access",
    ),
    "table.copy out of bounds": (
        '(module (table 10 funcref) (func (export "f") (table.copy (i32.const 0) (i32.const 1) (i32.const -1))))',
        "Trap: out of bounds table access",
    ),
    "table.init out of bounds": (
        """(module (table 10 funcref) (elem func) (func (export "f")
          (table.init 0 (i32.const 0) (i32.const 1) (i32.const -1))))""",
        "Trap: out of bounds table access",
    ),
    "recursion without end": (
        '(module (func $f (export "f") (call $f)))',
        "Trap: call stack exhausted",
    ),
    "recursion with 50,000 locals": (
        '(module (func $f (export "f") (local ' + "i64 " * 50_000 + ") (call $f)))",
        "Trap: call stack exhausted",
    ),
    "recursion with 2,000 operands": (
        '(module (func $f (export "f")' + "(i64.const 1)" * 2_000 + "(call $f)" + "drop " * 2_000 + "))",
        "Trap: call stack exhausted",
    ),
    "recursion through a table and a handler": (
        """(module (tag $t) (table 1 funcref) (elem (i32.const 0) $f)
          (func $f (export "f") (block $b (try_table (catch_all $b) (call_indirect (i32.const 0)))) (throw $t)))""",
        "Trap: call stack exhausted",
    ),
    "a loop without end": (
        '(module (func (export "f") (loop $l (br $l))))',
        "Exhaustion: the call takes more than 500000 ticks",
    ),
    "tail calls without end": (
        '(module (func $f (export "f") (return_call $f)))',
        "Exhaustion: the call takes more than 500000 ticks",
    ),
    "an exception in an exception in an exception": (
        """(module (tag $t (param exnref)) (func (export "f") (param) (local $x exnref) (local $n i32)
          (local.set $n (i32.const 60000))
          (loop $l
            (local.set $x (block $b (result exnref)
              (try_table (catch_all_ref $b) (throw $t (local.get $x))) (unreachable)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (throw_ref (local.get $x))))""",
        "WasmException: uncaught wasm exception, tag 0, values (ExnInst)",
    ),
    "two billion locals": (
        "",
        "Exhausted: 4294967280 locals in a function, at most 50000 are allowed (func 0, offset 0x1d)",
    ),
}

#: A function with 4,294,967,280 locals, which no text could spell out.
MANY_LOCALS = "0061736d0100000001040160000003020100" "070501016600000a0a010801f0ffffff0f7f0b"

SCRIPT = """
import json, resource, sys
space = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (space, space))
import lindref
from lindref.wasm.features import BUILT
for name, text in json.load(sys.stdin).items():
    try:
        if text:
            module = lindref.Module.from_text(text, BUILT)
        else:
            module = lindref.Module.from_bytes(bytes.fromhex(sys.argv[2]))
        exports = lindref.instantiate(module, max_ticks=500_000, max_memory=8 << 20).exports
        found = repr(exports["f"]())
    except Exception as error:
        text = str(error).split(" in func")[0]
        found = f"{type(error).__name__}: {text}"
    print(json.dumps([name, found]), flush=True)
"""


def test_every_demand_gets_an_answer() -> None:
    pytest.importorskip("resource", reason="address space cannot be bounded on this system")
    given = json.dumps({name: text for name, (text, _) in CASES.items()})
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(SPACE), MANY_LOCALS],
        input=given,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    assert found == {name: wanted for name, (_, wanted) in CASES.items()}, done.stderr[-2000:]
    assert done.returncode == 0

"""Modules that are small and ask for much: decoded, validated and printed in a process that may not use much.

They run one after another in a process whose address space is bounded: what grows out of proportion ends there in a
``MemoryError``, and what takes long is seen by the time it took.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Address space, and seconds of processor time for each module, that the process may use.
SPACE, SECONDS = 1 << 30, 15

N = 30_000
WIDE = " i32" * 1000
GETS = " ".join(f"local.get {n}" for n in range(1000))
WIDE_TYPE = f"(type (func (param{WIDE}) (result{WIDE})))"

#: Name → (text, how validation ends).
CASES: dict[str, tuple[str, str]] = {
    "4 GiB of memory": ("(memory 65536 65536)", "valid"),
    "more than 4 GiB": ("(memory 65537)", "Invalid: memory size must be at most 65536 pages (4GiB) (memory 0)"),
    "2^32 - 1 pages": ("(memory 4294967295)", "Invalid: memory size must be at most 65536 pages (4GiB) (memory 0)"),
    "a table of 2^32 - 1": ("(table 4294967295 4294967295 funcref)", "valid"),
    "results that pile up": (
        f"(type (func (result{WIDE}))) (func (type 0) unreachable) (func (type 0) {'call 0 ' * N})",
        "Exhausted: more than 1048576 operands on the stack",
    ),
    "results into parameters": (
        f"{WIDE_TYPE} (func (type 0) unreachable) (func (type 0) {GETS} {'call 0 ' * N} unreachable)",
        "valid",
    ),
    "wide blocks in wide blocks": (
        f"{WIDE_TYPE} (func (type 0) {GETS} {'block (type 0) ' * N} {'end ' * N} unreachable)",
        "valid",
    ),
    "wide branches": (f"{WIDE_TYPE} (func (type 0) {GETS} i32.const 0 br_table {'0 ' * N})", "valid"),
    "a branch to each of many": (
        f"(func {'block ' * N} i32.const 0 br_table {' '.join(map(str, range(N)))} {'end ' * N})",
        "valid",
    ),
    "types of types of types": (
        "(type (func)) " + " ".join(f"(type (func (param (ref {n}) (ref {n}))))" for n in range(3000)),
        "valid",
    ),
    "a group of many": ("(rec " + " ".join(f"(type (func (param (ref {n}))))" for n in range(20_000)) + ")", "valid"),
    "a tower of subtypes": (
        "(type (sub (func))) " + " ".join(f"(type (sub {n} (func)))" for n in range(5000)),
        "Exhausted: more than 63 super types above one another (type 64)",
    ),
    "exports": ("(func) " + " ".join(f'(export "{n}" (func 0))' for n in range(N)), "valid"),
    "one name twice among many": (
        "(func) " + " ".join(f'(export "{n % (N - 1)}" (func 0))' for n in range(N)),
        "Invalid: duplicate export name",
    ),
    "elements": (f"(func) (table 0 funcref) (elem func {'0 ' * N})", "valid"),
    "globals": ("(global i32 (i32.const 0))" * N, "valid"),
    "a long constant": (f"(global i32 i32.const 0 {'i32.const 1 i32.add ' * N})", "valid"),
    "code that is never reached": (f"(func {'unreachable i32.add drop ' * N})", "valid"),
    "locals": (("(func (local " + "i64 " * 50_000 + "))") * 20, "valid"),
    "locals that must be set": (
        f"(elem declare func 0) (func (local {'(ref func) ' * 20_000}) {'block ref.func 0 local.set 5 end ' * 5000})",
        "valid",
    ),
    "handlers": (f"(tag) (func (try_table {'(catch_all 0)' * N}))", "valid"),
    "handlers in handlers": (f"(tag) (func {'try ' * N} catch_all {'end ' * N})", "valid"),
}

SCRIPT = """
import json, resource, sys, time
space = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (space, space))
from lindref.wasm.binary.decoder import decode
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module
from lindref.wasm.text.printer import print_module
from lindref.wasm.validator import validate
for name, text in json.load(sys.stdin).items():
    begin = time.process_time()
    try:
        module = decode(encode(parse_module(text)))
        assert len(print_module(module)) < 4_000_000 + 100 * len(text)
        validate(module)
        found = "valid"
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
    print(json.dumps([name, found, time.process_time() - begin]), flush=True)
"""


def test_much_is_asked_and_little_used() -> None:
    pytest.importorskip("resource", reason="address space cannot be bounded on this system")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(SPACE)],
        input=json.dumps({name: text for name, (text, _) in CASES.items()}),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = {}
    for line in done.stdout.splitlines():
        name, what, seconds = json.loads(line)
        wanted = CASES[name][1]
        found[name] = wanted if what.startswith(wanted) else what
        assert seconds < SECONDS, name
    assert found == {name: wanted for name, (_, wanted) in CASES.items()}, done.stderr[-2000:]
    assert done.returncode == 0

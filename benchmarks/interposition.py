"""What interposition costs: a call through grates that pass it on, as a multiple of the same call without.

A guest asks getuid many times; a run that asks a few times is taken off, so that loading and registering do not count.

    python -m benchmarks.interposition [--depth N]
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import lindref
from lindref.conformance.resources import folder
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

FEW, MANY = 50, 1050

_CALLS = """(module
(import "lind" "make-syscall" (func $raw (param i32 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
  (result i32)))
(import "lind" "lind-get-cage-id" (func $cage (result i64)))
(import "env" "memory" (memory 1 65536 shared))
(func (export "_start") (result i32) (local $me i64) (local $n i32)
  (local.set $me (call $cage))
  (loop $again
    (drop (call $raw (i32.const 102) (i64.const 0) (local.get $me) (local.get $me)
      (i64.const 0) (local.get $me) (i64.const 0) (local.get $me) (i64.const 0) (local.get $me)
      (i64.const 0) (local.get $me) (i64.const 0) (local.get $me) (i64.const 0) (local.get $me)))
    (local.set $n (i32.add (local.get $n) (i32.const 1)))
    (br_if $again (i32.lt_u (local.get $n) (i32.const {count}))))
  (i32.const 0)))"""


class PassOn(lindref.Grate):
    """Passes getuid on."""

    def getuid(self, call: lindref.Served) -> int:
        """As it came."""
        del call
        return self.forward()


def _seconds(root: Path, program: str, grates: list[object]) -> float:
    system = lindref.boot(program, root=root, grates=grates)  # type: ignore[arg-type]  # classes and files
    system.engine.observers.clear()
    begun = time.process_time()
    assert system.run() == 0, system.stderr
    return time.process_time() - begun


def cost(root: Path, grates: list[object], repeat: int = 3) -> float:
    """Seconds of one call beneath ``grates``: the best of several."""
    best = {count: min(_seconds(root, f"calls{count}.wasm", grates) for _ in range(repeat)) for count in (FEW, MANY)}
    return (best[MANY] - best[FEW]) / (MANY - FEW)


def figures(depth: int = 8, repeat: int = 3) -> dict[str, dict[int, float]]:
    """Seconds of a call by kind of grate and how many are stacked; 0 is the call without."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for count in (FEW, MANY):
            program = root / f"calls{count}.wasm"
            program.write_bytes(encode(parse_module(_CALLS.replace("{count}", str(count)))))
            program.chmod(0o755)
        shutil.copy(folder("conformance") / "guests" / "grate_passthrough" / "grate.wasm", root / "grate.wasm")
        direct = cost(root, [], repeat)
        depths = [n for n in (1, 2, 4, 8) if n <= depth]
        return {
            "Python": {0: direct, **{n: cost(root, [PassOn] * n, repeat) for n in depths}},
            "wasm": {0: direct, **{n: cost(root, ["grate.wasm"] * n, repeat) for n in depths}},
        }


def show(found: dict[str, dict[int, float]]) -> list[str]:
    """The figures as lines: microseconds, and the multiple of the call without a grate."""
    lines = []
    for kind, by_depth in found.items():
        for depth, seconds in by_depth.items():
            if depth or kind == "Python":
                what = f"{depth} grate{'s' if depth > 1 else ''} in {kind}" if depth else "no grate"
                lines.append(f"{what:<22} {seconds * 1e6:8.1f} µs  {seconds / by_depth[0]:6.2f}×")
    return lines


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interposition", description=__doc__)
    parser.add_argument("--depth", type=int, default=8, help="most grates stacked (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="best of so many (default %(default)s)")
    options = parser.parse_args()
    print("\n".join(show(figures(options.depth, options.repeat))))


if __name__ == "__main__":
    main()

"""What interposition costs: a call through grates that pass it on, as a multiple of the same call without.

A guest asks getuid many times; a run that asks a few times is taken off, so that loading and registering do not count.

    python -m benchmarks.interposition [--depth N] [--engine compiled]
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

FEW, MANY = 50, 2050

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


def _seconds(root: Path, program: str, grates: list[object], engine: str) -> float:
    system = lindref.boot(program, root=root, grates=grates, engine=engine)  # type: ignore[arg-type]  # classes and files
    system.engine.observers.clear()
    begun = time.process_time()
    assert system.run() == 0, system.stderr
    return time.process_time() - begun


def _best(
    root: Path, stacks: dict[tuple[str, int], list[object]], engine: str, repeat: int
) -> dict[tuple[str, int], float]:
    """Seconds of one call beneath each of the stacks, which take turns: the best of several."""
    best: dict[tuple[str, int, int], float] = {}
    for _ in range(repeat):
        for (kind, depth), grates in stacks.items():
            for count in (FEW, MANY):
                passed = _seconds(root, f"calls{count}.wasm", grates, engine)
                best[kind, depth, count] = min(best.get((kind, depth, count), passed), passed)
    return {(k, d): (best[k, d, MANY] - best[k, d, FEW]) / (MANY - FEW) for k, d in stacks}


def figures(depth: int = 8, repeat: int = 3, engine: str = "auto") -> dict[str, dict[int, float]]:
    """Seconds of a call by kind of grate and how many are stacked; 0 is the call without."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for count in (FEW, MANY):
            program = root / f"calls{count}.wasm"
            program.write_bytes(encode(parse_module(_CALLS.replace("{count}", str(count)))))
            program.chmod(0o755)
        shutil.copy(folder("conformance") / "guests" / "grate_passthrough" / "grate.wasm", root / "grate.wasm")
        depths = [n for n in (1, 2, 4, 8) if n <= depth]
        stacks: dict[tuple[str, int], list[object]] = {("", 0): []}
        stacks |= {("Python", n): [PassOn] * n for n in depths}
        stacks |= {("wasm", n): ["grate.wasm"] * n for n in depths}
        found = _best(root, stacks, engine, repeat)
        return {kind: {0: found["", 0], **{n: found[kind, n] for n in depths}} for kind in ("Python", "wasm")}


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
    parser.add_argument(
        "--engine", choices=("auto", "reference", "compiled"), default="auto", help="(default %(default)s)"
    )
    options = parser.parse_args()
    print("\n".join(show(figures(options.depth, options.repeat, options.engine))))


if __name__ == "__main__":
    main()

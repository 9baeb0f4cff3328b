"""What a fork costs: a cage that has touched 4 MiB makes the clone call, up to the child's first turn.

Two figures: with every page written since the last fork (they all have to be handed over), and with none.
"""

from __future__ import annotations

import time

from benchmarks.whole import C
from lindref.posix.fs import roots
from lindref.system.boot import boot
from lindref.system.events import Enter, Event, Exit
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

MIB = 4

_I64 = "(param i64)" * 15
#: Forks and writes nothing; forks and writes every page again; and so on. Each child ends at once.
PROGRAM = f"""(module
  (import "lind" "make-syscall" (func $raw (param i32) {_I64} (result i32)))
  (import "lind" "lind-get-memory-base" (func $base (result i64)))
  (import "lind" "lind-get-cage-id" (func $cage (result i64)))
  (import "env" "memory" (memory {MIB * 16 + 1} 65536 shared))
  (func $call (param $n i32) (param $a i64) (result i32) (local $me i64)
    (local.set $me (call $cage))
    (call $raw (local.get $n) (i64.const 0) (local.get $me) (local.get $me)
      (local.get $a) (local.get $me) (i64.const 0) (local.get $me) (i64.const 0) (local.get $me)
      (i64.const 0) (local.get $me) (i64.const 0) (local.get $me) (i64.const 0) (local.get $me)))
  (func $fork
    (if (i32.eqz (call $call (i32.const 56) (i64.add (call $base) (i64.const 64))))
      (then (drop (call $call (i32.const 231) (i64.const 0))))))
  (func (export "_start") (local $i i32)
    (local.set $i (i32.const %d))
    (loop $again
      (memory.fill (i32.const 65536) (local.get $i) (i32.const {MIB << 20}))
      (call $fork)
      (call $fork)
      (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (drop (call $call (i32.const 231) (i64.const 0)))))"""


class Stopwatch:
    """Takes the time from each call of ``clone`` to its answer, when the child is ready to run."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._call = -1
        self._begun = 0.0

    def on_event(self, event: Event) -> None:
        """An event has happened."""
        match event:
            case Enter(name="clone", call=call):
                self._call = call
                self._begun = time.process_time()
            case Exit(call=call) if call == self._call:
                self.times.append(time.process_time() - self._begun)


def measure(repeat: int) -> tuple[float, float]:
    """Seconds for a fork with all 4 MiB written since the last, and with nothing written since: the best of several."""
    system = System(config=Config())
    roots.open_root(system.kernel, "blank", None)
    image = encode(parse_module(PROGRAM % repeat))
    roots.add_file(system.kernel, b"/fork", image, 0o755)
    watch = Stopwatch()
    system.observers.append(watch)
    system.boot(b"/fork", image, [b"/fork"], ())
    outcome = system.run()
    assert outcome.status == 0, outcome
    assert len(watch.times) == 2 * repeat, watch.times
    return min(watch.times[0::2]), min(watch.times[1::2])


def deep(repeat: int, engine: str) -> float:
    """Seconds for a fork ten calls deep in a C program that has written 4 MiB: the best of several."""
    watch = Stopwatch()

    def observe(made: System) -> None:
        made.observers.append(watch)

    system = boot(C / "deep.wasm", [str(repeat)], root_mode="blank", observe=observe, engine=engine)
    outcome = system.run()
    assert outcome.status == 0, outcome
    assert len(watch.times) == repeat, watch.times
    return min(watch.times)

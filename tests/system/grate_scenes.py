"""Worlds with grates: cage 1 as a script or a wasm program that serves calls of its forked child."""

from __future__ import annotations

from typing import Any

from scenes import FORK, CallStep, World, exits, fork, program, scripted, world

from lindref.profile import SPEC, Profile
from lindref.system.events import Enter, Exit, Route
from lindref.system.runtime import Config
from lindref.system.script_runner import Given, Pointer
from lindref.threei.numbers import UNUSED

READ, WRITE, CLOSE, PIPE, YIELD, SLEEP, GETPID = 0, 1, 3, 22, 24, 35, 39
CLONE, EXIT, WAIT, GETUID, GETEUID, GETPPID, EXIT_GROUP = 56, 60, 61, 102, 107, 110, 231
ANY = (1 << 64) - 1
#: Profile ``spec`` without the capability rules: for what 3i does with calls that they would refuse.
OPEN = Profile("spec", frozenset(f"3I-ANY-{what}" for what in ("CAGE", "OWNER", "ROW", "TABLE", "MEMORY")))
#: Sleeps as long as offset 256 says.
WAKES_LATER = CallStep(SLEEP, (1, 0, Pointer(256), 0))
WAITS = CallStep(WAIT, (ANY, 0, 0))


def register(cage: int, number: int, grate: int, slot: int, caller: int = 1) -> CallStep:
    """register_handler as the C library sends it, routed by the table of ``caller``."""
    return CallStep(1001, (cage, UNUSED, slot), cages=(number, grate, UNUSED), caller=caller, target=caller)


def copies_table(source: int, target: int) -> CallStep:
    """copy_handler_table_to_cage as the C library sends it."""
    return CallStep(1003, (source,), cages=(target,))


def forward(number: int, grate: int = 1, target: int = 2, count: int = 6) -> CallStep:
    """The call that a handler serves, passed on unchanged."""
    return CallStep(number, tuple(Given(i) for i in range(count)), caller=grate, target=target)


def under(
    handlers: tuple[tuple[Any, ...], ...],
    *steps: Any,
    number: int = GETEUID,
    profile: Profile = SPEC,
    config: Config | None = None,
) -> World:
    """Cage 1 is a grate, with handler 0 for ``number`` of cage 2, which plays ``steps`` and exits with 7."""
    child = (register(2, number, 1, 0), *steps, exits(7))
    return scripted(fork(child), WAITS, exits(0), handlers=handlers, profile=profile, config=config)


def of(run: World, cage: int, *numbers: int) -> list[int | None]:
    """The results of a cage's own calls of these numbers."""
    results = {e.call: e.result for e in run.recorder.of(Exit)}
    return [results[e.call] for e in run.recorder.of(Enter) if e.cage == cage and e.number in numbers]


def of_all(run: World, number: int) -> list[int | None]:
    """The results of all uses of a call."""
    results = {e.call: e.result for e in run.recorder.of(Exit)}
    return [results[e.call] for e in run.recorder.of(Enter) if e.number == number]


def rules(run: World, number: int) -> list[str]:
    """The rules named by the ends of a call's uses."""
    found = {e.call: e.rule for e in run.recorder.of(Exit)}
    return [found[e.call] for e in run.recorder.of(Enter) if e.number == number and e.call in found]


def handler_of(run: World, number: int) -> list[int]:
    """Who served the uses of a call."""
    served = {e.call: e.handler for e in run.recorder.of(Route)}
    return [served[e.call] for e in run.recorder.of(Enter) if e.number == number and e.call in served]


#: `$register number slot`: the child registers cage 1's function for itself.
REGISTER = f"""
(func $register (param $n i64) (param $slot i64)
  (drop (call $raw (i32.const 1001) (i64.const 0) (i64.const 1) (i64.const 1) (call $cage) (local.get $n)
    (i64.const {UNUSED - (1 << 64)}) (i64.const 1) (local.get $slot) (i64.const 0) (i64.const 0) (i64.const 0)
    (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0))))
"""
WAIT_FOR_CHILD = "(drop (call $call3 (i32.const 61) (i64.const -1) (i64.const 0) (i64.const 0)))"


def wasm_grate(child: str, more: str = "", files: dict[bytes, bytes] | None = None, **options: Any) -> World:
    """A wasm program whose forked child does ``child``, and ends, while it waits."""
    start = f"""(local $r i32)
      (if (i32.eqz {FORK}) (then {child} (call $exit (i64.const 0))))
      {WAIT_FOR_CHILD} (call $exit (i64.const 0))"""
    return world(program(start, REGISTER + more), files=files, **options)

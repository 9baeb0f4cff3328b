"""Small worlds for tests of the system: programs in text with a prelude, scripts, a list of what happened."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from lindref.posix import console
from lindref.posix.fs import roots
from lindref.profile import SPEC, Profile
from lindref.system.boot import boot_script
from lindref.system.choices import Chooser
from lindref.system.events import Event
from lindref.system.runtime import Config
from lindref.system.script_runner import CallStep, ReturnStep, ScriptState
from lindref.system.system import System
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

E = TypeVar("E", bound=Event)

GUESTS = Path(__file__).resolve().parents[2] / "conformance" / "guests"

_I64 = "(param i64)" * 15
#: What every program of these tests begins with: `$call number a b c d e f` makes a call with self, target and all
#: cage ids its own, `$at offset` is the host address of an offset.
PRELUDE = f"""
(import "lind" "make-syscall" (func $raw (param i32) {_I64} (result i32)))
(import "lind" "lind-get-memory-base" (func $base (result i64)))
(import "lind" "lind-get-cage-id" (func $cage (result i64)))
(import "env" "memory" (memory 1 65536 shared))
(func $at (param $o i32) (result i64) (i64.add (call $base) (i64.extend_i32_u (local.get $o))))
(func $call (param $n i32) (param $a i64) (param $b i64) (param $c i64) (param $d i64) (param $e i64) (param $f i64)
  (result i32) (local $me i64)
  (local.set $me (call $cage))
  (call $raw (local.get $n) (i64.const 0) (local.get $me) (local.get $me)
    (local.get $a) (local.get $me) (local.get $b) (local.get $me) (local.get $c) (local.get $me)
    (local.get $d) (local.get $me) (local.get $e) (local.get $me) (local.get $f) (local.get $me)))
(func $call0 (param $n i32) (result i32)
  (call $call (local.get $n) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
(func $call1 (param $n i32) (param $a i64) (result i32)
  (call $call (local.get $n) (local.get $a) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
(func $call3 (param $n i32) (param $a i64) (param $b i64) (param $c i64) (result i32)
  (call $call (local.get $n) (local.get $a) (local.get $b) (local.get $c) (i64.const 0) (i64.const 0) (i64.const 0)))
(func $write (param $fd i32) (param $o i32) (param $n i32)
  (drop (call $call3 (i32.const 1) (i64.extend_i32_u (local.get $fd)) (call $at (local.get $o))
    (i64.extend_i32_u (local.get $n)))))
(func $exit (param $code i64) (drop (call $call1 (i32.const 231) (local.get $code))))
"""
#: clone's argument structure: 88 zero bytes for a fork lie at offset 64.
FORK = "(call $call3 (i32.const 56) (call $at (i32.const 64)) (i64.const 0) (i64.const 0))"


def module(body: str) -> bytes:
    """The binary of a program: the prelude and ``body``."""
    return encode(parse_module(f"(module {PRELUDE} {body})"))


def program(start: str, more: str = "") -> bytes:
    """The binary of a program whose ``_start`` is ``start``."""
    return module(f'{more} (func (export "_start") {start})')


class Recorder:
    """All events of a run, in order."""

    def __init__(self, system: System) -> None:
        self.events: list[Event] = []
        system.observers.append(self)

    def on_event(self, event: Event) -> None:
        """An event has happened."""
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class World:
    """A run about to begin, with its recorder."""

    def __init__(self, system: System, recorder: Recorder) -> None:
        self.system = system
        self.recorder = recorder

    @property
    def out(self) -> bytes:
        """What was written to standard output."""
        return console.output(self.system.kernel, console.STDOUT)

    @property
    def results(self) -> list[tuple[str, int | None]]:
        """Names and results of all calls that came back, in that order."""
        names = {e.call: e.name for e in self.recorder.events if e.kind == "enter"}  # type: ignore[attr-defined]
        return [(names[e.call], e.result) for e in self.recorder.events if e.kind == "exit"]  # type: ignore[attr-defined]

    def run(self) -> int:
        """To the end; the exit status."""
        return self.system.run().status


def world(
    image: bytes,
    *args: bytes,
    files: dict[bytes, bytes] | None = None,
    env: tuple[bytes, ...] = (),
    profile: Profile = SPEC,
    config: Config | None = None,
    chooser: Chooser | None = None,
    stdin: bytes | None = b"",
) -> World:
    """A world with ``image`` as cage 1, at ``/main``, on an otherwise blank root that holds ``files``."""
    system = System(profile=profile, config=config, chooser=chooser)
    roots.open_root(system.kernel, "blank", None)
    for path, data in {b"/main": image, **(files or {})}.items():
        roots.add_file(system.kernel, path, data, 0o755)
    recorder = Recorder(system)
    if stdin is not None:
        if stdin:
            console.feed_stdin(system.kernel, stdin)
        console.end_stdin(system.kernel)
    system.boot(b"/main", image, [b"/main", *args], env)
    return World(system, recorder)


def scripted(
    *steps: Any,
    handlers: tuple[tuple[Any, ...], ...] = (),
    profile: Profile = SPEC,
    config: Config | None = None,
    chooser: Chooser | None = None,
) -> World:
    """A world whose cage 1 plays a script."""
    made: list[Recorder] = []
    system = boot_script(
        ScriptState(steps, handlers),
        profile=profile,
        config=config,
        chooser=chooser,
        observe=lambda new: made.append(Recorder(new)),
    )
    return World(system, made[0])


def fork(child: tuple[Any, ...]) -> CallStep:
    """A step that forks: the child plays ``child`` instead of what follows."""
    from lindref.system.script_runner import Pointer

    return CallStep(56, (Pointer(64),), child=child)


def exits(code: int) -> CallStep:
    """A step that ends the cage."""
    return CallStep(231, (code,))


__all__ = ["CallStep", "Recorder", "ReturnStep", "World", "exits", "fork", "module", "program", "scripted", "world"]

"""Whole runs under test: a script of calls beneath grates with a schedule, and what is seen of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from lindref import classes
from lindref.posix import console
from lindref.posix.fs import roots
from lindref.properties import beneath_wasm
from lindref.properties.beneath_wasm import PassInWasm
from lindref.properties.statements import NotRelevant
from lindref.system.boot import boot_script
from lindref.system.events import Enter, Event, Exit, Route
from lindref.system.python.grate import Grate
from lindref.system.runtime import Config
from lindref.system.script_runner import ScriptState

#: Cages from here on are grates, not programs.
GRATES = 3001
_NONE: Mapping[str, bytes] = {}


@classes.frozen
class Made:
    """A call that a cage made: who, number, arguments with their owners, who served it, the result; the numbers of the
    events of its beginning and its end (0: none)."""

    call: int
    cage: int
    number: int
    target: int
    args: tuple[tuple[int, int], ...]
    within: int
    handler: int | None
    result: int | None
    begun: int = 0
    ended: int = 0


@classes.frozen
class Seen:
    """What is seen of a run: its calls in order, its output and status, its events as text, its schedule."""

    calls: tuple[Made, ...]
    stdout: bytes
    status: int
    events: tuple[str, ...]
    schedule: tuple[int, ...]

    def program(self) -> dict[int, list[tuple[int, int | None]]]:
        """Numbers and results of each program's own calls, without registrations."""
        found: dict[int, list[tuple[int, int | None]]] = {}
        for made in self.calls:
            if made.cage < GRATES and made.number != 1001:
                found.setdefault(made.cage, []).append((made.number, made.result))
        return found


class ThreadsOnly:
    """Answers to the choice points of threads; all others get 0: what a read gives is not for the schedule to say."""

    def __init__(self, answers: tuple[int, ...]) -> None:
        self.answers = answers

    def choose(self, index: int, kind: str, options: int) -> int:
        """The answer for this choice point (``system.choices.Chooser``)."""
        answer = self.answers[index] if kind == "thread" and index < len(self.answers) else 0
        return min(answer, options - 1)


class Runs(Protocol):
    """An implementation that plays scripts."""

    def run(
        self,
        steps: tuple[Any, ...],
        grates: Sequence[Grate] = (),
        answers: tuple[int, ...] = (),
        workers: int = 32,
        files: Mapping[str, bytes] = _NONE,
    ) -> Seen:
        """Play ``steps`` as cage 1, beneath ``grates`` (the last is closest), with these answers to choice points and
        at most so many workers a grate. ``files`` are in the root, to be exec'd: modules by their paths."""


class LindrefRuns:
    """lindref itself."""

    def run(
        self,
        steps: tuple[Any, ...],
        grates: Sequence[Grate] = (),
        answers: tuple[int, ...] = (),
        workers: int = 32,
        files: Mapping[str, bytes] = _NONE,
    ) -> Seen:
        """See ``Runs``."""
        outer = [grate for grate in grates if not isinstance(grate, PassInWasm)]
        wasm = len(grates) - len(outer)
        if list(grates[: len(outer)]) != outer:
            raise NotRelevant("a grate in Python closer to a script than one in wasm")
        before = 0
        if wasm:
            steps, before = beneath_wasm.beneath(steps, wasm)
            files = {**files, **beneath_wasm.files()}
        events: list[Event] = []

        class Recorder:
            def on_event(self, event: Event) -> None:
                events.append(event)

        system = boot_script(
            ScriptState(steps),
            grates=tuple(outer),
            config=Config(max_ticks=20_000 * (1 + wasm), workers=workers),
            chooser=ThreadsOnly(answers),
            observe=lambda system: system.observers.append(Recorder()),
        )
        console.end_stdin(system.kernel)
        for path, data in files.items():
            roots.add_file(system.kernel, path.encode(), data, 0o755)
        outcome = system.run()
        served = {e.call: e.handler for e in events if isinstance(e, Route)}
        ends = {e.call: e for e in events if isinstance(e, Exit)}
        calls = [
            Made(
                e.call,
                e.cage,
                e.number,
                e.target,
                e.args,
                e.within,
                served.get(e.call),
                ends[e.call].result if e.call in ends else None,
                e.n,
                ends[e.call].n if e.call in ends else 0,
            )
            for e in events
            if isinstance(e, Enter)
        ]
        python = range(GRATES, GRATES + len(outer))
        made = beneath_wasm.without(calls, wasm, before, python) if wasm else tuple(calls)
        given = [0] * system.choices.state.count
        for index, answer in system.choices.state.answers.items():
            given[index] = answer
        out = console.output(system.kernel, console.STDOUT)
        return Seen(made, out, outcome.status, tuple(map(repr, events)), tuple(given))

"""lindref as an implementation under test: the self-check, and what the model's own runs are made with."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import lindref
from lindref.conformance.adapters.case import Calls, Case, Program
from lindref.conformance.adapters.interface import FEATURES, AdapterError, Description, NotApplicable, Observed
from lindref.conformance.vectors import cage, play
from lindref.conformance.vectors.model import Vector
from lindref.conformance.vectors.play import PlayingSystem
from lindref.posix import console
from lindref.profile import Profile, by_name
from lindref.system.boot import BootError, LoadError, boot
from lindref.system.choices import Chooser, FirstOption, Seeded
from lindref.system.events import EVENTS
from lindref.system.outcome import STATUS, Ending, Outcome
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.trace.jsonl import JsonTrace
from lindref.vm.engines import ENGINES

#: A run that goes on for longer never ends, in ticks.
MAX_TICKS = 100_000_000
PLAYERS = ("cage", "direct")


def observed(system: System, outcome: Outcome, trace: JsonTrace, text: io.StringIO) -> Observed:
    """What was seen of a system that has run to ``outcome``; its trace is closed here, and stands in ``text``."""
    trace.close(outcome)
    return Observed(
        outcome.status,
        console.output(system.kernel, console.STDOUT),
        console.output(system.kernel, console.STDERR),
        text.getvalue().encode(),
        note=outcome.text,
    )


class Lindref:
    """lindref in one ``profile``, on one ``engine``; ``seed``: with choices from it instead of the first option;
    ``player``: how scripts are played (a puppet guest, or calls put into the model).
    """

    def __init__(self, profile: str = "spec", engine: str = "auto", seed: str = "", player: str = "cage") -> None:
        try:
            self.profile: Profile = by_name(profile)
        except ValueError as error:
            raise AdapterError(f"adapter lindref: {error}") from None
        for name, value, known in (("engine", engine, ENGINES), ("player", player, PLAYERS)):
            if value not in known:
                raise AdapterError(f"adapter lindref: {name} {value!r} (one of {', '.join(known)})")
        if seed and not seed.isdecimal():
            raise AdapterError(f"adapter lindref: seed {seed!r} is not a whole number")
        self.engine = engine
        self.seed = int(seed) if seed else None
        self.player = player

    def describe(self) -> Description:
        """Everything."""
        return Description(
            "lindref",
            lindref.__version__,
            profile=self.profile.name,
            kinds=frozenset({"program", "script", "module"}),
            features=frozenset(FEATURES),
            observes=frozenset({*(kind.kind for kind in EVENTS), "outcome"}),
            same_calls=self.player == "cage",  # the other has no image of the same size
        )

    def run(self, case: Case) -> Observed:
        """Run it on the model."""
        if case.program is not None:
            return self._program(case.program)
        if case.script is not None:
            return self._script(case.script)
        assert case.calls is not None
        return self._module(case.calls)

    def made(self, system: System) -> None:
        """A system was made, and nothing has happened in it: for those that want to watch."""

    def chooser(self) -> Chooser:
        """How choice points are answered."""
        return FirstOption() if self.seed is None else Seeded(self.seed)

    # Programs.

    def booted(self, program: Program, config: Config | None = None, **more: Any) -> System:
        """A system that is about to run ``program``, all its input given. Raises ``BootError``."""
        system = boot(
            program.argv[0],
            program.argv[1:],
            root=program.folder,
            profile=self.profile,
            config=config or Config(max_ticks=MAX_TICKS),
            chooser=self.chooser(),
            engine=self.engine,
            env=program.env,
            **more,
        )
        console.feed_stdin(system.kernel, program.stdin)
        console.end_stdin(system.kernel)
        return system

    def _program(self, program: Program) -> Observed:
        text = io.StringIO()
        traces: list[JsonTrace] = []

        def observe(system: System) -> None:
            self.made(system)
            traces.append(JsonTrace(system, text.write, argv=list(program.argv)))
            system.observers.append(traces[0])

        with tempfile.TemporaryDirectory(prefix="lindref-") as place:
            try:
                system = self.booted(program.copy_to(Path(place)), observe=observe)
            except LoadError as error:
                return Observed(STATUS[Ending.LOAD], b"", b"", note=str(error))
            except BootError as error:
                raise NotApplicable(str(error)) from None
            return observed(system, system.run(), traces[0], text)


    # Scripts.

    def script_system(self, vector: Vector) -> PlayingSystem:
        """A system that is to play ``vector``."""
        make = cage.CageSystem if self.player == "cage" else play.VectorSystem
        return make(vector, self.profile, self.chooser())

    def _script(self, vector: Vector) -> Observed:
        system = self.script_system(vector)
        system.engine = self.engine
        self.made(system)
        text = io.StringIO()
        trace = JsonTrace(system, text.write)
        system.observers.append(trace)
        play.prepare(system, vector)
        seen = observed(system, system.run(), trace, text)
        assert system.outcome is not None
        observation = play.observed(system.outcome, system.journal, seen.stdout or b"")
        return Observed(seen.status, seen.stdout, seen.stderr, seen.trace, observation, note=seen.note)

    # Modules.

    def _module(self, calls: Calls) -> Observed:
        from lindref.conformance.adapters.modules import run_calls

        return Observed(results=run_calls(calls, self.engine))

"""A run for Python programs: forwards and backwards, with what happened so far at hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lindref import classes
from lindref.posix import console
from lindref.posix.cage import Cage
from lindref.profile import Profile, by_name
from lindref.system import state as states
from lindref.system.boot import boot as boot_system
from lindref.system.choices import FirstOption, Replay, Seeded, parse_schedule
from lindref.system.events import Event
from lindref.system.outcome import Outcome
from lindref.system.runtime import Config
from lindref.system.state import SystemState
from lindref.system.system import System as Engine
from lindref.threei.numbers import BENEATH
from lindref.vm.engines import ENGINES
from lindref.vm.memory import Memory

if TYPE_CHECKING:
    from lindref.system.python.grate import Grate
    from lindref.system.python.words import GrateSpec


@classes.frozen
class CageView:
    """One cage at this moment."""

    record: Cage
    memory: Memory
    #: Call number -> grate, for the calls that a grate serves.
    interposed: Mapping[int, int]


class Cages(Mapping[int, CageView]):
    """The living cages by id, as they are at the moment of looking."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getitem__(self, cage: int) -> CageView:
        engine = self._engine
        rows = engine.tables.rows.get(cage)
        served = {n: h.cage for n, h in (rows.items() if rows is not None else ()) if h is not None}
        grates = {n: grate for n, grate in served.items() if grate not in BENEATH}
        return CageView(engine.kernel.cages[cage], engine.memories[cage], grates)

    def __iter__(self) -> Iterator[int]:
        return iter([cage for cage in self._engine.kernel.cages if cage in self._engine.memories])

    def __len__(self) -> int:
        return sum(1 for _ in self)


class System:
    """A booted system (see ``lindref.boot``)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._events: list[Event] = []
        self._history: list[SystemState] = []
        self._attach()

    def _attach(self) -> None:
        if self not in self._engine.observers:
            self._engine.observers.append(self)

    def on_event(self, event: Event) -> None:
        """An event has happened (``Observer``)."""
        self._events.append(event)

    # Going on, and back.

    def step(self) -> bool:
        """One turn of one thread; false once the run is over. ``back`` undoes it."""
        if self._engine.outcome is not None:
            return False
        self._history.append(self.snapshot())
        self._engine.step()
        return self._engine.outcome is None

    def back(self) -> bool:
        """Undo the last turn made with ``step`` or ``run_until``; false if there is none."""
        if not self._history:
            return False
        self.restore(self._history.pop())
        return True

    def run(self) -> int:
        """Go on to the end; the exit status. What is skipped so cannot be undone turn by turn, but as a whole."""
        if self._engine.outcome is None:
            self._history.append(self.snapshot())
        return self._engine.run().status

    def run_until(self, wanted: Callable[[Event], bool]) -> Event | None:
        """Turn by turn until an event fulfils ``wanted``; the event, or ``None`` if the run ended before."""
        while True:
            seen = len(self._events)
            going = self.step()
            found = next((event for event in self._events[seen:] if wanted(event)), None)
            if found is not None or not going:
                return found

    def snapshot(self) -> SystemState:
        """The whole system as one value (STATE-1)."""
        return states.freeze(self._engine)

    def restore(self, state: SystemState) -> None:
        """Make ``state`` the present; events after it are forgotten."""
        observers, quiet = self._engine.observers, self._engine.quiet_observers
        self._engine = states.thaw(state, like=self._engine)
        self._engine.observers, self._engine.quiet_observers = observers, quiet
        self._events = [event for event in self._events if event.n <= self._engine.event_count]

    # Looking.

    @property
    def engine(self) -> Engine:
        """The live system underneath."""
        return self._engine

    @property
    def trace(self) -> tuple[Event, ...]:
        """What happened so far."""
        return tuple(self._events)

    @property
    def cages(self) -> Cages:
        """The living cages."""
        return Cages(self._engine)

    @property
    def grates(self) -> Mapping[int, Grate]:
        """The grates in Python by cage, in the order in which they came: their ``state`` and ``cage_state`` as they are
        now.
        """
        from lindref.system.python.stack import outside

        return {cage: outside(self._engine, cage) for cage in self._engine.grates}

    @property
    def outcome(self) -> Outcome | None:
        """How the run ended; ``None`` while it goes on."""
        return self._engine.outcome

    @property
    def exit_status(self) -> int | None:
        """The exit status (RUN-2, RUN-3); ``None`` while the run goes on."""
        return None if self._engine.outcome is None else self._engine.outcome.status

    @property
    def stdout(self) -> bytes:
        """All that was written to standard output so far."""
        return console.output(self._engine.kernel, console.STDOUT)

    @property
    def stderr(self) -> bytes:
        """All that was written to standard error so far."""
        return console.output(self._engine.kernel, console.STDERR)

    @property
    def schedule(self) -> str:
        """The string that replays the run so far (SCHED-2)."""
        return self._engine.choices.schedule()


def boot(
    program: str | os.PathLike[str],
    args: Sequence[str] = (),
    *,
    root: str | os.PathLike[str] | None = None,
    root_mode: str = "cow",
    profile: str | Profile = "spec",
    seed: int | None = None,
    schedule: str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    workers: int = 32,
    max_ticks: int | None = None,
    max_memory: int | None = None,
    preloads: Sequence[tuple[str, str]] = (),
    engine: str = "auto",
    grates: Sequence[GrateSpec] = (),
) -> System:
    """Boot ``program`` (a host path, or with ``root`` a path inside it) as cage 1, about to run.

    ``seed`` chooses schedule and random bytes, ``schedule`` replays one. ``grates`` come over the program, the first
    farthest from it: ``Grate`` objects or classes, ``"MODULE:CLASS,OPTION=VALUE"``, files of wasm grates. ``preloads``
    are libraries for dynamic programs, as pairs of import module and path. Raises ``BootError`` for what cannot be
    booted, ``ValueError`` for an unknown profile, engine or schedule.
    """
    if engine not in ENGINES:
        raise ValueError(f"no engine {engine!r}; there are {', '.join(ENGINES)}")
    chosen = by_name(profile) if isinstance(profile, str) else profile
    then = FirstOption() if seed is None else Seeded(seed)
    chooser = then if schedule is None else Replay(parse_schedule(schedule), then)
    config = Config(
        workers=workers, max_ticks=max_ticks, max_memory=max_memory, seed=seed or 0, preloads=tuple(preloads)
    )
    made: list[System] = []
    booted = boot_system(
        program,
        args,
        root=root,
        root_mode=root_mode,
        profile=chosen,
        config=config,
        chooser=chooser,
        engine=engine,
        env=env,
        grates=grates,
        observe=lambda new: made.append(System(new)),
    )
    if stdin:
        console.feed_stdin(booted.kernel, stdin)
    console.end_stdin(booted.kernel)
    return made[0]

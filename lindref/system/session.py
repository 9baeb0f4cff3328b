"""A run for Python programs: forwards and backwards, with what happened so far at hand."""

from __future__ import annotations

import os
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from lindref.posix import console
from lindref.posix.constants import EPOCH
from lindref.posix.errno import NUMBERS
from lindref.profile import Profile, by_name
from lindref.shown import Shown
from lindref.system import lookback, worldly
from lindref.system import state as states
from lindref.system.boot import boot as boot_system
from lindref.system.choices import FirstOption, Instead, Replay, Seeded, parse_schedule
from lindref.system.events import Choice, Enter, Event, Observer
from lindref.system.history import Teller, Trace
from lindref.system.looking import Untold, fitting
from lindref.system.outcome import Outcome
from lindref.system.runtime import Config
from lindref.system.snapshots import EVENT_COST, MOST_BYTES, Snapshots
from lindref.system.state import SystemState
from lindref.system.system import System as Engine
from lindref.system.views import Cages
from lindref.vm.engines import ENGINES

if TYPE_CHECKING:
    from lindref.system.forks import SideBySide
    from lindref.system.position import Position
    from lindref.system.python.grate import Grate
    from lindref.system.python.words import GrateSpec
    from lindref.vm.stepping import Control

#: What ``boot`` takes for the network and the clock.
NETS = ("", "loopback", "any")
CLOCKS = ("virtual", "real")

#: A change made by hand, to a live engine.
Edit = Callable[[Engine], object]


class System(Shown):
    """A booted system (see ``lindref.boot``): a line of turns along which one can go forwards and backwards.

    A *position* is the number of the event that happened last (TRAVEL-1). Going somewhere and coming back changes
    nothing: the run is the same whatever way one took to a place (TRAVEL-2). What is to go another way is a ``branch``.
    ``most_bytes``: about how much memory states to go back to may hold on to.
    """

    def __init__(self, engine: Engine, *, most_bytes: int = MOST_BYTES) -> None:
        self._engine = engine
        #: What the machines have in common where turns can be taken in pieces (``make_fine``); ``None``: they cannot.
        self.control: Control | None = None
        #: Changes made by hand, by the number of turns before the one they belong to (TRAVEL-7).
        self._edits: dict[int, list[tuple[Position, Edit]]] = {}
        #: The key of the thread that ran in each turn.
        self._ran = array("L")
        #: The events from number ``_base + 1`` on, as far as the run was ever taken; for each the turn it belongs to.
        self._events: list[Event] = []
        self._turns = array("L")
        self._base = 0
        self._turn = self._furthest = 0
        self._snapshots = Snapshots(most_bytes=most_bytes)
        engine.observers.append(self)

    def on_event(self, event: Event) -> None:
        """An event has happened (``Observer``)."""
        if event.n > self._base + len(self._events):
            self._events.append(event)
            self._turns.append(self._turn)

    # Going on, and back.

    def step(self) -> bool:
        """One turn of one thread; false once the run is over. ``back`` undoes it."""
        engine = self._engine
        if engine.outcome is not None:
            return False
        self._keep()
        self._turn += 1
        if self._turn > self._furthest:
            known = self._base + len(self._events)
            if known > engine.event_count:  # the turn was begun before, and left in the middle
                self._step_rest([Untold(o, known) for o in engine.observers if o is not self])
            else:
                self._take_turn()
            self._furthest = self._turn
            self._ran.append(engine.current)
        else:
            self._step_again()
        return engine.outcome is None

    def _take_turn(self) -> None:
        """One turn of the engine, with the changes that were made by hand in it (TRAVEL-7)."""
        engine = self._engine
        edits = self._edits.get(self._turn - 1, ()) if self._edits else ()
        inside = [one for one in edits if one[0] > (self._turn - 1, 0, 0)]
        if inside:
            from lindref.system.turn import Turn

            turn = Turn(engine)
            for position, change in inside:
                turn.to(position.tick, position.step)
                change(engine)
            turn.finish()
        else:
            engine.step()
        for position, change in self._edits.get(self._turn, ()) if self._edits else ():
            if position == (self._turn, 0, 0):
                change(engine)

    def _keep(self) -> None:
        """Keep the present state if it is time to."""
        engine = self._engine
        if self._snapshots.due(self._turn, engine.ticks + EVENT_COST * engine.event_count):
            self._snapshots.keep(self._turn, self.snapshot())

    def _step_told(self, teller: Observer) -> None:
        """A turn that was taken before, for one who wants to be told again."""
        self._turn += 1
        self._step_again(teller)

    def _step_rest(self, others: Sequence[Observer]) -> None:
        """A turn that was begun before, and left in the middle, for those who were told of its beginning."""
        told = self._engine.observers
        self._engine.observers = [self, *others]
        try:
            self._take_turn()
        finally:
            self._engine.observers = told

    def _step_again(self, *tell: Observer) -> None:
        """A turn that was taken before: nobody else is told again, nothing is written to the outside again."""
        engine, outside = self._engine, self._engine.kernel.outside
        observers, quiet, wrote = engine.observers, engine.quiet_observers, outside.wrote
        engine.observers, engine.quiet_observers, outside.wrote = [self, *tell], [], None
        try:
            self._take_turn()
        finally:
            engine.observers, engine.quiet_observers, outside.wrote = observers, quiet, wrote

    def back(self) -> bool:
        """Undo the last turn; false at the beginning of the run."""
        if not self._turn:
            return False
        self._to_turn(self._turn - 1)
        return True

    def goto(self, event: int) -> bool:
        """Go where event number ``event`` has just happened, backwards or forwards; false, at the run's end, if there
        is no such event. 0 is the beginning of the run (TRAVEL-1)."""
        if event <= self._base + len(self._events):
            self._to_turn(self._turns[event - self._base - 1] if event > self._base else 0)
            return True
        self._to_turn(self._furthest)
        while self._engine.event_count < event and self.step():
            pass
        return self._engine.event_count >= event

    def run(self) -> int:
        """Go on to the end; the exit status."""
        while self.step():
            pass
        assert self._engine.outcome is not None
        return self._engine.outcome.status

    def run_until(
        self,
        wanted: Callable[[Event], bool] | None = None,
        *,
        call: str | None = None,
        cage: int | None = None,
        event: int | str | None = None,
    ) -> Event | None:
        """Turn by turn until something has happened; the event, or ``None`` if the run ended before.

        Wanted is an event that fulfils all that is given: ``wanted``; ``call``: a call of that name enters; ``cage``:
        it happens there; ``event``: its number, or its kind (``"signal"``).
        """
        fits = fitting(wanted, call, cage, event)
        while True:
            seen = self.position
            going = self.step()
            found = next((e for e in self._between(seen, self.position) if fits(e)), None)
            if found is not None or not going:
                return found

    def back_until(
        self,
        wanted: Callable[[Event], bool] | None = None,
        *,
        call: str | None = None,
        cage: int | None = None,
        event: int | str | None = None,
    ) -> Event | None:
        """Go back to where what is wanted (as for ``run_until``) happened last before the present turn; the event, or
        ``None``, at the beginning of the run, if it never did."""
        fits = fitting(wanted, call, cage, event)
        for one in reversed(self._between(self._base, self.position)):
            if self._turns[one.n - self._base - 1] < self._turn and fits(one):
                self.goto(one.n)
                return one
        self._to_turn(0)
        return None

    def _between(self, after: int, last: int) -> list[Event]:
        """The events with numbers above ``after`` up to ``last``."""
        return self._events[max(after - self._base, 0) : max(last - self._base, 0)]

    def _to_turn(self, turn: int) -> None:
        """Stand after ``turn`` turns: from the nearest state before, unless one stands nearer."""
        kept = self._snapshots.nearest(turn) if self._turn > turn or self._snapshots else None
        if kept is not None and (self._turn > turn or kept.turn > self._turn):
            self._keep()
            self._put_back(kept.turn, kept.state)
        while self._turn < turn:
            self.step()

    def recover(self, turn: int) -> None:
        """After an exception out of ``step``: stand after ``turn`` turns, which were taken before."""
        kept = self._snapshots.nearest(turn)
        self._put_back(kept.turn, kept.state)
        self._to_turn(turn)

    def _put_back(self, turn: int, state: SystemState) -> None:
        before = self._engine
        engine = states.thaw(state, like=before)
        engine.observers, engine.quiet_observers = before.observers, before.quiet_observers
        engine.overrides = before.overrides
        self._engine = engine
        self._turn = turn

    def snapshot(self) -> SystemState:
        """The whole system as one value (STATE-1)."""
        return states.freeze(self._engine)

    def restore(self, state: SystemState) -> None:
        """Make ``state`` the present, and the beginning of what one can go back to; events after it are forgotten."""
        self._put_back(0, state)
        count = self._engine.event_count
        if self._base + len(self._events) < count:
            self._base, self._events = count, []
        self._forget_future()
        self._turns = array("L", [0] * len(self._events))
        self._ran = array("L")
        self._edits = {}
        self._furthest = 0
        self._snapshots = self._snapshots.beginning_with(state)

    def _forget_future(self) -> None:
        """What comes after the present is not known any more."""
        del self._events[self.position - self._base :], self._turns[self.position - self._base :]
        del self._ran[self._turn :]
        self._edits = {turn: edits for turn, edits in self._edits.items() if turn <= self._turn}
        self._furthest = self._turn
        self._snapshots.forget_after(self._turn)

    # Within turns.

    def make_fine(self) -> None:
        """From now on turns can be taken in pieces (``system.turn``), and looked into (``system.scan``)."""
        if self.control is None:
            from lindref.vm.stepping import Control

            state = self.snapshot()
            self.control = Control()
            self._engine.engine = self.control.machine
            self._put_back(self._turn, state)

    def ran(self, turn: int) -> int:
        """The key of the thread that ran in turn number ``turn`` (from 1); 0 if that is not known."""
        return self._ran[turn - 1] if 0 < turn <= len(self._ran) else 0

    def edit(self, position: Position, change: Edit) -> None:
        """Change something by hand at ``position``, in the turn before which one stands: what comes after is a new
        line of history, the known one is forgotten (TRAVEL-7). ``change`` is given the engine, each time one comes by.
        """
        assert position.turn == self._turn
        self._forget_future()
        edits = [one for one in self._edits.get(self._turn, ()) if one[0] <= position]
        self._edits[self._turn] = [*edits, (position, change)]
        if position == (self._turn, 0, 0):
            change(self._engine)
            self._snapshots.replace(self._turn, self.snapshot())

    def edits(self) -> Sequence[tuple[Position, Edit]]:
        """The changes by hand in the turn before which one stands."""
        return self._edits.get(self._turn, ())

    # Other ways.

    def branch(
        self, *, call: int | None = None, errno: str | int = "EIO", choice: int | None = None, answer: int = 1
    ) -> System:
        """A second system that goes another way; this one stays where it is (TRAVEL-4).

        With ``call`` it stands before call number ``call`` enters, which will do nothing but fail with ``errno``. With
        ``choice`` it stands before choice point number ``choice`` (see ``Choice`` events), which will have the answer
        ``answer``. With neither it stands where this one does. Raises ``ValueError`` for a call or choice point that
        was not seen, and for an errno that is none.
        """
        other = self._copy()
        if call is not None:
            number = errno if isinstance(errno, int) else NUMBERS.get(errno, 0)
            if not 0 < number < 4096:
                raise ValueError(f"errno {errno!r}: no such error")
            other._before(f"call {call}", lambda e: isinstance(e, Enter) and e.call == call)  # noqa: SLF001
            other._engine.overrides = {**self._engine.overrides, call: -number}  # noqa: SLF001
        if choice is not None:
            other._before(f"choice point {choice}", lambda e: isinstance(e, Choice) and e.index == choice)  # noqa: SLF001
            choices = other._engine.choices  # noqa: SLF001
            choices.chooser = Instead(choice, answer, choices.chooser)
        if call is not None or choice is not None:
            other._forget_future()  # noqa: SLF001
        return other

    def _copy(self) -> System:
        """A system at the same place, with the same past and known future."""
        engine = states.thaw(self.snapshot(), like=self._engine)
        engine.overrides = self._engine.overrides
        other = System(engine)
        other.control, other._edits, other._ran = self.control, dict(self._edits), array("L", self._ran)
        other._events, other._turns = list(self._events), array("L", self._turns)
        other._base, other._turn, other._furthest = self._base, self._turn, self._furthest
        other._snapshots = self._snapshots.copy()
        return other

    def _before(self, what: str, found: Callable[[Event], bool]) -> None:
        """Go before the turn in which an event happens."""
        event = next(filter(found, self._events), None)
        turn = 0 if event is None else self._turns[event.n - self._base - 1]
        if not turn:
            raise ValueError(f"{what} was not seen" if event is None else f"{what} belongs to boot")
        self._to_turn(turn - 1)

    def divergence(self, other: System) -> tuple[Event | None, Event | None] | None:
        """Where two lines part: the first events, as far as each was taken, that differ; ``None`` in place of one that
        has no more; ``None`` alone if there is no difference (TRAVEL-4)."""
        pairs = zip_longest(self._events, other._events)
        return next(((a, b) for a, b in pairs if a != b), None)

    # Looking back.

    def last_call(self, fd: int, cage: int) -> Enter | None:
        """The last call so far that ``cage`` made on descriptor ``fd``."""
        found = (e for e in reversed(self._between(self._base, self.position)) if isinstance(e, Enter))
        return next((e for e in found if e.cage == cage and fd in lookback.descriptors(self._engine, e)), None)

    def last_write(self, address: int, cage: int, size: int = 1) -> lookback.Write | None:
        """What last changed ``size`` bytes at ``address`` of ``cage``'s memory (a write of what was there already does
        not count); ``None`` if nothing did since the cage came to be (TRAVEL-5). One stays where one is."""
        return lookback.last_write(self, address, cage, size)

    def retell(self, tell: Callable[[Engine, Event], None], first: int = 1, last: int | None = None) -> None:
        """Pass again over events ``first`` to ``last`` (which were seen before; the present position if not given):
        ``tell`` is called with each, and more of the same turns, at the moment it happens, when the cages' memories are
        as the event saw them. One stays where one is; events before ``restore``'s state are not there any more.
        """
        other = self._copy()
        past = self._between(max(self._base, first - 1), self.position if last is None else last)
        if not past:
            return
        begin, end = (self._turns[event.n - self._base - 1] for event in (past[0], past[-1]))
        other._to_turn(max(begin - 1, 0))  # noqa: SLF001
        for event in past:
            if self._turns[event.n - self._base - 1] == 0:  # of boot: its memory is that of the beginning
                tell(other.engine, event)
        told = Teller(other, tell)
        while other.turn < end:
            other._step_told(told)  # noqa: SLF001

    def segments(self) -> Iterator[tuple[int, SystemState, SystemState]]:
        """The past in pieces, the newest first: the turn after which each begins, the states before and after it."""
        after = self.snapshot()
        for kept in self._snapshots.before(self._turn):
            yield kept.turn, kept.state, after
            after = kept.state

    def side_by_side(self, left: int, right: int) -> SideBySide:
        """The main threads of two cages, value by value: right after a fork they differ in one (FORK-4). ``ValueError``
        for a cage that runs no wasm program now."""
        from lindref.system.forks import side_by_side

        return side_by_side(self, left, right)

    def event_at(self, n: int) -> Event | None:
        """Event number ``n``, if it was seen."""
        at = n - self._base - 1
        return self._events[at] if 0 <= at < len(self._events) else None

    def events(self, after: int, turns: int | None = None) -> list[Event]:
        """The known events with numbers above ``after``, up to those of turn number ``turns`` (up to here without)."""
        if turns is None:
            return self._between(after, self.position)
        return self._between(after, self.events_before(turns))

    def events_before(self, turn: int) -> int:
        """The number of the last event that had happened when ``turn`` turns were taken; 0 if none."""
        found = bisect_right(self._turns, turn)
        return self._base + found if found else 0

    def turn_of(self, n: int) -> int:
        """The turn in which event number ``n`` happened; 0 where it was not seen, or belongs to boot."""
        at = n - self._base - 1
        return self._turns[at] if 0 <= at < len(self._turns) else 0

    @property
    def position(self) -> int:
        """The number of the event that happened last; 0 before the first."""
        return self._engine.event_count

    @property
    def turn(self) -> int:
        """How many turns were taken from the beginning to here."""
        return self._turn

    def goto_turn(self, turn: int) -> bool:
        """Go where ``turn`` turns were taken; false, at the run's end, if it has fewer."""
        self._to_turn(min(max(turn, 0), self._furthest))
        while self._turn < turn and self.step():
            pass
        return self._turn >= turn

    # Looking.

    @property
    def engine(self) -> Engine:
        """The live system underneath."""
        return self._engine

    @property
    def trace(self) -> Trace:
        """What happened so far: a tuple of events, which shows itself as the lines of ``lindref run --strace``."""
        return Trace(self._between(self._base, self.position), self)

    def __repr__(self) -> str:
        ended = "" if self.outcome is None else f", {self.outcome.ending}"
        return f"<system at event {self.position}, turn {self._turn}, cages {', '.join(map(str, self.cages))}{ended}>"

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
    strict_capabilities: bool = False,
    preloads: Sequence[tuple[str, str]] = (),
    engine: str = "auto",
    grates: Sequence[GrateSpec] = (),
    net: str = "",
    clock: str = "virtual",
    libraries: Callable[[], Sequence[str]] | None = None,
    most_bytes: int = MOST_BYTES,
) -> System:
    """Boot ``program`` (a host path, or with ``root`` a path inside it) as cage 1, about to run.

    ``seed`` chooses schedule and random bytes, ``schedule`` replays one. ``grates`` come over the program, the first
    farthest from it: ``Grate`` objects or classes, ``"MODULE:CLASS,OPTION=VALUE"``, files of wasm grates. ``preloads``
    are libraries for dynamic programs, as pairs of import module and path; without any they are found, where no root
    is given among the host files that ``libraries`` names. ``net``: the run's network ends with it (``""``), or is
    joined to the host's (``"loopback"``, or ``"any"`` interface); ``clock``: ``"virtual"``, or ``"real"``, where
    sleeping takes as long as it says. ``most_bytes``: about how much memory the
    states to go back to may take. Raises ``BootError`` for what cannot be booted, ``ValueError`` for an unknown
    profile, engine or schedule.
    """
    if engine not in ENGINES:
        raise ValueError(f"no engine {engine!r}; there are {', '.join(ENGINES)}")
    if net not in NETS or clock not in CLOCKS:
        wrong, known = (net, NETS) if net not in NETS else (clock, CLOCKS)
        raise ValueError(f"{wrong!r}: one of {', '.join(map(repr, known))} was expected")
    chosen = by_name(profile) if isinstance(profile, str) else profile
    then = FirstOption() if seed is None else Seeded(seed)
    chooser = then if schedule is None else Replay(parse_schedule(schedule), then)
    config = Config(
        workers=workers,
        max_ticks=max_ticks,
        max_memory=max_memory,
        seed=seed or 0,
        clock=clock,
        net=net,
        start_time=time.time_ns() - EPOCH if clock == "real" else 0,
        preloads=tuple(preloads),
        capabilities=strict_capabilities,
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
        observe=lambda new: made.append(System(new, most_bytes=most_bytes)),
        libraries=libraries,
    )
    worldly.connect(booted)
    if stdin:
        console.feed_stdin(booted.kernel, stdin)
    console.end_stdin(booted.kernel)
    return made[0]

"""A whole system under test that is driven from outside: what its threads do next, and who has the next turn.

``Driven`` is the adapter that an implementation needs for ``SystemMachine``; ``LindrefDriven`` is lindref's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from lindref import classes
from lindref.posix import console
from lindref.posix.fs import roots
from lindref.posix.kernel import ChoiceKind
from lindref.posix.usermem import model_base
from lindref.profile import Profile
from lindref.properties.programs import ENDS, module
from lindref.properties.runs import GRATES
from lindref.properties.tables import Whole
from lindref.state.digest import digest
from lindref.system import state
from lindref.system.boot import boot_script
from lindref.system.capable import DEVIATION
from lindref.system.choices import Replay
from lindref.system.events import Event
from lindref.system.python.grate import Grate
from lindref.system.runtime import Config
from lindref.system.script_runner import AwaitStep, ScriptRunner, ScriptState
from lindref.system.threads import InGrate

ENDS_PATH = "/ends"

#: The promise, without the rules about who may ask for what: those have statements of their own (C1 …).
PROFILE = Profile("spec", frozenset(DEVIATION.values()))


@classes.frozen
class CageLook:
    """A living cage as it is: its parent, its children that ended and were not waited for with their wait statuses,
    what its descriptors refer to (any number that stands for the open file), blocked signals and those that wait as
    bits, its threads."""

    parent: int
    zombies: Mapping[int, int]
    fds: Mapping[int, int]
    mask: int
    pending: int
    threads: frozenset[int]


@classes.frozen
class Look:
    """All that is compared after each turn: handler tables (the numbers asked for), which cages are exiting or gone,
    and the living ones, but for cages of grates in Python."""

    tables: Whole
    exiting: frozenset[int]
    cages: Mapping[int, CageLook]


class Driven(Protocol):
    """An implementation that is driven; the program ``programs.ENDS`` is at ``ENDS_PATH``. Made with answers, it gives
    those to its choice points, else what ``turn`` is given."""

    def give(self, cage: int, tid: int, steps: tuple[Any, ...]) -> None:
        """What a thread that has nothing to do does next (steps of a script)."""

    def turn(self, answer: int) -> list[Event]:
        """One turn; ``answer``, cut to the options there are, is that of its choice points. What happened."""

    def look(self, numbers: Collection[int]) -> Look:
        """The state, with these rows of the tables."""

    def base(self, cage: int) -> int:
        """The address of byte 0 of a cage's memory."""

    def digest(self) -> bytes:
        """The same for two states exactly if they are the same."""

    def keep(self) -> Any:
        """The state as a value."""

    def restore(self, kept: Any) -> None:
        """Go back (or forward) to a state that was kept."""

    def schedule(self) -> tuple[int, ...]:
        """The answers to all choice points so far."""


@classes.frozen
class Waiting:
    """A thread that waits for what it is given: of ``cage``, its id, and, where it is a worker, the call it serves."""

    cage: int
    tid: int
    call: int = 0


class Besieged(Driven, Protocol):
    """An implementation that is driven in its handlers, too (``SiegeMachine``)."""

    def waiting(self) -> list[Waiting]:
        """The threads that have nothing to do."""

    def give_handler(self, call: int, steps: tuple[Any, ...]) -> None:
        """What the function that serves call ``call`` does next."""


class _Fed:
    """Answers choice points of threads, and which zombie is taken; all others get 0."""

    def __init__(self) -> None:
        self.answer = 0

    def choose(self, index: int, kind: str, options: int) -> int:
        """The answer for this turn (``system.choices.Chooser``)."""
        del index
        return self.answer % options if kind in ("thread", ChoiceKind.ZOMBIE.value) else 0


class LindrefDriven:
    """lindref itself: cage 1 waits for what it is given; children and threads do, too."""

    def __init__(
        self,
        answers: tuple[int, ...] | None = None,
        *,
        profile: Profile = PROFILE,
        config: Config | None = None,
        grates: Sequence[Grate] = (),
    ) -> None:
        """``grates`` are put over cage 1, the last closest to it."""
        self._fed = _Fed()
        chooser = self._fed if answers is None else Replay(answers)
        script = ScriptState((AwaitStep(),))
        self._system = boot_script(
            script, profile=profile, config=config or Config(), chooser=chooser, grates=tuple(grates)
        )
        console.end_stdin(self._system.kernel)
        roots.add_file(self._system.kernel, ENDS_PATH.encode(), module(ENDS), 0o755)
        self._events: list[Event] = []
        self._system.observers.append(self)

    def on_event(self, event: Event) -> None:
        """See ``system.events.Observer``."""
        self._events.append(event)

    def give(self, cage: int, tid: int, steps: tuple[Any, ...]) -> None:
        """See ``Driven``."""
        for thread in self._system.own_threads(cage):
            if thread.tid == tid:
                assert isinstance(thread.runner, ScriptRunner)
                thread.runner.give(steps)
                return
        raise LookupError(f"there is no thread {tid} of cage {cage}")

    def waiting(self) -> list[Waiting]:
        """See ``Besieged``."""
        found = []
        for thread in self._system.threads.values():
            runner = thread.runner
            if thread.runnable and isinstance(runner, ScriptRunner) and runner.awaits:
                caller = self._system.threads.get(thread.serving)
                served = None if caller is None else caller.status
                call = served.pending.id if isinstance(served, InGrate) and served.worker == thread.key else 0
                if bool(thread.slot) == bool(call):
                    found.append(Waiting(thread.cage, thread.tid, call))
        return found

    def give_handler(self, call: int, steps: tuple[Any, ...]) -> None:
        """See ``Besieged``."""
        for thread in self._system.threads.values():
            if isinstance(thread.status, InGrate) and thread.status.pending.id == call:
                runner = self._system.threads[thread.status.worker].runner
                assert isinstance(runner, ScriptRunner)
                runner.give(steps)
                return
        raise LookupError(f"call {call} is served by nobody")

    def turn(self, answer: int) -> list[Event]:
        """See ``Driven``."""
        self._fed.answer = answer
        self._events = []
        self._system.step()
        return self._events

    def look(self, numbers: Collection[int]) -> Look:
        """See ``Driven``."""
        tables, cages = self._system.tables, self._system.kernel.cages
        rows: Whole = {}
        for cage, table in tables.rows.items():
            found = {number: table[number] for number in numbers if number in table}
            rows[cage] = {n: None if h is None else (h.cage, h.address) for n, h in found.items()}
        looks = {
            number: CageLook(
                cage.parent,
                {zombie.cage: zombie.status for zombie in cage.zombies},
                {fd: entry.description for fd, entry in cage.fds.items()},
                cage.mask,
                sum(1 << signo - 1 for signo in cage.pending),
                frozenset(cage.threads),
            )
            for number, cage in cages.items()
            if number < GRATES
        }
        return Look(rows, frozenset(tables.exiting), looks)

    def base(self, cage: int) -> int:
        """See ``Driven``."""
        return model_base(cage)

    def digest(self) -> bytes:
        """See ``Driven``."""
        return digest(state.freeze(self._system))

    def keep(self) -> state.SystemState:
        """See ``Driven``."""
        return state.freeze(self._system)

    def restore(self, kept: state.SystemState) -> None:
        """See ``Driven``."""
        self._system = state.thaw(kept, like=self._system)
        self._system.observers.append(self)

    def schedule(self) -> tuple[int, ...]:
        """See ``Driven``."""
        choices = self._system.choices.state
        return tuple(choices.answers.get(index) or 0 for index in range(choices.count))

"""What kind of outcome a run came to, and why, in plain words: its schedule is run again and looked at (EXP-9)."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from lindref import classes
from lindref.explore.outcomes import Found, Outcomes, Result
from lindref.explore.rounds import LIVELOCK
from lindref.explore.turn import branch
from lindref.posix import usermem
from lindref.posix.constants import FUTEX_PRIVATE_FLAG, FUTEX_WAKE, FUTEX_WAKE_BITSET, SIGABRT
from lindref.system import state as states
from lindref.system.choices import Replay
from lindref.system.events import End, Enter, Event, Exit, Signal
from lindref.system.outcome import Ending
from lindref.system.state import SystemState
from lindref.system.system import System
from lindref.system.threads import Blocked, Thread


class Kind(enum.Enum):
    """The kinds of outcomes that are told apart."""

    EXIT = "exit"
    SIGNAL = "signal"
    ASSERTION = "assertion"
    TRAP = "trap"
    LOAD = "load"
    DEADLOCK = "deadlock"
    LOST = "lost-wakeup"
    LIVELOCK = "livelock"
    LIMIT = "limit"
    FAULT = "runtime-fault"


@classes.frozen
class Explained:
    """The kind of an outcome, and what happened: some lines for people, or none where there is nothing to say."""

    kind: Kind
    text: str = ""


#: Calls that wait for a signal.
_FOR_SIGNALS = {"rt_sigsuspend", "pause", "rt_sigtimedwait"}


@classes.frozen
class _Wake:
    """A wake of a futex: number of its event, who made it, the address, the word there at that time, how many woke."""

    event: int
    who: str
    address: int
    word: int
    woken: int


class _Witness:
    """Sees a run: who writes where, wakes of futexes, signals that handlers took, cages that ended badly."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.writers: dict[tuple[int, int], list[int]] = {}
        self.names: dict[int, str] = {}
        self.wakes: list[_Wake] = []
        self.handled: list[tuple[int, int, int]] = []
        self.bad: list[End] = []
        self.began: dict[int, int] = {}
        self._waking: dict[int, tuple[int, str, int, int]] = {}

    def accessed(self, thread: Thread, start: int, count: int, *, write: bool) -> None:
        """An instruction is about to access memory (``accesses.Watcher``)."""
        if write and 0 < count <= _WIDE:
            self.names[thread.key] = _name(thread.cage, thread.tid)
            for word in range(start >> 2, (start + count + 3) >> 2):
                found = self.writers.setdefault((thread.cage, word), [])
                if thread.key in found:
                    found.remove(thread.key)
                found.append(thread.key)

    def on_event(self, event: Event) -> None:
        """Something happened (``Observer``)."""
        if isinstance(event, Enter):
            self.began[event.call] = event.n
            if event.name == "futex":
                address, operation = event.args[0][0], event.args[1][0] & 0x7F
                if operation & ~FUTEX_PRIVATE_FLAG in (FUTEX_WAKE, FUTEX_WAKE_BITSET):
                    word = usermem.copy_in(self._system.kernel, address, 4) or b""
                    who = _name(event.cage, event.tid)
                    self._waking[event.call] = (event.n, who, address, int.from_bytes(word, "little"))
        elif isinstance(event, Exit):
            waking = self._waking.pop(event.call, None)
            if waking is not None:
                self.wakes.append(_Wake(*waking, woken=event.result or 0))
        elif isinstance(event, Signal) and event.action == "handler":
            self.handled.append((event.n, event.cage, event.signo))
        elif isinstance(event, End) and event.whole and (event.trap or event.signal == SIGABRT):
            self.bad.append(event)


#: Longer writes are of no word that somebody waits for.
_WIDE = 64


def _name(cage: int, tid: int) -> str:
    return f"cage {cage} thread {tid}"


def explain(first: SystemState, like: System, result: Result, found: Found, others: Outcomes) -> Explained:
    """What ``result`` is, that the schedule ``found`` leads to from ``first``; ``others`` are all that were found."""
    if result.ending == LIVELOCK:
        return Explained(Kind.LIVELOCK, result.text)
    if result.ending == Ending.LIMIT.value:
        return Explained(Kind.LIMIT, f"the run was not over within a limit: {result.text}")
    system = branch(first, like)
    witness = _Witness(system)
    system.observers = [*system.observers, witness]
    system.watcher = witness
    system.choices.chooser = Replay(found.answers)
    system.run()
    if result.ending == Ending.DEADLOCK.value:
        ends = any(other.ending != Ending.DEADLOCK.value for other in others.found)
        return _stuck(system, witness, ends_otherwise=ends)
    return _ended(result, witness)


def _ended(result: Result, witness: _Witness) -> Explained:
    """A run that ended by itself: how, and which cages did not end well."""
    lines = [_badly(event, result) for event in witness.bad]
    if any(not event.trap for event in witness.bad):
        kind = Kind.ASSERTION
    elif witness.bad and result.ending in (Ending.EXIT.value, Ending.TRAP.value):
        kind = Kind.TRAP
    else:
        kind = Kind(result.ending)
    if result.text and not lines:
        lines = result.text.splitlines()
    return Explained(kind, "\n".join(lines))


def _badly(event: End, result: Result) -> str:
    if event.trap:
        return f"cage {event.cage} trapped: {event.trap.splitlines()[0]}"
    said = [line for line in result.stderr.decode("utf-8", "backslashreplace").splitlines() if "ssert" in line]
    return f"cage {event.cage} gave up (SIGABRT: abort, or an assertion)" + (f": {said[-1].strip()}" if said else "")


# Runs in which nobody can go on.


@classes.frozen
class _Waiter:
    """A thread that waits for a futex: since which event, where, for which value to change; who had it last."""

    key: int
    name: str
    event: int
    address: int
    value: int
    holder: int


def _stuck(system: System, witness: _Witness, *, ends_otherwise: bool) -> Explained:
    """A deadlock: a circle of threads that wait for each other, a wake that came too early, or neither."""
    lost, missing = _lost_signals(system, witness), list[str]()
    waiters = _waiters(system, witness)
    circle = _circle(waiters)
    if circle:
        lines = ["each of these waits for what the next one has:"]
        lines += [f"{one.name} waits for the word at {one.address:#x}, which {after.name} changed last"
                  for one, after in zip(circle, [*circle[1:], circle[0]], strict=True)]  # fmt: skip
        return Explained(Kind.DEADLOCK, "\n".join(lines))
    blocked = set(witness.names) & set(system.threads)
    for one in waiters:
        early = [wake for wake in witness.wakes if wake.address == one.address and wake.event < one.event]
        if early and not early[-1].woken and early[-1].word == one.value:
            last = early[-1]
            lost.append(
                f"{one.name} waits for a wake of the word at {one.address:#x} (event {one.event}), which came before: "
                f"{last.who} made it (event {last.event}) when nobody waited"
            )
        elif not one.holder and not _joins(system, one):
            where = f"the word at {one.address:#x} (event {one.event})"
            text = f"{one.name} waits for a wake of {where} that nobody is left"
            if ends_otherwise:
                lost.append(f"{text} to make; by other schedules it comes: it was made before, when nobody waited")
            else:
                missing.append(f"{text} to make: it came before, or never does")
        elif one.holder and one.holder not in blocked:
            lost = []
            break
    if lost:
        return Explained(Kind.LOST, "\n".join(lost))
    return Explained(Kind.DEADLOCK, "\n".join(missing) or "nobody can run, and nothing will come that they wait for")


def _lost_signals(system: System, witness: _Witness) -> list[str]:
    """Threads that wait for a signal which came before they waited."""
    lines = []
    for thread in system.threads.values():
        status = thread.status
        if isinstance(status, Blocked) and status.pending.deaf:
            lines.append(
                f"{_name(thread.cage, thread.tid)} waits in {status.pending.name}: a signal that is pending came just "
                "before, and did not wake it (SIG-LOST)"
            )
        if not isinstance(status, Blocked) or status.pending.name not in _FOR_SIGNALS:
            continue
        began = witness.began.get(status.pending.id, 0)
        early = [(n, signo) for n, cage, signo in witness.handled if cage == thread.cage and n < began]
        if early:
            n, signo = early[-1]
            lines.append(
                f"{_name(thread.cage, thread.tid)} waits for a signal (event {began}), which came before: its handler "
                f"took signal {signo} at event {n}"
            )
    return lines


def _waiters(system: System, witness: _Witness) -> list[_Waiter]:
    """Who waits for futexes."""
    waiting: dict[int, list[Thread]] = {}
    for thread in system.threads.values():
        if isinstance(thread.status, Blocked) and thread.status.pending.name == "futex":
            waiting.setdefault(thread.status.pending.args[0].value, []).append(thread)
    found = []
    for address, threads in waiting.items():
        place = system.kernel.host.resolve(address)
        writers = [] if place is None else witness.writers.get((place.cage, place.offset >> 2), [])
        holder = next((key for key in reversed(writers) if all(key != thread.key for thread in threads)), 0)
        for thread in threads:
            assert isinstance(thread.status, Blocked)
            pending = thread.status.pending
            value, name = pending.args[2].value & 0xFFFFFFFF, _name(thread.cage, thread.tid)
            found.append(_Waiter(thread.key, name, witness.began.get(pending.id, 0), address, value, holder))
    return found


def _circle(waiters: Sequence[_Waiter]) -> list[_Waiter]:
    """Some that wait for each other, round about; nothing where there are none."""
    by_key = {one.key: one for one in waiters}
    for start in waiters:
        way: list[_Waiter] = []
        at: _Waiter | None = start
        while at is not None and at not in way:
            way.append(at)
            at = by_key.get(at.holder)
        if at is not None:
            return way[way.index(at) :]
    return []


def _joins(system: System, one: _Waiter) -> bool:
    """Whether somebody waits for the end of a thread that is there: the word is the number of that thread."""
    cage = system.threads[one.key].cage
    return any(thread.tid == one.value and thread.key != one.key for thread in system.own_threads(cage))


def explain_all(system: System, outcomes: Outcomes) -> dict[Result, Explained]:
    """All outcomes of ``system``, which stands where the search began."""
    first = states.freeze(system)
    return {result: explain(first, system, result, found, outcomes) for result, found in outcomes.found.items()}

"""Turns whose order matters: which other threads must be tried in a state, from what comes after it (EXP-6).

A *later* turn is one that follows a state, with its past: what happens before it from there on, because one turn
touched what the other did or both are of one thread. It meets the turn that leads to the state: as part of its past; or
as what it races with, if they touch the same and nothing comes between; or not at all. For a race somebody of those who
bring about the later turn must be tried before the earlier one, too. (Dynamic partial-order reduction, C. Flanagan and
P. Godefroid, POPL 2005; here backwards, so that what follows a state is worked out once.)
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from lindref import classes
from lindref.explore.watch.footprint import Footprint
from lindref.system.system import System
from lindref.system.wasm_runner import WasmRunner

#: Sets of threads are integers, a bit a key.
Threads = int

NOTHING = Footprint()


#: Where in its program a thread was when it had a turn.
Spot = Hashable

#: Turns taken as one: what each touched, and from where it went.
Steps = tuple[tuple[Footprint, Spot], ...]


def spot_of(system: System, key: int) -> Spot:
    """Where a thread stands: its innermost calls in progress. Spots that are one have turns that are treated alike."""
    thread = system.threads.get(key)
    spot: list[Spot] = [key]
    if thread is not None and isinstance(thread.runner, WasmRunner):
        spot.append(type(thread.status).__name__)
        frame = thread.runner.machine.frame
        while frame is not None and len(spot) < _DEEP:
            spot.append((frame.body.index, frame.pc))
            frame = frame.parent
    return tuple(spot)


#: So long is what names a spot.
_DEEP = 6


@classes.frozen
class Later:
    """Turns of ``thread`` that come, taken as one, and what they touch; the threads of their past and what those touch
    in it.
    """

    thread: int
    steps: Steps
    footprint: Footprint
    past: Threads
    touched: Footprint


Laters = tuple[Later, ...]


class Backwards:
    """What follows one state, gathered as its turns are tried; ``wanted`` are threads that must be tried, too."""

    def __init__(self, able: Iterable[int], known: Threads, same: dict[Footprint, Footprint]) -> None:
        self.able = tuple(able)
        #: All threads that there have been: who has them all in its past races with nobody before.
        self.known = known
        self.wanted: list[int] = []
        #: From where turns went that race with others.
        self.racy: set[Spot] = set()
        self._same = same  # the one object for all equal footprints
        self._laters: dict[tuple[int, Steps], Later] = {}

    def turns(
        self, thread: int, steps: Steps, able: Sequence[Iterable[int]], after: Laters, able_after: Iterable[int]
    ) -> None:
        """Turns of ``thread`` (0: nobody could run, time passed), taken as one, lead to where ``after`` comes; ``able``
        are the threads that could run before each.

        Of a race of another turn than the first nothing follows but that turns must not be taken as one there.
        """
        if not thread:
            return  # whatever came before it happened before all that comes after
        now = frozenset(able_after)
        whole = NOTHING
        laters = after
        for number in range(len(steps) - 1, -1, -1):
            footprint, spot = steps[number]
            laters = self._turn(thread, footprint, spot, laters, now.difference(able[number]), first=not number)
            whole |= footprint
            now = frozenset(able[number])
        for later in laters:
            self._add(later)
        self._add(Later(thread, steps, whole, 0, NOTHING))

    def _turn(
        self, thread: int, footprint: Footprint, spot: Spot, after: Laters, enabled: frozenset[int], *, first: bool
    ) -> Laters:
        """What comes after the state before one turn, which made the threads of ``enabled`` able to run."""
        me = 1 << thread
        known = self.known
        found: list[Later] = []
        for later in after:
            behind = later.thread == thread or later.past & me or footprint.meets(later.touched)
            if not behind:
                its_first = not later.past >> later.thread & 1
                behind = its_first and later.thread in enabled
                if not behind and footprint.meets(later.footprint):
                    behind = True
                    self.racy.add(spot)
                    self.racy.update(other for touched, other in later.steps if footprint.meets(touched))
                    if first:
                        self._race(later)
            if not behind:
                found.append(later)
            elif known & ~(later.past | me | 1 << later.thread):
                past, touched = later.past | me, later.touched | footprint
                found.append(Later(later.thread, later.steps, later.footprint, past, touched))
        return tuple(found)

    def _race(self, later: Later) -> None:
        """Who brings ``later`` about must be tried before the turn: any one of them will do."""
        bring = [key for key in self.able if key == later.thread or later.past >> key & 1]
        if not bring:
            self.wanted += [key for key in self.able if key not in self.wanted]
        elif not any(key in self.wanted for key in bring):
            self.wanted.append(bring[0])

    def _add(self, later: Later) -> None:
        if not self.known & ~(later.past | 1 << later.thread):
            return
        key = (later.thread, later.steps)
        found = self._laters.get(key)
        if found is not None:  # what is not in the past of both is in the past of neither: more races, none missed
            past, touched = later.past & found.past, later.touched & found.touched
            later = Later(later.thread, later.steps, later.footprint, past, touched)
        touched = self._same.setdefault(later.touched, later.touched)
        footprint = self._same.setdefault(later.footprint, later.footprint)
        self._laters[key] = Later(later.thread, later.steps, footprint, later.past, touched)

    def laters(self) -> Laters:
        """The turns that come after the state."""
        return tuple(self._laters.values())

"""Going along a run while looking at what it does: at entries of code, and at writes to memory, exactly where they are.

A scan takes a session forward turn by turn. Where nothing is looked at, turns are taken as ever; else by the reference
machine, which costs what its speed is less. Rules TRAVEL-5, TRAVEL-6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.system.position import Position
from lindref.vm.hooks import Hooks
from lindref.vm.pages import PAGE, SHIFT
from lindref.vm.stepping import Control

if TYPE_CHECKING:
    from lindref.system.session import System
    from lindref.system.system import System as Engine
    from lindref.vm.machine import Machine
    from lindref.vm.memory import Memory
    from lindref.vm.program import Body, Program

#: Which entries of which bodies are to be looked at, given the programs loaded so far by digest.
Wanted = Callable[[Mapping[str, "Program"]], Mapping["Body", Iterable[int]]]


class Interrupted(Exception):
    """The scan stops within a turn, at ``position``; the engine that ran is of no more use."""

    def __init__(self, position: Position, why: object = None) -> None:
        super().__init__(position)
        self.position = position
        self.why = why


@classes.frozen
class Range:
    """``size`` bytes at ``address`` of a cage's memory."""

    cage: int
    address: int
    size: int


@classes.frozen
class Change:
    """Bytes of a watched range became others. ``position``: before the entry of code that did it; with ``late`` it
    was no code of a guest's but a call, or the loader: the turn's end."""

    range: Range
    position: Position
    before: bytes | None
    after: bytes
    late: bool


class _Watch:
    """The ranges that lie in one memory (``vm.memory.Watch``), each as address, size, and what it is called by."""

    def __init__(self, scan: Scan, places: list[tuple[int, int, Range]]) -> None:
        self._scan = scan
        self.places = places
        self.pages = frozenset(p for a, n, _ in places for p in range(a >> SHIFT, (a + n - 1 >> SHIFT) + 1))

    def writes(self, memory: Memory, a: int, data: bytes | bytearray | memoryview) -> None:
        """A write to one of the pages: of interest where it changes one of the ranges."""
        for address, size, of in self.places:
            first, last = max(a, address), min(a + len(data), address + size)
            if first >= last:
                continue
            old = memory.try_read(address, size)
            new = bytes(data[first - a : last - a])
            if old is not None and old[first - address : last - address] != new:
                after = old[: first - address] + new + old[last - address :]
                self._scan.changes(of, old, after)


class Scan:
    """One look along a run. ``wanted`` and ``entry`` say where to look at code and what to do there: ``entry(machine,
    position)`` is called before the entry is taken, with the machine standing at it, and stops the scan by returning
    something true. ``ranges`` and ``change`` are the same for memory. ``turned()`` is called after each turn."""

    def __init__(
        self,
        session: System,
        *,
        wanted: Wanted | None = None,
        entry: Callable[[Machine, Position], object] | None = None,
        ranges: Iterable[Range] = (),
        change: Callable[[Change], object] | None = None,
        turned: Callable[[], object] | None = None,
    ) -> None:
        self.session = session
        self.hooks = Hooks(self._entry)
        self._wanted = wanted
        self._look = entry
        self._ranges = tuple(ranges)
        self._change = change
        self._turned = turned
        self._after = self._until = Position(0)
        self._values: dict[Range, bytes | None] = {}
        self._seen: dict[int, tuple[Any, Any]] = {}

    def run(self, after: Position, until: Position | None = None) -> object:
        """From where the session stands, ``after``'s turn, look at all that comes at or after ``after``, and before
        ``until``; to the run's end without. Gives what stopped it: what ``entry``, ``change`` or ``turned`` said, with
        the session standing where a turn has just ended; or raises ``Interrupted`` with it, within a turn.
        """
        session = self.session
        control = session.control
        assert control is not None, "the session's machines cannot be stepped"
        self._after, self._until = after, Position(1 << 62) if until is None else until
        programs: Mapping[str, Program] = session.engine.images.programs()
        known = len(programs)
        self._values = {r: _read(session.engine, r) for r in self._ranges}
        control.counting = self._wanted is not None or bool(self._ranges)
        try:
            with self.hooks.set({} if self._wanted is None else self._wanted(programs)):
                while Position(session.turn) < self._until:
                    if self._ranges:
                        self._attach(session.engine)
                    going = session.step()
                    said = self._after_turn()
                    if said:
                        return said
                    if not going:
                        return None
                    if self._wanted is not None and len(session.engine.images) != known:
                        programs = session.engine.images.programs()
                        known = len(programs)
                        for body, entries in self._wanted(programs).items():
                            self.hooks.add(body, entries)
        finally:
            control.counting = False
            for memory in session.engine.memories.values():
                memory.watch(None)
        return None

    # Entries of code.

    def _position(self, control: Control) -> Position | None:
        machine = control.active
        if machine is None:
            return None
        ticks, since = machine.place
        return Position(self.session.turn - 1, ticks - self.session.engine.began, since)

    def _entry(self, m: Machine) -> None:
        """An entry that is looked at is about to be taken."""
        control = self.session.control
        assert control is not None
        position = self._position(control)
        if position is None or position < self._after:
            return
        if position >= self._until:
            raise Interrupted(position)
        assert self._look is not None
        frame = m.frame
        assert frame is not None
        m.pc -= 1
        kept, frame.pc = frame.pc, m.pc
        said = self._look(m, position)
        m.pc += 1
        frame.pc = kept
        if said:
            raise Interrupted(position, said)

    # Memory.

    def _attach(self, engine: Engine) -> None:
        """Watch the ranges wherever they are mapped, again where that has changed."""
        now = {cage: (memory, memory.regions) for cage, memory in engine.memories.items()}
        if now.keys() == self._seen.keys() and all(
            now[c][0] is m and now[c][1] is r for c, (m, r) in self._seen.items()
        ):
            return
        self._seen = now
        places: dict[int, list[tuple[int, int, Range]]] = {}
        for one in self._ranges:
            memory = engine.memories.get(one.cage)
            if memory is None:
                continue
            places.setdefault(one.cage, []).append((one.address, one.size, one))
            for backing, start, offset, size in _backed(memory, one):
                for cage, other in engine.memories.items():
                    for region in other.regions.values() if cage != one.cage else ():
                        if region.backing == backing and not region.private:
                            at = start - (region.backing_page << SHIFT)
                            if at >= 0 and at + size <= region.count << SHIFT:
                                whole = (region.first << SHIFT) + at - offset
                                places.setdefault(cage, []).append((whole, one.size, one))
        for cage, memory in engine.memories.items():
            memory.watch(_Watch(self, places[cage]) if cage in places else None)

    def changes(self, of: Range, before: bytes, after: bytes) -> None:
        """A write is about to change a range."""
        control = self.session.control
        assert control is not None
        position = self._position(control)
        if position is None:
            return  # a call's doing: to be seen when the turn is over
        self._values[of] = after
        if position < self._after:
            return
        if position >= self._until:
            raise Interrupted(position)
        assert self._change is not None
        said = self._change(Change(of, position, before, after, late=False))
        if said:
            raise Interrupted(position, said)

    def _after_turn(self) -> object:
        """A turn has ended: what calls wrote, and what came about otherwise."""
        said: object = None
        for one in self._ranges:
            now, before = _read(self.session.engine, one), self._values[one]
            self._values[one] = now
            if now is None or before is None or now == before:
                continue
            if Position(self.session.turn) <= self._until:
                assert self._change is not None
                change = Change(one, Position(self.session.turn), before, now, late=True)
                said = self._change(change) or said
        return said or (self._turned() if self._turned is not None else None)


def _read(engine: Engine, one: Range) -> bytes | None:
    memory = engine.memories.get(one.cage)
    return None if memory is None else memory.try_read(one.address, one.size)


def _backed(memory: Memory, one: Range) -> list[tuple[int, int, int, int]]:
    """The parts of a range that others may share: backing, offset in it, offset in the range, size."""
    out = []
    for page in range(one.address // PAGE, (one.address + one.size - 1) // PAGE + 1):
        region = memory.region_at(page)
        if region is not None and region.backing is not None and not region.private:
            first, last = max(one.address, page * PAGE), min(one.address + one.size, (page + 1) * PAGE)
            inside = first - (region.first - region.backing_page) * PAGE
            out.append((region.backing, inside, first - one.address, last - first))
    return out


__all__ = ["Change", "Interrupted", "Range", "Scan"]

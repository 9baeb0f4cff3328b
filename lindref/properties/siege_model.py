"""What an adversary may not come to do, told from events and handler tables alone.

``Siege`` knows who belongs to the adversary (its *family*: the first cage of it and all that are forked from there) and
what has been imposed on each of its cages. It shares no code with the rules that it judges (CAP-1 … CAP-5).
"""

from __future__ import annotations

from lindref import classes
from lindref.posix.errno import EINTR
from lindref.properties.driven import Look
from lindref.properties.tables import BENEATH, Whole
from lindref.system.events import Enter, Event, Exit, Route, Spawn
from lindref.threei.numbers import RUNTIME_CAGE, THREEI_CAGE

BENEATHS = (BENEATH, THREEI_CAGE, RUNTIME_CAGE)
REGISTER, COPY_DATA, COPY_TABLE, CLONE, SLEEP, PRLIMIT = 1001, 1002, 1003, 56, 35, 302
#: Bytes of address space that belong to a cage.
SPAN = 1 << 32


@classes.define
class Siege:
    """``flat``: pointers are not judged. ``bases``: where each cage's memory begins. ``imposed``: for each cage of the
    family the numbers of calls, and the function of the grate (cage, address) that was put over each. ``parents``: of
    all cages."""

    flat: bool = False
    bases: dict[int, int] = classes.field(factory=dict)
    imposed: dict[int, dict[int, tuple[int, int]]] = classes.field(factory=dict)
    parents: dict[int, int] = classes.field(factory=dict)
    family: set[int] = classes.field(factory=set)
    living: set[int] = classes.field(factory=set)
    calls: dict[int, Enter] = classes.field(factory=dict)
    #: Of the calls under way (``calls``), those of the family that reached somebody beneath all grates.
    served: set[int] = classes.field(factory=set)
    #: Whether the adversary is in place: before, its first cage is being launched.
    begun: bool = False

    def happened(self, event: Event) -> None:
        """Judge an event; ``AssertionError`` for what must not be."""
        match event:
            case Enter():
                self.calls[event.call] = event
            case Spawn(rule="FORK-1"):
                fork = [c for c in self.calls.values() if c.cage == event.cage and c.number == CLONE][-1]
                self._born(event.child, fork.target)
            case Route() if self.begun:
                made = self.calls[event.call]
                if made.cage in self.family and event.handler in BENEATHS:
                    self.served.add(event.call)
                    self._judge(made)
            case Exit():
                made = self.calls.pop(event.call)
                if event.call in self.served:
                    self.served.discard(event.call)
                    self._came_back(made, event.result)

    def _born(self, child: int, parent: int) -> None:
        self.parents[child] = parent
        if parent in self.family:
            self.family.add(child)
            self.imposed[child] = dict(self.imposed[parent])

    # Who may act for whom.

    def _beneath(self, cage: int, above: int) -> bool:
        while cage in self.parents and cage != self.parents[cage]:
            cage = self.parents[cage]
            if cage == above:
                return True
        return False

    def _handed(self, made: Enter) -> set[int]:
        """The cages that the call in which ``made`` is made hands over to its handler."""
        outer = self.calls.get(made.within)
        if outer is None:
            return set()
        named = {outer.target, *(owner for _, owner in outer.args)}
        own = {cage for cage in named if cage == outer.cage or self._beneath(cage, outer.cage)}
        return own | (named & self._handed(outer))

    def _mine(self, made: Enter, cage: int) -> bool:
        return cage == made.cage or self._beneath(cage, made.cage)

    def _judge(self, made: Enter) -> None:
        """A call of the family is served by RawPOSIX or 3i: nothing of the grate stood in its way."""
        number, me = made.number, made.cage
        who = f"call {number} of cage {me} (self {made.caller}, target {made.target})"
        assert number not in self.imposed[me], f"{who} got round what is imposed on it"
        if number in (REGISTER, COPY_TABLE):
            return  # judged by what becomes of the tables
        named = {made.target}
        if number != COPY_DATA:
            named |= {owner for _, owner in made.args}
        if number == PRLIMIT and made.args[2][0]:
            named.add(made.args[0][0])
        handed = self._handed(made)
        for cage in named & self.living:
            if self._mine(made, cage):
                continue
            assert cage in handed, f"{who} acts for cage {cage}"
            assert number not in self.imposed.get(cage, {}), f"{who} gets round what is imposed on cage {cage}"

    def _came_back(self, made: Enter, result: int | None) -> None:
        """It succeeded: so nothing that it touched was a stranger's."""
        number, me = made.number, made.cage
        if result is None or (result < 0 and (number, result) != (SLEEP, -EINTR)):
            return
        handed = self._handed(made) | {made.cage}
        outer = self.calls.get(made.within)
        if outer is not None:
            handed.add(outer.cage)
        who = f"call {number} of cage {me}"
        if number == COPY_DATA:
            for _, cage in made.args[:2]:
                # A fork that has not exec'd may share with the cage whose program it runs; no stranger is one.
                right = cage in self.family and (self._mine(made, cage) or cage in handed or self._beneath(me, cage))
                assert right, f"{who} copied data of cage {cage}"
        if self.flat or number in (REGISTER, COPY_DATA, COPY_TABLE):
            return
        for value, _ in made.args:
            place = next((c for c, base in self.bases.items() if base <= value < base + SPAN), None)
            if place is not None and place in self.living:
                right = self._mine(made, place) or place in handed
                assert right, f"{who} reached the memory of cage {place}"

    # Tables.

    def compare(self, look: Look) -> None:
        """On every way to what is beneath stands what was imposed."""
        self.living = {*look.cages}
        for cage, numbers in self.imposed.items():
            for number, function in numbers.items():
                self._leads(look.tables, cage, number, function)

    def _leads(self, tables: Whole, cage: int, number: int, function: tuple[int, int]) -> None:
        seen: set[int] = set()
        at = cage
        while at not in seen and at in tables and number in tables[at]:
            seen.add(at)
            row = tables[at][number]
            if row is None or row == function:
                return
            free = f"call {number} of cage {cage} does not lead to {function} any more"
            assert row[0] not in (*BENEATHS, function[0]), free
            at = row[0]

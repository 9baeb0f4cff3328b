"""A state machine over handler tables: any implementation beside a dict of dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lindref.properties.strategies import ADDRESSES, CAGES, NUMBERS
from lindref.properties.tables import (
    BENEATH,
    BOOTED,
    DEREGISTER,
    EXITING,
    NOT_THERE,
    LindrefTables,
    Tables,
    Whole,
)


class TablesMachine(RuleBasedStateMachine):
    """``implementation`` beside a model that one can read in a minute."""

    implementation: ClassVar[Callable[[], Tables]] = LindrefTables

    def __init__(self) -> None:
        super().__init__()
        self.real = type(self).implementation()
        self.real.boot(1, BOOTED)
        self.model: Whole = {1: dict.fromkeys(BOOTED, (BENEATH, 0))}
        self.exiting: set[int] = set()

    @rule(cage=CAGES, number=NUMBERS, handler=CAGES, address=ADDRESSES)
    def register(self, cage: int, number: int, handler: int, address: int) -> None:
        """Last writer wins, unless somebody is exiting."""
        result = self.real.register(cage, number, handler, address)
        gone = cage in self.exiting or handler in self.exiting
        assert result == (EXITING if gone else 0)
        if not gone:
            self.model.setdefault(cage, {})[number] = (handler, address)

    @rule(cage=CAGES, number=NUMBERS)
    def deregister(self, cage: int, number: int) -> None:
        """The row goes, with the last one the table."""
        result = self.real.register(cage, number, DEREGISTER, 0)
        assert result == (EXITING if cage in self.exiting else 0)
        if result == 0 and cage in self.model:
            self.model[cage].pop(number, None)
            if not self.model[cage]:
                del self.model[cage]

    @rule(source=CAGES, dest=CAGES)
    def copy(self, source: int, dest: int) -> None:
        """The whole table, unless somebody is exiting or there is none."""
        result = self.real.copy(source, dest)
        if source in self.exiting or dest in self.exiting:
            assert result == EXITING
        elif source not in self.model:
            assert result == NOT_THERE
        else:
            assert result == 0
            self.model[dest] = dict(self.model[source])

    @rule(cage=CAGES)
    def exec(self, cage: int) -> None:
        """A new image changes no table."""
        self.real.exec(cage)

    @rule(cage=CAGES)
    def exit(self, cage: int) -> None:
        """Rows that it served stay, empty; its own stay."""
        self.real.exit(cage)
        self.exiting.add(cage)
        for rows in self.model.values():
            for number, handler in rows.items():
                if handler is not None and handler[0] == cage:
                    rows[number] = None

    @invariant()
    def same(self) -> None:
        """Both have the same tables, and each route follows from them."""
        assert self.real.whole() == self.model
        for cage in (1, 2, 9):
            for number in (0, 60, 4242):
                found = self.real.route(cage, number)
                if number not in self.model.get(cage, {}):
                    assert isinstance(found, str)
                else:
                    assert found == self.model[cage][number]


def tables_machine(implementation: Callable[[], Tables]) -> type[TablesMachine]:
    """A machine for another implementation; its ``TestCase`` is a test for pytest."""
    return type("TablesMachineFor", (TablesMachine,), {"implementation": staticmethod(implementation)})

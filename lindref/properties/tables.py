"""Handler tables under test: what an implementation offers, and lindref's own."""

from __future__ import annotations

from typing import Protocol

from lindref.threei import tables
from lindref.threei.tables import Handler, HandlerTables, NoHandler

#: A row: who serves (cage, address), or ``None`` for one whose grate is gone.
Row = tuple[int, int] | None
#: All tables: cage -> number -> row.
Whole = dict[int, dict[int, Row]]

#: What the first cage's table begins with in these tests, and who serves it.
BOOTED = (0, 1, 39, 56, 60, 231)
BENEATH = 777777
NOT_THERE, EXITING, DEREGISTER = -536805375, -536805374, 500


class Tables(Protocol):
    """An implementation of 3i's tables; made without arguments, it is empty."""

    def boot(self, cage: int, numbers: tuple[int, ...]) -> None:
        """The first cage's table: RawPOSIX (cage 777777, address 0) for these numbers, nothing else."""

    def register(self, cage: int, number: int, handler: int, address: int) -> int:
        """Call 1001; the result."""

    def copy(self, source: int, target: int) -> int:
        """Call 1003; the result."""

    def fork(self, parent: int, child: int) -> None:
        """Cage ``child`` has been forked."""

    def exec(self, cage: int) -> None:
        """The cage runs a new image."""

    def exit(self, cage: int) -> None:
        """The cage ends."""

    def route(self, caller: int, number: int) -> Row | str:
        """Who serves a call: the handler, ``None`` where its grate is gone, a string where there is none."""

    def refused(self, caller: int, number: int, target: int) -> bool:
        """Whether the call is answered with ESRCH since its target is exiting."""

    def whole(self) -> Whole:
        """All tables as they are."""


class LindrefTables:
    """lindref's own (``lindref.threei.tables``)."""

    def __init__(self) -> None:
        self.state = HandlerTables()

    def boot(self, cage: int, numbers: tuple[int, ...]) -> None:
        """See ``Tables``."""
        for number in numbers:
            self.state, _ = tables.register(self.state, cage, number, BENEATH, 0)

    def register(self, cage: int, number: int, handler: int, address: int) -> int:
        """See ``Tables``."""
        self.state, result = tables.register(self.state, cage, number, handler, address)
        return int(result)

    def copy(self, source: int, target: int) -> int:
        """See ``Tables``."""
        self.state, result = tables.copy_table(self.state, source, target)
        return int(result)

    def fork(self, parent: int, child: int) -> None:
        """See ``Tables``."""
        self.state = tables.on_fork(self.state, parent, child)

    def exec(self, cage: int) -> None:
        """See ``Tables``: nothing happens to the table."""

    def exit(self, cage: int) -> None:
        """See ``Tables``."""
        self.state = tables.on_exit(self.state, cage)

    def route(self, caller: int, number: int) -> Row | str:
        """See ``Tables``."""
        found = tables.route(self.state, caller, number)
        if isinstance(found, Handler):
            return (found.cage, found.address)
        return None if found is NoHandler.EMPTY_ROW else found.value

    def refused(self, caller: int, number: int, target: int) -> bool:
        """See ``Tables``."""
        return tables.unreachable(self.state, caller, number, target)

    def whole(self) -> Whole:
        """See ``Tables``."""
        return {
            cage: {n: None if h is None else (h.cage, h.address) for n, h in rows.items()}
            for cage, rows in self.state.rows.items()
        }


__all__ = ["BENEATH", "BOOTED", "DEREGISTER", "EXITING", "NOT_THERE", "LindrefTables", "Row", "Tables", "Whole"]

"""Handler tables against a plain dict.

Rules 3I-TABLE-1, 3I-REG-*, 3I-COPY-*, 3I-FORK-1, 3I-EXEC-1, 3I-EXIT-*, 3I-ROUTE-1/2.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lindref.threei import tables
from lindref.threei.numbers import DEREGISTER, RAWPOSIX_CAGE, THREEI_CAGE, ThreeIError
from lindref.threei.tables import Handler, HandlerTables, NoHandler

CAGES = st.integers(1, 6)
NUMBERS = st.sampled_from([0, 1, 2, 56, 60, 231, 1001, 4242])


class Tables(RuleBasedStateMachine):
    """The pure functions beside a dict of dicts and a set."""

    def __init__(self) -> None:
        super().__init__()
        self.real = tables.boot(HandlerTables(), 1, [0, 1, 2, 56, 60, 231])
        calls = dict.fromkeys((0, 1, 2, 56, 60, 231), (RAWPOSIX_CAGE, 0))
        own = dict.fromkeys((1001, 1002, 1003), (THREEI_CAGE, 0))
        self.model: dict[int, dict[int, tuple[int, int] | None]] = {1: {**calls, **own}}
        self.exiting: set[int] = set()

    @rule(cage=CAGES, number=NUMBERS, grate=CAGES, address=st.integers(0, 9))
    def register(self, cage: int, number: int, grate: int, address: int) -> None:
        self.real, result = tables.register(self.real, cage, number, grate, address)
        if cage in self.exiting or grate in self.exiting:  # 3I-REG-2
            assert result == ThreeIError.NO_SUCH_CAGE
        else:  # 3I-REG-1
            assert result == 0
            self.model.setdefault(cage, {})[number] = (grate, address)

    @rule(cage=CAGES, number=NUMBERS)
    def deregister(self, cage: int, number: int) -> None:
        self.real, result = tables.register(self.real, cage, number, DEREGISTER, 0)
        if cage in self.exiting:
            assert result == ThreeIError.NO_SUCH_CAGE
            return
        assert result == 0  # 3I-REG-3
        if cage in self.model and number in self.model[cage]:
            del self.model[cage][number]
            if not self.model[cage]:  # 3I-REG-4
                del self.model[cage]

    @rule(source=CAGES, dest=CAGES)
    def copy(self, source: int, dest: int) -> None:
        self.real, result = tables.copy_table(self.real, source, dest)
        if source in self.exiting or dest in self.exiting:
            assert result == ThreeIError.NO_SUCH_CAGE  # 3I-COPY-2
        elif source not in self.model:
            assert result == ThreeIError.ABORTED  # 3I-COPY-3
        else:
            assert result == 0  # 3I-COPY-1
            self.model[dest] = dict(self.model[source])

    @rule(cage=CAGES)
    def exit(self, cage: int) -> None:
        self.real = tables.on_exit(self.real, cage)
        self.exiting.add(cage)
        for rows in self.model.values():  # 3I-EXIT-1; 3I-EXIT-2: model[cage] stays
            for number, handler in rows.items():
                if handler is not None and handler[0] == cage:
                    rows[number] = None

    @invariant()
    def same(self) -> None:
        seen = {
            cage: {n: None if h is None else (h.cage, h.address) for n, h in rows.items()}
            for cage, rows in self.real.rows.items()
        }
        assert seen == self.model
        assert set(self.real.exiting) == self.exiting

    @invariant()
    def routes(self) -> None:
        """3I-ROUTE-2: the row of (self, number) and nothing else."""
        for cage in range(1, 7):
            for number in (0, 56, 4242):
                found = tables.route(self.real, cage, number)
                if cage not in self.model:
                    assert found is NoHandler.NO_TABLE
                elif number not in self.model[cage]:
                    assert found is NoHandler.NO_ROW
                elif self.model[cage][number] is None:
                    assert found is NoHandler.EMPTY_ROW
                else:
                    assert found == Handler(*self.model[cage][number])  # type: ignore[misc]


TestTables = Tables.TestCase


def test_boot_names_rawposix_and_3i() -> None:
    """3I-TABLE-1."""
    booted = tables.boot(HandlerTables(), 1, [0, 39])
    assert tables.route(booted, 1, 39) == Handler(RAWPOSIX_CAGE, 0)
    assert tables.route(booted, 1, 1001) == Handler(THREEI_CAGE, 0)
    assert tables.route(booted, 1, 57) is NoHandler.NO_ROW
    assert tables.route(booted, 2, 39) is NoHandler.NO_TABLE


def test_fork_copies_and_separates() -> None:
    """3I-FORK-1, 3I-EXEC-1: nothing but calls changes a table, so exec keeps it."""
    parent, _ = tables.register(tables.boot(HandlerTables(), 1, [0]), 1, 0, 9, 3)
    both = tables.on_fork(parent, 1, 2)
    assert tables.route(both, 2, 0) == Handler(9, 3)
    changed, _ = tables.register(both, 2, 0, 8, 1)
    assert tables.route(changed, 1, 0) == Handler(9, 3)


def test_the_end_of_a_cage_costs_no_walk_over_copies():
    """3I-EXIT-1: tables that are still copies of each other are looked at once, and stay one object."""
    parent, _ = tables.register(tables.boot(HandlerTables(), 1, range(300)), 1, 7, 2, 0)
    for child in range(2, 200):
        parent = tables.on_fork(parent, 1, child)
    ended = tables.on_exit(parent, 2)
    assert all(rows is ended.rows[1] for rows in ended.rows.values())
    assert tables.route(ended, 9, 7) is NoHandler.EMPTY_ROW
    assert tables.route(ended, 9, 8) == Handler(RAWPOSIX_CAGE, 0)
    assert tables.on_exit(ended, 2) is ended


@given(number=NUMBERS, caller=CAGES, target=CAGES)
def test_dead_targets(number: int, caller: int, target: int) -> None:
    """3I-ROUTE-1: only exit calls and a cage's own go on once the target is exiting."""
    gone = tables.on_exit(HandlerTables(), 3)
    refused = tables.unreachable(gone, caller, number, target)
    assert refused == (target == 3 and caller != 3 and number not in (60, 231))

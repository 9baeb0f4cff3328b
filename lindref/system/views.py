"""The cages of a run as a person looks at them: each with its record, its memory, and what grates serve for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lindref import classes
from lindref.posix.cage import Cage
from lindref.system.system import System as Engine
from lindref.threei.numbers import BENEATH
from lindref.vm.memory import Memory


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

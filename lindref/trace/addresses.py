"""Addresses of other producers as lindref's own (FORMAT-8): a header says what they are, the reader translates.

Host addresses are translated by where each cage's memory begins; offsets, which only pointers can be, by the cage whose
they are.
"""

from __future__ import annotations

from bisect import bisect_right

from lindref.posix.params import ParamKind
from lindref.posix.table import CALLS
from lindref.posix.usermem import model_base
from lindref.threei.numbers import COPY_DATA_BETWEEN_CAGES, UNUSED
from lindref.trace.format import Record

#: Kinds of parameters whose value is an address.
POINTERS = frozenset(
    {
        *(ParamKind.POINTER, ParamKind.PATH, ParamKind.CSTRING, ParamKind.BUFFER, ParamKind.STRUCT, ParamKind.ARRAY),
        *(ParamKind.IOVEC, ParamKind.STRINGS, ParamKind.SIGSET, ParamKind.WAIT_STATUS, ParamKind.INT_CELL),
        *(ParamKind.LONG_CELL, ParamKind.FD_SET, ParamKind.SOCKADDR),
    }
)
_MEMORY = 1 << 32
_FLAG = 1 << 63


class Addresses:
    """Translates the events of one trace, in its order."""

    def __init__(self, header: Record) -> None:
        self._offsets = header.get("addresses") == "offset"
        self._bases: dict[int, int] = {int(cage): base for cage, base in header.get("bases", {}).items()}
        self._sorted: list[tuple[int, int]] = []
        self._sort()
        #: Whether there is anything to do.
        self.needed = self._offsets or "bases" in header

    def _sort(self) -> None:
        self._sorted = sorted((base, cage) for cage, base in self._bases.items())

    def translated(self, record: Record) -> Record:
        """``record`` with lindref's addresses."""
        event = record["event"]
        if event == "enter":
            return self._enter(record)
        if event in ("spawn", "exec") and "base" in record:
            cage = record["child"] if event == "spawn" else record["cage"]
            self._bases[cage] = record["base"]
            self._sort()
        elif event == "end" and record["whole"]:
            if self._bases.pop(record["cage"], None) is not None:
                self._sort()
        return record

    def _enter(self, record: Record) -> Record:
        own, out = record["cage"], dict(record)
        places = _pointers(record["number"])
        args = [(value, own if owner is None else owner) for value, owner in record.get("args", ())]
        if "args" in record:
            out["args"] = [
                [self._address(*args[at]) if at in places else value, owner]
                for at, (value, owner) in enumerate(record["args"])
            ]
        if "data" in record:
            owners = {value: owner for at, (value, owner) in reversed([*enumerate(args)]) if at in places and value}
            # What no argument says itself is in the memory of the one that leads there.
            first = next(reversed(owners.values()), own)
            out["data"] = [[self._address(at, owners.get(at, first)), data] for at, data in record["data"]]
        return out

    def _address(self, value: int, cage: int) -> int:
        if value in (0, UNUSED):
            return value
        if self._offsets:
            return model_base(cage & ~_FLAG) + value if value < _MEMORY else value
        at = bisect_right(self._sorted, (value, 1 << 64)) - 1
        if at < 0:
            return value
        base, owner = self._sorted[at]
        return model_base(owner) + value - base if value - base < _MEMORY else value


def _pointers(number: int) -> frozenset[int]:
    """Which arguments of a call are addresses."""
    row = CALLS.get(number)
    if row is None:
        return frozenset({0, 1} if number == COPY_DATA_BETWEEN_CAGES else ())
    return frozenset(at for at, param in enumerate(row.params) if param.kind in POINTERS)


__all__ = ["POINTERS", "Addresses"]

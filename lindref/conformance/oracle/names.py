"""Which cage, thread and call of the trace is which of the model: one to one, bound at first sight (JUDGE-4)."""

from __future__ import annotations

from collections.abc import Sequence

from lindref import classes
from lindref.posix.call import UNUSED, i32
from lindref.posix.params import CallRow, ParamKind
from lindref.posix.usermem import MODEL_STRIDE, model_base, model_resolve
from lindref.threei.numbers import BENEATH, MAX_CAGE_ID
from lindref.trace.format import Record

_FLAG = 1 << 63
Pairs = tuple[tuple[int, int], ...]


@classes.define
class Names:
    """The bindings of one model state; ``plain`` as long as all cages have the same id on both sides."""

    cages: dict[int, int] = classes.field(factory=dict)
    back: dict[int, int] = classes.field(factory=dict)
    #: Threads that are no workers: (cage, tid) of the trace to the model's key, and back.
    threads: dict[tuple[int, int], int] = classes.field(factory=dict)
    known: dict[int, tuple[int, int]] = classes.field(factory=dict)
    #: Calls under way: the trace's number to the model's, and back.
    calls: dict[int, int] = classes.field(factory=dict)
    called: dict[int, int] = classes.field(factory=dict)
    #: Other symbols, by kind and the trace's value, and by kind and the model's.
    symbols: dict[tuple[str, object], object] = classes.field(factory=dict)
    symbols_back: dict[tuple[str, object], object] = classes.field(factory=dict)
    plain: bool = True

    def copy(self) -> Names:
        """The same for another state."""
        return Names(
            dict(self.cages),
            dict(self.back),
            dict(self.threads),
            dict(self.known),
            dict(self.calls),
            dict(self.called),
            dict(self.symbols),
            dict(self.symbols_back),
            self.plain,
        )

    def bind_cage(self, seen: int, model: int) -> bool:
        """Whether the two cages go together; they do from now on, if neither was bound."""
        if seen in self.cages or model in self.back:
            return self.cages.get(seen) == model
        self.cages[seen] = model
        self.back[model] = seen
        self.plain = self.plain and seen == model
        return True

    def bind(self, kind: str, seen: object, model: object) -> bool:
        """The same for other symbols."""
        there, back = self.symbols.get((kind, seen)), self.symbols_back.get((kind, model))
        if there is None and back is None:
            self.symbols[kind, seen] = model
            self.symbols_back[kind, model] = seen
            return True
        return there == model and back == seen

    def bind_thread(self, cage: int, tid: int, key: int) -> None:
        """Thread ``tid`` of the trace's ``cage`` is the model's ``key``."""
        self.threads[cage, tid] = key
        self.known[key] = (cage, tid)

    def forget_thread(self, key: int) -> None:
        """The thread is gone."""
        place = self.known.pop(key, None)
        if place is not None:
            self.threads.pop(place, None)

    def bind_call(self, seen: int, model: int) -> None:
        """Two calls that have just been made."""
        self.calls[seen] = model
        self.called[model] = seen

    def forget_call(self, seen: int) -> None:
        """The call has come back."""
        model = self.calls.pop(seen, None)
        if model is not None:
            self.called.pop(model, None)

    # Values.

    def cage(self, seen: int) -> int:
        """The model's id of a cage; ids that are bound to nothing stay, unless the model means another by it."""
        flag, number = seen & _FLAG, seen & ~_FLAG
        if self.plain or number in BENEATH or not 0 < number < MAX_CAGE_ID:
            return seen
        found = self.cages.get(number)
        if found is None:
            found = number if number not in self.back else MAX_CAGE_ID - 1
        return flag | found

    def address(self, seen: int) -> int:
        """The model's address of a place in a cage's memory."""
        if self.plain or seen < MODEL_STRIDE or seen == UNUSED:
            return seen
        place = model_resolve(seen)
        return seen if place is None else model_base(self.cage(place.cage)) + place.offset

    def pairs(self, enter: Record, row: CallRow | None) -> Pairs:
        """A call's arguments in the model's terms."""
        args: Sequence[Sequence[int | None]] = enter.get("args", ())
        own = enter["cage"]
        if self.plain:
            found = [(value or 0, own if owner is None else owner) for value, owner in args]
        else:
            found = [self._pair(enter, row, at, value or 0, owner) for at, (value, owner) in enumerate(args)]
            own = self.cage(own)
        return tuple(found + [(UNUSED, own)] * (6 - len(found)))

    def _pair(self, enter: Record, row: CallRow | None, at: int, value: int, owner: int | None) -> tuple[int, int]:
        number = enter["number"]
        cage = self.cage(enter["cage"] if owner is None else owner)
        if number == 1001:
            if at == 0:
                return self.cage(value), owner or 0
            return (value, cage) if at != 2 else (value, owner or 0)
        if number == 1003 and at == 0:
            return self.cage(value), cage
        if row is not None and at < len(row.params) and row.params[at].kind is ParamKind.PID:
            number = i32(value)
            if abs(number) in self.cages:
                value = (self.cages[abs(number)] if number > 0 else -self.cages[-number]) & (1 << 64) - 1
            return value, cage
        return self.address(value), cage


__all__ = ["Names", "Pairs"]

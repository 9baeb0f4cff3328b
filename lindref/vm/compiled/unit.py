"""Compiled units: the Python code of a function, shared by all instances, and the way back from its lines."""

from __future__ import annotations

from itertools import repeat
from types import CodeType
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from lindref.vm.values import Value

if TYPE_CHECKING:
    from lindref.vm.compiled.nodes import State
    from lindref.vm.compiled.source import Source
    from lindref.vm.program import Body

#: What it costs to enter a unit and leave it in the middle, in ticks of a small function; how much of that is borne.
LEAVING = 12
PATIENCE = 20_000

#: Instructions of a body from which on its source is kept on disk: smaller ones are made faster than read.
KEPT = 60

#: Callers count a frame of a compiled function as at most so many against the depth limit.
MAX_WEIGHT = 4


class Unit:
    """What a body became from one entry on. ``code`` is ``None`` where it could not be compiled."""

    __slots__ = (
        "__weakref__",
        "_afters",
        "_balance",
        "_befores",
        "_locals",
        "_size",
        "barred",
        "code",
        "entry",
        "index",
        "source",
    )

    def __init__(self, index: int, entry: int, source: Source | None) -> None:
        self.index = index
        self.entry = entry
        self.source = source
        self.code: CodeType | None = None
        self._befores: dict[int, tuple[int, CodeType | None]] = {}
        self.barred = False
        """Not worth being entered: it is left again too soon."""
        self._balance = PATIENCE
        self._size = 1
        self._locals: tuple[tuple[str, Value], ...] | None = None
        self._afters: dict[int, tuple[int, CodeType | None]] = {}
        if source is not None:
            self._compile(source)

    def _compile(self, source: Source) -> None:
        global _made  # noqa: PLW0603 (numbers what was made, for names that are used once)
        _made += 1
        filename = f"<wasm function {self.index}, entry {self.entry}, number {_made}>"
        try:
            module = compile(source.text, filename, "exec", dont_inherit=True)
        except (SyntaxError, RecursionError, MemoryError, OverflowError):
            return  # beyond what CPython's compiler takes
        self.code = next(c for c in module.co_consts if isinstance(c, CodeType))
        UNITS[filename] = self
        self._size = 1 + len(source.states) // 8

    def worth(self, ticks: int) -> None:
        """It was left in the middle, after so many ticks: whether that was worth the entering shows with time."""
        self._balance = min(self._balance + ticks * self._size - LEAVING, PATIENCE)
        if self._balance < 0:
            self.barred = True

    def locals_of(self, body: Body) -> tuple[tuple[str, Value], ...]:
        """What the locals of its body are called in the source, and what those hold that were never assigned."""
        if self._locals is None:
            zeros = (*repeat(None, body.n_params), *body.zeros)
            self._locals = tuple((f"v{i}", zero) for i, zero in enumerate(zeros))
        return self._locals

    def before(self, line: int) -> tuple[int, CodeType | None]:
        """Where to go on if a line failed: entry of the code, and the operands as an expression."""
        found = self._befores.get(line)
        if found is None:
            assert self.source is not None
            state = self.source.states[line - 1]
            assert state is not None, (self.source.text.splitlines()[line - 1], line)
            found = self._befores[line] = _expression(state)
        return found

    def after(self, line: int) -> tuple[int, CodeType | None]:
        """The same while the function that a line calls is running."""
        found = self._afters.get(line)
        if found is None:
            assert self.source is not None
            found = self._afters[line] = _expression(self.source.afters[line - 1])
        return found


def _expression(state: State) -> tuple[int, CodeType | None]:
    pc, text = state
    return pc, None if text == "()" else compile(text, "<operands>", "eval", dont_inherit=True)


_made = 0

#: By the file name that their code bears.
UNITS: WeakValueDictionary[str, Unit] = WeakValueDictionary()


def _source(body: Body, entry: int) -> Source | None:
    """A source from the cache, or made and put there; ``None`` for what cannot be compiled."""
    # The compiler is loaded when there is something to compile: many runs are over before.
    from lindref.vm.compiled import cache
    from lindref.vm.compiled.layout import Unfit
    from lindref.vm.compiled.source import make

    assert body.program is not None
    assert body.facts is not None
    digest = body.program.module.digest
    kept = bool(digest) and len(body.facts.heights) >= KEPT
    key = f"{digest}-{body.index}-{entry}"
    found = cache.load(key) if kept else None
    if found is not None:
        return found
    try:
        made = make(body, entry)
    except Unfit:
        return None
    if kept:
        cache.save(key, made)
    return made


def unit(body: Body, entry: int) -> Unit:
    """The unit of a prepared body from an entry on, made if need be."""
    found: Any = body.compiled.get(entry)
    if found is None:
        found = body.compiled[entry] = Unit(body.index, entry, _source(body, entry))
    made: Unit = found
    return made

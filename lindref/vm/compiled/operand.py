"""Operands while a body is being translated: Python expressions that have not been evaluated yet.

An operand is *pending* from the instruction that makes it to the one that takes it. Integers carry the interval that
their expression's value lies in: outside ``0 … 2**N - 1`` it is congruent to the wasm value, and is masked only
where that shows.
"""

from __future__ import annotations

from typing import Final

M32: Final = 0xFFFF_FFFF
M64: Final = 0xFFFF_FFFF_FFFF_FFFF

#: Deeper expressions are put in a variable first: CPython's parser has limits.
MAX_NESTING: Final = 24

NO_NAMES: frozenset[str] = frozenset()

#: Where the reference machine goes on: entry of the code, operands then on its stack.
Place = tuple[int, tuple["Operand", ...]]


class Operand:
    """An expression. ``names`` are the variables it reads; ``place`` is there if its evaluation may fail."""

    __slots__ = ("atom", "form", "high", "low", "mask", "names", "negated", "nesting", "place", "text")

    #: Forms: an integer with an interval; a condition, whose value is 0 or 1; a float that may be a NaN of any bits
    #: and counts as the canonical one; anything else, which is what it is.
    INT, CONDITION, NAN, PLAIN = range(4)

    def __init__(
        self,
        text: str,
        names: frozenset[str] = NO_NAMES,
        *,
        form: int = 3,
        atom: bool = False,
        place: Place | None = None,
        nesting: int = 1,
        low: int = 0,
        high: int = 0,
        mask: int = 0,
        negated: str = "",
    ) -> None:
        self.text = text
        self.names = names
        self.form = form
        self.atom = atom
        self.place = place
        self.nesting = nesting
        self.low = low
        self.high = high
        self.mask = mask
        self.negated = negated

    # What it is.

    @property
    def constant(self) -> int | None:
        """Its value, if it is a literal integer."""
        literal = self.form == Operand.INT and self.low == self.high and self.atom and not self.names
        return self.low if literal and self.place is None else None

    @property
    def canonical(self) -> bool:
        """Whether the expression's value is the wasm value as it is."""
        return self.form == Operand.PLAIN or (self.form == Operand.INT and self.low >= 0 and self.high <= self.mask)

    @property
    def literal(self) -> bool:
        """Whether it is a constant, of whatever type."""
        return self.atom and not self.names and self.place is None

    def become(self, name: str) -> None:
        """From now on it is what a variable holds, to which its value was assigned."""
        if self.form == Operand.CONDITION:
            self.form, self.low, self.high, self.mask = Operand.INT, 0, 1, M32
        elif self.form == Operand.NAN:
            self.form = Operand.PLAIN
        elif self.form == Operand.INT and not self.canonical:
            self.low, self.high = 0, self.mask
        self.text, self.names = name, frozenset((name,))
        self.atom, self.place, self.nesting = True, None, 1

    # As text.

    @property
    def inner(self) -> str:
        """The expression as part of a bigger one, whatever its value's form."""
        return self.text if self.atom else f"({self.text})"

    @property
    def value(self) -> str:
        """The expression of the wasm value."""
        if self.canonical:
            return self.text
        if self.form == Operand.INT:
            return f"{self.inner} & {self.mask:#x}"
        if self.form == Operand.CONDITION:
            return f"1 if {self.text} else 0"
        return f"y if (y := {self.text}) == y else NAN"

    @property
    def part(self) -> str:
        """The expression of the wasm value as part of a bigger one."""
        return self.inner if self.canonical else f"({self.value})"

    @property
    def test(self) -> str:
        """An expression that is true unless the value is zero."""
        return self.text if self.form == Operand.CONDITION else self.part

    @property
    def untest(self) -> str:
        """An expression that is true if the value is zero."""
        if self.form == Operand.CONDITION and self.negated:
            return self.negated
        return f"not {self.inner}" if self.form == Operand.CONDITION else f"not {self.part}"


def integer(value: int, mask: int) -> Operand:
    """A constant integer."""
    text = str(value) if value < 1000 else hex(value)
    return Operand(text, form=Operand.INT, atom=value >= 0, low=value, high=value, mask=mask)


def merged(*operands: Operand) -> tuple[frozenset[str], Place | None, int]:
    """What a bigger expression has from its parts: names, place of the first failure, nesting."""
    names = NO_NAMES
    place = None
    nesting = 0
    for o in operands:
        names = names | o.names if names else o.names
        if place is None:
            place = o.place
        nesting = max(nesting, o.nesting)
    return names, place, nesting + 1


def int_of(text: str, mask: int, low: int, high: int, *operands: Operand) -> Operand:
    """An integer expression over operands."""
    names, place, nesting = merged(*operands)
    return Operand(
        text, names, form=Operand.INT, place=place, nesting=nesting, low=low, high=high, mask=mask
    )


def test_of(text: str, negated: str, *operands: Operand) -> Operand:
    """A condition over operands."""
    names, place, nesting = merged(*operands)
    return Operand(text, names, form=Operand.CONDITION, place=place, nesting=nesting, negated=negated, high=1, mask=M32)


def plain_of(text: str, *operands: Operand, form: int = 3) -> Operand:
    """A float or reference expression over operands."""
    names, place, nesting = merged(*operands)
    return Operand(text, names, form=form, place=place, nesting=nesting)

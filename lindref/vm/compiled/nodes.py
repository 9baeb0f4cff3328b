"""A translated body as a tree: lines of Python in the structure that wasm gave them.

``layout`` makes Python's control statements of it.
"""

from __future__ import annotations

from typing import Any

from lindref import classes

#: Where the reference machine goes on: an entry of the code, and the operands on its stack as a Python tuple.
State = tuple[int, str]


@classes.frozen
class Site:
    """What a line stands for: the state before it, and for a call that while the callee runs."""

    before: State
    after: State | None = None


@classes.define(eq=False)
class Label:
    """What branches go to: the head of a loop (``head`` is the state there), or the end of a block."""

    number: int
    loop: bool
    height: int
    arity: int
    used: bool = False
    head: Site | None = None
    depth: int = 0
    """How many Python loops were open where it was entered; for ``layout``."""


@classes.define(eq=False)
class Line:
    """One line of Python. It has at most one effect, and that comes last."""

    text: str
    site: Site | None
    """``None`` for what cannot fail."""


@classes.define(eq=False)
class Block:
    """A block."""

    label: Label
    body: list[Any]


@classes.define(eq=False)
class Loop:
    """A loop; ``pc`` is where its head is in the code, ``stack`` the operands there."""

    label: Label
    body: list[Any]
    pc: int
    stack: tuple[str, ...]


@classes.define(eq=False)
class If:
    """Two arms; ``test`` and ``untest`` are conditions, each the other's contrary."""

    test: str
    untest: str
    site: Site | None
    then: list[Any]
    other: list[Any] = classes.field(factory=list)


@classes.define(eq=False)
class Branch:
    """An unconditional branch; the operands are in place."""

    label: Label


@classes.define(eq=False)
class Switch:
    """``br_table``: ``table`` says by index which of the targets, its last entry for every index beyond."""

    index: str
    site: Site
    targets: list[list[Any]]
    table: list[int]


@classes.define(eq=False)
class Try:
    """What is protected, and for each kind of exception (the name of a Python class) what follows: values are put in
    their variables, and control leaves by a branch or a return. What handles them stands elsewhere."""

    body: list[Any]
    catches: list[tuple[str, list[Any]]]


@classes.define(eq=False)
class Leave:
    """A line after which nothing comes: a return, or an exception."""

    text: str
    site: Site | None


Node = Line | Block | Loop | If | Branch | Switch | Try | Leave

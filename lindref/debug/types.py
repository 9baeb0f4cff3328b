"""C types, as DWARF describes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from lindref import classes


class CType:
    """A type: what it is called, and how many bytes a value takes (0 where that is not known)."""

    name = "?"
    size = 0

    @property
    def plain(self) -> CType:
        """The type behind typedefs and qualifiers."""
        return self

    def declare(self, what: str) -> str:
        """A declaration of something of this type."""
        return f"{self.name} {what}".rstrip()


class Void(CType):
    """No type at all."""

    name = "void"


VOID = Void()


class Base(CType):
    """A number. ``kind``: ``signed``, ``unsigned``, ``float``, ``bool``; ``char``: whether it is a character."""

    def __init__(self, name: str, size: int, kind: str, *, char: bool = False) -> None:
        self.name, self.size, self.kind, self.char = name, size, kind, char


class Pointer(CType):
    """An address of something."""

    size = 4

    def __init__(self, target: Callable[[], CType], size: int = 4) -> None:
        self._target = target
        self.size = size

    @cached_property
    def target(self) -> CType:
        """What it points to."""
        return self._target()

    @property
    def name(self) -> str:  # type: ignore[override]
        """``T *``."""
        return self.declare("")

    def declare(self, what: str) -> str:
        """See ``CType``; pointers to arrays and functions need parentheses."""
        inner = self.target.plain if isinstance(self.target, Named) and not self.target.name else self.target
        star = f"*{what}"
        return inner.declare(f"({star})" if isinstance(inner, Array | FunctionType) else star)


@classes.frozen(eq=False)
class Member:
    """A member of a struct: at byte ``offset``; of a bit field, ``bits`` bits from bit ``shift`` of a unit of
    storage of ``type``'s size at ``offset``."""

    name: str
    type: CType
    offset: int
    bits: int = 0
    shift: int = 0


class Struct(CType):
    """A ``struct``, ``union`` or ``class``. Its members are read when they are asked for: it may point to itself."""

    def __init__(self, kind: str, tag: str, size: int, members: Callable[[], tuple[Member, ...]]) -> None:
        self.kind, self.tag, self.size = kind, tag, size
        self._members = members

    @property
    def name(self) -> str:  # type: ignore[override]
        """``struct tag``."""
        return f"{self.kind} {self.tag or '{...}'}"

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """In the order of the declaration."""
        return self._members()


class Array(CType):
    """``count`` elements; ``None`` where the declaration does not say."""

    def __init__(self, element: CType, count: int | None) -> None:
        self.element, self.count = element, count
        self.size = element.size * (count or 0)

    @property
    def name(self) -> str:  # type: ignore[override]
        """``T[n]``."""
        return self.declare("")

    def declare(self, what: str) -> str:
        """See ``CType``."""
        return self.element.declare(f"{what}[{'' if self.count is None else self.count}]")


class Enum(CType):
    """Named numbers."""

    def __init__(self, tag: str, size: int, values: tuple[tuple[str, int], ...]) -> None:
        self.tag, self.size, self.values = tag, size, values
        self.name = f"enum {tag or '{...}'}"


class FunctionType(CType):
    """What a pointer to a function points to."""

    def __init__(self, result: Callable[[], CType], params: Callable[[], tuple[CType, ...]]) -> None:
        self._result, self._params = result, params

    @property
    def name(self) -> str:  # type: ignore[override]
        """``T (params)``."""
        return self.declare("")

    def declare(self, what: str) -> str:
        """See ``CType``."""
        params = ", ".join(p.name for p in self._params()) or "void"
        return self._result().declare(f"{what}({params})")


class Named(CType):
    """Another name for a type, or (with a ``qualifier``) the same type qualified."""

    def __init__(self, name: str, target: Callable[[], CType], qualifier: str = "") -> None:
        self._name, self._target, self.qualifier = name, target, qualifier

    @cached_property
    def target(self) -> CType:
        """The type that is named."""
        return self._target()

    @property
    def name(self) -> str:  # type: ignore[override]
        """Its name."""
        if not self.qualifier:
            return self._name
        inner = self.target
        return f"{inner.name} {self.qualifier}" if isinstance(inner, Pointer) else f"{self.qualifier} {inner.name}"

    @property
    def size(self) -> int:  # type: ignore[override]
        """That of the type."""
        return self.target.size

    @property
    def plain(self) -> CType:
        """See ``CType``."""
        seen: CType = self
        for _ in range(64):
            if not isinstance(seen, Named):
                return seen
            seen = seen.target
        return VOID  # a circle: not C

    def declare(self, what: str) -> str:
        """See ``CType``."""
        if self.qualifier and isinstance(self.target, Pointer):
            return self.target.declare(f"{self.qualifier} {what}".rstrip())
        return f"{self.name} {what}".rstrip()


#: Types that expressions have where no debug information gives others.
INT = Base("int", 4, "signed")
UNSIGNED = Base("unsigned int", 4, "unsigned")
LONG_LONG = Base("long long", 8, "signed")
UNSIGNED_LONG_LONG = Base("unsigned long long", 8, "unsigned")
CHAR = Base("char", 1, "signed", char=True)
FLOAT = Base("float", 4, "float")
DOUBLE = Base("double", 8, "float")

#: The base types by the words that name them, in any order.
BASES = {
    " ".join(sorted(words.split())): made
    for made, names in (
        (CHAR, ("char",)),
        (Base("signed char", 1, "signed", char=True), ("signed char",)),
        (Base("unsigned char", 1, "unsigned", char=True), ("unsigned char",)),
        (Base("short", 2, "signed"), ("short", "short int", "signed short", "signed short int")),
        (Base("unsigned short", 2, "unsigned"), ("unsigned short", "unsigned short int")),
        (INT, ("int", "signed", "signed int")),
        (UNSIGNED, ("unsigned", "unsigned int")),
        (Base("long", 4, "signed"), ("long", "long int", "signed long", "signed long int")),
        (Base("unsigned long", 4, "unsigned"), ("unsigned long", "unsigned long int")),
        (LONG_LONG, ("long long", "long long int", "signed long long", "signed long long int")),
        (UNSIGNED_LONG_LONG, ("unsigned long long", "unsigned long long int")),
        (FLOAT, ("float",)),
        (DOUBLE, ("double",)),
        (Base("_Bool", 1, "bool"), ("_Bool", "bool")),
        (VOID, ("void",)),
    )
    for words in names
}

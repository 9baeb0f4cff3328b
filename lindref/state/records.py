"""Records: the immutable classes that a state is made of."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform

from lindref import classes
from lindref.state import schema
from lindref.state.digest import digest
from lindref.state.equal import identical

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)


class Record:
    """What every record inherits: a slot that keeps its digest, and equality of states.

    ``==`` is exact (``state.equal.identical``), the hash follows from the digest and so is the same in every
    run.
    """

    __slots__ = ("_digest",)
    _digest: bytes

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return identical(self, other) if type(self) is type(other) else NotImplemented

    def __hash__(self) -> int:
        return int.from_bytes(digest(self)[:8], "little", signed=True)


@dataclass_transform(frozen_default=True, field_specifiers=(classes.field,))
def record(name: str, *, version: int = 1) -> Callable[[type[T]], type[T]]:
    """Declare a record: a ``classes.frozen`` class that states may hold, written under ``name``.

    The order of the fields is their order on the wire; whoever changes fields raises ``version``. All fields
    are positional arguments, and hold values that the codec knows. ``TypeError`` for a name taken twice.
    Make changed copies with ``replace``.
    """

    def declare(cls: type[T]) -> type[T]:
        made: Any = classes.build(cls, is_frozen=True, eq=False, base=Record)
        schema.enter(schema.Schema(name, version, made, _fields(name, made), cached=True))
        return made  # type: ignore[no-any-return]

    return declare


def enumeration(name: str, *, version: int = 1) -> Callable[[type[E]], type[E]]:
    """Let states hold the members of an enum; they are written by name (members of a ``Flag`` by number)."""

    def declare(cls: type[E]) -> type[E]:
        schema.enter(schema.Schema(name, version, cls, is_enum=True))
        return cls

    return declare


def adopt(name: str, cls: type, *, version: int = 1) -> None:
    """Let states hold a class made elsewhere: an enum, or a frozen class of fields.

    All its fields must be positional arguments. Its digest is computed anew each time, and its own ``==``
    stays as it is.
    """
    if issubclass(cls, enum.Enum):
        schema.enter(schema.Schema(name, version, cls, is_enum=True))
        return
    schema.enter(schema.Schema(name, version, cls, _fields(name, cls)))


def replace(value: T, /, **changes: object) -> T:
    """A copy of a record with some fields changed; ``TypeError`` for a field that it does not have."""
    cls = type(value)
    fields = schema.BY_CLASS[cls].fields
    made = [changes.pop(name) if name in changes else getattr(value, name) for name in fields]
    if changes:
        raise TypeError(f"{cls.__name__} has no field {min(changes)!r}")
    return cls(*made)


def _fields(name: str, cls: Any) -> tuple[str, ...]:
    """The names of a class's fields, in order."""
    for field in classes.fields(cls):
        if not field.init or field.kw_only:
            raise TypeError(f"the record {name!r}: field {field.name!r} must be a positional argument")
    return tuple(field.name for field in classes.fields(cls))

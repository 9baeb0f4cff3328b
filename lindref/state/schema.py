"""The registry of classes that may stand in a state: what name each has on the wire, and its fields."""

from __future__ import annotations

import enum

from lindref import classes


@classes.frozen
class Schema:
    """How one class is written: ``name`` and ``version`` stand for it, ``fields`` are in wire order.

    For an enum ``fields`` is empty and ``is_enum`` holds. ``cached`` says that instances have a ``_digest``
    slot, which is unset until the digest is first asked for.
    """

    name: str
    version: int
    cls: type
    fields: tuple[str, ...] = ()
    is_enum: bool = False
    cached: bool = False

    @property
    def is_flag(self) -> bool:
        """A flag enum: written by its number, since a combination of members has no name of its own."""
        return issubclass(self.cls, enum.Flag)


#: Every class that may stand in a state.
BY_CLASS: dict[type, Schema] = {}

#: The same by ``(name, version)``.
BY_NAME: dict[tuple[str, int], Schema] = {}


def enter(schema: Schema) -> None:
    """Register; a name and version, or a class, may be taken only once (``TypeError``)."""
    key = (schema.name, schema.version)
    if key in BY_NAME:
        raise TypeError(f"the record {schema.name!r} version {schema.version} is registered twice")
    if schema.cls in BY_CLASS:
        raise TypeError(f"the class {schema.cls.__qualname__} is registered twice")
    if schema.version < 1:
        raise TypeError(f"the record {schema.name!r} needs a version of 1 or more")
    BY_NAME[key] = schema
    BY_CLASS[schema.cls] = schema

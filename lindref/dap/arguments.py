"""Arguments of requests: what must be there, of which type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_NAMES = {str: "a string", int: "a whole number", bool: "true or false", list: "a list", dict: "an object"}


class RequestError(Exception):
    """A request that cannot be carried out: one line, which the client shows."""


def fits(value: object, kind: type) -> bool:
    """Whether a JSON value is of a type; truth values are no numbers."""
    return isinstance(value, kind) and (kind is not int or not isinstance(value, bool))


def want(arguments: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """An argument that must be there; raises ``RequestError``."""
    value = arguments.get(name)
    if value is None:
        raise RequestError(f"{name} is missing")
    if not fits(value, kind):
        raise RequestError(f"{name}: {_NAMES[kind]} was expected")
    return value  # type: ignore[no-any-return]  # just looked at


def may(arguments: Mapping[str, Any], name: str, kind: type[T], otherwise: T) -> T:
    """An argument that may be left out; raises ``RequestError`` where it is of another type."""
    return otherwise if arguments.get(name) is None else want(arguments, name, kind)


def strings(arguments: Mapping[str, Any], name: str) -> list[str]:
    """A list of strings that may be left out; a single string is a list of one."""
    value = arguments.get(name)
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise RequestError(f"{name}: a list of strings was expected")
    return value


def objects(arguments: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects that may be left out."""
    value = may(arguments, name, list, [])
    if not all(isinstance(one, dict) for one in value):
        raise RequestError(f"{name}: a list of objects was expected")
    return value

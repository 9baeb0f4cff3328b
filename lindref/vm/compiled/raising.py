"""Wasm exceptions while they pass through compiled code: Python exceptions, one class for each tag.

The classes are those of all stores: what counts is a tag's number.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from lindref.vm.values import ExnInst, TagInst, Value


class Bail(Exception):
    """Compiled code cannot go on: the reference machine does this line."""


class Tick(Exception):
    """The ticks are used up."""


class Left(Exception):
    """A host call was seen to while compiled code ran, and its frames are the machine's now; ``error`` is what went
    wrong meanwhile, which is not the guest's."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__(error)
        self.error = error


class WasmException(Exception):
    """An exception of a program; ``args`` are its values."""

    exn: ExnInst
    """The same as a value."""


@cache
def class_of(number: int) -> type[WasmException]:
    """The class of the exceptions of the tag with that number in its store."""
    return type(f"Tag{number}", (WasmException,), {"__slots__": ("exn",)})


def maker(tag: TagInst) -> Callable[..., WasmException]:
    """Makes exceptions of a tag from their values."""
    kind = class_of(tag.number)

    def make(*values: Value) -> WasmException:
        made = kind(*values)
        made.exn = ExnInst(tag, values)
        return made

    return make


def again(exn: Any) -> WasmException:
    """An exception to be thrown once more; null is left to the reference machine."""
    if exn is None:
        raise Bail
    made = class_of(exn.tag.number)(*exn.values)
    made.exn = exn
    return made

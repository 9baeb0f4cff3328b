"""What a call of a guest function can raise."""

from __future__ import annotations

from typing import Any

from lindref.vm.limits import Exhaustion
from lindref.vm.link import LinkError
from lindref.vm.machine import Place
from lindref.vm.values import ExnInst

__all__ = ["Exhaustion", "LinkError", "Trap", "WasmException"]


class Trap(RuntimeError):
    """The guest trapped. ``message`` in the specification's wording; ``frames`` where it was, innermost first."""

    def __init__(self, message: str, frames: tuple[Place, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.frames = frames

    def __str__(self) -> str:
        place = next((f"func {p.func}" + (f" ({p.name})" if p.name else "") for p in self.frames if p.func >= 0), "")
        return f"{self.message} in {place}" if place else self.message


class WasmException(RuntimeError):
    """A wasm exception that the guest did not catch: its tag's number in the store, and the values it carries.

    A host function may raise one again that it got from a guest.
    """

    def __init__(self, exn: ExnInst, values: tuple[Any, ...]) -> None:
        # An exception may hold another, and that one another, without end: only numbers are spelled out.
        shown = ", ".join(repr(v) if isinstance(v, int | float | None) else type(v).__name__ for v in values)
        super().__init__(f"uncaught wasm exception, tag {exn.tag.number}, values ({shown})")
        self.exn = exn
        self.values = values

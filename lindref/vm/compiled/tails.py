"""Tail calls: a compiled function that makes any returns what is to be called then, as a list, and a trampoline stands
for it. So Python's stack does not grow by them, and other calls do not pay for them.

A function that is called so finds as much of Python's stack as its caller found: entering it cannot fail.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lindref.vm.compiled.raising import Bail

#: The name of the module that compiled functions are in.
COMPILED: Final = "wasm"


def trampoline(raw: Callable[..., Any]) -> Callable[..., Any]:
    """A compiled function that makes tail calls, as others call it."""

    def call(*args: Any, raw: Callable[..., Any] = raw) -> Any:
        found = raw(*args)
        while type(found) is list:
            found = found[0](*found[1])
        return found

    return call


def tail(function: Any, *args: Any) -> list[Any]:
    """What a function returns that ends with the call of another. One that is not compiled says so when called."""
    if function.__code__ is _TRAMPOLINE:
        function = function.__kwdefaults__["raw"]
    elif function.__globals__["__name__"] != COMPILED:
        if function.__name__ == "ask":
            raise Bail  # the host is called when this frame is gone
        function(*args)
    return [function, args]


_TRAMPOLINE: Final = trampoline(tail).__code__

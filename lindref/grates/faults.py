"""Makes calls fail: the nth of a kind, with an error of one's choice.

    lindref run --grate lindref.grates.faults:Faults,call=write,nth=3,error=EIO app.wasm

``call`` is a pattern as in a shell. ``every=N`` fails the nth and then each Nth after it. ``nth=0`` leaves it to the
run's choices which call fails (once), so that exploring a program tries every place.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import lindref
from lindref.posix import errno


class Faults(lindref.Grate):
    """Counts the matching calls of all cages beneath; those it fails go no further."""

    def __init__(self, call: str, nth: int = 1, error: str = "EIO", every: int = 0) -> None:
        self.pattern = call
        self.nth = nth
        self.every = every
        self.error = getattr(errno, error, 0) if error.startswith("E") else 0
        if not self.error:
            raise ValueError(f"error={error}: no error is called so")

    def any_call(self, call: lindref.Served) -> int:
        """Fail it, if it is its turn."""
        if not fnmatchcase(call.name, self.pattern):
            return self.forward()
        count = self.state["count"] = self.state.get("count", 0) + 1
        if not self.due(count):
            return self.forward()
        self.state["failed"] = self.state.get("failed", 0) + 1
        return -self.error

    def due(self, count: int) -> bool:
        """Whether the ``count``th matching call is to fail."""
        if self.nth == 0:
            return not self.state.get("failed", 0) and self.choose(2) == 1
        if self.every:
            return count >= self.nth and (count - self.nth) % self.every == 0
        return count == self.nth

"""Two ways at once: a group of grates sees every call, and the call also goes its own way past it.

    lindref run --grate lindref.grates.tee:Tee --grate '%{' --grate my:Audit --grate '%}' app.wasm

What the group answers is kept in the state (``state["differs"]`` counts where it is not what the caller gets). A grate
of the group that passes calls on would have them done twice; calls that make or end something go one way only.
"""

from __future__ import annotations

import lindref
from lindref.grates.group import Group

#: Calls that are never made twice.
ONCE = frozenset({"clone", "execve", "exit", "exit_group", "wait4"})


class Tee(Group):
    """``answer``: whose result the caller gets, ``beneath`` or ``group``."""

    def __init__(self, answer: str = "beneath") -> None:
        if answer not in ("beneath", "group"):
            raise ValueError(f"answer={answer}: beneath or group")
        self.answer = answer

    def any_call(self, call: lindref.Served) -> int:
        """First into the group, then past it."""
        if call.name in ONCE:
            return self.forward() if self.answer == "beneath" else self.into_group(call)
        seen = self.into_group(call)
        done = self.forward()
        if seen != done:
            self.state["differs"] = self.state.get("differs", 0) + 1
        return done if self.answer == "beneath" else seen

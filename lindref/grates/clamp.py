"""A group of grates for one folder alone.

lindref run --grate lindref.grates.clamp:Clamp,prefix=/tmp --grate '%{' --grate my:Grate --grate '%}' app.wasm
"""

from __future__ import annotations

from typing import ClassVar

import lindref
from lindref.grates.group import Group
from lindref.grates.paths import absolute, beneath, slots, tidy
from lindref.posix.params import ParamKind

#: Calls that make a descriptor from a path, and those that make one from another.
OPENS = ("open", "openat")
COPIES = ("dup", "dup2", "dup3")


class Clamp(Group):
    """Calls with a path in ``prefix``, or a descriptor that came from there, go into the group; others pass it by."""

    registers: ClassVar[tuple[str, ...]] = (*Group.registers, *OPENS, *COPIES, "close")

    def __init__(self, prefix: str) -> None:
        self.prefix = tidy(prefix)

    def any_call(self, call: lindref.Served) -> int:
        """Decide, and keep track of the descriptors."""
        inside = self.inside(call)
        result = self.into_group(call) if inside else self.forward()
        self.follow(call, result, inside)
        return result

    def inside(self, call: lindref.Served) -> bool:
        """Whether the call has to do with the folder."""
        paths = [absolute(self, call, slot) for slot in slots(call.number)]
        if any(path is not None and beneath(path, self.prefix) for path in paths):
            return True
        held = self.cage_state(call.caller).get("fds", ())
        values = call.values()
        return any(values[slot] in held for slot in slots(call.number, ParamKind.FD)[:1])

    def follow(self, call: lindref.Served, result: int, inside: bool) -> None:
        """Which descriptors of the caller come from the folder, after the call."""
        mine = self.cage_state(call.caller)
        held = set(mine.get("fds", ()))
        if call.name == "close" and result == 0:
            held.discard(call.values()[0])
        elif call.name in OPENS + COPIES and result >= 0:
            (held.add if inside else held.discard)(result)
        mine["fds"] = held

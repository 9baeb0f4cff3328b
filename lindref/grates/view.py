"""Each cage its own files: what a cage calls a folder is one that no other cage sees.

    lindref run --grate lindref.grates.view:View,dir=/work app.wasm

A cage's folder is made when it first needs it, as ``DIR/.cage-N``; a child begins with an empty one.
"""

from __future__ import annotations

from types import EllipsisType

import lindref
from lindref.grates.paths import absolute, beneath, slots, tidy
from lindref.posix.errno import EEXIST
from lindref.posix.params import ParamKind
from lindref.posix.table import CALLS


class View(lindref.Grate):
    """Paths in ``dir`` lead into the caller's own folder there."""

    def __init__(self, dir: str) -> None:  # noqa: A002  # the option's name
        self.folder = tidy(dir)

    def cage_born(self, cage: int, parent: int) -> None:
        """A child has made nothing yet."""
        self.cage_state(cage)["made"] = False

    @lindref.serves(*(row.name for row in CALLS.values() if any(p.kind is ParamKind.PATH for p in row.params)))
    def with_paths(self, call: lindref.Served) -> int:
        """Every path of the call that lies in the folder, moved into the caller's own."""
        moved: list[str | EllipsisType] = [...] * len(call.args)
        for slot in slots(call.number):
            path = absolute(self, call, slot)
            if path is not None and beneath(path, self.folder):
                moved[slot] = self.own(call.caller) + path[len(self.folder) :]
        return self.forward(*moved)

    def own(self, cage: int) -> str:
        """The folder of a cage, which is there afterwards if it can be."""
        name = f"{self.folder.rstrip('/')}/.cage-{cage}"
        mine = self.cage_state(cage)
        if not mine.get("made"):
            mine["made"] = self.call("mkdir", name, 0o755, target=cage) in (0, -EEXIST)
        return name

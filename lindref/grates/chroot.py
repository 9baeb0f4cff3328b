"""Another root: what cages beneath call ``/`` is a folder.

    lindref run --grate lindref.grates.chroot:Chroot,dir=/sandbox app.wasm

Paths are taken apart as text, as ``..`` would be. Symbolic links lead where they lead beneath, so none can be made.
"""

from __future__ import annotations

import posixpath
from types import EllipsisType

import lindref
from lindref.grates.paths import directory_before, slots, tidy
from lindref.posix.errno import EACCES, ERANGE
from lindref.posix.fs.numbers import AT_FDCWD
from lindref.posix.params import ParamKind
from lindref.posix.table import CALLS

#: Calls that would make a symbolic link, and the others that have paths.
LINKS = ("symlink", "symlinkat")
MOVED = [row.name for row in CALLS.values() if any(p.kind is ParamKind.PATH for p in row.params)]
MOVED = [name for name in MOVED if name not in LINKS]


class Chroot(lindref.Grate):
    """``dir``: the folder. Each cage's working directory is kept here, as it calls it."""

    def __init__(self, dir: str) -> None:  # noqa: A002  # the option's name
        self.folder = tidy(dir).rstrip("/")

    @lindref.serves(*MOVED)
    def with_paths(self, call: lindref.Served) -> int:
        """Every path of the call, moved into the folder."""
        moved: list[str | EllipsisType] = [...] * len(call.args)
        for slot in slots(call.number):
            path = self.read_string(call.args[slot].value) if call.args[slot].value else ""
            if path and not path.startswith("/") and directory_before(call, slot) != AT_FDCWD:
                return -EACCES  # where a descriptor leads is not known here
            if path:
                moved[slot] = self.folder + self.inside(call, path)
        return self.forward(*moved)

    def inside(self, call: lindref.Served, path: str) -> str:
        """The path as the cage means it, from its own root on."""
        return tidy(posixpath.join(self.cage_state(call.caller).get("cwd", "/"), path))

    def chdir(self, call: lindref.Served, path: int) -> int:
        """Move beneath; if that can be, remember what the cage calls it."""
        where = self.inside(call, self.read_string(path))
        result = self.forward(self.folder + where)
        if result == 0:
            self.cage_state(call.caller)["cwd"] = where
        return result

    @lindref.serves("fchdir", *LINKS)
    def leads_out(self, call: lindref.Served) -> int:
        """A descriptor says nothing of its path, and a link is a way that nobody looks at."""
        return -EACCES

    def getcwd(self, call: lindref.Served, buffer: int, size: int) -> int:
        """What the cage calls the place where it stands."""
        text = self.cage_state(call.caller).get("cwd", "/").encode() + b"\0"
        if len(text) > size:
            return -ERANGE
        self.write_bytes(buffer, text)
        return len(text)

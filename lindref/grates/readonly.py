"""Nothing is changed in the file system, but for one folder.

lindref run --grate lindref.grates.readonly:ReadOnly,but=/tmp app.wasm
"""

from __future__ import annotations

import lindref
from lindref.grates.paths import absolute, beneath, slots
from lindref.posix.errno import EROFS
from lindref.posix.fs.numbers import O_ACCMODE, O_CREAT, O_RDONLY, O_TRUNC


class ReadOnly(lindref.Grate):
    """Opening for writing, making, removing, renaming and changing fail with EROFS outside ``but``."""

    def __init__(self, but: str = "") -> None:
        self.but = but

    def open(self, call: lindref.Served, path: int, flags: int) -> int:
        """Reading is free."""
        return self.forward() if reads(flags) else self.change(call)

    def openat(self, call: lindref.Served, folder: int, path: int, flags: int) -> int:
        """Reading is free."""
        return self.forward() if reads(flags) else self.change(call)

    @lindref.serves(
        *("mkdir", "mknod", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "symlink"),
        *("symlinkat", "chmod", "fchmodat", "chown", "lchown", "fchownat", "truncate", "utimensat", "setxattr"),
    )
    def change(self, call: lindref.Served) -> int:
        """Only where every path it names lies in the folder that may be changed."""
        named = [absolute(self, call, slot) for slot in slots(call.number)]
        free = bool(self.but) and all(path is not None and beneath(path, self.but) for path in named)
        return self.forward() if free else -EROFS

    def fchmod(self, call: lindref.Served) -> int:
        """A descriptor that was opened for reading is enough for it beneath, and its path is not known here."""
        return -EROFS


def reads(flags: int) -> bool:
    """Whether an open changes nothing."""
    return flags & O_ACCMODE == O_RDONLY and not flags & (O_CREAT | O_TRUNC)

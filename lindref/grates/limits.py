"""How much a cage may use.

    lindref run --grate lindref.grates.limits:Limits,files=16,children=4,written=64000 app.wasm

0 is no limit. A child begins with what its parent has used of ``children`` and ``written``.
"""

from __future__ import annotations

import lindref
from lindref.posix.constants import CLONE_VM
from lindref.posix.errno import EAGAIN, EFBIG, EMFILE


class Limits(lindref.Grate):
    """``files``: descriptors open at once beyond the first three (EMFILE). ``children``: forks of a cage and those it
    descends from (EAGAIN). ``written``: bytes (EFBIG).
    """

    def __init__(self, files: int = 0, children: int = 0, written: int = 0) -> None:
        self.files = files
        self.children = children
        self.written = written

    @lindref.serves("open", "openat", "dup", "socket", "accept", "accept4", "epoll_create", "epoll_create1")
    def opens(self, call: lindref.Served) -> int:
        """One more descriptor, if there may be one."""
        mine = self.cage_state(call.caller)
        if self.files and len(mine.get("open", ())) >= self.files:
            return -EMFILE
        fd = self.forward()
        if fd >= 0:
            mine["open"] = {*mine.get("open", ()), fd}
        return fd

    def close(self, call: lindref.Served, fd: int) -> int:
        """One descriptor less."""
        result = self.forward()
        mine = self.cage_state(call.caller)
        if result == 0 and fd in mine.get("open", ()):
            mine["open"] = set(mine["open"]) - {fd}
        return result

    def clone(self, call: lindref.Served, args: int) -> int:
        """One more child; threads are free."""
        mine = self.cage_state(call.caller)
        if self.read_int(args, 8, signed=False) & CLONE_VM:
            return self.forward()
        if self.children and mine.get("children", 0) >= self.children:
            return -EAGAIN
        mine["children"] = mine.get("children", 0) + 1
        return self.forward()

    @lindref.serves("write", "pwrite64", "sendto")
    def writes(self, call: lindref.Served, fd: int, data: int, count: int) -> int:
        """Some more bytes: as many as are left."""
        if not self.written:
            return self.forward()
        mine = self.cage_state(call.caller)
        left = self.written - mine.get("written", 0)
        if left <= 0 < count:
            return -EFBIG
        done = self.forward(..., ..., min(count, left))
        mine["written"] = mine.get("written", 0) + max(done, 0)
        return done

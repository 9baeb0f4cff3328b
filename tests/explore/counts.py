"""A grate with a race."""

from __future__ import annotations

import lindref
from lindref.system.python.grate import Served


class Counts(lindref.Grate):
    """Counts calls, and between looking and storing makes one itself: an addition can be lost."""

    def geteuid(self, call: Served) -> int:
        seen = self.state.get("count", 0)
        self.call("getpid")
        self.state["count"] = seen + 1
        return 0

    def getppid(self, call: Served) -> int:
        return self.state["count"]

"""How a run ends, and the exit status that says so.

Rules RUN-1 … RUN-3 in spec/system.md.
"""

from __future__ import annotations

import enum

from lindref.shown import Shown
from lindref.state.records import record


class Ending(enum.Enum):
    """The kinds of ending."""

    EXIT = "exit"
    SIGNAL = "signal"
    TRAP = "trap"
    LOAD = "load"
    DEADLOCK = "deadlock"
    LIMIT = "limit"
    FAULT = "runtime-fault"


#: Codes of a runtime fault: how the real system's host process would end. ``HANGS``: it would not, only threads of
#: cages are gone, and the host waits for these cages for ever (3i.md 2.9).
ABORTS, SEGFAULTS, PANICS, HANGS = -6, -11, 101, 0

#: Exit statuses of endings that do not depend on the program (RUN-3).
STATUS = {Ending.TRAP: 70, Ending.LOAD: 70, Ending.DEADLOCK: 71, Ending.LIMIT: 72, Ending.FAULT: 134}


@record("system.outcome")
class Outcome(Shown):
    """How a run ended.

    ``ending`` is a value of ``Ending``; ``code`` the first cage's exit code, the signal's number, or that of a runtime
    fault; ``text`` is for people.
    """

    ending: str
    code: int = 0
    text: str = ""

    @property
    def status(self) -> int:
        """The exit status of ``lindref run``: cage 1's code & 255, 128+n for a signal, else as the ending says."""
        kind = Ending(self.ending)
        if kind is Ending.EXIT:
            return self.code & 255
        if kind is Ending.SIGNAL:
            return 128 + self.code
        return STATUS[kind]

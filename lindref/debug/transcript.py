"""The calls of a run as lines of strace, each with the event at which it appeared: what the past looked like."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from lindref.system.events import Event
from lindref.trace.recorder import Recorder
from lindref.trace.strace import StraceText

if TYPE_CHECKING:
    from lindref.system.session import System


class Transcript:
    """The lines of one session, made as the events happen (they show what memory held then)."""

    def __init__(self, session: System) -> None:
        self.session = session
        #: The number of the event at which each line appeared, and the line.
        self.numbers: list[int] = []
        self.lines: list[str] = []
        self._now = 0
        self._recorder = Recorder(session.engine)
        self._text = StraceText(self._write, routes=True)
        for event in session.trace:
            self.on_event(event)
        session.engine.observers.append(self)

    def _write(self, line: str) -> None:
        self.numbers.append(self._now)
        self.lines.append(line.rstrip("\n"))

    def on_event(self, event: Event) -> None:
        """Take down what an event shows (``Observer``); one that happens anew replaces what was known from there on."""
        if self.numbers and event.n <= self._now:
            at = bisect_left(self.numbers, event.n)
            del self.numbers[at:], self.lines[at:]
        self._now = event.n
        self._recorder.system = self.session.engine
        for record in self._recorder.records(event):
            self._text.on_record(record)

    def known(self) -> int:
        """How many of the lines have appeared where the session stands."""
        return bisect_right(self.numbers, self.session.position)


__all__ = ["Transcript"]

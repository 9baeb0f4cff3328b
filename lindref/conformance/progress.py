"""A progress bar for commands that may take a while."""

from __future__ import annotations

import time
from typing import TextIO


class Bar:
    """A progress bar on a terminal, once two seconds have passed; it is never part of a result."""

    def __init__(self, total: int, stream: TextIO) -> None:
        self._total = total
        self._stream = stream
        self._begun = time.monotonic()
        self._shown = False

    def show(self, done: int, what: str) -> None:
        """How far it is."""
        if self._stream.isatty() and time.monotonic() - self._begun > 2:
            filled = 30 * done // self._total
            self._stream.write(f"\r\x1b[K[{'#' * filled}{'.' * (30 - filled)}] {done}/{self._total} {what[-60:]}")
            self._stream.flush()
            self._shown = True

    def clear(self) -> None:
        """Makes room for a line of text."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._shown = False

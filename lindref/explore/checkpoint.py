"""A search in a file: what its turns came to, so that it can be gone through again as far as it was (EXP-8)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from lindref.explore.packing import entries, pack, remember, unpack
from lindref.explore.running import Turns
from lindref.state import saved

KIND = "exploration"

#: A file is written at most so often, s, and takes at most this part of the time.
_EVERY = 30.0
_SHARE = 20


class Checkpoint:
    """The file of a search: ``identity`` names what is searched and within which bounds.

    Raises ``StateError`` where the file is there and is not one of this search.
    """

    def __init__(self, path: Path, identity: bytes) -> None:
        self.path = path
        self._identity = identity
        self._parts: list[Turns] = []
        self._found: tuple[Any, ...] = ()
        self._written = time.monotonic()
        self._wait = _EVERY
        if path.exists():
            self._found = self._load()

    def _load(self) -> tuple[Any, ...]:
        found = saved.load(self.path, KIND)
        if not isinstance(found, tuple) or len(found) != 2 or not isinstance(found[1], tuple):
            raise saved.StateError("no exploration", str(self.path))
        if found[0] != self._identity:
            raise saved.StateError("is of another program, of other options or of other bounds", str(self.path))
        return found[1]

    def keep(self, running: Turns) -> None:
        """The next part of the search begins: it remembers what the file has of it, and the file what it runs."""
        number = len(self._parts)
        self._parts.append(running)
        if number < len(self._found):
            try:
                remember(running, unpack(self._found[number], running.places))
            except ValueError as error:
                raise saved.StateError(str(error), str(self.path)) from None
        running.told = self._told

    def _told(self) -> None:
        now = time.monotonic()
        if now - self._written > self._wait:
            self.write()
            self._written = time.monotonic()
            self._wait = max(_EVERY, _SHARE * (self._written - now))

    def write(self) -> None:
        """Write the file; raises ``StateError`` where that fails."""
        parts = tuple(pack(part.places, entries(part.remembered)) for part in self._parts)
        saved.save(self.path, KIND, (self._identity, (*parts, *self._found[len(parts) :])))

"""A search in a file, so that it can be gone on with (EXP-8): of an exhaustive one what its turns came to, of sampling
the runs there were.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lindref.explore.packing import entries, pack, remember, unpack
from lindref.explore.running import Turns
from lindref.explore.sampling import Sampling
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
        self._sampling: Sampling | None = None
        self._found: tuple[Any, ...] = ()
        self._written = time.monotonic()
        self._wait = _EVERY
        self._refused = False
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
            with self._trusted():
                remember(running, unpack(self._found[number], running.places))
        running.told = self._told

    def sample(self, sampling: Sampling) -> None:
        """The runs of ``sampling`` are kept; it has those that the file has."""
        if self._found:
            with self._trusted():
                sampling.unpack(self._found)
        self._sampling = sampling
        sampling.told = self._told

    @contextmanager
    def _trusted(self) -> Iterator[None]:
        """What the file has is used here; where that cannot be, it stays as it is."""
        try:
            yield
        except ValueError as error:
            self._refused = True
            raise saved.StateError(str(error), str(self.path)) from None

    def _told(self) -> None:
        now = time.monotonic()
        if now - self._written > self._wait:
            self.write()
            self._written = time.monotonic()
            self._wait = max(_EVERY, _SHARE * (self._written - now))

    def write(self) -> None:
        """Write the file; raises ``StateError`` where that fails."""
        if self._refused:
            return
        if self._sampling is not None:
            saved.save(self.path, KIND, (self._identity, self._sampling.packed()))
            return
        parts = tuple(pack(part.places, entries(part.remembered)) for part in self._parts)
        saved.save(self.path, KIND, (self._identity, (*parts, *self._found[len(parts) :])))

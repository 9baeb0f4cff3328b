"""Source lines for a page: what stands around a line of a file, taken only from folders that were named.

A trace can come from anybody, and names files as it likes: nothing outside the folders gets into a page (PAGE-3).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from lindref import classes

#: Lines before and after the one that is meant; the longest line; the largest file, bytes.
AROUND = 3
_WIDEST = 200
_LARGEST = 4_000_000
_PLACE = re.compile(r"^(.*) \((.+):(\d+)\)$")


def place(text: str) -> tuple[str, str, int] | None:
    """The function, file and line of ``name (file:line)``, as traces have it; ``None`` where no line is known."""
    found = _PLACE.match(text)
    return (found[1], found[2], int(found[3])) if found is not None else None


@classes.define
class Sources:
    """Reads files below ``folders``, each once."""

    folders: Sequence[str]
    #: By file: the number of the folder it is in, and its lines.
    _files: dict[str, tuple[int, list[str]]] = classes.field(factory=dict)

    def excerpt(self, file: str, line: int) -> tuple[int, list[tuple[int, str]]]:
        """Lines with their numbers around ``line`` of ``file`` (a path as the compiler wrote it), and which folder it
        was found in; -1 and none where it is not there.
        """
        if file not in self._files:
            self._files[file] = self._read(file)
        folder, lines = self._files[file]
        if not 0 < line <= len(lines):
            return -1, []
        first = max(line - AROUND, 1)
        return folder, [(n, lines[n - 1][:_WIDEST]) for n in range(first, min(line + AROUND, len(lines)) + 1)]

    def _read(self, file: str) -> tuple[int, list[str]]:
        parts = [part for part in file.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        for number, folder in enumerate(self.folders):
            top = os.path.realpath(folder)
            for skipped in range(len(parts)):
                path = os.path.realpath(os.path.join(top, *parts[skipped:]))
                inside = path.startswith(top.rstrip(os.sep) + os.sep)
                if inside and os.path.isfile(path) and os.path.getsize(path) <= _LARGEST:
                    with open(path, encoding="utf-8", errors="replace") as source:
                        return number, source.read().splitlines()
        return -1, []

"""The vectors as data, read from their JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lindref import classes
from lindref.conformance.vectors.shape import Misshapen, check

#: One step, value or observation, as the JSON has it.
Json = Any
Step = Mapping[str, Json]
Steps = Sequence[Step]


class VectorError(Exception):
    """A file that is no list of vectors; one line."""


@classes.frozen
class Vector:
    """One vector: a file tree, programs by name, and what was observed of them."""

    id: str
    about: str
    files: Sequence[Mapping[str, Json]]
    programs: Mapping[str, Mapping[str, Json]]
    tags: tuple[str, ...]
    #: What Lind-Wasm answered: ``outcome``, ``code``, ``log``, ``stdout``.
    lind: Mapping[str, Json]
    #: What Linux answered, where it was asked.
    linux: Mapping[str, Json] | None = None

    @property
    def workers(self) -> int:
        """Workers that a grate had when the vector was recorded."""
        for tag in self.tags:
            name, _, value = tag.partition("=")
            if name == "LIND_GRATE_WORKERS" and value.isdecimal():
                return min(max(int(value), 1), 32)
        return 4

    @property
    def user(self) -> tuple[int, int] | None:
        """User and group ids that the host process has, where a tag ``user=UID:GID`` says so; else those of root."""
        for tag in self.tags:
            name, _, value = tag.partition("=")
            uid, _, gid = value.partition(":")
            if name == "user" and uid.isdecimal() and gid.isdecimal():
                return int(uid), int(gid)
        return None


def load(path: Path) -> list[Vector]:
    """The vectors of a file. Raises ``VectorError`` for what FORMAT.md does not allow."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise VectorError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise VectorError(f"{path}: not JSON: {error}") from None
    if not isinstance(given, list):
        raise VectorError(f"{path}: not a list of vectors")
    found = []
    for number, one in enumerate(given):
        try:
            check(one)
        except Misshapen as error:
            name = one.get("id") if isinstance(one, dict) else None
            raise VectorError(f"{path}: {name if isinstance(name, str) else f'vector {number}'}: {error}") from None
        observed = one["observed"]
        found.append(
            Vector(
                id=one["id"],
                about=one.get("about", ""),
                files=one["files"],
                programs=one["programs"],
                tags=tuple(one.get("tags", ())),
                lind=observed["lind"],
                linux=observed.get("linux"),
            )
        )
    return found

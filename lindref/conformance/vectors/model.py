"""The vectors as data, read from their JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

#: One step, value or observation, as the JSON has it.
Json = Any
Step = Mapping[str, Json]
Steps = Sequence[Step]


class VectorError(Exception):
    """A file that is no list of vectors; one line."""


@attrs.frozen
class Vector:
    """One vector: a file tree, programs by name, and what was observed of them."""

    id: str
    about: str
    files: Sequence[Mapping[str, Json]]
    programs: Mapping[str, Mapping[str, Json]]
    tags: tuple[str, ...]
    #: What Lind-Wasm answered: ``outcome``, ``code``, ``log``, ``stdout``.
    lind: Mapping[str, Json]

    @property
    def workers(self) -> int:
        """Workers that a grate had when the vector was recorded."""
        for tag in self.tags:
            name, _, value = tag.partition("=")
            if name == "LIND_GRATE_WORKERS":
                return int(value)
        return 4


def load(path: Path) -> list[Vector]:
    """The vectors of a file. Raises ``VectorError``."""
    try:
        return [
            Vector(
                id=one["id"],
                about=one["about"],
                files=one["files"],
                programs=one["programs"],
                tags=tuple(one.get("tags", ())),
                lind=one["observed"]["lind"],
            )
            for one in json.loads(path.read_text(encoding="utf-8"))
        ]
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise VectorError(msg) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: not a list of vectors: {error!r}"
        raise VectorError(msg) from None

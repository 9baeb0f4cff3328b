"""A script as a vector (FORMAT.md), to be kept and played again with ``lindref vectors``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lindref.conformance.vectors.model import Vector


def document(vector: Vector, observed: Mapping[str, Any] | None, *, is_linux: bool = False) -> dict[str, Any]:
    """The vector as JSON has it, with what the implementation was observed to do (empty where it was not)."""
    empty: Mapping[str, Any] = {"outcome": "exit", "code": 0, "log": []}
    seen = observed if observed is not None else empty
    return {
        "id": vector.id,
        "area": vector.id.partition(".")[0],
        "about": vector.about,
        "files": list(vector.files),
        "programs": vector.programs,
        **({"tags": list(vector.tags)} if vector.tags else {}),
        "observed": {"lind": seen, "linux": seen if is_linux else None},
        **({} if is_linux else {"linux_note": "not asked"}),
    }


def text(vector: Vector, observed: Mapping[str, Any] | None, *, is_linux: bool = False) -> str:
    """A file of one vector."""
    return "[\n" + json.dumps(document(vector, observed, is_linux=is_linux), ensure_ascii=False) + "\n]\n"

"""Small vectors for the tests of the player."""

from __future__ import annotations

from typing import Any

from lindref.conformance.vectors.model import Vector


def call(step: str, n: int, *args: Any, **more: Any) -> dict[str, Any]:
    """A step that makes a call."""
    return {"id": step, "op": "call", "n": n, "name": f"call {n}", "args": list(args), **more}


def exits(*log: dict[str, Any], code: int = 0) -> dict[str, Any]:
    """The observation of a run that ended with ``code``."""
    return {"outcome": "exit", "code": code, "log": list(log)}


def entry(step: str, ret: Any, cage: int = 1, **more: Any) -> dict[str, Any]:
    """An entry of a log."""
    return {"cage": cage, "step": step, "ret": ret, **more}


def document(
    *steps: dict[str, Any], lind: dict[str, Any] | None = None, linux: Any = None, files: Any = (), **program: Any
) -> dict[str, Any]:
    """A vector as a file has it, whose program is ``steps``."""
    return {
        "id": "test.vector",
        "about": "a test",
        "files": list(files),
        "programs": {"main": {"steps": list(steps), **program}},
        "observed": {"lind": lind or exits(), "linux": linux},
    }


def vector(*steps: dict[str, Any], **more: Any) -> Vector:
    """The same, read."""
    one = document(*steps, **more)
    observed = one["observed"]
    return Vector(one["id"], one["about"], one["files"], one["programs"], (), observed["lind"], observed["linux"])

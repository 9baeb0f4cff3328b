"""Recordings as an implementation under test: what somebody saw before, in files.

Recorded vectors bring their answers with them, and traces of some lie beside them. Other cases are two files in a
folder: ``<id>.json`` with what was seen (``save`` writes it), and ``<id>.jsonl`` with the trace, if there is one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import FEATURES, AdapterError, Description, NotApplicable, Observed
from lindref.profile import LIND, SPEC

#: Whose answers of a vector are the observation, and which profile they are held against.
_SYSTEMS: Mapping[str, str] = {"lind": LIND.name, "linux": SPEC.name}


class Recorded:
    """Recordings of ``system``: ``lind`` (of vectors and their traces) or ``linux`` (of vectors).

    ``path``: a folder of vectors, whose ``traces`` are used, or of cases that were saved. ``profile``: which one they
    are held against, if not that of the system.
    """

    def __init__(self, path: str = "", system: str = "lind", profile: str = "") -> None:
        if system not in _SYSTEMS:
            raise AdapterError(f"adapter recorded: system {system!r} (one of {', '.join(_SYSTEMS)})")
        if path and not Path(path).is_dir():
            raise AdapterError(f"adapter recorded: {path}: no such folder")
        self.folder = Path(path) if path else None
        self.system = system
        self.profile = profile or _SYSTEMS[system]

    def describe(self) -> Description:
        """Everything that was recorded; the rest is not applicable case by case."""
        return Description(
            "recorded",
            self.system,
            profile=self.profile,
            kinds=frozenset({"program", "script", "module"}),
            features=frozenset(FEATURES),
            is_linux=self.system == "linux",
        )

    def run(self, case: Case) -> Observed:
        """What was recorded of ``case``."""
        if self.folder is not None and (self.folder / f"{case.id}.json").is_file():
            return load(self.folder, case)
        vector = case.script
        if vector is None:
            raise NotApplicable("not recorded")
        seen = vector.lind if self.system == "lind" else vector.linux
        if not seen:
            raise NotApplicable(f"not recorded on {self.system}")
        trace = None
        if self.folder is not None and self.system == "lind":
            path = self.folder / "traces" / f"{vector.id}.jsonl"
            trace = path if path.is_file() else None
        code = seen.get("code")
        stdout = seen.get("stdout", "").encode()
        return Observed(code if isinstance(code, int) else None, stdout, trace=trace, seen=dict(seen))


def save(folder: Path, case: Case, seen: Observed) -> None:
    """Write what was seen of ``case`` so that ``Recorded`` finds it."""
    row: dict[str, Any] = {"case": case.id, "status": seen.status, "note": seen.note}
    for name in ("stdout", "stderr"):
        data = getattr(seen, name)
        row[name] = None if data is None else data.hex()
    row["seen"] = None if seen.seen is None else dict(seen.seen)
    row["results"] = seen.results
    (folder / f"{case.id}.json").write_text(json.dumps(row) + "\n", encoding="utf-8")
    if isinstance(seen.trace, bytes):
        (folder / f"{case.id}.jsonl").write_bytes(seen.trace)
    elif seen.trace is not None:
        shutil.copyfile(seen.trace, folder / f"{case.id}.jsonl")


def load(folder: Path, case: Case) -> Observed:
    """What ``save`` wrote. Raises ``ValueError``, ``OSError``, ``KeyError``, ``TypeError``."""
    row = json.loads((folder / f"{case.id}.json").read_text(encoding="utf-8"))
    outputs = {name: None if row[name] is None else bytes.fromhex(row[name]) for name in ("stdout", "stderr")}
    results = row["results"]
    if results is not None:
        results = tuple(one if isinstance(one, str) else tuple((kind, bits) for kind, bits in one) for one in results)
    trace = folder / f"{case.id}.jsonl"
    return Observed(
        row["status"],
        outputs["stdout"],
        outputs["stderr"],
        trace if trace.is_file() else None,
        row["seen"],
        results,
        row["note"],
    )

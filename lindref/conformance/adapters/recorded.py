"""Recordings as an implementation under test: what somebody saw before, in files.

Recorded vectors bring their answers with them, and traces of some lie beside them. Other cases are two files in a
folder: ``<id>.json`` with what was seen (``save`` writes it), and ``<id>.jsonl`` with the trace, if there is one;
``adapter.json`` says of which implementation (``lindref conform run --record`` writes all three).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lindref import classes
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import FEATURES, AdapterError, Description, NotApplicable, Observed
from lindref.profile import LIND, SPEC

#: Whose answers of a vector are the observation, and which profile they are held against.
_SYSTEMS: Mapping[str, str] = {"lind": LIND.name, "linux": SPEC.name}


#: The file beside saved cases that says which implementation they are of.
DESCRIPTION = "adapter.json"


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
        self._profile = profile
        self.profile = profile or _SYSTEMS[system]

    def describe(self) -> Description:
        """Everything that was recorded; the rest is not applicable case by case."""
        said = described_in(self.folder) if self.folder is not None else None
        if said is not None:
            return classes.evolve(said, profile=self._profile or said.profile)
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
        if vector is None or (self.folder is not None and (self.folder / DESCRIPTION).is_file()):
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


def save_description(folder: Path, said: Description) -> None:
    """Write what the implementation is whose cases are saved in ``folder``. Raises ``OSError``."""
    row = {field.name: getattr(said, field.name) for field in classes.fields(Description)}
    row = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in row.items()}
    row["lacks"] = dict(said.lacks)
    (folder / DESCRIPTION).write_text(json.dumps(row) + "\n", encoding="utf-8")


def described_in(folder: Path) -> Description | None:
    """What ``save_description`` wrote, ``None`` where it did not. Raises ``AdapterError``."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return None
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
        sets = {name: frozenset(row[name]) for name in ("kinds", "features", "observes")}
        return Description(**{**row, **sets, "name": f"recorded: {row['name']}"})
    except (ValueError, KeyError, TypeError, OSError):
        raise AdapterError(f"adapter recorded: {path}: not what a campaign recorded") from None


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

"""Which features a script is read under: told by the folder it lies in."""

from __future__ import annotations

from pathlib import Path

from lindref.wasm.features import BUILT, Feature

#: The current specification: everything that has been merged into it.
CORE = BUILT - {Feature.THREADS, Feature.LEGACY_EXCEPTIONS}

#: Folder name → features. The threads proposal's scripts are older than multiple memories.
BY_FOLDER: dict[str, frozenset[Feature]] = {
    "threads": frozenset({Feature.BASE, Feature.THREADS}),
    "legacy": CORE | {Feature.LEGACY_EXCEPTIONS},
}


def features_for(path: Path) -> frozenset[Feature]:
    """The features for a script; the innermost folder that has some decides."""
    for folder in reversed(path.resolve().parent.parts):
        if folder in BY_FOLDER:
            return BY_FOLDER[folder]
    return CORE

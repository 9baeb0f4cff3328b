"""The world that a script begins in as folders and files of the host, for programs that are to see it as their root."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lindref.conformance.vectors.model import Vector, VectorError

#: The folders that are there besides what the script names.
FOLDERS = ("w", "tmp", "prog", "log", "dev", "proc")


def furnish(root: Path, vector: Vector) -> None:
    """Make the world below ``root``, which has none of ``FOLDERS`` yet. Raises ``VectorError`` where it cannot be."""
    for name in FOLDERS:
        (root / name).mkdir()
        (root / name).chmod(0o755)
    for entry in vector.files:
        try:
            _add(root, entry)
        except OSError as error:
            raise VectorError(f"{vector.id}: {entry['path']}: {error.strerror}") from None


def _inside(root: Path, path: str) -> Path:
    """Where a path of the world is on the host. Raises ``VectorError`` where that is not below ``root``."""
    whole = root / path.lstrip("/")
    folder = Path(os.path.realpath(whole.parent))
    if not folder.is_relative_to(os.path.realpath(root)) or whole.name in ("", ".", ".."):
        raise VectorError(f"{path}: not within the root")
    return folder / whole.name


def _add(root: Path, entry: Mapping[str, Any]) -> None:
    """One entry of the file tree, with exactly its mode."""
    place = _inside(root, entry["path"])
    mode = int(entry.get("mode", "0644"), 8)
    match entry["type"]:
        case "file":
            if place.is_symlink():
                raise VectorError(f"{entry['path']}: a symbolic link is there")
            place.write_bytes(bytes.fromhex(entry["hex"]) if "hex" in entry else entry.get("text", "").encode())
        case "dir":
            place.mkdir(exist_ok=True)
        case "symlink":
            place.symlink_to(entry["target"])
            return
        case "hardlink":
            os.link(_inside(root, entry["target"]), place, follow_symlinks=False)
            return
        case "fifo":
            os.mkfifo(place)
    place.chmod(mode)

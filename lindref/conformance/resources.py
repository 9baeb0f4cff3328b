"""Where the data that travels with lindref lies: in the wheel, or in the checkout."""

from __future__ import annotations

from pathlib import Path

import lindref


def folder(name: str) -> Path:
    """The folder ``name`` (``spec`` or ``conformance``) of this installation."""
    package = Path(lindref.__file__).resolve().parent
    installed = package / "data" / name
    return installed if installed.is_dir() else package.parent / name

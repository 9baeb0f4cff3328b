"""Where the data that travels with lindref lies: in the wheel, or in the checkout."""

from __future__ import annotations

from pathlib import Path

import lindref


def root() -> Path:
    """The folder that the package ``lindref`` lies in: a checkout, or where packages are installed."""
    return Path(lindref.__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """The folder ``name`` (``spec`` or ``conformance``) of this installation."""
    installed = root() / "lindref" / "data" / name
    return installed if installed.is_dir() else root() / name

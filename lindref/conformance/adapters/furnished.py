"""A script's world and its C, for implementations that run programs."""

from __future__ import annotations

from pathlib import Path

from lindref.conformance.adapters.interface import NotApplicable
from lindref.conformance.scripts import c
from lindref.conformance.scripts.world import furnish
from lindref.conformance.vectors.model import Vector, VectorError


def furnished(vector: Vector, place: Path) -> tuple[Path, list[tuple[Path, Path]]]:
    """Make the script's root below ``place``, and write its C there: the root, and each source with the place in the
    root of the program that is to be made of it. Raises ``NotApplicable`` where its world cannot be made.
    """
    root = place / "root"
    root.mkdir()
    root.chmod(0o755)
    try:
        furnish(root, vector)
    except VectorError as error:
        raise NotApplicable(str(error)) from None
    made = []
    for name, text in c.files(vector).items():
        source = place / name
        source.write_text(text)
        made.append((source, root / "prog" / name.removesuffix(".c")))
    return root, made

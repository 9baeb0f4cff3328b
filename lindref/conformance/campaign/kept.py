"""Scripts that differ as files, to be played again: ``CASE.json`` is a vector, ``CASE.c`` and ``CASE.txt`` are for
reading.
"""

from __future__ import annotations

import re
from pathlib import Path

from lindref.conformance.campaign.result import Result

#: Forms of a script (``Result.scripts``), by the ending of their file.
ENDINGS = {".json": "vector", ".c": "c", ".txt": "script"}


def keep(folder: Path, result: Result) -> Path | None:
    """Write the forms of a result's script; the vector's file, ``None`` where it has no script. Raises ``OSError``."""
    if "vector" not in result.scripts:
        return None
    stem = re.sub(r"[^\w.-]", "_", result.case)
    for ending, form in ENDINGS.items():
        (folder / (stem + ending)).write_text(result.scripts[form], encoding="utf-8")
    return folder / (stem + ".json")

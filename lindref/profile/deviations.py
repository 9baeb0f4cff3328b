"""Every difference between profile ``spec`` and profile ``lind``, each with its evidence.

An entry is added when code first asks for it, never before. ``evidence`` names a recorded vector or a section of the
facts about the real system (``3i.md 4.6``, ``rawposix.md 5.1``).
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Deviation:
    """One difference: what ``spec`` does, what ``lind`` does, and how we know."""

    id: str
    spec: str
    lind: str
    evidence: str


_ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "FORK-MASK",
        spec="a forked child inherits the blocked signal mask (POSIX fork)",
        lind="the child's mask is empty",
        evidence="3i.md 4.3; rawposix.md 10",
    ),
)

#: All entries by id.
DEVIATIONS: dict[str, Deviation] = {entry.id: entry for entry in _ENTRIES}

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
    Deviation(
        "CALL-UNKNOWN",
        spec="a call number that nothing serves fails with ENOSYS",
        lind="the host process panics",
        evidence="3i.md 2.3; vectors 3i-reg.unknown_call.*",
    ),
    Deviation(
        "CAGE-MISSING",
        spec="a call that acts on a cage that does not exist fails with ESRCH",
        lind="the host process aborts",
        evidence="vectors 3i-meta.target.nonexistent, 3i-reg.exiting_self_call",
    ),
    Deviation(
        "PTR-CRASH",
        spec="a pointer that leads nowhere is EFAULT wherever it is used",
        lind="pointers that the host process dereferences itself (paths, structures) end it with a segmentation fault",
        evidence="rawposix.md 0; vectors stat.stat.nullbuf, path.unmapped.*, pipe.basic.null",
    ),
)

#: All entries by id.
DEVIATIONS: dict[str, Deviation] = {entry.id: entry for entry in _ENTRIES}

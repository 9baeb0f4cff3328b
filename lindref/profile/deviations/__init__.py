"""Every difference between profile ``spec`` and profile ``lind``, each with its evidence.

One module a subject. An entry is added when code first asks for it, never before. ``evidence`` names a recorded vector
or a section of the facts about the real system (``3i.md 4.6``, ``rawposix.md 5.1``).
"""

from __future__ import annotations

from lindref.profile.deviations import (
    descriptors,
    linking,
    memory,
    paths,
    polling,
    processes,
    runtime,
    shm,
    signals,
    sockets,
)
from lindref.profile.deviations.entry import Deviation

__all__ = ["DEVIATIONS", "Deviation"]

_SUBJECTS = (runtime, linking, processes, signals, memory, paths, descriptors, polling, sockets, shm)

#: All entries by id.
DEVIATIONS: dict[str, Deviation] = {entry.id: entry for subject in _SUBJECTS for entry in subject.ENTRIES}

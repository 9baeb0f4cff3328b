"""What an entry of the list of deviations says."""

from __future__ import annotations

from lindref import classes


@classes.frozen
class Deviation:
    """One difference: what ``spec`` does, what ``lind`` does, and how we know."""

    id: str
    spec: str
    lind: str
    evidence: str

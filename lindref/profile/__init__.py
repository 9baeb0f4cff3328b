"""The two profiles and the one place where they differ.

``SPEC`` is what Lind promises (POSIX, errors instead of crashes); ``LIND`` is what the recorded implementation
does. Code never compares profiles: it asks ``profile.has("DEVIATION-ID")``, and the entry says what that means.
"""

from __future__ import annotations

from lindref import classes
from lindref.profile.deviations import DEVIATIONS, Deviation

__all__ = ["DEVIATIONS", "LIND", "SPEC", "Deviation", "Profile", "by_name"]


@classes.frozen
class Profile:
    """A profile: its name and the deviations from the promise that are in force."""

    name: str
    deviations: frozenset[str] = frozenset()

    def has(self, deviation: str) -> bool:
        """Whether ``deviation`` is in force; an unknown id is our bug, so it raises ``KeyError``."""
        if deviation not in DEVIATIONS:
            raise KeyError(deviation)
        return deviation in self.deviations


SPEC = Profile("spec")
LIND = Profile("lind", frozenset(DEVIATIONS))


def by_name(name: str) -> Profile:
    """The profile called ``name`` (``spec`` or ``lind``); raises ``ValueError`` for anything else."""
    for profile in (SPEC, LIND):
        if profile.name == name:
            return profile
    raise ValueError(f"unknown profile {name!r} (spec or lind)")

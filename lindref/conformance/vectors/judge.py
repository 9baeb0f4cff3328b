"""The verdict on a vector that was played.

Profile ``lind`` has to answer as the real system did. Profile ``spec`` has to answer as Linux did, or differ by rules
of ``linux``; where Linux was not asked it has to answer as the real system did, or differ by deviations: then profile
``lind`` gives the recorded answer, and gives it no more without one of the deviations that the verdict names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from lindref import classes
from lindref.conformance.vectors import linux
from lindref.conformance.vectors.compare import Row, rows
from lindref.conformance.vectors.model import Json, Vector
from lindref.profile import LIND, Profile

Play = Callable[[Vector, Profile], Mapping[str, Json]]


class Status(Enum):
    """How a vector fared."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@classes.frozen
class Verdict:
    """A vector's status. ``against`` is ``lind`` or ``linux``: whose answer it was held against.

    ``reasons`` are the rules or deviations by which it differs, ``detail`` is what differs.
    """

    id: str
    status: Status
    against: str
    reasons: tuple[str, ...] = ()
    detail: str = ""

    def __str__(self) -> str:
        if self.status is Status.FAILED:
            return f"{self.id}: {self.detail}"
        if self.status is Status.SKIPPED:
            return f"{self.id}: skipped: {self.detail}"
        whose = "Linux" if self.against == "linux" else "Lind-Wasm"
        return f"{self.id}: not as {whose}: {', '.join(self.reasons)}" if self.reasons else f"{self.id}: as {whose}"


@classes.frozen
class _Asked(Profile):
    """A profile that remembers which deviations code asked for."""

    asked: set[str] = classes.field(factory=set, eq=False)

    def has(self, deviation: str) -> bool:
        self.asked.add(deviation)
        return Profile.has(self, deviation)


def judge(vector: Vector, profile: Profile, play: Play, *, model: Play) -> Verdict:
    """Play a vector with ``play`` and judge it; ``model`` plays it directly."""
    played = play(vector, profile)
    if profile.name == LIND.name:
        return _as_lind(vector, played)
    if vector.linux is not None:
        return _as_linux(vector, vector.linux, played)
    verdict = _as_lind(vector, played)
    if verdict.status is Status.PASSED:
        return verdict
    return _by_deviations(vector, profile, played, verdict, model)


def _first(found: list[Row]) -> Row | None:
    return next((row for row in found if not row.same), None)


def _as_lind(vector: Vector, played: Mapping[str, Json]) -> Verdict:
    row = _first(rows(vector, vector.lind, played))
    if row is None:
        return Verdict(vector.id, Status.PASSED, "lind")
    return Verdict(vector.id, Status.FAILED, "lind", detail=str(row))


def _as_linux(vector: Vector, recorded: Mapping[str, Json], played: Mapping[str, Json]) -> Verdict:
    explained, row = linux.explain(rows(vector, recorded, played))
    if row is not None:
        return Verdict(vector.id, Status.FAILED, "linux", detail=str(row))
    reasons = tuple(dict.fromkeys(rule for _, rule in explained))
    detail = str(explained[0][0]) if explained else ""
    return Verdict(vector.id, Status.PASSED, "linux", reasons, detail)


def _by_deviations(
    vector: Vector, profile: Profile, played: Mapping[str, Json], differs: Verdict, model: Play
) -> Verdict:
    """The deviations that make the difference between ``profile`` and the recording, as the model has them."""
    promised = model(vector, profile)
    row = _first(rows(classes.evolve(vector, lind=promised), promised, played))
    if row is not None or promised["outcome"] == "runtime-fault":
        return differs
    watched = _Asked(LIND.name, LIND.deviations)
    if _first(rows(vector, vector.lind, model(vector, watched))) is not None:
        return differs

    def agrees(deviations: Sequence[str]) -> bool:
        found = model(vector, Profile(LIND.name, frozenset(deviations)))
        return _first(rows(vector, vector.lind, found)) is None

    return classes.evolve(differs, status=Status.PASSED, reasons=tuple(_smallest(sorted(watched.asked), agrees)))


def _smallest(deviations: list[str], agrees: Callable[[Sequence[str]], bool]) -> list[str]:
    """Those of which none can be left out, from some that suffice: large parts first, then one by one."""
    size = len(deviations)
    while size > 1:
        size = -(-size // 2)
        at = 0
        while at < len(deviations):
            without = deviations[:at] + deviations[at + size :]
            if agrees(without):
                deviations = without
            else:
                at += size
    return deviations

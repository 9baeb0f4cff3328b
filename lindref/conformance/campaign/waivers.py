"""Waivers: differences that are known, each with a reason and a day on which it stops being good (TOML).

    [[waiver]]
    case = "guests.pipeline"          # an id, or a pattern of ids
    reason = "pipes hold 4 KiB only"
    expires = 2027-06-30

What is waived does not fail a campaign. A waiver that is no longer needed does, and one that is out of date.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lindref import classes
from lindref.conformance.campaign.result import FAILING, Result, Status


class WaiverError(Exception):
    """A file that is no list of waivers; one line."""


@classes.frozen
class Waiver:
    """``case`` is a pattern of ids; ``rule``, if any, must be among those of the verdict; good until ``expires``."""

    case: str
    reason: str
    expires: date
    rule: str = ""

    def about(self, result: Result) -> bool:
        """Whether it speaks of this case."""
        return fnmatchcase(result.case, self.case)

    def covers(self, result: Result) -> bool:
        """Whether it excuses this failure."""
        return self.about(result) and result.status in FAILING and (not self.rule or self.rule in result.rules)


def load(path: Path) -> list[Waiver]:
    """The waivers of a file. Raises ``WaiverError``."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WaiverError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise WaiverError(f"{path}: not TOML: {error}") from None
    rows = data.pop("waiver", [])
    if data or not isinstance(rows, list):
        odd = next(iter(data), "waiver")
        raise WaiverError(f"{path}: {odd!r}: want only [[waiver]] tables")
    return [_waiver(row, f"{path}: waiver {number}") for number, row in enumerate(rows, 1)]


def _waiver(row: Any, where: str) -> Waiver:
    if not isinstance(row, dict):
        raise WaiverError(f"{where}: not a table")
    kinds = {"case": str, "reason": str, "expires": date, "rule": str}
    for key, value in row.items():
        if key not in kinds:
            raise WaiverError(f"{where}: unknown key {key!r} (there are {', '.join(kinds)})")
        # A date with a time is a date too, says Python.
        if not isinstance(value, kinds[key]) or (key == "expires" and type(value) is not date):
            raise WaiverError(f"{where}: {key} is not a {'date' if key == 'expires' else 'text'}")
    for key in ("case", "reason", "expires"):
        if not row.get(key):
            raise WaiverError(f"{where}: no {key}")
    return Waiver(row["case"], row["reason"], row["expires"], row.get("rule", ""))


def strangers(waivers: Sequence[Waiver], ids: Sequence[str], elsewhere: Collection[str]) -> list[str]:
    """A line for each waiver that speaks of none of the cases ``ids``, nor of a suite ``elsewhere`` that is not run."""
    return [
        f"no case is called {waiver.case}"
        for waiver in waivers
        if waiver.case.partition(".")[0] not in elsewhere and not any(fnmatchcase(one, waiver.case) for one in ids)
    ]


def apply(results: Sequence[Result], waivers: Sequence[Waiver], today: date) -> list[Result]:
    """The results, with what the waivers say about them on that day."""
    needed = {id(waiver): any(waiver.covers(result) for result in results) for waiver in waivers}
    return [_applied(result, waivers, needed, today) for result in results]


def _applied(result: Result, waivers: Sequence[Waiver], needed: dict[int, bool], today: date) -> Result:
    for waiver in waivers:
        if waiver.covers(result):
            if waiver.expires >= today:
                return classes.evolve(result, waived=waiver.reason)
            result = classes.evolve(result, complaint=f"its waiver was good until {waiver.expires}: {waiver.reason}")
        elif waiver.about(result) and result.status is Status.ALLOWED and not needed[id(waiver)]:
            complaint = f"passes, though it is waived: take the waiver away ({waiver.reason})"
            result = classes.evolve(result, complaint=complaint)
    return result

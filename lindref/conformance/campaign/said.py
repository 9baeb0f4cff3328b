"""A verdict as it is found: a status with its reasons."""

from __future__ import annotations

from lindref import classes
from lindref.conformance.campaign.result import Status


@classes.frozen
class Verdict:
    """A status, what differs or why there is no answer, and the rules that it rests on."""

    status: Status
    detail: str = ""
    rules: tuple[str, ...] = ()


ALLOWED = Verdict(Status.ALLOWED)

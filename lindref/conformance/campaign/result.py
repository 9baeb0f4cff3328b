"""What a campaign says of one case."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from lindref import classes
from lindref.conformance.adapters.case import Case


class Status(Enum):
    """The verdict on a case."""

    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    UNSPECIFIED = "unspecified"
    UNKNOWN = "unknown"
    BROKEN = "broken"
    NOT_APPLICABLE = "not applicable"


#: Verdicts that fail a campaign.
FAILING = frozenset({Status.FORBIDDEN, Status.BROKEN})


@classes.frozen
class Result:
    """A case's verdict.

    ``rules`` are those that the verdict rests on; ``reached`` those that the model's run of the case showed.
    ``detail`` says in words what differs, or why there is no answer. ``seconds`` is what the implementation took,
    ``output`` what it wrote to standard output. ``waived`` is the reason of a waiver that holds, ``complaint`` what is
    wrong with one. ``scripts`` are the shrunk forms of what differs, by form (``script``, ``c``, ``vector``).
    """

    case: str
    kind: str
    status: Status
    detail: str = ""
    rules: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    title: str = ""
    cell: str = ""
    seconds: float = 0.0
    output: str = ""
    waived: str = ""
    complaint: str = ""
    scripts: Mapping[str, str] = classes.field(factory=dict)

    @property
    def failed(self) -> bool:
        """Whether a campaign with it fails."""
        return bool(self.complaint) or (self.status in FAILING and not self.waived)

    def as_json(self) -> dict[str, Any]:
        """The published form: all fields by name, the status as text."""
        return {field.name: _plain(getattr(self, field.name)) for field in classes.fields(Result)}

    @staticmethod
    def from_json(given: Mapping[str, Any]) -> Result:
        """The result that ``as_json`` described. Raises ``KeyError``, ``TypeError``, ``ValueError``."""
        fields = dict(given)
        fields["status"] = Status(fields["status"])
        for name in ("rules", "reached"):
            fields[name] = tuple(fields.get(name, ()))
        return Result(**fields)


def _plain(value: Any) -> Any:
    if isinstance(value, Status):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def broken(case: Case, detail: str) -> Result:
    """A case that the implementation, or its adapter, did not come through."""
    return Result(case.id, case.kind, Status.BROKEN, detail, title=case.title, cell=case.cell)


def unknown(case: Case, detail: str) -> Result:
    """A case that we did not come through."""
    return classes.evolve(broken(case, detail), status=Status.UNKNOWN)

"""What a judge says: the verdict, the rule that it rests on, and the evidence (JUDGE-1, JUDGE-6)."""

from __future__ import annotations

from enum import Enum
from typing import Any

from lindref import classes
from lindref.trace.format import Record


class Verdict(Enum):
    """The kinds of verdict."""

    #: Some run of the model shows all that was observed.
    ALLOWED = "allowed"
    #: No run of the model does: ``rule`` says what was broken.
    FORBIDDEN = "forbidden"
    #: What was observed depends on something that the specification leaves open, by ``rule``.
    UNSPECIFIED = "unspecified"
    #: A bound was reached before it was decided.
    UNKNOWN = "unknown"
    #: The trace is none, or not whole: the one who made it is at fault.
    BROKEN = "broken"
    #: The trace is about something that this specification does not speak of.
    NOT_APPLICABLE = "not applicable"


@classes.frozen
class Bounds:
    """How much work a judgement may be: model states held at once, and calls tried in all (beside the trace's own)."""

    states: int = 1_024
    work: int = 1_000_000


@classes.frozen
class Judgement:
    """A verdict and its evidence.

    ``rule``: the id in spec/, empty where the verdict needs none; ``what``: in one line; ``call``: the call as strace
    shows it; ``alternatives``: what would have been allowed; ``line``: of the trace (from 1; 0 for none); ``prefix``:
    the shortest beginning of the trace that shows it (of a long one its last part); ``leads``: what of it the verdict
    takes, where that was asked for; ``calls``: that were judged;
    ``states``: most model states at once; ``work``: steps tried besides the trace's own.
    """

    verdict: Verdict
    rule: str = ""
    what: str = ""
    call: str = ""
    alternatives: tuple[str, ...] = ()
    line: int = 0
    prefix: tuple[Record, ...] = ()
    leads: tuple[Record, ...] = ()
    calls: int = 0
    states: int = 1
    work: int = 0

    @property
    def allowed(self) -> bool:
        """Whether nothing is wrong."""
        return self.verdict is Verdict.ALLOWED

    def value(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "verdict": self.verdict.value,
            "rule": self.rule,
            "what": self.what,
            "call": self.call,
            "alternatives": list(self.alternatives),
            "line": self.line,
            "prefix": list(self.prefix),
            "leads": list(self.leads or self.prefix),
            "calls": self.calls,
            "states": self.states,
            "work": self.work,
        }


class Contradiction(Exception):
    """A model state cannot show what was observed: the rule, why, and what it would show."""

    def __init__(
        self, rule: str, what: str, *alternatives: str, broken: bool = False, told: bool = False, blocked: int = 0
    ) -> None:
        super().__init__(what)
        self.rule = rule
        self.what = what
        self.alternatives = alternatives
        #: Whether the one who made the trace is at fault, not the one who is judged.
        self.broken = broken
        #: Whether the call was done, and what it told is what differs.
        self.told = told
        #: The thread that waits, and did not in the implementation.
        self.blocked = blocked

"""What a run came to, and the distinct ones with how often and by which schedule they were reached (EXP-1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lindref import classes
from lindref.posix import console
from lindref.state.pmap import PMap
from lindref.system.choices import format_schedule
from lindref.system.outcome import Ending
from lindref.system.system import System


@classes.frozen
class Result:
    """How a run ended: what it wrote, its exit status, how (an ``Ending``'s value), and what people are told of it."""

    stdout: bytes
    stderr: bytes
    exit_status: int
    ending: str
    text: str = classes.field(eq=False)


def result_of(system: System) -> Result:
    """The result of a run that is over."""
    outcome = system.outcome
    assert outcome is not None
    kernel = system.kernel
    out, err = console.output(kernel, console.STDOUT), console.output(kernel, console.STDERR)
    return Result(out, err, outcome.status, outcome.ending, outcome.text)


#: A list of answers, the last first: ``(answer, rest)``.
Answers = tuple[int, "Answers"] | None


@classes.frozen
class Found:
    """Schedules that lead to one result: how many, and the answers of the simplest, first answer first."""

    count: int
    answers: tuple[int, ...]


def simpler(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """The schedule with fewer answers other than 0, or the shorter one, or the one with smaller answers."""
    return min(first, second, key=lambda answers: (sum(1 for a in answers if a), len(answers), answers))


def trimmed(answers: Iterable[int]) -> tuple[int, ...]:
    """Answers without the zeros at their end, which mean nothing."""
    kept = list(answers)
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


@classes.define(eq=False)
class Outcomes:
    """The results found so far."""

    found: dict[Result, Found] = classes.field(factory=dict)

    def add(self, result: Result, answers: tuple[int, ...], count: int = 1) -> None:
        """``count`` more schedules lead to ``result``, ``answers`` being one of them."""
        answers = trimmed(answers)
        known = self.found.get(result)
        if known is None:
            self.found[result] = Found(count, answers)
        else:
            self.found[result] = Found(known.count + count, simpler(known.answers, answers))

    def take(self, others: Outcomes, *, counted: bool = True) -> None:
        """Add what another search found; its schedules are others than ours only where they are ``counted``."""
        for result, found in others.found.items():
            known = self.found.get(result)
            if known is None or counted:
                self.add(result, found.answers, found.count)
            else:
                self.found[result] = Found(known.count, simpler(known.answers, found.answers))

    def sorted(self) -> list[tuple[Result, Found]]:
        """Results, those with the simplest schedules first."""
        return sorted(
            self.found.items(),
            key=lambda item: (sum(1 for a in item[1].answers if a), len(item[1].answers), item[1].answers),
        )

    def as_json(self) -> list[dict[str, Any]]:
        """The published form."""
        return [
            {
                "stdout": text(result.stdout),
                "stderr": text(result.stderr),
                "exit_status": result.exit_status,
                "deadlock": result.ending == Ending.DEADLOCK.value,
                "count": found.count,
                "schedule": schedule(found.answers),
                "ending": result.ending,
                "text": result.text,
            }
            for result, found in self.sorted()
        ]


def schedule(answers: tuple[int, ...]) -> str:
    """Answers as the string that ``--schedule`` takes."""
    return format_schedule(PMap((i, a) for i, a in enumerate(answers) if a), len(answers))


def text(data: bytes) -> str:
    """Output as text; bytes that are none are escaped."""
    return data.decode("utf-8", "backslashreplace")

"""Choice points: the one place where anything in a run may go either way.

A run is a function of program, files, profile and the answers given here. The answers of a run are a short string (the
*schedule*) that replays it. Rules SCHED-1 … SCHED-3 in spec/system.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from lindref import classes
from lindref.hashing import blake2b
from lindref.state.pmap import PMap
from lindref.state.records import record


class ScheduleError(ValueError):
    """A schedule string that cannot be read."""


class Chooser(Protocol):
    """Answers choice points. It must be a function of its arguments alone, so that a state can be run again."""

    def choose(self, index: int, kind: str, options: int) -> int:
        """The answer to choice point number ``index`` (from 0): ``0 <= answer < options``; ``options >= 2``."""


@classes.frozen
class FirstOption:
    """Always option 0: the default schedule."""

    def choose(self, index: int, kind: str, options: int) -> int:
        """Option 0."""
        del index, kind, options
        return 0


@classes.frozen
class Seeded:
    """Pseudo-random answers that depend on the seed and the number of the choice point alone."""

    seed: int

    def choose(self, index: int, kind: str, options: int) -> int:
        """A uniformly distributed option."""
        text = f"{self.seed}/{index}/{kind}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "little") % options


@classes.frozen
class Replay:
    """The answers of a schedule, then those of another chooser. An answer beyond the options is their last."""

    answers: tuple[int, ...]
    then: Chooser = classes.field(factory=FirstOption)

    def choose(self, index: int, kind: str, options: int) -> int:
        """The scheduled answer."""
        if index < len(self.answers):
            return min(self.answers[index], options - 1)
        return self.then.choose(index, kind, options)


@classes.frozen
class Recorded:
    """The answers that a trace holds, by index; those not there are option 0. ``said`` is what its header says."""

    answers: Mapping[int, int]
    said: Mapping[str, str] = classes.field(factory=dict)

    def choose(self, index: int, kind: str, options: int) -> int:
        """The recorded answer."""
        del kind
        return min(self.answers.get(index, 0), options - 1)


@classes.frozen
class Instead:
    """The answers of another chooser, but for one choice point, which has ``answer`` (or the last there is)."""

    index: int
    answer: int
    then: Chooser

    def choose(self, index: int, kind: str, options: int) -> int:
        """The answer, or that of the other."""
        return min(self.answer, options - 1) if index == self.index else self.then.choose(index, kind, options)


_RUN = re.compile(r"(?:(\d{1,9})\*)?(\d{1,9})\Z")
_LONGEST = 10_000_000


def parse_schedule(text: str) -> tuple[int, ...]:
    """The answers of a schedule string: comma-separated, ``N*A`` standing for N times A (``"12*0,1,0,2"``).

    Raises ``ScheduleError`` with the part that cannot be read.
    """
    answers: list[int] = []
    for part in text.split(",") if text.strip() else ():
        found = _RUN.match(part.strip())
        if not found:
            raise ScheduleError(f"schedule: cannot read {part.strip()!r} (want A or N*A, separated by commas)")
        count = int(found[1] or 1)
        if len(answers) + count > _LONGEST:
            raise ScheduleError(f"schedule: more than {_LONGEST} answers")
        answers += [int(found[2])] * count
    return tuple(answers)


def format_answers(answers: tuple[int, ...]) -> str:
    """The schedule string of all ``answers``."""
    none: PMap[int] = PMap()
    return format_schedule(none.update({i: answer for i, answer in enumerate(answers) if answer}), len(answers))


def format_schedule(answers: PMap[int], count: int) -> str:
    """The schedule string of ``count`` answers, of which ``answers`` holds those that are not 0."""
    del count  # what comes after the last answer that is not 0 is 0 anyway
    parts: list[str] = []
    position = 0
    for index, answer in answers.items():
        zeros = index - position
        if zeros:
            parts.append("0" if zeros == 1 else f"{zeros}*0")
        parts.append(str(answer))
        position = index + 1
    return ",".join(parts)


@record("system.choices")
class ChoicesState:
    """How many choice points there were, and the answers that were not 0."""

    count: int = 0
    answers: PMap[int] = classes.field(factory=PMap)


@classes.define
class Choices:
    """The live recorder of answers; ``told`` is called with (index, kind, options, answer) of each."""

    chooser: Chooser = classes.field(factory=FirstOption)
    state: ChoicesState = classes.field(factory=ChoicesState)
    told: Callable[[int, str, int, int], None] | None = None

    def choose(self, kind: str, options: int) -> int:
        """Answer a choice point among ``options``; with fewer than two there is nothing to choose (SCHED-1)."""
        if options < 2:
            return 0
        index = self.state.count
        answer = self.chooser.choose(index, kind, options)
        answers = self.state.answers.set(index, answer) if answer else self.state.answers
        self.state = ChoicesState(index + 1, answers)
        if self.told is not None:
            self.told(index, kind, options, answer)
        return answer

    def schedule(self) -> str:
        """The string that replays the run so far (SCHED-2)."""
        return format_schedule(self.state.answers, self.state.count)

"""Examples of rules: excerpts of real runs, which stand in ``spec/examples`` and can be made again at any time.

``spec/examples/CHAPTER.json`` maps rules of ``spec/CHAPTER.md`` to an example each: what is run, in which profile,
which of its lines show the rule, and these lines. ``spec/examples/vectors.json`` has the scripts that examples play.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lindref import classes
from lindref.conformance.resources import folder
from lindref.conformance.sessions import Command, SessionError, capture, lines_of
from lindref.conformance.vectors.model import Vector
from lindref.conformance.vectors.play import VectorSystem
from lindref.profile import by_name
from lindref.system.events import Event
from lindref.trace.recorder import Recorder
from lindref.trace.strace import StraceText

#: Most lines of an excerpt.
MOST_LINES = 16
_VECTORS = "vectors.json"


class ExampleError(Exception):
    """An example that cannot be read or made; one line."""


@classes.frozen
class Example:
    """What shows a rule.

    ``vector``: the id of a script of calls, shown as strace text with routes; or ``command``: the words of a
    ``lindref`` command, of which standard output is shown, carried out among the guests of ``conformance/guests``; or
    ``python``: lines of Python, of which the output is shown; or ``session``: commands one after the other in a folder
    of their own that begins with ``files`` (`sessions`). ``lines``: first and last line that are shown, from 1.
    ``excerpt``: these lines. ``about``: what to look at, empty where the lines speak for themselves.
    """

    rule: str
    excerpt: tuple[str, ...]
    profile: str = "spec"
    vector: str = ""
    command: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    files: Mapping[str, str | Sequence[str]] = classes.field(factory=dict)
    lines: tuple[int, int] = (1, MOST_LINES)
    about: str = ""

    @property
    def title(self) -> str:
        """What is run, in a few words."""
        if self.vector:
            return f"the script `{self.vector}`"
        if self.command:
            return f"`lindref {' '.join(self.command)}`"
        return "commands" if self.session else "Python"

    def value(self) -> dict[str, Any]:
        """As the file has it."""
        made: dict[str, Any] = {"profile": self.profile, "lines": list(self.lines)}
        if self.about:
            made["about"] = self.about
        if self.vector:
            made["vector"] = self.vector
        elif self.command:
            made["command"] = list(self.command)
        elif self.session:
            made["session"] = list(self.session)
        else:
            made["python"] = list(self.python)
        if self.files:
            made["files"] = dict(self.files)
        return made | {"excerpt": list(self.excerpt)}


@classes.frozen
class Shown:
    """A line of a run as text, and the rules that the events behind it carry."""

    text: str
    rules: frozenset[str]


class Lines:
    """Observes a run: its lines, each with the rules of the events that it shows."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._text = StraceText(self._write, routes=True)
        self._lines: list[str] = []
        self._rules: list[set[str]] = []
        self._called: dict[int, set[str]] = {}

    def _write(self, text: str) -> None:
        self._lines.append(text.rstrip("\n"))
        self._rules.append(set())

    def on_event(self, event: Event) -> None:
        """Take ``event`` in."""
        for record in self._recorder.records(event):
            before = len(self._lines)
            self._text.on_record(record)
            call = record.get("call")
            rule = {record["rule"]} if record.get("rule") else set()
            if call is not None:
                rule |= self._called.pop(call, set())
                if record["event"] != "exit":
                    self._called[call] = rule
                    continue
            if len(self._lines) > before:
                self._rules[-1] |= rule

    def shown(self) -> list[Shown]:
        """What was seen, line by line."""
        return [Shown(text, frozenset(names)) for text, names in zip(self._lines, self._rules, strict=True)]


def script_lines(vector: Vector, profile: str) -> list[Shown]:
    """A script of calls played: its lines. Raises ``VectorError`` where it cannot be played."""
    system = VectorSystem(vector, by_name(profile))
    lines = Lines(Recorder(system))
    system.observers.append(lines)
    system.seen(vector)
    return lines.shown()


def load(where: Path | None = None) -> dict[str, Example]:
    """The examples of a folder (that of this installation), by rule. Raises ``ExampleError``."""
    found: dict[str, Example] = {}
    for path in sorted((where or folder("spec") / "examples").glob("*.json")):
        if path.name == _VECTORS:
            continue
        for rule, value in _read(path).items():
            given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
            try:
                found[rule] = Example(rule=rule, **given)
            except TypeError as error:
                raise ExampleError(f"{path}: {rule}: {error}") from None
    return found


def scripts(where: Path | None = None) -> dict[str, Vector]:
    """The scripts that examples play, by id. Raises ``ExampleError``."""
    path = (where or folder("spec") / "examples") / _VECTORS
    return {
        name: Vector(name, one.get("about", ""), one["files"], one["programs"], tuple(one.get("tags", ())), {})
        for name, one in _read(path).items()
    }


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExampleError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise ExampleError(f"{path}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ExampleError(f"{path}: not an object")
    return value


def made(example: Example, known: Mapping[str, Vector], command: Command) -> list[str]:
    """The excerpt of an example, made anew. ``command`` carries out the words of a ``lindref`` command.

    Raises ``ExampleError``.
    """
    first, last = example.lines
    return _lines(example, known, command)[first - 1 : last]


def _lines(example: Example, known: Mapping[str, Vector], command: Command) -> list[str]:
    if example.vector:
        if example.vector not in known:
            raise ExampleError(f"{example.rule}: there is no script {example.vector}")
        return [line.text for line in script_lines(known[example.vector], example.profile)]
    guests = folder("conformance") / "guests"
    if example.session:
        try:
            return lines_of(example.session, example.files, guests, command)
        except (SessionError, OSError) as error:
            raise ExampleError(f"{example.rule}: {error}") from None
    with capture() as seen, contextlib.chdir(guests):
        if example.command:
            command(example.command)
        else:
            exec(compile("\n".join(example.python), f"<example of {example.rule}>", "exec"), {})  # noqa: S102  # ours
    return seen()

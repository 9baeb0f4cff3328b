"""The rules of the specification: what each says, where it comes from, what implements it and what tests it.

A rule is a line ``- **ID** text. *(source)*`` of ``spec/*.md``, and below it a line ``  *Why:* reason`` and, where no
run can show the rule, a line ``  *No example:* reason``; a citation is its id anywhere in a Python file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lindref import classes

#: A line that defines a rule: id, text, source.
RULE_LINE = re.compile(r"^- \*\*([A-Z0-9]+(?:-[A-Z0-9]+)*-\d+)\*\* (.*?)(?: \*\(([^)]*(?:\([^)]*\)[^)]*)*)\)\*)?$")
#: A line below a rule: why it is so, or why no run shows it.
NOTE_LINE = re.compile(r"^  \*(Why|No example):\* (.*)$")
_WORD = re.compile(r"(?<![\w-])([A-Z0-9]+(?:-[A-Z0-9]+)*-\d+)(?![\w-])")


@classes.frozen
class Rule:
    """A rule: its id, its text, its source (empty where the text is ours), the file that defines it, why it is so, and
    why no run can show it (empty where one does).
    """

    id: str
    text: str
    source: str
    file: str
    reason: str = ""
    unseen: str = ""


@classes.frozen
class Citation:
    """A place that names a rule: the file, as a path from where the search began, and the line (from 1)."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def rules(folder: Path) -> list[Rule]:
    """All rules in the order of the files and of their lines; one that is defined twice is there twice."""
    return list(_rules(folder))


def _rules(folder: Path) -> Iterator[Rule]:
    for path in sorted(folder.glob("*.md")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            if match := RULE_LINE.match(line):
                below = map(NOTE_LINE.match, lines[number + 1 : number + 3])
                notes = {found[1]: found[2] for found in below if found}
                why, unseen = notes.get("Why", ""), notes.get("No example", "")
                yield Rule(match[1], match[2], match[3] or "", path.name, why, unseen)


def family(rule: str) -> str:
    """What an id has in common with its neighbours: all but the number."""
    return rule.rsplit("-", 1)[0]


def citations(root: Path, folders: Iterable[str], families: frozenset[str]) -> Mapping[str, list[Citation]]:
    """Where the Python files of ``folders`` below ``root`` name ids of these families, known or not."""
    found: dict[str, list[Citation]] = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                for word in _WORD.findall(line):
                    if family(word) in families:
                        found.setdefault(word, []).append(Citation(path.relative_to(root).as_posix(), number))
    return found

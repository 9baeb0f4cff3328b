"""A chapter of ``spec/`` as a page of the book: each rule with its reason, source, example, code and tests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from lindref import classes
from lindref.conformance.examples import Example
from lindref.conformance.rules import NOTE_LINE, RULE_LINE, Citation, Rule
from lindref.profile import DEVIATIONS

_ID = re.compile(r"(?<![\w#/.-])([A-Z0-9]+(?:-[A-Z0-9]+)*-\d+)(?![\w-])")
_DEVIATION = re.compile(r"`([A-Z0-9]+(?:-[A-Z0-9]+)+)`")
#: Most places that are linked for one rule, of code and of tests each.
MOST_PLACES = 6


@classes.frozen
class Book:
    """What pages are made of: rules by id, where code and tests cite them, and examples."""

    rules: Mapping[str, Rule]
    code: Mapping[str, Sequence[Citation]]
    tests: Mapping[str, Sequence[Citation]]
    examples: Mapping[str, Example]

    def page_of(self, rule: str) -> str:
        """The page that has a rule, from any page beside it."""
        return f"{self.rules[rule].file.removesuffix('.md')}.md"

    def linked(self, text: str) -> str:
        """Text whose rule ids and deviations are links."""
        text = _ID.sub(lambda m: f"[{m[1]}]({self.page_of(m[1])}#{m[1]})" if m[1] in self.rules else m[1], text)
        return _DEVIATION.sub(
            lambda m: f"[`{m[1]}`](deviations.md#{m[1]})" if m[1] in DEVIATIONS else f"`{m[1]}`", text
        )

    def places(self, cited: Sequence[Citation]) -> str:
        """Links to places in the source, the first of each file."""
        first: dict[str, Citation] = {}
        for one in cited:
            first.setdefault(one.file, one)
        shown = list(first.values())[:MOST_PLACES]
        links = [f"[{one.file}:{one.line}](code/{one.file}.html#L{one.line})" for one in shown]
        return ", ".join(links) + (f" and {len(first) - len(shown)} more" if len(first) > len(shown) else "")


def chapter(book: Book, text: str) -> str:
    """The page of a chapter from its text in ``spec/``."""
    out: list[str] = []
    skip = False
    for line in text.splitlines():
        match = RULE_LINE.match(line)
        if match and match[1] in book.rules:
            out += rule(book, book.rules[match[1]])
            skip = True
        elif skip and NOTE_LINE.match(line):
            continue  # stands in the rule's block already
        else:
            skip = False
            out.append(line if line.startswith("    ") else book.linked(line))
    return "\n".join(out) + "\n"


def rule(book: Book, one: Rule) -> list[str]:
    """The block of one rule."""
    out = ["", f"#### {one.id} {{ #{one.id} }}", "", book.linked(one.text), ""]
    notes = []
    if one.reason:
        notes.append(f"*Why:* {book.linked(one.reason)}")
    if one.source:
        notes.append(f"*Source:* {book.linked(one.source)}")
    if book.code.get(one.id):
        notes.append(f"*Code:* {book.places(book.code[one.id])}")
    if book.tests.get(one.id):
        notes.append(f"*Tests:* {book.places(book.tests[one.id])}")
    if one.unseen:
        notes.append(f"*No example:* {book.linked(one.unseen)}")
    out += [part for note in notes for part in (f"<small>{note}</small>  ",)]
    example = book.examples.get(one.id)
    if example is not None:
        out += ["", *block(example)]
    return [*out, ""]


def block(example: Example) -> list[str]:
    """An example, folded: what is run, and what it shows."""
    lines = [f'??? example "Example: {example.title}, profile {example.profile}"', ""]
    if example.about:
        lines += [f"    {example.about}", ""]
    for name, what in example.files.items():
        if not isinstance(what, str):
            lines += [f"    `{name}`:", "", "    ``` text", *(f"    {line}" for line in what), "    ```", ""]
    if example.python:
        lines += ["    ``` python", *(f"    {line}" for line in example.python), "    ```", ""]
    return [*lines, "    ``` text", *(f"    {line}" for line in example.excerpt), "    ```"]

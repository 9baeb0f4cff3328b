"""The generated pages of the book: all rules, all calls with their errors, all deviations, the choice points, the
properties.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from lindref.conformance.book.errors import Named, of_call
from lindref.conformance.book.pages import Book
from lindref.posix.params import CallRow
from lindref.posix.table import CALLS
from lindref.profile import DEVIATIONS


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def rules_page(book: Book) -> str:
    """Every rule in a line, and how much of it there is."""
    shown = sum(name in book.examples for name in book.rules)
    lines = [
        "# All rules",
        "",
        f"{len(book.rules)} rules; each is implemented and tested, {shown} have an example from a real run.",
        "",
        _row("rule", "says", "source"),
        _row("---", "---", "---"),
    ]
    for one in book.rules.values():
        link = f"[{one.id}]({book.page_of(one.id)}#{one.id})"
        lines.append(_row(link, book.linked(one.text), book.linked(one.source)))
    return "\n".join(lines) + "\n"


def deviations_page(book: Book) -> str:
    """Every difference between the profiles."""
    asked = {name: [one.id for one in book.rules.values() if f"`{name}`" in one.text] for name in DEVIATIONS}
    lines = [
        "# Deviations",
        "",
        f"What profile `lind`, the recorded implementation, does otherwise than profile `spec`: {len(DEVIATIONS)}",
        "entries, each with its evidence. Nothing else differs between the profiles.",
    ]
    for name, entry in DEVIATIONS.items():
        lines += ["", f"## {name} {{ #{name} }}", "", _row("profile", "does"), _row("---", "---")]
        lines += [_row("`spec`", book.linked(entry.spec)), _row("`lind`", book.linked(entry.lind)), ""]
        lines.append(f"<small>*Evidence:* {book.linked(entry.evidence)}</small>  ")
        if asked[name]:
            links = ", ".join(f"[{rule}]({book.page_of(rule)}#{rule})" for rule in asked[name])
            lines.append(f"<small>*Rules:* {links}</small>")
    return "\n".join(lines) + "\n"


def _errors(book: Book, errors: list[Named]) -> Iterator[str]:
    by_name: dict[str, list[str]] = {}
    for errno, rule in errors:
        by_name.setdefault(errno, []).append(rule)
    for errno, named in by_name.items():
        links = ", ".join(f"[{rule}]({book.page_of(rule)}#{rule})" for rule in named if rule in book.rules)
        yield f"{errno} ({links})"


def signature(row: CallRow) -> str:
    """A call as C would have it: the kinds of its arguments and of its result."""
    params = ", ".join(
        f"{param.struct or param.kind.value}{'*' if param.direction.value != 'in' else ''} {param.name}"
        for param in row.params
    )
    return f"{row.name}({params}) → {row.returns.value}"


def calls_page(book: Book) -> str:
    """Every call of the table: number, arguments, and each error with the rules that say when."""
    lines = [
        "# Calls and their errors",
        "",
        f"The {len(CALLS)} calls of the table. A `*` marks what the call writes to. The errors are read off the code:",
        "a call may give one where one of the rules beside it says so. Routing adds its own:",
        "[3I-ROUTE-1](3i.md#3I-ROUTE-1), [3I-ROUTE-3](3i.md#3I-ROUTE-3), [3I-ROUTE-4](3i.md#3I-ROUTE-4),",
        "[CALL-1](processes.md#CALL-1), [CAGE-1](processes.md#CAGE-1).",
        "",
        _row("number", "call", "errors"),
        _row("---", "---", "---"),
    ]
    for row in CALLS.values():
        errors = "; ".join(_errors(book, of_call(row)))
        lines.append(_row(f'<span id="call-{row.name}">{row.number}</span>', f"`{signature(row)}`", errors or "none"))
    return "\n".join(lines) + "\n"


def choices_page() -> str:
    """Every kind of choice point."""
    from lindref.posix.kernel import ChoiceKind

    lines = [
        "# Choice points",
        "",
        "Where a run may go either way ([SCHED-1](system.md#SCHED-1)): the scheduler asks `thread`, a grate in Python",
        "may ask `grate`, and RawPOSIX asks the kinds below. Answer 0 is the ordinary one.",
        "",
        _row("kind", "asks"),
        _row("---", "---"),
    ]
    documented = re.findall(r"((?: +#: .*\n)+) +[A-Z_]+ = \"([a-z-]+)\"", inspect.getsource(ChoiceKind))
    about = {value: " ".join(line.strip(" #:") for line in text.splitlines()) for text, value in documented}
    lines += [_row(f"`{kind.value}`", about.get(kind.value, "")) for kind in ChoiceKind]
    return "\n".join(lines) + "\n"


def properties_page() -> str:
    """The properties that are tried with data drawn by Hypothesis."""
    from lindref.properties import STATEMENTS

    lines = [
        "# Properties",
        "",
        "What holds for every implementation of 3i, tried with drawn data (`lindref.properties`); numbers up to 51 are",
        "those of the facts about the real system, the others lindref's own.",
        "",
        _row("number", "about", "says"),
        _row("---", "---", "---"),
    ]
    found = [(one.number, one.subject, one.text) for one in STATEMENTS.values()]
    lines += [_row(*one) for one in sorted(found, key=lambda one: (not one[0].isdecimal(), len(one[0]), one[0]))]
    return "\n".join(lines) + "\n"

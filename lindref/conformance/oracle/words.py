"""A judgement as text: verdict, rule, the call, what would have been allowed, and the trace so far (JUDGE-6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from lindref.conformance.oracle.verdict import Judgement
from lindref.conformance.rules import Rule
from lindref.trace.format import Record
from lindref.trace.strace import StraceText

#: Most lines of the trace that are shown before the one that decides.
MOST_LINES = 12


def call_text(enter: Record, exit_: Record) -> str:
    """A call as strace shows it, with what was observed of its end."""
    lines: list[str] = []
    text = StraceText(lines.append)
    text.on_record(enter)
    if exit_ is not enter and exit_["event"] == "exit":
        text.on_record(exit_)
    else:
        text.on_record({"event": "note", "cage": enter["cage"], "tid": enter.get("tid", 1), "text": ""})
        lines = lines[:1]
    return "".join(lines).strip()


def lines(found: Judgement, name: str, rules: Mapping[str, Rule]) -> Iterator[str]:
    """The judgement of the trace ``name``; ``rules`` are those of spec/."""
    place = f"{name}:{found.line}" if found.line else name
    head = f"{place}: {found.verdict.value}"
    yield f"{head} ({found.calls} calls)" if found.allowed else f"{head}: {found.what}"
    if found.rule:
        known = rules.get(found.rule)
        yield f"  rule {found.rule}: {known.text if known is not None else 'not in spec/'}"
    if found.call:
        yield f"  call {found.call}"
    for alternative in found.alternatives:
        yield f"  allowed {alternative}"
    if found.prefix:
        leads = found.leads or found.prefix
        others = _calls(found.prefix) - _calls(leads)
        yield "  what leads to it" + (f" (calls left out that do not matter: {others}):" if others else ":")
        yield from (f"    {line}" for line in _shown(leads))


def _calls(records: Iterable[Record]) -> int:
    return sum(record["event"] == "enter" for record in records)


def _shown(records: tuple[Record, ...]) -> list[str]:
    """The last lines of a trace as strace text."""
    text: list[str] = []
    show = StraceText(text.append)
    for record in records:
        show.on_record(record)
    found = "".join(text).splitlines()
    cut = len(found) - MOST_LINES
    return [f"({cut} lines before)", *found[cut:]] if cut > 0 else found

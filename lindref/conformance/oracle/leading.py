"""What of the beginning of a trace leads to a verdict: the calls without which it would not be forbidden (JUDGE-1).

The shortest beginning still holds what other cages and threads did meanwhile. Calls are left out, whole cages first,
then ever smaller groups, as long as what is left is forbidden for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from lindref.conformance.oracle.judge import KEPT, judge
from lindref.conformance.oracle.verdict import Bounds, Judgement, Verdict
from lindref.conformance.oracle.world import World
from lindref.profile import Profile
from lindref.trace.format import Record

#: Most events that are judged again in all, some seconds' work, and the bounds of each judgement.
MOST = 20_000
_BOUNDS = Bounds(256, 20_000)
#: Events that say something of a run without being part of it.
_SAYS = frozenset({"choice", "memory", "note"})


def leading(
    header: Record, found: Judgement, profile: Profile | None, world: Callable[[], World]
) -> tuple[Record, ...]:
    """The events of ``found.prefix`` that lead to a forbidden verdict; all of them where fewer were not found.

    ``header`` and ``profile`` are those that were judged by, ``world`` makes what was there at the start.
    """
    kept = list(found.prefix)
    if found.verdict is not Verdict.FORBIDDEN or not kept or len(kept) >= KEPT:
        return found.prefix
    head = {name: value for name, value in header.items() if name not in ("addresses", "bases")}  # translated already
    left = MOST

    def same(records: Sequence[Record]) -> bool:
        nonlocal left
        left -= len(records)
        other = judge([head, *records], profile, world=world(), bounds=_BOUNDS)
        return _reason(other) == _reason(found)

    decides = kept[-1]
    acts = [record for record in kept if record["event"] not in _SAYS]
    if len(acts) < len(kept) and same(acts):
        kept = acts
    for group in _cages(kept, decides):
        fewer = _without(kept, group)
        if len(fewer) < len(kept) <= left and decides in fewer and same(fewer):
            kept = fewer
    calls = [record["call"] for record in kept if record["event"] == "enter" and record["call"] != decides.get("call")]
    size = len(calls)
    while size and len(kept) <= left:
        before = len(kept)
        for at in reversed(range(0, len(calls), size)):  # what uses a thing comes after what made it
            fewer = _without(kept, [("call", call) for call in calls[at : at + size]])
            if len(fewer) < len(kept) <= left and fewer and fewer[-1] is decides and same(fewer):
                kept = fewer
        there = {record["call"] for record in kept if record["event"] == "enter"}
        calls = [call for call in calls if call in there]
        again = size == 1 and len(kept) < before  # one that was needed may not be any more
        size = 1 if again else min(size, len(calls)) // 2
    return tuple(kept)


def _reason(one: Judgement) -> tuple[object, ...]:
    return (one.verdict, one.rule, one.what, one.call, one.alternatives)


#: What is left out: a call by its number, or the threads of a cage.
_What = tuple[str, int]


def _cages(records: Iterable[Record], decides: Record) -> list[list[_What]]:
    """The cages beside that of the event that decides, the last first: it is the least likely to matter to others."""
    cages = dict.fromkeys(record["cage"] for record in records if "cage" in record)
    return [[("cage", cage)] for cage in reversed(cages) if cage != decides.get("cage")]


def _without(records: Sequence[Record], group: Iterable[_What]) -> list[Record]:
    """What is left without some calls and cages, what happened in those calls, and whoever they brought into being."""
    gone = set(group)
    threads: set[tuple[int, int]] = set()
    inside: dict[tuple[int, int], set[int]] = {}
    out: list[Record] = []
    for record in records:
        thread = (record.get("cage", 0), record.get("tid", 1))
        call = record.get("call", -1)
        if record["event"] == "enter":
            if thread in threads or ("cage", thread[0]) in gone or ("call", record.get("within") or -1) in gone:
                gone.add(("call", call))
            if ("call", call) in gone:
                inside.setdefault(thread, set()).add(call)
        left_out = _leaves(record, thread, gone, inside) or thread in threads
        if record["event"] == "spawn" and left_out:
            threads.add((record["child"], record.get("child_tid", 1)))
            if record.get("child_tid", 1) == 1:
                gone.add(("cage", record["child"]))
        if record["event"] == "exit":
            inside.get(thread, set()).discard(call)
        if not left_out:
            out.append(record)
    return out


def _leaves(
    record: Record,
    thread: tuple[int, int],
    gone: set[_What],
    inside: Mapping[tuple[int, int], set[int]],
) -> bool:
    """Whether an event belongs to what is left out: its cage's, its call's, or within a call of its thread."""
    if ("cage", thread[0]) in gone:
        return True
    if "call" in record:
        return ("call", record["call"]) in gone
    return bool(inside.get(thread))


__all__ = ["MOST", "leading"]

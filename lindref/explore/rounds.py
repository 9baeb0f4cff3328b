"""Runs that come back to where they were: threads that go round and round without an end (EXP-10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush

from lindref.explore.graph import Graph
from lindref.explore.outcomes import Result, result_of
from lindref.explore.running import Key, Way
from lindref.explore.turn import key as key_of
from lindref.explore.watch.watched import watch
from lindref.posix import console
from lindref.system import state as states
from lindref.system.choices import Replay
from lindref.system.outcome import STATUS, Ending
from lindref.system.system import System

#: How such a result ends (``Result.ending``).
LIVELOCK = "livelock"

#: After a schedule's last answer so many turns are not looked at.
_QUIET = 200


def run(system: System, answers: tuple[int, ...]) -> Result:
    """Run by a schedule, to the end, or until it is seen that there is none: after the last answer a state comes again,
    and nobody has looked at a clock.
    """
    watched = watch(system)
    watched.listens = True
    watched.choices.chooser = Replay(answers)
    turns, look = 0, _QUIET
    seen = b""
    who: set[str] = set()
    while watched.step():
        if watched.choices.state.count < len(answers):
            continue
        turns += 1
        if turns < look:
            if not seen or watched.clock_read:
                continue
            _note(watched, who)
            if _state(watched) == seen:
                return _livelock(watched, who)
        else:
            look, seen = 2 * turns, _state(watched)
            who.clear()
    return result_of(watched)


def _state(system: System) -> bytes:
    return key_of(states.freeze(system), timed=False)


def _note(system: System, who: set[str]) -> None:
    thread = system.threads.get(system.current)
    if thread is not None:
        who.add(f"cage {thread.cage} {'worker' if thread.slot else 'thread'} {thread.slot or thread.tid}")


def _livelock(system: System, who: Iterable[str]) -> Result:
    """The result of a run that has come round."""
    text = f"the run comes back to a state it was in, and has no end; round and round goes {', '.join(sorted(who))}"
    out, err = (console.output(system.kernel, stream) for stream in (console.STDOUT, console.STDERR))
    return Result(out, err, STATUS[Ending.LIMIT], LIVELOCK, text)


def endless(graph: Graph, first: Key) -> Iterator[list[tuple[Way, int]]]:
    """Ways into parts of a whole search that are not left again and have no end, the simplest of each; and how many
    turns each way takes.
    """
    before: dict[Key, list[Key]] = {}
    ends: list[Key] = []
    for key, known in graph.states.items():
        for turned in known.ways.values():
            if isinstance(turned.to, Result):
                ends.append(key)
            else:
                before.setdefault(turned.to, []).append(key)
    able = set(ends)
    while ends:
        new = [key for key in before.get(ends.pop(), ()) if key not in able]
        able.update(new)
        ends += new
    if len(able) == len(graph.states):
        return
    parts = _last(graph, [key for key in graph.states if key not in able])
    wanted = {key: number for number, part in enumerate(parts[:_MOST]) for key in part}
    yield from _ways(graph, first, wanted)


#: So many such parts are looked at.
_MOST = 50


def _next(graph: Graph, key: Key) -> list[Key]:
    return [turned.to for turned in graph.states[key].ways.values() if not isinstance(turned.to, Result)]


def _last(graph: Graph, keys: Iterable[Key]) -> list[list[Key]]:
    """Of the parts of states that reach each other (R. Tarjan, Depth-first search, 1972) those that lead nowhere
    else."""
    number: dict[Key, int] = {}
    low: dict[Key, int] = {}
    part_of: dict[Key, int] = {}
    stack: list[Key] = []
    parts: list[list[Key]] = []
    for start in keys:
        way = [] if start in number else [(start, iter(_next(graph, start)))]
        while way:
            key, after = way[-1]
            if key not in number:
                number[key] = low[key] = len(number)
                stack.append(key)
            new = None
            for to in after:
                if to not in number:
                    new = to
                    break
                if to not in part_of:
                    low[key] = min(low[key], number[to])
            if new is not None:
                way.append((new, iter(_next(graph, new))))
                continue
            way.pop()
            if way:
                low[way[-1][0]] = min(low[way[-1][0]], low[key])
            if low[key] == number[key]:
                place = stack.index(key)
                parts.append(stack[place:])
                part_of.update(dict.fromkeys(stack[place:], len(parts)))
                del stack[place:]
    ours = [set(part) for part in parts]
    return [part for part, own in zip(parts, ours, strict=True) if all(own.issuperset(_next(graph, k)) for k in part)]


def _ways(graph: Graph, first: Key, wanted: Mapping[Key, int]) -> Iterator[list[tuple[Way, int]]]:
    """The simplest ways from ``first`` to one state of each number."""
    todo: list[tuple[tuple[int, int], int, Key]] = [((0, 0), 0, first)]
    came: dict[Key, tuple[Key, Way, int]] = {}
    best = {first: (0, 0)}
    found: set[int] = set()
    count = 0
    while todo:
        cost, _, key = heappop(todo)
        if cost > best[key]:
            continue
        number = wanted.get(key)
        if number is not None:
            if number not in found:
                found.add(number)
                ways = []
                while key != first:
                    key, way, turns = came[key]
                    ways.append((way, turns))
                yield ways[::-1]
            continue
        for way, turned in graph.states[key].ways.items():
            to = turned.to
            if isinstance(to, Result):
                continue
            further = (cost[0] + sum(1 for answer in turned.answers if answer), cost[1] + len(turned.answers))
            if to not in best or further < best[to]:
                best[to] = further
                came[to] = (key, way, turned.turns)
                count += 1
                heappush(todo, (further, count, to))

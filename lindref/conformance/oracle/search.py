"""All ways to go on: a set of model states, each thing seen leaving those that can show it (JUDGE-8).

A call takes effect at some moment between its entering and its coming back. So a state may put off a call that entered
while others are under way, and before a call comes back any of those put off, or woken, may go first. Whatever the
model may do in more than one way is done in each. States that are equal, and wait for the same, are one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lindref import classes
from lindref.conformance.oracle.course import Course
from lindref.conformance.oracle.observed import ObservedSystem
from lindref.conformance.oracle.verdict import Bounds, Contradiction
from lindref.explore import turn
from lindref.explore.turn import TurnChooser, others
from lindref.system import state as states
from lindref.system.threads import Retry
from lindref.trace.format import Record

#: One event of a trace: its line, itself, and the end of a call that enters where that is known.
Step = tuple[int, Record, Record | None]


class OutOfBoundsError(Exception):
    """More states, or more work, than was allowed."""


def fork(course: Course) -> Course:
    """Another state like this one, to go on from by itself."""
    system = course.system
    other = states.thaw(states.freeze(system), chooser=TurnChooser(), like=system)
    assert isinstance(other, ObservedSystem)
    other.continues(system)
    return course.copy(other)


@classes.define
class Search:
    """The states that can have shown what was seen so far."""

    bounds: Bounds
    courses: list[Course]
    #: Calls during which no other was seen to be under way.
    alone: frozenset[int] = frozenset()
    most: int = 1
    work: int = 0
    #: Why the first of the states that were given up could not go on.
    why: Contradiction | None = None

    def step(self, record: Record, later: Record | None) -> bool:
        """Take one event; whether any state can show it. Raises `OutOfBoundsError`."""
        found: dict[object, Course] = {}
        self.why = None
        for course in self.courses:
            for after in self._ways(course, record, later):
                found.setdefault(key(after), after)
                if len(found) > self.bounds.states:
                    raise OutOfBoundsError(f"more than {self.bounds.states} states")
        self.courses = list(found.values())
        self.most = max(self.most, len(self.courses))
        return bool(self.courses)

    def taken_why(self) -> Contradiction | None:
        """Why a state could not go on, since last asked."""
        why, self.why = self.why, None
        return why

    @property
    def settled(self) -> bool:
        """Whether there is but one state, and nothing is put off in it."""
        return len(self.courses) == 1 and not self.courses[0].put_off

    def _ways(self, course: Course, record: Record, later: Record | None) -> Iterator[Course]:
        """The states after ``record``."""
        event = record["event"]
        if event == "enter":
            if record["call"] not in self.alone and course.may_wait(record):
                waits = fork(course)
                waits.put_off[record["call"]] = (record, later)
                yield waits
            yield from self.tried(course, lambda one: one.step(record, later))
        elif event == "route" and record["call"] in course.put_off:
            yield course  # who serves it shows when it takes effect
        elif event == "exit":
            for before in self._before(course):
                yield from self.tried(before, lambda one: one.comes_back(record))
        else:
            for before in self._before(course):
                yield from self.tried(before, lambda one: one.step(record, later))

    def _before(self, course: Course) -> Iterator[Course]:
        """The states that may come before the next thing seen: what is put off or woken goes first, in any order."""
        seen = {key(course)}
        todo = [course]
        while todo:
            one = todo.pop()
            yield one
            for call in list(one.put_off):
                for after in self.tried(one, lambda c, call=call: c.takes_effect(call)):  # type: ignore[misc]
                    if key(after) not in seen:
                        seen.add(key(after))
                        todo.append(after)
            for thread in [t.key for t in one.system.threads.values() if isinstance(t.status, Retry)]:
                for after in self.tried(one, lambda c, thread=thread: c.retries(thread)):  # type: ignore[misc]
                    if key(after) not in seen:
                        seen.add(key(after))
                        todo.append(after)

    def tried(self, course: Course, act: Callable[[Course], None]) -> Iterator[Course]:
        """``act`` done from ``course``, in each way that the model's choices allow."""
        ways: list[tuple[int, ...]] = [()]
        while ways:
            answers = ways.pop()
            self.work += 1
            if self.work > self.bounds.work:
                raise OutOfBoundsError(f"more than {self.bounds.work} steps")
            one = fork(course)
            chooser = TurnChooser(answers)
            one.system.choices.chooser = chooser
            try:
                act(one)
            except Contradiction as found:
                self.why = self.why or found
            else:
                yield one
            ways += others(chooser.points, len(answers), None)


def key(course: Course) -> object:
    """What two states have in common that have the same future."""
    system = course.system
    return (turn.key(states.freeze(system), ordered=False), system.outcome, *course.waits_for())


def alone(steps: Sequence[Step]) -> frozenset[int]:
    """The calls that came back before another entered, while none but those that they serve was under way."""
    found: set[int] = set()
    open_calls: dict[int, int] = {}
    mixed: set[int] = set()
    for _, record, _ in steps:
        if record["event"] == "enter":
            within = record.get("within") or 0
            above = set()
            while within in open_calls:
                above.add(within)
                within = open_calls[within]
            others_open = [call for call in open_calls if call not in above]
            if others_open:
                mixed |= {record["call"], *others_open}
            open_calls[record["call"]] = record.get("within") or 0
        elif record["event"] == "exit" and record["call"] in open_calls:
            del open_calls[record["call"]]
            found.add(record["call"])
    return frozenset(found - mixed)


Place = tuple[int, ...]


def interleave(start: Course, steps: Sequence[Step], bounds: Bounds) -> tuple[Search, Step | None]:
    """As `replay`, where only the order within each thread is known: any way to merge the threads may be the one.

    In depth, the order of the lines first; what explains the trace is enough. Raises `OutOfBoundsError`.
    """
    search = Search(bounds, [start])
    threads = _by_thread(steps)
    todo: list[tuple[Course, Place]] = [(start, (0,) * len(threads))]
    seen = {(key(start), todo[0][1])}
    deepest, failed = -1, steps[0]
    why: Contradiction | None = None
    while todo:
        course, place = todo.pop()
        nexts = [
            (sequence[at], n) for n, (sequence, at) in enumerate(zip(threads, place, strict=True)) if at < len(sequence)
        ]
        if not nexts:
            search.courses = [course]
            return search, None
        ways: list[tuple[Course, Place]] = []
        for step, n in sorted(nexts, key=lambda one: one[0][0]):
            if step[1]["event"] == "outcome" and len(nexts) > 1:
                continue  # it comes last
            search.taken_why()
            after = (*place[:n], place[n] + 1, *place[n + 1 :])
            for other in search.tried(course, lambda one, step=step: one.step(step[1], step[2])):  # type: ignore[misc]
                if (key(other), after) not in seen:
                    seen.add((key(other), after))
                    ways.append((other, after))
            refused = search.taken_why()
            if refused is not None and sum(place) > deepest:
                deepest, failed, why = sum(place), step, refused
        todo += reversed(ways)
        search.most = max(search.most, len(todo))
        if len(todo) > bounds.states:
            raise OutOfBoundsError(f"more than {bounds.states} states")
    search.why = why
    return search, failed


def _by_thread(steps: Sequence[Step]) -> list[list[Step]]:
    """The steps of each thread, and of each call that a grate serves."""
    makers: dict[int, tuple[str, object]] = {}
    found: dict[tuple[str, object], list[Step]] = {}
    for step in steps:
        record = step[1]
        event, call = record["event"], record.get("call")
        if event == "enter":
            within = record.get("within")
            makers[record["call"]] = ("call", within) if within else ("thread", (record["cage"], record.get("tid", 1)))
        known = makers.get(call) if call is not None else None
        whose = known or ("run" if event == "outcome" else "thread", (record.get("cage"), record.get("tid", 1)))
        found.setdefault(whose, []).append(step)
    return list(found.values())


def replay(start: Course, steps: Sequence[Step], bounds: Bounds) -> tuple[Search, Step | None]:
    """All ways from ``start`` through ``steps``; the step that no state can show, if there is one. Raises
    `OutOfBoundsError`.
    """
    search = Search(bounds, [start], alone(steps))
    for one in steps:
        if not search.step(one[1], one[2]):
            return search, one
    return search, None

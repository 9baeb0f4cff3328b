"""All ways to go on: a set of model states, each thing seen leaving those that can show it (JUDGE-8).

A call takes effect at some moment between its entering and its coming back. So a call that enters while others are
under way is put off, until it comes back or something is seen that has to do with it; then those of the others that
have to do with that may go first, in any order (`apart`). A call that took effect before it came back has its result,
which must be the one that will be seen. Whatever the model may do in more than one way is done in each. States that are
equal, and wait for the same, are one, and of two of which one can still become the other that one is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lindref import classes
from lindref.conformance.oracle.apart import Apart, Move, moves
from lindref.conformance.oracle.attempt import ANYTHING, Attempt, fork
from lindref.conformance.oracle.course import Course
from lindref.conformance.oracle.verdict import Bounds, Contradiction
from lindref.explore import turn
from lindref.explore.watch.footprint import Footprint
from lindref.system import state as states
from lindref.trace.format import Record

#: One event of a trace: its line, itself, and the end of a call that enters where that is known.
Step = tuple[int, Record, Record | None]
#: Events that need nothing of the model.
_QUIET = frozenset({"choice", "memory", "note", "input"})
_EVERYTHING = Footprint(ANYTHING, ANYTHING, ANYTHING)


class OutOfBoundsError(Exception):
    """More states, or more work, than was allowed."""


@classes.define
class Search:
    """The states that can have shown what was seen so far."""

    bounds: Bounds
    courses: list[Course]
    most: int = 1
    work: int = 0
    #: Why the first of the states that were given up could not go on.
    why: Contradiction | None = None
    _apart: Apart = classes.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._apart = Apart(self._spend)

    def _spend(self) -> None:
        self.work += 1
        if self.work > self.bounds.work:
            raise OutOfBoundsError(f"more than {self.bounds.work} steps")

    def step(self, record: Record, later: Record | None) -> bool:
        """Take one event; whether any state can show it. Raises `OutOfBoundsError`."""
        self.why = None
        if record["event"] in _QUIET:
            return True
        self._apart.forget(self.courses)
        found: list[Course] = []
        for course in self.courses:
            found += self._ways(course, record, later)
        self.courses = self._merged(found)
        self.most = max(self.most, len(self.courses))
        return bool(self.courses)

    def _merged(self, found: Sequence[Course]) -> list[Course]:
        """Equal states are one."""
        if len(found) < 2:
            return list(found)
        kept = self._latest(list({key(course): course for course in reversed(found)}.items())[::-1])
        if len(kept) > self.bounds.states:
            raise OutOfBoundsError(f"more than {self.bounds.states} states")
        return kept

    def _latest(self, found: list[tuple[object, Course]]) -> list[Course]:
        """Of states that one can be reached from another, that one: what was done early can be done later as well."""
        reached: set[object] = set()
        wanted = {what for what, _ in found}
        if len(found) > 1:
            for what, course in sorted(found, key=lambda one: -len(one[1].put_off)):
                for move in moves(course):
                    reached |= {key(after) for after in self._apart.move(course, move).after} & (wanted - {what})
        return [course for what, course in found if what not in reached]

    def taken_why(self) -> Contradiction | None:
        """Why a state could not go on, since last asked."""
        why, self.why = self.why, None
        return why

    @property
    def settled(self) -> bool:
        """Whether there is but one state, and nothing is put off in it."""
        return len(self.courses) == 1 and not self.courses[0].put_off

    def _ways(self, course: Course, record: Record, later: Record | None) -> Sequence[Course]:
        """The states after ``record``."""
        event, call = record["event"], record.get("call", -1)
        if event == "enter" and course.may_wait(record):
            course.puts_off(record, later)
            return [course]
        if event == "route" and call in course.put_off:
            course.sees_route(record)
            return [course]
        if event == "exit":
            target: Move | None = ("call", call) if call in course.put_off else None
            return self._after(course, lambda one: one.comes_back(record), target)
        return self._shown(course, record, later)

    def _shown(self, course: Course, record: Record, later: Record | None) -> Sequence[Course]:
        """The same of what is no end of a call: it shows what was done already, or what is under way."""

        def act(one: Course) -> None:
            one.step(record, later)

        found = self._try(course, act)
        if found.after:
            return self._after(course, act, None, found)
        if record["event"] in ("spawn", "exec", "end"):
            here = (record["cage"], record.get("tid", 1))
            for call, held in course.put_off.items():
                if (held.record["cage"], held.record.get("tid", 1)) == here:
                    ways = self._after(course, lambda one, call=call: one.takes_effect(call), ("call", call))  # type: ignore[misc]
                    shown = [after for one in ways for after in self._try(one, act).after]
                    if shown:
                        return shown
        return self._after(course, act, None, found, _EVERYTHING)

    def _try(self, course: Course, act: Callable[[Course], None]) -> Attempt:
        found = self._apart.tried(course, act)
        self._refused(found.why)
        return found

    def _refused(self, why: Contradiction | None) -> None:
        """Why a state cannot go on: the first reason, but for one that says what a call told."""
        if why is not None and (self.why is None or (why.told and not self.why.told)):
            self.why = why

    def _after(
        self,
        course: Course,
        act: Callable[[Course], None],
        target: Move | None,
        first: Attempt | None = None,
        more: Footprint = Footprint(),  # noqa: B008  # a value
    ) -> list[Course]:
        """The states after ``act``, before which whatever has to do with it may be done, in any order. ``target``: the
        move that is in ``act``; ``first``: what came of it in ``course``; ``more``: what else it has to do with.
        """
        after: list[Course] = []
        todo = [course]
        seen: set[object] = set()
        while todo:
            one = todo.pop()
            found = first if first is not None and one is course else self._try(one, act)
            after += found.after
            for move in self._apart.before(one, found.touched | more, target):
                moved = self._apart.move(one, move)
                self._refused(moved.why)
                for other in moved.after:
                    seen = seen or {key(course)}
                    what = key(other)
                    if what not in seen:
                        seen.add(what)
                        todo.append(other)
        return after

    def tried(self, course: Course, act: Callable[[Course], None]) -> Iterable[Course]:
        """``act`` done from ``course``, in each way that the model's choices allow."""
        return self._try(course, act).after


def key(course: Course) -> object:
    """What two states have in common that have the same future."""
    system = course.system
    return (turn.key(states.freeze(system), ordered=False), system.outcome, *course.waits_for())


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


def replay(start: Sequence[Course], steps: Iterable[Step], bounds: Bounds) -> tuple[Search, Step | None]:
    """All ways from ``start`` through ``steps``; the step that no state can show, if there is one. Raises
    `OutOfBoundsError`.
    """
    search = Search(bounds, [fork(course) for course in start])
    for one in steps:
        if not search.step(one[1], one[2]):
            return search, one
    return search, None

"""Independent objects are judged apart: which of the calls under way have to do with each other (JUDGE-8).

Two things that touch nothing which either changes may be done in either order, with the same state in the end (EXP-6).
So before something is seen to happen only those need go first that it has to do with, directly or through others; all
else may as well come later. What a call may touch can depend on what others do before: that is tried, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from lindref.conformance.oracle.attempt import Attempt, attempt
from lindref.conformance.oracle.course import Course
from lindref.explore.watch.footprint import Footprint, Places
from lindref.system.threads import Blocked, Retry

#: What a state may do of itself: a call that was put off takes effect, or a thread tries its call again.
Move = tuple[str, int]
#: Most sequences of a group of calls that are tried to learn what they may touch.
_MOST = 64
_EVERYTHING = Footprint(-1, -1, -1)
#: Most places that are told apart at a time.
_PLACES = 20_000


def moves(course: Course) -> list[Move]:
    """All that ``course`` may do of itself."""
    retries = [("retry", thread.key) for thread in course.system.threads.values() if isinstance(thread.status, Retry)]
    return [*(("call", call) for call in course.put_off), *retries]


class Apart:
    """What moves lead to and touch, remembered with the states they are made from. ``spend`` is told of each try."""

    def __init__(self, spend: Callable[[], None]) -> None:
        self.places = Places()
        self.spend = spend

    def forget(self, courses: Iterable[Course]) -> None:
        """Begin anew with places, once there are many: most belong to what is gone."""
        if len(self.places.bits) > _PLACES:
            self.places = Places()
            for course in courses:
                course.tried.clear()
                course.touched.clear()
                course.reaches.clear()

    def tried(self, course: Course, act: Callable[[Course], None]) -> Attempt:
        """``act`` done from ``course``; what has nothing to do with it touches the same after it."""
        noting = bool(course.put_off) or len(course.system.threads) > 1
        found = attempt(course, act, self.places, self.spend, noting=noting)
        for after in found.after:
            after.touched.update(_apart(course.touched, found.touched))
            after.reaches.update(_apart(course.reaches, found.touched))
        return found

    def move(self, course: Course, move: Move) -> Attempt:
        """A move made from ``course``."""
        known: Attempt | None = course.tried.get(move)
        if known is None:
            kind, number = move
            act = (lambda one: one.takes_effect(number)) if kind == "call" else (lambda one: one.retries(number))
            found = self.tried(course, act)
            course.touched[move] = self._with_order(course, move, found.touched)
            known = course.tried[move] = Attempt(found.after, course.touched[move], found.why)
        return known

    def _with_order(self, course: Course, move: Move, touched: Footprint) -> Footprint:
        """A call that serves another, or is its thread's first, needs that to have taken effect."""
        if move[0] != "call":
            return touched
        record = course.put_off[move[1]].record
        reads, bit = touched.reads, self.places.bit
        within = record.get("within")
        if within in course.put_off:
            reads = bit(("call", within))
        elif (record["cage"], record.get("tid", 1)) not in course.names.threads:
            reads = bit(("threads",))
        return Footprint(reads, touched.changes | bit(("call", move[1])), touched.adds)

    def touched(self, course: Course, move: Move) -> Footprint:
        """What a move touches."""
        known = course.touched.get(move)
        return self.move(course, move).touched if known is None else known

    def before(self, course: Course, touched: Footprint, target: Move | None) -> list[Move]:
        """The moves that may have to come before something that touches ``touched``, or is the move ``target``."""
        outside = [move for move in moves(course) if move != target]
        inside: list[Move] = []
        while outside:
            met = [
                move
                for group in self._groups(course, outside)
                if self._reach(course, group).meets(touched)
                for move in group
            ]
            if not met:
                break
            inside += met
            outside = [move for move in outside if move not in met]
            for move in met:
                touched |= self.touched(course, move)
        return inside

    def _groups(self, course: Course, those: Iterable[Move]) -> list[frozenset[Move]]:
        """Those moves, as groups that have nothing to do with each other, whatever they do before."""
        groups = [frozenset([move]) for move in those]
        merged = True
        while merged:
            merged = False
            kept: list[frozenset[Move]] = []
            for group in groups:
                reach = self._reach(course, group)
                near = [other for other in kept if self._reach(course, other).meets(reach)]
                merged = merged or bool(near)
                kept = [other for other in kept if other not in near] + [group.union(*near)]
            groups = kept
        return groups

    def _reach(self, course: Course, group: frozenset[Move]) -> Footprint:
        """All that the moves of a group may touch, in whatever order."""
        if len(group) == 1:
            touched = self.touched(course, *group)
            if not touched.changes & self._woken(course):
                return touched
        found = course.reaches.get(group)
        if found is None:
            found = course.reaches[group] = self._explored(course, group)
        return found

    def _woken(self, course: Course) -> int:
        """The places that are changed by what ends somebody's wait."""
        found = 0
        for thread in course.system.threads.values():
            if isinstance(thread.status, Blocked):
                found |= self.places.bit(("woken", thread.key))
        return found

    def _explored(self, course: Course, group: frozenset[Move]) -> Footprint:
        """As ``_reach``: by trying; those whose wait the group ends belong to it."""
        others = frozenset(moves(course)) - group
        touched = Footprint()
        todo, tries = [course], 0
        while todo:
            one = todo.pop()
            for move in moves(one):
                if move not in others:
                    found = self.move(one, move)
                    touched |= found.touched
                    todo += found.after
            tries += 1
            if tries > _MOST:
                return _EVERYTHING
        return touched


K = TypeVar("K")


def _apart(known: Mapping[K, Footprint], touched: Footprint) -> dict[K, Footprint]:
    """What of ``known`` is as it was after something that touched ``touched``."""
    return {what: print_ for what, print_ in known.items() if not print_.meets(touched)}


__all__ = ["Apart", "Move", "moves"]

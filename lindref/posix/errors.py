"""The errors of a call as a set: every condition that holds, and the order that picks one.

A specification lets a call report any error that holds; an implementation checks in one order. So a handler adds all
its conditions first and asks once.
"""

from __future__ import annotations

from collections.abc import Sequence

from lindref.posix.result import Done, Failure


class ErrorSet:
    """The errors that hold for one call, in documented order."""

    __slots__ = ("_failures",)

    def __init__(self) -> None:
        self._failures: list[Failure] = []

    def add(self, condition: bool, errno: int, rule: str) -> bool:
        """Note error ``errno`` (positive) of ``rule`` when ``condition`` holds; returns ``condition``."""
        if condition:
            self._failures.append(Failure(errno, rule))
        return condition

    def __bool__(self) -> bool:
        """Whether any error holds."""
        return bool(self._failures)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Every error that holds, in the order added."""
        return tuple(self._failures)

    def first(self, order: Sequence[str] = ()) -> Done | None:
        """The failed result, or None without errors. Rules named in ``order`` come first, in that order; then the
        order of adding, which is the documented one.
        """
        if not self._failures:
            return None
        rank = {rule: index for index, rule in enumerate(order)}
        chosen = min(self._failures, key=lambda failure: rank.get(failure.rule, len(rank)))
        return Done(-chosen.errno, failures=self.failures)


def fail(errno: int, rule: str) -> Done:
    """The result of a call with the single error ``errno``."""
    return Done(-errno, failures=(Failure(errno, rule),))

"""Threads of a script, one after another: round robin, sleepers in queues, time that jumps when all sleep.

A session is a generator that yields wherever another may go on: when its ticks are used up, and while it sleeps.
"""

from __future__ import annotations

from collections.abc import Generator

from lindref import classes
from lindref.vm.memory import Memory

#: Ticks that a thread runs before it is another's turn.
SLICE = 50

#: What a sleeper is told: woken, timed out (the results of ``memory.atomic.wait``), or that nobody can ever wake it.
WOKEN, TIMED_OUT, DEADLOCK = 0, 2, -1


@classes.define(eq=False)
class Sleeper:
    """A thread that sleeps on an address until ``deadline`` (ns of the script's own time, ``None``: for ever)."""

    memory: Memory
    address: int
    deadline: int | None
    answer: int | None = None


@classes.define(eq=False)
class Task:
    """One thread of a script: its generator, and what it is waiting for."""

    steps: Generator[None, None, None]
    waits: Sleeper | Task | None = None
    done: bool = False

    @property
    def ready(self) -> bool:
        """Whether it can go on."""
        if isinstance(self.waits, Task):
            return self.waits.done
        return not self.done and (self.waits is None or self.waits.answer is not None)


class Schedule:
    """The threads of a script."""

    def __init__(self) -> None:
        self._tasks: list[Task] = []
        self._asleep: list[Sleeper] = []
        self._now = 0

    def add(self, steps: Generator[None, None, None]) -> Task:
        """A new thread; it gets its turn after those that are there."""
        task = Task(steps)
        self._tasks.append(task)
        return task

    @property
    def ticks(self) -> int | None:
        """For how many ticks a thread may run: without end when it is alone."""
        alone = sum(not task.done for task in self._tasks) <= 1
        return None if alone else SLICE

    def sleep(self, task: Task, memory: Memory, address: int, timeout: int | None) -> Sleeper:
        """A thread goes to sleep: it must yield, and go on when there is an ``answer``."""
        sleeper = Sleeper(memory, address, None if timeout is None else self._now + timeout)
        self._asleep.append(sleeper)
        task.waits = sleeper
        return sleeper

    def notify(self, memory: Memory, address: int, count: int) -> int:
        """Wakes at most ``count`` of those asleep on an address, those first that slept first; how many."""
        woken = [s for s in self._asleep if s.memory is memory and s.address == address][:count]
        for sleeper in woken:
            self._wake(sleeper, WOKEN)
        return len(woken)

    def _wake(self, sleeper: Sleeper, answer: int) -> None:
        sleeper.answer = answer
        self._asleep.remove(sleeper)

    def run(self) -> None:
        """Runs all threads to their ends."""
        while any(not task.done for task in self._tasks):
            progress = False
            for task in list(self._tasks):
                if task.ready:
                    progress = True
                    self._turn(task)
            if not progress:
                self._jump()

    def _turn(self, task: Task) -> None:
        """Lets a thread go on until it yields."""
        task.waits = None
        try:
            next(task.steps)
        except StopIteration:
            task.done = True

    def _jump(self) -> None:
        """Nobody can go on: time jumps to the next deadline, or (there is none) all learn that they sleep for ever."""
        asleep = list(self._asleep)
        assert asleep, "a thread waits for another only while that one sleeps"
        deadlines = [s.deadline for s in asleep if s.deadline is not None]
        if deadlines:
            self._now = min(deadlines)
        for sleeper in asleep:
            if not deadlines:
                self._wake(sleeper, DEADLOCK)
            elif sleeper.deadline is not None and sleeper.deadline <= self._now:
                self._wake(sleeper, TIMED_OUT)

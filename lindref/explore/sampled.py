"""Some schedules: at random, or with random priorities of threads that change at a few places (PCT). Rule EXP-5."""

from __future__ import annotations

import random
from collections.abc import Callable

from lindref.explore.outcomes import Outcomes, result_of
from lindref.explore.turn import TurnChooser, branch
from lindref.system import schedule
from lindref.system import state as states
from lindref.system.choices import Seeded
from lindref.system.system import System


def at_random(system: System, runs: int, seed: int, progress: Callable[[int], None] | None = None) -> Outcomes:
    """``runs`` runs from the present state, each choice point answered at random, by ``seed`` and the run's number."""
    start = states.freeze(system)
    outcomes = Outcomes()
    for number in range(runs):
        one = branch(start, system)
        one.choices.chooser = Seeded(seed * 1_000_003 + number)
        one.run()
        outcomes.add(result_of(one), answers_of(one))
        if progress is not None:
            progress(number + 1)
    return outcomes


def with_priorities(
    system: System, runs: int, seed: int, depth: int = 3, progress: Callable[[int], None] | None = None
) -> Outcomes:
    """``runs`` runs in which the thread of the highest priority runs; priorities are drawn at random when a thread is
    first seen, and ``depth`` - 1 times in a run that of the running thread drops below all others. A failure that needs
    ``depth`` ordered events is found with a probability of at least 1 in n·k^(depth-1) (n threads, k turns).
    """
    start = states.freeze(system)
    outcomes = Outcomes()
    length = 1
    for number in range(runs):
        source = random.Random(f"{seed}/{number}")
        one = branch(start, system)
        length = max(length, _priority_run(one, source, depth, length))
        outcomes.add(result_of(one), answers_of(one))
        if progress is not None:
            progress(number + 1)
    return outcomes


def _priority_run(system: System, source: random.Random, depth: int, length: int) -> int:
    """One run; how many turns it had."""
    drops = sorted(source.randrange(length) for _ in range(depth - 1))
    priority: dict[int, float] = {}
    turns = 0
    while system.outcome is None:
        order = schedule.candidates(system)
        for thread in order:
            priority.setdefault(thread.key, source.random())
        if drops and turns >= drops[0]:
            drops.pop(0)
            if system.current in priority:
                priority[system.current] = min(priority.values()) - 1
        best = max(range(len(order)), key=lambda i: priority[order[i].key], default=0)
        system.choices.chooser = TurnChooser((best,) if len(order) > 1 else ())
        system.step()
        turns += 1
    return turns


def answers_of(system: System) -> tuple[int, ...]:
    """All answers of a run so far."""
    answers = [0] * system.choices.state.count
    for index, answer in system.choices.state.answers.items():
        answers[index] = answer
    return tuple(answers)

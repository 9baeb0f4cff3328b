"""Some schedules: at random, or with random priorities of threads that change at a few places (PCT). Rule EXP-5.

Each run is a function of the first state, the plan and the run's number, so that it does not matter who makes it.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from lindref import classes
from lindref.explore.outcomes import Outcomes, Result, result_of, trimmed
from lindref.explore.turn import TurnChooser, branch
from lindref.system import schedule
from lindref.system import state as states
from lindref.system.choices import Seeded
from lindref.system.state import SystemState
from lindref.system.system import System

#: What a run came to, and all its answers.
Sample = tuple[Result, tuple[int, ...]]

#: So many turns of the plain run say how long a run is, at most.
_LONGEST = 100_000

#: Who has had so many turns while others could run goes round and round: its priority drops below all others.
_PATIENCE = 2_000


@classes.frozen
class Plan:
    """How runs are made: ``strategy`` is ``random`` or ``pct``; of the latter ``depth`` is how many ordered events a
    failure takes, and ``length`` how many turns a run has (``measured``).
    """

    strategy: str
    seed: int
    depth: int = 3
    length: int = 1


def measured(plan: Plan, system: System) -> Plan:
    """The plan with the length of the run that begins in the present state and has no answer other than 0."""
    if plan.strategy != "pct":
        return plan
    one = branch(states.freeze(system), system)
    turns = 0
    while turns < _LONGEST and one.step():
        turns += 1
    return classes.evolve(plan, length=max(turns, 1))


def sample(start: SystemState, like: System, plan: Plan, number: int) -> Sample:
    """Run ``number`` (from 0) of a plan, from ``start``; images are lent by ``like``."""
    one = branch(start, like)
    if plan.strategy == "random":
        one.choices.chooser = Seeded(plan.seed * 1_000_003 + number)
        one.run()
    else:
        _priority_run(one, random.Random(f"{plan.seed}/{number}"), plan)
    return result_of(one), trimmed(answers_of(one))


def _priority_run(system: System, source: random.Random, plan: Plan) -> None:
    """The thread of the highest priority runs. Priorities are drawn at random when a thread is first seen, and
    ``depth`` - 1 times in a run that of the running thread drops below all others. A failure that needs ``depth``
    ordered events is found with a probability of at least 1 in n·k^(depth-1) (n threads, k turns).
    """
    drops = sorted(source.randrange(plan.length) for _ in range(plan.depth - 1))
    priority: dict[int, float] = {}
    turns = alone = last = 0
    while system.outcome is None:
        order = schedule.candidates(system)
        for thread in order:
            priority.setdefault(thread.key, source.random())
        if (drops and turns >= drops[0]) or alone >= _PATIENCE:
            if drops and turns >= drops[0]:
                drops.pop(0)
            alone = 0
            if system.current in priority:
                priority[system.current] = min(priority.values()) - 1
        best = max(range(len(order)), key=lambda i: priority[order[i].key], default=0)
        system.choices.chooser = TurnChooser((best,) if len(order) > 1 else ())
        system.step()
        turns += 1
        alone = alone + 1 if len(order) > 1 and system.current == last else 0
        last = system.current


def at_random(system: System, runs: int, seed: int) -> Outcomes:
    """``runs`` runs from the present state, each choice point answered at random, by ``seed`` and the run's number."""
    return _all(system, runs, Plan("random", seed))


def with_priorities(system: System, runs: int, seed: int, depth: int = 3) -> Outcomes:
    """``runs`` runs from the present state with random priorities of threads."""
    return _all(system, runs, Plan("pct", seed, depth))


def _all(system: System, runs: int, plan: Plan) -> Outcomes:
    start = states.freeze(system)
    plan = measured(plan, system)
    outcomes = Outcomes()
    for number in range(runs):
        outcomes.add(*sample(start, system, plan, number))
    return outcomes


def answers_of(system: System) -> tuple[int, ...]:
    """All answers of a run so far."""
    answers = [0] * system.choices.state.count
    for index, answer in system.choices.state.answers.items():
        answers[index] = answer
    return tuple(answers)


#: Told how many runs there have been.
Progress = Callable[[int], None]

"""Lesson *fork*: two children work out a digit each."""

from __future__ import annotations

from pathlib import Path

from lindref.lessons.checks.schedules import Kept, booted, outcomes, told
from lindref.lessons.exercises import Verdict, failed, passed, program
from lindref.system.events import Spawn


def check(path: Path) -> Verdict:
    """42 in every schedule, from two children."""
    with program(path) as wasm:
        system = booted(wasm)
        kept = Kept()
        system.observers.append(kept)
        system.run()
        forks = sum(isinstance(event, Spawn) for event in kept.events)
        if forks != 2:
            return failed(f"the digits are to come from two children; the program forked {forks} times")
        found = outcomes(booted(wasm), preemptions=None)
    for result, how in found:
        if (result.stdout, result.exit_status) != (b"42\n", 0):
            return failed("there is a schedule in which it does not print 42", *told(result, how, path, "none"))
    return passed(f"42 in each of {sum(how.count for _, how in found)} schedules")

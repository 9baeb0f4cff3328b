"""Lesson *race*: the last ticket is sold once."""

from __future__ import annotations

from pathlib import Path

from lindref.lessons.checks.schedules import Kept, booted, outcomes, told
from lindref.lessons.exercises import Verdict, failed, passed, program
from lindref.system.events import Spawn

#: Preemptions in one schedule; nearly all races show with one.
PREEMPTIONS = 1


def check(path: Path) -> Verdict:
    """``sold 1`` in every schedule that takes the processor from a thread once, between any two accesses to memory."""
    with program(path) as wasm:
        system = booted(wasm, accesses="shared")
        kept = Kept()
        system.observers.append(kept)
        system.run()
        if not any(isinstance(event, Spawn) and event.child_tid > 1 for event in kept.events):
            return failed("there are to be two clerks; the program makes no thread")
        found = outcomes(booted(wasm, accesses="shared"), preemptions=PREEMPTIONS)
    for result, how in found:
        if (result.stdout, result.exit_status) != (b"sold 1\n", 0):
            return failed("there is a schedule in which it goes wrong", *told(result, how, path, "shared"))
    return passed(f"one ticket is sold in each of {sum(how.count for _, how in found)} schedules")

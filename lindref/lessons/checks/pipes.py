"""Lesson *pipes*: a child counts what comes through a pipe."""

from __future__ import annotations

from pathlib import Path

from lindref.lessons.checks.schedules import Kept, booted
from lindref.lessons.exercises import Verdict, failed, passed, program
from lindref.posix import console
from lindref.system.choices import Seeded
from lindref.system.events import Enter

#: Sizes of standard input; a pipe holds 65,536 bytes.
SIZES = (0, 1, 10, 4096, 4097, 65_536, 65_537, 100_000)


def check(path: Path) -> Verdict:
    """Every byte is counted, by the child, and all ends, whoever runs first."""
    runs = 0
    with program(path) as wasm:
        for size in SIZES:
            for seed in (None, 1, 2):
                system = booted(wasm, stdin=b"x" * size)
                if seed is not None:
                    system.choices.chooser = Seeded(seed)
                kept = Kept()
                system.observers.append(kept)
                outcome = system.run()
                runs += 1
                out = console.output(system.kernel, console.STDOUT).decode("utf-8", "backslashreplace")
                case = (f"  standard input: {size} bytes", f"  schedule: {system.choices.schedule() or 'the plainest'}")
                if outcome.ending != "exit":
                    text = [f"    {line}" for line in outcome.text.splitlines()]
                    return failed("it does not come to its end", *case, f"  {outcome.ending}:", *text)
                if out != f"{size}\n":
                    return failed("the number is wrong", *case, f"  it writes {out!r}")
                if any(e.name == "write" and e.args[0][0] == 1 and e.cage == 1 for e in _enters(kept)):
                    return failed("it is the child that is to count and to print", *case)
    return passed(f"all bytes of {len(SIZES)} inputs were counted, in {runs} runs")


def _enters(kept: Kept) -> list[Enter]:
    return [event for event in kept.events if isinstance(event, Enter)]

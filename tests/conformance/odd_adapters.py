"""Implementations that go wrong, each in its own way."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import attrs

from lindref import classes
from lindref.conformance.adapters import Case, Description, NotApplicable, Observed
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.vectors.image import all_steps


class Plain(Lindref):
    """As lindref, without traces."""

    def describe(self) -> Description:
        return classes.evolve(super().describe(), name="plain", observes=frozenset())

    def run(self, case: Case) -> Observed:
        return classes.evolve(super().run(case), trace=None)


class Odd(Plain):
    """Right but for the cases that end in a word."""

    def run(self, case: Case) -> Observed:
        wrong: dict[str, Callable[[], object]] = {
            "hello": lambda: os.kill(os.getpid(), signal.SIGSEGV),
            "getopt": lambda: time.sleep(600),
            "matrix": lambda: 1 // 0,
            "life": lambda: os._exit(3),
        }
        name = case.id.rsplit(".", maxsplit=1)[-1]
        if name in wrong:
            wrong[name]()
        if name == "calendar":
            raise NotApplicable("no calendar here")
        if name == "integers":
            return Observed()
        if name == "sha256":
            return "nothing"  # type: ignore[return-value]
        seen = super().run(case)
        return classes.evolve(seen, stdout=b"other\n") if name == "strings" else seen


class NoTrace(Plain):
    """Says that it traces, and does not."""

    def describe(self) -> Description:
        return classes.evolve(super().describe(), observes=frozenset({"enter", "exit"}))


class BadTrace(Lindref):
    """Its traces are cut off."""

    def run(self, case: Case) -> Observed:
        seen = super().run(case)
        assert isinstance(seen.trace, bytes)
        return classes.evolve(seen, trace=seen.trace[: len(seen.trace) // 2])


class WrongErrno(Lindref):
    """Every ENOENT is an EACCES, in the trace only."""

    def run(self, case: Case) -> Observed:
        seen = super().run(case)
        assert isinstance(seen.trace, bytes)
        return classes.evolve(seen, trace=seen.trace.replace(b'"ret":-2,', b'"ret":-13,'))


class Few(Plain):
    """Neither forks nor serves grates."""

    def describe(self) -> Description:
        few = frozenset({"stdin", "signals"})
        return classes.evolve(super().describe(), features=few, lacks={"fork": "one process only"})


class NoConstructor:
    def __init__(self) -> None:
        raise OSError("nothing here")


class NoDescription(Plain):
    def describe(self) -> Description:
        return attrs.asdict(super().describe())  # type: ignore[return-value]


class WrongSeek(Lindref):
    """A model in which seeking to before the start of a file is let through; its traces are not looked at."""

    def describe(self) -> Description:
        return classes.evolve(super().describe(), name="seeks", observes=frozenset())

    def run(self, case: Case) -> Observed:
        seen = classes.evolve(super().run(case), trace=None)
        if seen.seen is None or case.script is None:
            return seen
        seeks = {step["id"] for step in all_steps(case.script) if step.get("name") == "lseek"}
        log = [{**e, "ret": 0} if e["step"] in seeks and e["ret"] == -22 else e for e in seen.seen["log"]]
        return classes.evolve(seen, seen={**seen.seen, "log": log})


class Fragile(WrongSeek):
    """As that, and it dies of short scripts."""

    def run(self, case: Case) -> Observed:
        if case.script is not None and len(list(all_steps(case.script))) < 5:
            os._exit(9)
        return super().run(case)


class Wrong(Lindref):
    """A model whose scripts show one wrong thing: what ``change`` makes of an entry and its step."""

    def describe(self) -> Description:
        return classes.evolve(super().describe(), name="wrong", observes=frozenset())

    def run(self, case: Case) -> Observed:
        seen = classes.evolve(super().run(case), trace=None)
        if seen.seen is None or case.script is None:
            return seen
        steps = {step["id"]: step for step in all_steps(case.script)}
        log = [{**entry, **self.change(entry, steps[entry["step"]])} for entry in seen.seen["log"]]
        return classes.evolve(seen, seen={**seen.seen, "log": log})

    def change(self, entry: dict, step: dict) -> dict:
        raise AssertionError


class WrongStatus(Wrong):
    """wait4 tells the code of a child, not its status."""

    def change(self, entry: dict, step: dict) -> dict:
        found = entry.get("dump")
        if step.get("name") == "wait4" and found and isinstance(found[0], list) and found[0][0] > 255:
            return {"dump": [[found[0][0] >> 8]]}
        return {}


class WrongCopy(Wrong):
    """dup gives the descriptor that it was given."""

    def change(self, entry: dict, step: dict) -> dict:
        ok = step.get("name") == "dup" and isinstance(entry["ret"], int) and entry["ret"] >= 0
        return {"ret": 0} if ok else {}

"""An adapter of a conformance campaign as what statements about whole runs (``lindref.properties``) are tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.find import described
from lindref.conformance.adapters.interface import Adapter, AdapterError, NotApplicable, Observed
from lindref.conformance.scripts.from_steps import Translated, translate
from lindref.posix.table import NUMBERS
from lindref.profile import by_name
from lindref.properties.runs import Made, Seen
from lindref.properties.statements import NotRelevant
from lindref.system.python.grate import Grate

#: Calls whose result is the id of a cage.
_CAGES = frozenset(NUMBERS[name] for name in ("getpid", "getppid", "clone", "wait4"))


class AdapterRuns:
    """An adapter as ``lindref.properties.Runs``: scripts and grates are played as vectors.

    The implementation runs by its own schedule: the one that is drawn is not for it, and what is seen is what the
    script's own steps tell. What it cannot do raises ``NotRelevant``; so does, in ``check``, a statement that looks at
    something of ``lacks``, or does not hold with the ``deviations`` of the profile that it is held against. Raises
    ``AdapterError`` for one that takes no scripts.
    """

    lacks = frozenset({"routes", "order", "schedule"})

    def __init__(self, adapter: Adapter, name: str = "adapter") -> None:
        self.adapter = adapter
        self.described = described(adapter, name)
        if "script" not in self.described.kinds:
            why = self.described.lacks.get("script", "it does not say so")
            raise AdapterError(f"adapter {name}: it takes no scripts ({why})")
        self.deviations = by_name(self.described.profile).deviations
        self._first = True

    def run(
        self,
        steps: tuple[Any, ...],
        grates: Sequence[Grate] = (),
        answers: tuple[int, ...] = (),
        workers: int = 32,
        files: Mapping[str, bytes] | None = None,
    ) -> Seen:
        """See ``Runs``. A run that does not end, or ends by a fault of the runtime, is an ``AssertionError``."""
        del answers
        if files:
            raise NotRelevant("programs in wasm are not translated")
        translated = translate(steps, grates, workers)
        case = Case(translated.vector.id, script=translated.vector)
        reason = self.described.why_not(case, translated.needs)
        if reason:
            raise NotRelevant(reason)
        reset = getattr(self.adapter, "reset", None)
        if reset is not None and not self._first:
            reset()
        self._first = False
        try:
            observed = self.adapter.run(case)
        except NotApplicable as error:
            raise NotRelevant(str(error)) from None
        return _seen(translated, observed)


def _seen(translated: Translated, observed: Observed) -> Seen:
    """What the script itself did, with the numbers of cages that it would have without grates."""
    if observed.seen is None or observed.stdout is None:
        raise NotRelevant("no results of a script's steps, or no output, are observed")
    outcome = observed.seen["outcome"]
    assert outcome in ("exit", "signal", "trap"), f"the run ended otherwise: {outcome}"
    status = observed.status
    calls: list[Made] = []
    for entry in observed.seen["log"]:
        if entry["step"] == translated.status:
            (wait,) = entry["dump"][0]
            status = wait >> 8 & 255 if wait & 127 == 0 else 128 + (wait & 127)
        number = translated.numbers.get(entry["step"])
        if number is None or "ret" not in entry or "in" in entry:
            continue
        cage, result = entry["cage"] - translated.grates, entry["ret"]
        if not isinstance(result, int):
            raise NotRelevant(f"a result is told as {result!r}")
        if number in _CAGES and result > 0:
            result = max(result - translated.grates, 1)
        calls.append(Made(len(calls) + 1, cage, number, cage, (), 0, None, result))
    if status is None:
        raise NotRelevant("no exit status is observed")
    return Seen(tuple(calls), observed.stdout, status, (), ())

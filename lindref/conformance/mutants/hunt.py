"""Finding mutants out: scripts are played by each as an implementation under test, and judged (JUDGE-9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import zip_longest

from lindref import classes
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Description, Observed
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.campaign import observations
from lindref.conformance.campaign.reference import Reference
from lindref.conformance.campaign.result import Status
from lindref.conformance.mutants.ordinary import ORDINARY
from lindref.conformance.mutants.patch import Mutant
from lindref.conformance.oracle.judge import judge
from lindref.conformance.oracle.scripts import world_of
from lindref.conformance.oracle.verdict import Bounds, Judgement, Verdict
from lindref.conformance.oracle.why import Why
from lindref.conformance.scripts.generate import SUBJECTS, script
from lindref.conformance.scripts.shrink import shrunk, size
from lindref.conformance.vectors.compare import Row
from lindref.conformance.vectors.model import Vector
from lindref.posix.table import CALLS
from lindref.profile import Profile, by_name

#: Scripts that are tried on a mutant, and for a smaller one.
MOST, MOST_SHRINKS = 400, 60
#: Steps that judging one run may try besides the trace's own.
WORK = 5_000
#: Seeds of generated scripts that are tried for each subject, and how many calls a script has.
SEEDS, SIZE = 60, 14


class MutantAdapter(Lindref):
    """A mutant as an implementation under test: the model, with the fault in it for as long as it runs."""

    def __init__(self, mutant: Mutant, profile: str = "lind") -> None:
        super().__init__(profile, player="direct")
        self.mutant = mutant

    def describe(self) -> Description:
        """As the model, under its own name."""
        return classes.evolve(super().describe(), name=f"mutant {self.mutant.name}")

    def run(self, case: Case) -> Observed:
        """Run it on the model with the fault."""
        with self.mutant.patch():
            return super().run(case)


@classes.frozen
class Caught:
    """How a mutant was found out: the script, the verdict's rule and words, whether the trace alone shows it, and how
    many calls the trace has up to there.
    """

    script: Vector
    rule: str
    what: str
    by_trace: bool
    calls: int


@classes.frozen
class Report:
    """What became of a mutant. ``tried``: scripts that were played."""

    mutant: Mutant
    caught: Caught | None
    tried: int


def find_out(mutant: Mutant, vector: Vector, profile: Profile, *, outcome: bool = True) -> Caught | None:
    """Play a script on the mutant; how that shows the fault, ``None`` where it does not. Without ``outcome`` only what
    the trace shows counts.
    """
    case = Case(vector.id, script=vector)
    try:
        seen = MutantAdapter(mutant, profile.name).run(case)
    except (AssertionError, LookupError, AttributeError, ValueError, RecursionError, TypeError) as error:
        # A fault that the model itself cannot live with: any user would see it.
        return Caught(vector, "RUN-1", f"the implementation stops: {type(error).__name__}", by_trace=False, calls=0)
    found = _judged(seen, vector, profile)
    if found.verdict is Verdict.FORBIDDEN:
        if not _judged(Lindref(profile.name, player="direct").run(case), vector, profile).allowed:
            return None  # the model without a fault is refused, too: that says nothing
        return Caught(vector, found.rule, found.what, by_trace=True, calls=found.calls)
    if not outcome:
        return None
    model = Lindref(profile.name, player="direct")
    wanted = model.run(case)
    choices = any(record["event"] == "choice" for record in wanted.records())
    reference = Reference(wanted, (), frozenset(), choices)
    verdict = observations.verdict(vector, model.describe(), seen, reference)
    if verdict.status is Status.FORBIDDEN:
        row, _ = observations.differs(vector, model.describe(), seen.seen or {}, wanted.seen or {})
        return Caught(vector, _rule(verdict.rules, row), verdict.detail, by_trace=False, calls=found.calls)
    return None


def _judged(seen: Observed, vector: Vector, profile: Profile) -> Judgement:
    return judge(iter_trace(seen), profile, world=world_of(vector), bounds=Bounds(64, WORK))


def iter_trace(seen: Observed) -> Iterable[dict[str, object]]:
    """The records of what was seen, header first."""
    with seen.read_trace() as reader:
        yield reader.header
        yield from reader


#: The rules of what a script sees otherwise than as a call's result.
_BY_STEP = {
    "siglog": "SIG-8",
    "fork": "FORK-1",
    "thread": "THREAD-1",
    "dump": "MEM-1",
    "peek": "MEM-1",
    "poke": "MEM-1",
}


def _rule(rules: Sequence[str], row: Row | None) -> str:
    """The rule that speaks of what differs in an outcome."""
    if rules:
        return rules[0]
    if row is None or row.step is None:
        return "RUN-1"
    number = row.step.get("n")
    return Why(CALLS).general(number) if isinstance(number, int) else _BY_STEP.get(row.step["op"], "JUDGE-2")


def scripts(mutant: Mutant, vectors: Sequence[Vector]) -> Iterator[Vector]:
    """The scripts that may show a mutant: ordinary ones, then recorded and generated ones in turn."""
    yield from ORDINARY
    recorded = [v for glob in mutant.vectors for v in vectors if fnmatchcase(v.id, glob)]
    subjects = mutant.subjects or SUBJECTS
    made = (script(seed, SIZE) for seed in range(SEEDS * len(SUBJECTS)) if SUBJECTS[seed % len(SUBJECTS)] in subjects)
    for one, other in zip_longest(range(len(recorded)), made):
        if one is not None:
            yield recorded[one]
        if other is not None:
            yield other


def hunt(
    mutant: Mutant, vectors: Sequence[Vector] = (), profile: str = "lind", *, shrinks: bool = True, most: int = MOST
) -> Report:
    """Look for a script that shows the mutant, and for the smallest one like it."""
    chosen = by_name(profile)
    for number, vector in enumerate(scripts(mutant, vectors), 1):
        found = find_out(mutant, vector, chosen)
        if found is not None:
            return Report(mutant, _smallest(mutant, found, chosen) if shrinks else found, number)
        if number >= most:
            break
    return Report(mutant, None, most)


def _smallest(mutant: Mutant, found: Caught, profile: Profile) -> Caught:
    """The same with the smallest script that still shows it."""
    best = [found]

    def shows(vector: Vector) -> bool:
        again = find_out(mutant, vector, profile, outcome=not found.by_trace)
        if again is not None and size(vector) <= size(best[0].script):
            best[0] = again
        return again is not None

    shrunk(found.script, shows, most=MOST_SHRINKS)
    return best[0]


Progress = Callable[[int, str], None]


def hunt_all(
    mutants: Sequence[Mutant], vectors: Sequence[Vector], profile: str, progress: Progress, *, shrinks: bool = True
) -> Iterator[Report]:
    """All of ``mutants``, one after the other."""
    for number, mutant in enumerate(mutants):
        progress(number, mutant.name)
        yield hunt(mutant, vectors, profile, shrinks=shrinks)

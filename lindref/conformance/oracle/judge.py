"""Judging a trace: the interface (JUDGE-1)."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator

from lindref import classes
from lindref.conformance.oracle.attempt import fork
from lindref.conformance.oracle.course import Course
from lindref.conformance.oracle.observed import ObservedSystem
from lindref.conformance.oracle.search import OutOfBoundsError, Search, Step, interleave, replay
from lindref.conformance.oracle.verdict import Bounds, Contradiction, Judgement, Verdict
from lindref.conformance.oracle.words import call_text
from lindref.conformance.oracle.world import World
from lindref.posix.fs.roots import RootError
from lindref.profile import Profile, by_name
from lindref.system.runtime import Config
from lindref.trace.addresses import Addresses
from lindref.trace.format import Record, header_problem, problem
from lindref.trace.reader import Reader, TraceError

#: How many events further on the end of a call is looked for when it enters.
AHEAD = 2_000
#: After so many events it is settled anew what the model's state can be; where calls overlap, by all ways to get there.
SETTLES, OVERLAPPING = 1_000, 4_000
#: Most events of the beginning of a trace that are kept to show what led to a verdict: the last ones.
KEPT = 20_000


def judge(
    trace: Reader | Iterable[Record] | str | os.PathLike[str],
    profile: Profile | None = None,
    *,
    world: World | None = None,
    bounds: Bounds | None = None,
) -> Judgement:
    """Whether some run of the model shows what ``trace`` shows (JUDGE-1).

    ``trace``: a reader, a file's path, or records with the header first. ``profile``: which specification; without one
    the header's, or ``spec``. ``world``: what was there at the start, as far as it is known. A trace that cannot be
    read is *broken*; the caller who wants an exception reads it with ``Reader`` beforehand.
    """
    try:
        if isinstance(trace, str | os.PathLike):
            with open(trace, "rb") as stream:
                return judge(Reader(stream, os.fspath(trace)), profile, world=world, bounds=bounds)
        header, records = _opened(trace)
    except TraceError as error:
        return broken(error)
    except OSError as error:
        return Judgement(Verdict.BROKEN, "FORMAT-3", f"{error.filename}: {error.strerror}")
    chosen = profile or by_name("lind" if header.get("profile") == "lind" else "spec")
    if header.get("producer") == "recorded":
        return Judgement(Verdict.NOT_APPLICABLE, "JUDGE-7", "a recording is judged along its script (--vectors)")
    return Judge(header, chosen, (world or World()).copy(), bounds or Bounds()).run(records)


def broken(error: TraceError, calls: int = 0) -> Judgement:
    """The verdict on what is no trace."""
    return Judgement(Verdict.BROKEN, "FORMAT-3", str(error), line=error.line, calls=calls)


def _opened(trace: Reader | Iterable[Record]) -> tuple[Record, Iterator[tuple[int, Record]]]:
    if isinstance(trace, Reader):
        return trace.header, _numbered(trace)
    records = iter(trace)
    first = next(records, None)
    wrong = header_problem(first)
    if wrong is not None or first is None:
        raise TraceError(wrong or "empty, not even a header")
    return first, _checked(records, Addresses(first))


def _numbered(reader: Reader) -> Iterator[tuple[int, Record]]:
    for record in reader:
        yield reader.line, record


def _checked(records: Iterator[Record], addresses: Addresses) -> Iterator[tuple[int, Record]]:
    for number, record in enumerate(records, 2):
        wrong = problem(record)
        if wrong is not None:
            raise TraceError(f"event {number - 1}: {wrong}")
        yield number, addresses.translated(record) if addresses.needed else record


class Window:
    """Events with the ends of the calls among them, as far as they lie within ``AHEAD`` events."""

    def __init__(self, records: Iterator[tuple[int, Record]]) -> None:
        self._records = records
        self._ahead: deque[tuple[int, Record]] = deque()
        self._ends: dict[int, Record] = {}
        self._over = False
        #: What was wrong with the trace behind what could be read.
        self.broken: TraceError | None = None

    def __iter__(self) -> Iterator[tuple[int, Record, Record | None]]:
        """Line, event, and for one that enters the end of the call."""
        while True:
            if not self._ahead and not self._more():
                return
            line, record = self._ahead.popleft()
            later: Record | None = None
            event = record["event"]
            if event == "enter":
                later = self._end_of(record["call"])
            elif event == "exit":
                self._ends.pop(record["call"], None)
            yield line, record, later

    def _more(self) -> bool:
        if self._over:
            return False
        try:
            line, record = next(self._records)
        except StopIteration:
            self._over = True
            return False
        except TraceError as error:
            self._over, self.broken = True, error
            return False
        if record["event"] == "exit":
            self._ends[record["call"]] = record
        self._ahead.append((line, record))
        return True

    def look_on(self) -> TraceError | None:
        """What is wrong with the trace further on, as far as ``AHEAD`` events go."""
        while len(self._ahead) < AHEAD and self._more():
            pass
        return self.broken

    def _end_of(self, call: int) -> Record | None:
        while call not in self._ends and len(self._ahead) < AHEAD and self._more():
            pass
        return self._ends.get(call)


class Judge:
    """A judgement under way: the model's state beside the trace."""

    def __init__(self, header: Record, profile: Profile, world: World, bounds: Bounds) -> None:
        self.header = header
        self.profile = profile
        self.world = world
        self.bounds = bounds
        self.observes = frozenset(header.get("observes", ("enter", "exit")))
        self.calls = 0
        self.states = 1
        self.work = 0
        self._pristine = world.copy()
        self._seen: deque[Step] = deque(maxlen=KEPT)
        self._dropped = 0
        #: The set of states, where one is not enough.
        self._search: Search | None = None
        #: The states that explain what was seen up to some event, all of them; the events since, and the choices that
        #: the model had made by then.
        self._settled: list[Course] = []
        self._since: list[Step] = []
        self._choices = 0
        #: Why it is not known any more which other states there could be.
        self._lost = ""

    def start(self) -> Course:
        """The model where the trace begins. Raises `RootError`."""
        workers = min(max(int(self.header.get("workers", 32)), 1), 32)
        system = ObservedSystem(profile=self.profile, config=Config(workers=workers))
        self.world.open(system.kernel)
        return Course(system, self.world, self.observes)

    def run(self, records: Iterator[tuple[int, Record]]) -> Judgement:
        """The judgement."""
        if self.header.get("begins", 1) > 1:
            what = f"the trace begins with event {self.header['begins']}: what was before it is not known"
            return Judgement(Verdict.NOT_APPLICABLE, "JUDGE-7", what)
        try:
            course = self.start()
        except RootError as error:
            return Judgement(Verdict.BROKEN, "JUDGE-5", str(error))
        window = Window(records)
        found = self._along(course, window)
        wrong = window.look_on() if found is not None else window.broken
        if wrong is not None:  # what is no trace says nothing about anybody
            return broken(wrong, calls=self.calls)
        found = found or Judgement(Verdict.ALLOWED, calls=self.calls, states=self.states)
        return classes.evolve(found, work=self.work + (self._search.work if self._search is not None else 0))

    def _along(self, course: Course, window: Window) -> Judgement | None:
        """The verdict where it is not that all is allowed."""
        last = ""
        self._settle(course)
        for line, record, later in window:
            step = (line, record, later)
            self._seen.append(step)
            self._dropped += len(self._seen) == KEPT
            last = record["event"]
            self.calls += last == "enter"
            try:
                if self._search is None:
                    self._keep(course, step)
                if self._search is None:
                    course.step(record, later)
                elif not self._search.step(record, later):
                    return self._contradicted(course, self._search.why, step)
                elif self._search.settled:
                    self.work += self._search.work
                    course, self._search = self._search.courses[0], None
                    self._settle(course)
            except Contradiction as found:
                judged = self._otherwise(course, found, step, window)
                if judged is not None:
                    return judged
                last = self._seen[-1][1]["event"]  # further on, where all was looked at
            except OutOfBoundsError as error:
                return self._undecided(str(error), line)
            if self._search is not None:
                self.states = max(self.states, self._search.most)
        if last != "outcome" and "outcome" in self.observes and window.broken is None:
            line = self._seen[-1][0] if self._seen else 1
            what = "the trace ends before its outcome"
            return Judgement(Verdict.BROKEN, "FORMAT-5", what, line=line, calls=self.calls)
        return None

    def _settle(self, course: Course) -> None:
        """``course`` is the one state that explains what was seen so far."""
        course.free = False
        self._settled, self._since = [fork(course)], []
        self._choices = course.system.choices.state.count

    def _keep(self, course: Course, step: Step) -> None:
        """Remember ``step``, which comes next, as long as there may be other states than ``course``."""
        if len(self._since) >= SETTLES and not self._lost and not self._merges(course):
            if not self._may_differ(course):
                self._settle(course)
            elif len(self._since) >= OVERLAPPING:
                try:
                    self._search = replay(self._settled, self._since, self.bounds)[0]
                except OutOfBoundsError as error:
                    self._lost = str(error)
                self._since = []
                return
        if not self._lost:
            self._since.append(step)

    def _may_differ(self, course: Course) -> bool:
        return course.free or course.system.choices.state.count != self._choices

    def _merges(self, course: Course) -> bool:
        """Whether the order of the lines says nothing."""
        return self.header.get("order") == "thread" and course.system.thread_count > 1

    def _otherwise(self, course: Course, found: Contradiction, step: Step, window: Window) -> Judgement | None:
        """One state cannot show what was seen: whether another could, which went another way before (JUDGE-8)."""
        if found.broken:
            return self._contradicted(course, found, step)
        if self._merges(course):
            return self._in_any_order(found, window)
        if self._lost:
            return self._undecided(self._lost, step[0])
        if not self._may_differ(course):
            return self._contradicted(course, found, step)
        try:
            search, failed = replay(self._settled, self._since, self.bounds)
        except OutOfBoundsError as error:
            return self._undecided(str(error), step[0])
        self.states = max(self.states, search.most)
        if failed is not None:
            return self._contradicted(course, found if failed is step else search.why or found, failed)
        self._search = search
        return None

    def _in_any_order(self, found: Contradiction, window: Window) -> Judgement | None:
        """Only the order within each thread is known: whether some way to merge them explains the trace."""
        for line, record, later in window:
            self._seen.append((line, record, later))
            self._dropped += len(self._seen) == KEPT
            self.calls += record["event"] == "enter"
        if self._dropped:
            return self._undecided(f"more than {KEPT} events whose order is not known", self._seen[-1][0])
        self.world = self._pristine.copy()
        start = self.start()
        try:
            search, failed = interleave(start, list(self._seen), self.bounds)
        except OutOfBoundsError as error:
            return self._undecided(str(error), self._seen[-1][0])
        self.states = max(self.states, search.most)
        return None if failed is None else self._contradicted(start, search.why or found, failed)

    def _undecided(self, what: str, line: int) -> Judgement:
        return Judgement(Verdict.UNKNOWN, "JUDGE-8", what, line=line, calls=self.calls, states=self.states)

    def _contradicted(self, course: Course, found: Contradiction | None, step: Step) -> Judgement:
        line, record, _ = step
        found = found or Contradiction("JUDGE-8", "no way to go on shows this")
        seen = [one for _, one, _ in self._seen]
        verdict = Verdict.BROKEN if found.broken else Verdict.FORBIDDEN
        enter = record if record["event"] == "enter" else course.open.get(record.get("call", -1))
        if enter is None and "call" in record:
            enter = next((r for r in reversed(seen) if r["event"] == "enter" and r["call"] == record["call"]), None)
        rule, what = found.rule, found.what
        if record["event"] == "outcome":
            enter = next((one for one in course.open.values() if course.world.depends(course.system, one)), None)
        if verdict is Verdict.FORBIDDEN and enter is not None and record["event"] in ("exit", "outcome"):
            ret = record.get("ret")
            numbered = rule == "FD-2" and isinstance(ret, int) and ret >= 0
            if not numbered and course.world.depends(course.system, enter):
                verdict, rule = Verdict.UNSPECIFIED, "JUDGE-5"
                what += f", which depends on what the root held ({found.rule})"
        return Judgement(
            verdict,
            rule,
            what,
            call=call_text(enter, record) if enter is not None else "",
            alternatives=found.alternatives,
            line=line,
            prefix=tuple(seen[: seen.index(record) + 1]),
            calls=self.calls,
            states=self.states,
        )


__all__ = ["Bounds", "Judgement", "Verdict", "World", "broken", "judge"]

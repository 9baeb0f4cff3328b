"""Cases in processes of their own: a crash or an endless run of an implementation costs one case and no more."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from typing import Any

from lindref import classes
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.interface import Adapter, AdapterError, Description
from lindref.conformance.campaign.examine import JUDGING, MODEL, RUNS, examine, one_line
from lindref.conformance.campaign.result import Result, Status

#: How long the model and the judge may take with one case, as a multiple of the implementation's limit.
OURS = 4
#: How long an adapter may take to be made, in seconds.
STARTING = 120


@classes.frozen
class Plan:
    """What a process needs to run cases: an adapter's name and options, its profile where another is wanted than it
    says, and the seconds that it may take for one case.
    """

    adapter: str
    options: Mapping[str, str]
    against: str = ""
    limit: float = 30.0

    def made(self) -> tuple[Adapter, Description]:
        """The adapter, and what it says of itself. Raises ``AdapterError``."""
        adapter = make(self.adapter, self.options)
        said = described(adapter, self.adapter)
        return adapter, classes.evolve(said, profile=self.against) if self.against else said


def serve(plan: Plan, line: Connection) -> None:
    """A process's work: cases come through ``line``, phases and results go back."""
    os.setsid()  # so that whatever the adapter starts can be ended with it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        adapter, said = plan.made()
    except AdapterError as error:
        line.send(("error", str(error)))
        return
    line.send(("ready", None))
    used = False
    while True:
        try:
            case: Case | None = line.recv()
        except EOFError:
            break
        if case is None:
            break
        line.send(("result", _one(adapter, said, case, line, again=used)))
        used = True
    if hasattr(adapter, "close"):
        adapter.close()


def _one(adapter: Adapter, said: Description, case: Case, line: Connection, *, again: bool) -> Result:
    """One case; an error of ours is told as what it is, and stops no campaign either."""
    try:
        if again and hasattr(adapter, "reset"):
            line.send(("phase", RUNS))
            adapter.reset()
    except Exception as error:  # noqa: BLE001 (as above)
        return _broken(case, f"the adapter's reset() raised {one_line(error)}")
    try:
        return examine(adapter, said, case, lambda phase: line.send(("phase", phase)))
    except Exception as error:  # noqa: BLE001 (one case of many)
        return _unknown(case, f"lindref could not judge it: {one_line(error)}")


def _broken(case: Case, detail: str) -> Result:
    return Result(case.id, case.kind, Status.BROKEN, detail, title=case.title, cell=case.cell)


def _unknown(case: Case, detail: str) -> Result:
    return classes.evolve(_broken(case, detail), status=Status.UNKNOWN)


class _Worker:
    """A process, the case that it is at, and when it has to be done."""

    def __init__(self, plan: Plan) -> None:
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(plan, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.plan = plan
        self.case: Case | None = None
        self.ready = False
        self.phase = "starts"
        self.until = time.monotonic() + STARTING

    def begin(self, case: Case) -> None:
        """Hand it a case."""
        self.case = case
        self.enter(MODEL)
        with suppress(OSError):  # it is gone: that is found out where its end is seen
            self.line.send(case)

    def enter(self, phase: str) -> None:
        """It is at ``phase`` now."""
        self.phase = phase
        self.until = time.monotonic() + self.plan.limit * (1 if phase == RUNS else OURS)

    def end(self) -> str:
        """End it, and all that it started; how it had ended by itself, if it had."""
        self.line.close()
        with suppress(OSError):  # nobody is left
            os.killpg(self.process.pid or 0, signal.SIGKILL)
        self.process.join(5)
        code = self.process.exitcode
        if code is None or code == -signal.SIGKILL:
            return "killed"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def lost(self, how: str) -> Result:
        """The result of a case that there will be none of."""
        assert self.case is not None
        if self.phase == RUNS:
            return _broken(self.case, how)
        return _unknown(self.case, f"{how} (in lindref, {self.phase})")


def run(plan: Plan, cases: Sequence[Case], processes: int = 1) -> Iterator[Result]:
    """The results of ``cases``, as they come, with so many processes. Raises ``AdapterError``."""
    left = deque(cases)
    workers: list[_Worker] = []
    try:
        while left or workers:
            while left and len(workers) < processes and not any(not w.ready for w in workers[1:]):
                workers.append(_Worker(plan))
            soonest = min(worker.until for worker in workers)
            lines: Mapping[Any, _Worker] = {worker.line: worker for worker in workers}
            said = wait(list(lines), timeout=max(soonest - time.monotonic(), 0))
            for worker in [lines[line] for line in said] or [w for w in workers if w.until <= time.monotonic()]:
                result = _heard(worker, timed_out=worker.line not in said)
                if isinstance(result, Result):
                    yield result
                if result is _GONE or (isinstance(result, Result) and worker.case is not None):
                    workers.remove(worker)
                elif worker.case is None and worker.ready:
                    if left:
                        worker.begin(left.popleft())
                    else:
                        with suppress(OSError):
                            worker.line.send(None)
                        worker.process.join(plan.limit)
                        worker.end()
                        workers.remove(worker)
    finally:
        for worker in workers:
            worker.end()


_GONE = object()


def _heard(worker: _Worker, *, timed_out: bool) -> Result | object | None:
    """What a worker has to say: a result, nothing yet, or ``_GONE``. One that is lost keeps its case."""
    if timed_out:
        worker.end()
        if worker.case is None:
            raise AdapterError(f"adapter {worker.plan.adapter}: not ready after {STARTING} seconds")
        seconds = worker.plan.limit * (1 if worker.phase == RUNS else OURS)
        return worker.lost(f"no answer within {seconds:g} seconds")
    try:
        kind, what = worker.line.recv()
    except (EOFError, OSError):
        how = worker.end()
        if worker.case is None:
            if worker.ready:
                return _GONE
            raise AdapterError(f"adapter {worker.plan.adapter}: its process ended as it began: {how}") from None
        return worker.lost(f"the adapter's process ended: {how}")
    if kind == "error":
        worker.end()
        raise AdapterError(what)
    if kind == "phase":
        worker.enter(what)
    elif kind == "ready":
        worker.ready = True
    else:
        worker.case = None
        assert isinstance(what, Result)
        return what
    return None


__all__ = ["JUDGING", "Plan", "run", "serve"]

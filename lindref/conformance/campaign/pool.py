"""Cases in processes of their own: a crash or an endless run of an implementation costs one case and no more."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
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
from lindref.conformance.campaign.examine import MODEL, RUNS, one_line
from lindref.conformance.campaign.result import Result, broken, unknown

#: How long the model and the judge may take with one case, as a multiple of the implementation's limit.
OURS = 4
#: The phase after a difference was found.
SHRINKS = "shrinks"
#: How long an adapter may take to be made, in seconds.
STARTING = 120


@classes.frozen
class Plan:
    """What a process needs to run cases: an adapter's name and options, its profile where another is wanted than it
    says, and the seconds that it may take for one case. ``shrink``: scripts that are tried for a shorter one where one
    differs. ``record``: the folder in which what each case showed is kept, "" for none.
    """

    adapter: str
    options: Mapping[str, str]
    against: str = ""
    limit: float = 30.0
    shrink: int = 200
    record: str = ""

    def made(self) -> tuple[Adapter, Description]:
        """The adapter, and what it says of itself. Raises ``AdapterError``."""
        adapter = make(self.adapter, self.options)
        said = described(adapter, self.adapter)
        return adapter, classes.evolve(said, profile=self.against) if self.against else said


def closed(adapter: Adapter) -> None:
    """Let an adapter go; what its ``close`` raises is told, and changes no result."""
    if not hasattr(adapter, "close"):
        return
    try:
        adapter.close()
    except Exception as error:  # noqa: BLE001 (whatever somebody else's adapter raises)
        sys.stderr.write(f"lindref conform: the adapter's close() raised {one_line(error)}\n")


class _Worker:
    """A process, the case that it is at, and when it has to be done."""

    def __init__(self, plan: Plan) -> None:
        ours, theirs = socket.socketpair()
        # The process finds adapters where this one does; it leads a session, so that all that it starts ends with it.
        place = os.pathsep.join(word or os.getcwd() for word in sys.path)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lindref.conformance.campaign.worker", str(theirs.fileno())],
            env={**os.environ, "PYTHONPATH": place},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()
        self.line = Connection(ours.detach())
        with suppress(OSError):  # it is gone: that is found out where its end is seen
            self.line.send(plan)
        self.plan = plan
        self.case: Case | None = None
        #: The result of its case, should it not come to the end of what it does about it.
        self.found: Result | None = None
        self.ready = False
        self.phase = "starts"
        self.until = time.monotonic() + STARTING

    def begin(self, case: Case) -> None:
        """Hand it a case."""
        self.case, self.found = case, None
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
        try:
            code = self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            code = None
        with suppress(OSError):  # nobody is left
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if code is None:
            return "killed"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def lost(self, how: str) -> Result:
        """The result of a case that there will be none of."""
        assert self.case is not None
        if self.found is not None:
            return self.found
        if self.phase == RUNS:
            return broken(self.case, how)
        return unknown(self.case, f"{how} (in lindref, {self.phase})")


def run(plan: Plan, cases: Sequence[Case], processes: int = 1) -> Iterator[Result]:
    """The results of ``cases``, as they come, with so many processes. Raises ``AdapterError``."""
    left = deque(cases)
    workers: list[_Worker] = []
    try:
        while left or workers:
            while len(workers) < processes and sum(worker.case is None for worker in workers) < len(left):
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
                        with suppress(subprocess.TimeoutExpired):  # close() has as long as a case
                            worker.process.wait(plan.limit)
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
    elif kind == "found":
        worker.found = what
        worker.enter(SHRINKS)
    elif kind == "ready":
        worker.ready = True
    else:
        worker.case = None
        assert isinstance(what, Result)
        return what
    return None

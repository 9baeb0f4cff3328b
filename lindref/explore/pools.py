"""Where helpers of a search are: processes on this machine, or the workers of a Dask cluster (EXP-8)."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from lindref.explore.errors import HelpersError
from lindref.profile import by_name
from lindref.state.codec import decode, encode
from lindref.system import state as states
from lindref.system.state import SystemState
from lindref.system.system import System


class Future(Protocol):
    """A task under way."""

    def done(self) -> bool:
        """Whether it is over."""

    def result(self) -> Any:
        """What it returned, or the error."""


#: What helpers do, wherever they are.
Work = Callable[[bytes, "Callable[[], Sequence[str]] | None", Any], Any]


class Pool(Protocol):
    """Where tasks are run."""

    size: int

    def submit(self, work: Work, task: Any) -> Future:
        """Begin a task: ``work`` is given the first state, where libraries are from, and ``task``."""


#: The first state in this process, by what it was sent as, and a system that has its images.
_FIRST: dict[bytes, tuple[SystemState, System]] = {}


def first_state(first: bytes, libraries: Callable[[], Sequence[str]] | None) -> tuple[SystemState, System]:
    """The first state of a search, and a system that has its images; made once in a process."""
    found = _FIRST.get(first)
    if found is None:
        state = decode(first)
        assert isinstance(state, SystemState)
        like = System(profile=by_name(state.profile), config=state.config, engine="reference")
        like.libraries = libraries
        _FIRST.clear()
        found = _FIRST[first] = (state, states.thaw(state, like=like))
    return found



def _quiet() -> None:
    """Ctrl-C is the search's, which ends its helpers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def processes(first: SystemState, libraries: Callable[[], Sequence[str]] | None, count: int) -> Iterator[Pool]:
    """``count`` processes on this machine."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    sent = encode(first)
    executor = ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_quiet)

    class Processes:
        size = count

        @staticmethod
        def submit(work: Work, task: Any) -> Future:
            return executor.submit(work, sent, libraries, task)

    try:
        yield Processes()
    except BaseException:
        for process in list(executor._processes.values()):  # noqa: SLF001  # public from Python 3.14 on only
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def cluster(first: SystemState, libraries: Callable[[], Sequence[str]] | None, address: str) -> Iterator[Pool]:
    """The workers of the Dask cluster whose scheduler is at ``address``; raises ``HelpersError``."""
    try:
        import distributed
    except ImportError:
        raise HelpersError("--dask needs the extra lindref[distributed]") from None
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise HelpersError(f"--dask: no cluster at {address}: {reason}") from None
    sent = client.scatter(encode(first), broadcast=True, hash=True)

    class Cluster:
        size = max(len(client.scheduler_info()["workers"]), 1) * 2

        @staticmethod
        def submit(work: Work, task: Any) -> Future:
            future: Future = client.submit(work, sent, libraries, task, pure=False)
            return future

    try:
        yield Cluster()
    finally:
        client.close()

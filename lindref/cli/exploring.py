"""What ``lindref explore`` does with a system: search or sample it, with a file and helpers, and tell how far it is."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from lindref.explore.checkpoint import Checkpoint
from lindref.explore.exhaustive import Bounds, Search, deepen
from lindref.explore.outcomes import Outcomes
from lindref.explore.pools import Pool
from lindref.explore.sampled import Plan
from lindref.explore.sampling import Sampling
from lindref.state.codec import digest
from lindref.system import state as states
from lindref.system.system import System


class Progress:
    """A line on standard error that says how far it is, where somebody looks and it takes its time."""

    def __init__(self, what: str, most: int) -> None:
        self.what, self.most = what, most
        self.shown = False
        self.began = self.last = time.monotonic()

    def __call__(self, count: int) -> None:
        """So many of them are done."""
        now = time.monotonic()
        if sys.stderr.isatty() and now - self.began > 2 and now - self.last > 0.2:
            self.last, self.shown = now, True
            rate = count / (now - self.began)
            done = round(_WIDTH * min(count / self.most, 1))
            bar = "#" * done + "." * (_WIDTH - done)
            sys.stderr.write(f"\r[{bar}] {count} of at most {self.most} {self.what}, {rate:.0f}/s \x1b[K")
            sys.stderr.flush()

    def done(self) -> None:
        """Take the line away."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")


#: Characters of the bar.
_WIDTH = 20


def search(system: System, bounds: Bounds, options: argparse.Namespace) -> tuple[Outcomes, Search]:
    """An exhaustive search, from where its file left it, if there is one, and with helpers, if there are any."""
    progress = Progress("states", bounds.states)
    begins: list[Callable[[Search], None]] = []
    kinds = None if bounds.kinds is None else tuple(sorted(bounds.kinds))
    limits = (bounds.preemptions, bounds.states, kinds, bounds.reduction)
    with _around(system, options, limits, progress) as (file, pool):
        if file is not None:
            begins.append(lambda one: file.keep(one.running))
        group = None
        if pool is not None:
            from lindref.explore import helpers

            group = helpers.Helpers(pool)
            begins.append(group.help)

        def begin(one: Search) -> None:
            for tell in begins:
                tell(one)

        try:
            return deepen(system, bounds, progress, begin)
        finally:
            progress.done()
            if group is not None:
                _lost(group.lost)


def sample(system: System, options: argparse.Namespace) -> Outcomes:
    """Some runs, those of the file among them, if there is one, and by helpers, too, if there are any."""
    plan = Plan(options.strategy, options.seed, options.depth)
    sampling = Sampling(system, plan, options.runs)
    progress = Progress("runs", options.runs)
    limits = (plan.strategy, plan.seed, plan.depth)
    with _around(system, options, limits, progress) as (file, pool):
        if file is not None:
            file.sample(sampling)
        try:
            return sampling.run(pool, progress)
        finally:
            progress.done()
            _lost(sampling.lost)


@contextmanager
def _around(
    system: System, options: argparse.Namespace, limits: tuple[object, ...], progress: Progress
) -> Iterator[tuple[Checkpoint | None, Pool | None]]:
    """The file and the helpers that were asked for. The file is written in the end, whatever the end is."""
    file = None
    first = states.freeze(system)
    with ExitStack() as stack:
        stack.callback(progress.done)
        if options.checkpoint is not None:
            file = Checkpoint(options.checkpoint, digest((first, limits)))
            stack.callback(file.write)
        pool = None
        if options.dask is not None or options.workers > 1:
            from lindref.explore import pools  # most searches are alone

            pool = stack.enter_context(
                pools.cluster(first, system.libraries, options.dask)
                if options.dask is not None
                else pools.processes(first, system.libraries, options.workers - 1)
            )
        yield file, pool


def _lost(what: str) -> None:
    if what:
        sys.stderr.write(f"lindref explore: went on without helpers: {what}\n")

"""What the system keeps of a cage besides its threads, its memory and RawPOSIX's record."""

from __future__ import annotations

from typing import Any

from lindref import classes
from lindref.state.records import record


@record("system.runtime", version=4)
class CageRuntime:
    """A cage's image and what belongs to it.

    ``digest`` names the module; ``serves`` says whether the image was loaded by boot or exec, so that grate calls
    can be served (3I-GRATE-6); ``arena`` is where the workers' stack slots begin. ``workers`` have been made, of
    which ``free`` (thread keys, longest free first) wait; ``queue`` are the threads that wait for one. A cage that runs
    a script has no image: ``digest`` is empty, and ``handlers`` are the scripts it serves calls with (SCRIPT-1).
    ``family`` is the cage whose image this one's was forked from, 0 for its own (FORK-6).
    ``forks`` counts the forks of its main thread, and those before its own beginning (deviation ``FORK-IN-HANDLER``).
    ``master`` is, in a forked cage that has not exec'd, the cage whose program it runs, 0 in any other (CAP-1).
    """

    cage: int
    digest: str
    argv: tuple[bytes, ...]
    env: tuple[bytes, ...]
    serves: bool = False
    arena: int = 0
    workers: int = 0
    free: tuple[int, ...] = ()
    queue: tuple[int, ...] = ()
    handlers: tuple[tuple[Any, ...], ...] | None = None
    family: int = 0
    master: int = 0
    forks: int = 0


def text(data: bytes) -> str:
    """Bytes of a path or argument as text for people."""
    return data.decode("utf-8", "backslashreplace")


@classes.frozen
class Config:
    """What does not change during a run.

    ``workers``: most workers a grate has (1..32). ``quantum``: ticks a thread runs before another may be picked.
    ``max_ticks``: ticks (all threads) after which the run is stopped, ``None`` for no limit. ``max_memory``: bytes of
    touched guest memory a cage may have, ``None`` for no limit. ``max_depth``: frames of guest calls.
    ``start_time``: virtual time at boot, ns (TIME-1 says what the clocks show). ``clock``: ``virtual``, or ``real``
    where sleeping takes as long as it says (TIME-8). ``net``: the network ends with the run (``""``), or is joined to
    the host's ``loopback`` or to ``any`` interface (SOCK-14). ``preloads``: the libraries that dynamic programs are
    loaded with, as (import module, path in the root); without any they are found (DYN-1). ``accesses``: a run to be
    explored, in which every turn has a whole quantum, and before which accesses to memory that others reach another
    thread may be picked: ``none``, ``shared`` (not those of a thread to the stack of its own functions), ``all``
    (SCHED-7); ``""``: no such run. ``capabilities``: the capability rules are in force in profile
    ``lind`` too (CAP-1).
    """

    workers: int = 32
    quantum: int = 50_000
    max_ticks: int | None = None
    max_memory: int | None = None
    max_depth: int = 200_000
    seed: int = 0
    start_time: int = 0
    clock: str = "virtual"
    net: str = ""
    preloads: tuple[tuple[str, str], ...] = ()
    accesses: str = ""
    capabilities: bool = False

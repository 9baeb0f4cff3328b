"""Whole programs in C, from boot to end, in each tier: what compiling costs is in it.

Three realistic ones (a JSON parser and printer, a compressor with its decompressor, a Forth that runs a sieve) and
three that keep one part of the guest's library busy (printf, malloc, strings).
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lindref.posix import console
from lindref.system.boot import boot

C = Path(__file__).parent / "programs" / "c"

#: Program -> (argument, what standard output ends with).
WORK: dict[str, tuple[str, bytes]] = {
    "json": ("130", b"the same again: yes, sum 5d0f5840\n"),
    "lz": ("40000", b"the same again: yes\n"),
    "forth": ("3000", b"primes below 3000 in 172372 steps\n"),
    "stdio": ("1400", b"sum b60642b6\n"),
    "malloc": ("40000", b"sum 3480132\n"),
    "strings": ("200", b"sum 12106100\n"),
}

REALISTIC = ("json", "lz", "forth")
LIBRARY = ("stdio", "malloc", "strings")


def run(program: str, args: Sequence[str], engine: str) -> tuple[float, bytes]:
    """Seconds from boot to end, and standard output; ``SystemExit`` where it does not end well."""
    begun = time.process_time()
    system = boot(C / f"{program}.wasm", args, root_mode="blank", engine=engine)
    outcome = system.run()
    passed = time.process_time() - begun
    if outcome.status:
        raise SystemExit(f"{program} {' '.join(args)} ({engine}): {outcome}")
    return passed, console.output(system.kernel, console.STDOUT)


@contextmanager
def no_cache() -> Iterator[None]:
    """What lindref keeps on disk begins empty, and is thrown away."""
    kept = os.environ.get("XDG_CACHE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        try:
            yield
        finally:
            del os.environ["XDG_CACHE_HOME"]
            if kept is not None:
                os.environ["XDG_CACHE_HOME"] = kept


def measure(tiers: Sequence[str], repeat: int, programs: Sequence[str] = tuple(WORK)) -> dict[str, dict[str, float]]:
    """Program -> tier -> seconds, the best of several; tiers take turns, nothing compiled is kept between runs."""
    rows: dict[str, dict[str, float]] = {}
    for program in programs:
        argument, ending = WORK[program]
        best: dict[str, float] = {}
        for _ in range(repeat):
            for tier in tiers:
                with no_cache():
                    passed, out = run(program, [argument], tier)
                if not out.endswith(ending):
                    raise SystemExit(f"{program} ({tier}): {out!r} does not end with {ending!r}")
                best[tier] = min(best.get(tier, passed), passed)
        rows[program] = best
    return rows


def show(rows: dict[str, dict[str, float]]) -> str:
    """The table as text."""
    tiers = list(next(iter(rows.values())))
    lines = [f"{'seconds, boot to end':24}" + "".join(f"{tier:>19}" for tier in tiers)]
    lines += [f"{name:24}" + "".join(f"{row[tier]:19.3f}" for tier in tiers) for name, row in rows.items()]
    return "\n".join(lines)


"""Cases on the workers of a Dask cluster (extra ``dask``); each runs them in processes of its own, as ``pool`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import AdapterError
from lindref.conformance.campaign import pool
from lindref.conformance.campaign.examine import one_line
from lindref.conformance.campaign.pool import Plan
from lindref.conformance.campaign.result import Result, unknown

#: Cases that one task does: an adapter is made anew for each task.
PIECE = 8


def piece(plan: Plan, cases: Sequence[Case]) -> list[Result]:
    """What one task does."""
    return list(pool.run(plan, cases, 1))


def run(plan: Plan, cases: Sequence[Case], address: str) -> Iterator[Result]:
    """The results of ``cases``, as they come, from the cluster at ``address``. Raises ``AdapterError``."""
    try:
        distributed: Any = import_module("dask.distributed")  # an extra
    except ImportError:
        raise AdapterError("--dask: install lindref with the extra 'dask'") from None
    try:
        client: Any = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise AdapterError(f"--dask {address}: {' '.join(str(error).split())[:200] or 'no answer'}") from None
    try:
        pieces = [cases[i : i + PIECE] for i in range(0, len(cases), PIECE)]
        futures = {client.submit(piece, plan, one, pure=False): one for one in pieces}
        for future in distributed.as_completed(list(futures), loop=client.loop):
            wrong = future.exception()
            if isinstance(wrong, AdapterError):
                raise wrong
            if wrong is None:
                yield from future.result()
            else:  # a worker that went away, or one that lacks something
                yield from (unknown(case, f"not run: {one_line(wrong)}") for case in futures[future])
    finally:
        client.close()

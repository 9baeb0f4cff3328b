"""A process of a campaign: it makes the adapter, and does the cases that it is sent, one after the other."""

from __future__ import annotations

import sys
from multiprocessing.connection import Connection
from pathlib import Path

from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.interface import Adapter, AdapterError, Description
from lindref.conformance.campaign.examine import RUNS, examine, one_line
from lindref.conformance.campaign.pool import Plan, closed
from lindref.conformance.campaign.record import Kept
from lindref.conformance.campaign.result import Result, Status, broken, unknown
from lindref.conformance.campaign.shorten import shortened


def serve(line: Connection) -> None:
    """A plan comes through ``line``, then cases; phases and results go back."""
    plan: Plan = line.recv()
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
        result = _one(plan, adapter, said, case, line, again=used)
        try:
            line.send(("result", result))
        except BrokenPipeError:
            break  # the campaign is no more
        used = True
    closed(adapter)


def _one(plan: Plan, adapter: Adapter, said: Description, case: Case, line: Connection, *, again: bool) -> Result:
    """One case; an error of ours is told as what it is, and stops no campaign either."""
    try:
        if again and hasattr(adapter, "reset"):
            line.send(("phase", RUNS))
            adapter.reset()
    except Exception as error:  # noqa: BLE001 (as above)
        return broken(case, f"the adapter's reset() raised {one_line(error)}")
    try:
        kept = Kept(adapter)
        result = examine(kept, said, case, lambda phase: line.send(("phase", phase)))
        if plan.record and result.status is not Status.BROKEN:
            kept.save(Path(plan.record), case)
        if result.status is Status.FORBIDDEN and case.script is not None:
            line.send(("found", result))  # should the implementation not survive what follows
            result = shortened(adapter, said, case, result, plan.shrink, plan.limit)
        return result
    except Exception as error:  # noqa: BLE001 (one case of many)
        return unknown(case, f"lindref could not judge it: {one_line(error)}")


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))

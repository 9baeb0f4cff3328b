"""Faults of the capability rules that the siege is to find."""

from __future__ import annotations

from typing import Any

from lindref.properties.run_faults import RUN_FAULTS, Change
from lindref.system import capable
from lindref.threei import capabilities


def _all_named(_: Any) -> Any:
    def handed(system: Any, thread: Any) -> frozenset[int]:
        found = capable.service(system, thread)
        if found is None:
            return frozenset()
        pending = found[1]
        return frozenset({pending.target, *(arg.cage for arg in pending.args)})

    return handed


def _yes(_: Any) -> Any:
    return lambda *_: True


def _no(_: Any) -> Any:
    return lambda *_: False


#: Fault -> what is changed (``run_faults.changed``).
SIEGE_FAULTS: dict[str, Change] = {
    **{
        fault: RUN_FAULTS[fault][0]
        for fault in (
            "registrations are not judged",
            "copies of tables are not judged",
            "self and target are not compared",
            "copies of memory are not judged",
        )
    },
    "one's own cages serve as a way round": (capabilities, "_rests", _yes),
    "whoever a served call names is handed over": (capable, "handed", _all_named),
    "a call that waited is not judged again": (capable, "refuse_again", _no),
    "what was imposed need not stay": (capabilities, "_stays", _yes),
    "the limits of any cage can be set": (capable, "PRLIMIT64", lambda _: -1),
}

"""The state machine over the whole system holds for lindref, and finds faults."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import derandomized
import pytest

import lindref
import lindref.properties as properties
from lindref.profile import SPEC, Profile
from lindref.properties.run_faults import changed
from lindref.properties.strategies import Pass
from lindref.properties.system_faults import PYTHON_FAULTS, SYSTEM_FAULTS
from lindref.properties.system_model import LIND_BUT, PROMISED
from lindref.system.script_runner import CallStep
from lindref.threei.numbers import UNUSED

#: Faults that take some hundred runs to find.
RARE = (
    "a handler that traps is an address error",
    "a fork through a grate hides the child",
    "registrations cannot be interposed",
    "signals get lost",
)

#: Deviations that some ten runs have to be made for.
RARE_IN_LIND = ("3I-MISSING", "EXEC-SIGNALS", "KILL-STRICT", "NO-REPARENT")


def run(machine: type[properties.SystemMachine], examples: int, steps: int = 40) -> None:
    """So many runs, the same every time."""
    derandomized.run(machine, examples, steps)


def test_lindref() -> None:
    """SCHED-1, STATE-1, 3I-ROUTE-*, 3I-FORK-1, 3I-EXIT-*, WAIT-*, FORK-*, PIPE-*: nothing differs from the model."""
    run(properties.SystemMachine, 25)


def beneath(*grates: lindref.Grate, profile: Profile | None = None) -> type[properties.SystemMachine]:
    """The machine with grates in Python over cage 1, in a profile (without the rules about who may ask for what)."""
    how = {} if profile is None else {"profile": profile}
    return properties.system_machine(partial(properties.LindrefDriven, grates=grates, **how))


def test_under_grates_in_python() -> None:
    """PY-1, PY-3, LOAD-1: the same beneath grates in Python, which pass on the loading of images, too."""
    run(beneath(Pass(), Pass()), 8)


def test_with_capability_rules() -> None:
    """CAP-*: what the rules refuse has not happened; all else is as without them."""
    run(beneath(profile=SPEC), 8)


def test_lind() -> None:
    """Profile lind, but for the deviations that the model does not have."""
    run(beneath(profile=LIND_BUT), 12)


@pytest.mark.parametrize(
    "deviation",
    [pytest.param(d, marks=pytest.mark.campaign) if d in RARE_IN_LIND else d for d in PROMISED],
)
def test_what_lind_has_otherwise_is_seen(deviation: str) -> None:
    """Each of those shows: none is named in vain."""
    profile = Profile("lind", LIND_BUT.deviations | {deviation})
    with pytest.raises(AssertionError):
        run(beneath(profile=profile), *((150, 60) if deviation in RARE_IN_LIND else (40,)))


@pytest.mark.campaign
def test_lindref_at_length() -> None:
    """All with many runs."""
    run(properties.SystemMachine, 400, 60)
    run(beneath(profile=LIND_BUT), 150, 60)
    for stack in ((Pass(),), (Pass(), Pass(), Pass())):
        run(beneath(*stack), 150, 60)
        run(beneath(*stack, profile=SPEC), 150, 60)


@pytest.mark.parametrize("fault", PYTHON_FAULTS)
def test_faults_of_exec_are_caught(fault: str) -> None:
    """An image that is loaded round its grate, or a table that does not survive exec."""
    with changed(PYTHON_FAULTS[fault]), pytest.raises(AssertionError) as found:
        run(beneath(Pass()), 150)
    sys.stdout.write(f"{fault}: caught, {str(found.value).splitlines()[0]}\n")


@pytest.mark.parametrize(
    "fault", [pytest.param(f, marks=pytest.mark.campaign) if f in RARE else f for f in SYSTEM_FAULTS]
)
def test_faults_are_caught(fault: str) -> None:
    """Whatever of what it compares differs, the machine says so."""
    with changed(SYSTEM_FAULTS[fault]), pytest.raises(AssertionError) as found:
        run(properties.SystemMachine, 400 if fault in RARE else 150)
    sys.stdout.write(f"{fault}: caught, {str(found.value).splitlines()[0]}\n")


class Forgetful(properties.LindrefDriven):
    """Another implementation: one that comes back to where it was only nearly."""

    def restore(self, kept: Any) -> None:
        """One turn too far."""
        super().restore(kept)
        self.turn(0)


def test_another_implementation() -> None:
    """The machine takes any implementation through the adapter, and judges it."""
    with pytest.raises(AssertionError, match="a state that was kept is another"):
        run(properties.system_machine(Forgetful), 50)


def test_giving_where_nothing_is_awaited() -> None:
    """SCRIPT-1: only a script that waits can be given something; only a thread that is there."""
    driven = properties.LindrefDriven()
    driven.give(1, 1, (CallStep(39),))
    with pytest.raises(ValueError, match="does not wait at step 0"):
        driven.give(1, 1, (CallStep(39),))
    with pytest.raises(LookupError, match="no thread 2 of cage 1"):
        driven.give(1, 2, ())


def test_errors_of_3i_are_part_of_a_state() -> None:
    """STATE-1: a script that was given an error of 3i can be kept and hashed like any other."""
    driven = properties.LindrefDriven()
    driven.give(1, 1, (CallStep(1003, (4242, UNUSED), cages=(1,)),))
    driven.turn(0)
    assert len(driven.digest()) == 16

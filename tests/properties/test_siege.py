"""An adversary beneath a grate comes to nothing that it may not, and the siege sees when it does."""

from __future__ import annotations

import sys

import derandomized
import pytest

import lindref.properties as properties
from lindref.profile import LIND
from lindref.properties.run_faults import changed
from lindref.properties.siege_faults import SIEGE_FAULTS
from lindref.system.runtime import Config

#: Faults that take some hundred runs to find.
RARE = (
    "the limits of any cage can be set",
    "whoever a served call names is handed over",
    "what was imposed need not stay",
    "registrations are not judged",
    "one's own cages serve as a way round",
)


def run(machine: type[properties.SiegeMachine], examples: int, steps: int = 50) -> None:
    """So many runs, the same every time."""
    derandomized.run(machine, examples, steps)


def test_spec() -> None:
    """CAP-1 … CAP-5, ABI-8: nothing imposed is shed, no stranger is acted for, no memory reached."""
    run(properties.SiegeMachine, 20)


def strict_lind() -> properties.LindrefDriven:
    return properties.LindrefDriven(profile=LIND, config=Config(capabilities=True))


def test_lind_with_strict_capabilities() -> None:
    """The same in profile lind, with ``--strict-capabilities``, but for pointers (PTR-FLAT)."""
    run(properties.siege_machine(strict_lind, flat=True), 10)


def test_lind_without() -> None:
    """Profile lind alone holds nobody: what the recorded implementation leaves open (3I-ANY-*)."""
    with pytest.raises(AssertionError):
        run(properties.siege_machine(lambda: properties.LindrefDriven(profile=LIND), flat=True), 100)


@pytest.mark.campaign
def test_at_length() -> None:
    """Both for long."""
    run(properties.SiegeMachine, 1500, 80)
    run(properties.siege_machine(strict_lind, flat=True), 500, 80)


@pytest.mark.parametrize(
    "fault", [pytest.param(f, marks=pytest.mark.campaign) if f in RARE else f for f in SIEGE_FAULTS]
)
def test_faults_are_caught(fault: str) -> None:
    """Whichever rule is not there, the adversary gets somewhere."""
    with changed(SIEGE_FAULTS[fault]), pytest.raises(AssertionError) as found:
        run(properties.SiegeMachine, 400)
    sys.stdout.write(f"{fault}: caught, {str(found.value).splitlines()[0]}\n")

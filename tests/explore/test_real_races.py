"""Races that the real system has are choice points of profile ``lind``, and of that alone."""

from __future__ import annotations

from typing import Any

import pytest
from scenes import CallStep, exits, fork

import lindref
from lindref.explore.exhaustive import Bounds, Search
from lindref.explore.outcomes import result_of, schedule
from lindref.posix import console
from lindref.profile import LIND, SPEC, Profile
from lindref.system.boot import boot_script
from lindref.system.choices import Replay, parse_schedule
from lindref.system.python.grate import Served
from lindref.system.runtime import Config
from lindref.system.script_runner import Pointer, ResultOf, ScriptState, StoreStep
from lindref.system.system import System

WAIT = CallStep(61, ((1 << 64) - 1, 0, 0))
WRITE, EXIT_GROUP = 1, 231


class Forwards(lindref.Grate):
    """Passes forks on."""

    def clone(self, call: Served) -> int:
        return self.forward()


def world(profile: Profile, grates: tuple[Any, ...] = ()) -> System:
    """fork{ fork{ } }: cage 1 exits with what its fork gave."""
    steps = (fork((fork((exits(0),)), WAIT, exits(0))), WAIT, CallStep(EXIT_GROUP, (ResultOf(0),)))
    system = boot_script(ScriptState(steps), profile=profile, grates=grates, config=Config(accesses="shared"))
    console.end_stdin(system.kernel)
    return system


def statuses(profile: Profile, grates: tuple[Any, ...] = (), *, reduction: bool = True) -> set[int]:
    search = Search(world(profile, grates), Bounds(reduction=reduction))
    found = search.run().found
    assert search.complete
    for result, how in found.items():
        again = world(profile, grates)
        again.choices.chooser = Replay(parse_schedule(schedule(how.answers)))
        again.run()
        assert result_of(again) == result
    return {result.exit_status for result in found}


@pytest.mark.parametrize("reduction", [True, False])
def test_a_parent_is_told_of_its_grandchild(reduction: bool) -> None:
    """FORK-6: cage 1's fork gave 3 in most recorded runs of this, though its child is cage 2."""
    assert statuses(SPEC, reduction=reduction) == {2}
    assert statuses(LIND, reduction=reduction) == {2, 3}


def test_the_plain_run_of_the_real_one_is_the_ordinary_one() -> None:
    """FORK-6: without an answer to the choice, the parent sees its child."""
    assert world(LIND).run().status == 2


@pytest.mark.campaign
def test_two_of_one_family_fork_at_once() -> None:
    """FORK-6: cage 1 and its child each write as many letters as the number is that their fork gave them."""

    def make(profile: Profile) -> System:
        def tells(letter: bytes) -> tuple[Any, ...]:
            write = CallStep(WRITE, (1, Pointer(512), ResultOf(2)))
            return (StoreStep(512, letter * 8), fork((exits(0),)), write)

        steps = (fork((*tells(b"c"), exits(0))), *tells(b"p"), WAIT, WAIT, exits(0))
        system = boot_script(ScriptState(steps), profile=profile, config=Config(accesses="shared"))
        console.end_stdin(system.kernel)
        return system

    def told(profile: Profile) -> set[tuple[int, int]]:
        search = Search(make(profile), Bounds(preemptions=2, states=30_000))
        found = search.run().found
        assert search.complete
        return {(result.stdout.count(b"c"), result.stdout.count(b"p")) for result in found}

    assert told(SPEC) == {(3, 4), (4, 3)}
    assert told(LIND) > {(3, 4), (4, 3)}
    assert (4, 4) in told(LIND)


def test_beneath_a_grate() -> None:
    """FORK-6, 3I-GRATE-7: a grate that passes forks on does not help."""

    def told(profile: Profile) -> set[int]:
        search = Search(world(profile, (Forwards,)), Bounds(preemptions=1))
        found = search.run().found
        assert search.complete
        return {result.exit_status for result in found}

    assert told(SPEC) == {2}
    assert told(LIND) == {2, 3}

"""Races that the real system has are choice points of profile ``lind``, and of that alone."""

from __future__ import annotations

from typing import Any

import brute
import pytest
from scenes import CallStep, exits, fork

import lindref
from lindref.explore.exhaustive import Bounds, Search
from lindref.explore.explain import Kind, explain_all
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


# A signal just before a call that waits (SIG-8).


def interrupted(profile: Profile) -> System:
    """The parent reads from an empty pipe whose writing end it has; its child sends it SIGUSR1, which has a handler."""
    pipe, read, kill, sigaction = 22, 0, 62, 13
    action = StoreStep(512, (2).to_bytes(8, "little") + bytes(16))
    child = (CallStep(kill, (1, 10)), exits(0))
    steps = (CallStep(pipe, (Pointer(256),)), action, CallStep(sigaction, (10, Pointer(512), 0)), fork(child))
    handler = (StoreStep(700, b"!"), CallStep(WRITE, (1, Pointer(700), 1)))
    script = ScriptState((*steps, CallStep(read, (3, Pointer(600), 1)), CallStep(EXIT_GROUP, (7,))), ((), (), handler))
    system = boot_script(script, profile=profile, config=Config(accesses="shared"))
    console.end_stdin(system.kernel)
    return system


def ends(make: Any) -> set[tuple[str, bytes]]:
    """How runs end, and what they write; with reduction as without; each replays."""
    found = [Search(make(), Bounds(reduction=reduction)).run().found for reduction in (True, False)]
    assert set(found[0]) == set(found[1]) == brute.reach(make).results
    for result, how in found[0].items():
        again = make()
        again.choices.chooser = Replay(parse_schedule(schedule(how.answers)))
        again.run()
        assert result_of(again) == result
    return {(result.ending, result.stdout) for result in found[0]}


def test_a_signal_just_before_a_call_is_lost() -> None:
    """SIG-8: as recorded the call may go on waiting, and the handler does not run. That it has run before the call is
    made, which then waits, is the program's own fault.
    """
    fault = ("deadlock", b"!")
    assert ends(lambda: interrupted(SPEC)) == {("exit", b"!"), fault}
    assert ends(lambda: interrupted(LIND)) == {("exit", b"!"), fault, ("deadlock", b"")}
    assert interrupted(LIND).run().status == 7
    outcomes = Search(interrupted(LIND), Bounds(reduction=True)).run()
    told = explain_all(interrupted(LIND), outcomes)
    lost = next(one for result, one in told.items() if not result.stdout)
    assert lost.kind is Kind.LOST
    assert "cage 1 thread 1 waits in read: a signal that is pending came just before" in lost.text


# Twins (POLL-2).


def twins(profile: Profile, *, select: bool = False) -> System:
    """Two descriptors of one pipe, both ready: what poll, or select, says of the first and of the second."""
    dup2, poll, ready = 33, 7, 1
    steps = [CallStep(22, (Pointer(256),)), CallStep(dup2, (3, 9)), CallStep(WRITE, (4, Pointer(256), 1))]
    if select:
        steps += [StoreStep(512, (1 << 3 | 1 << 9).to_bytes(8, "little")), CallStep(23, (10, Pointer(512), 0, 0, 0))]
        steps += [CallStep(WRITE, (1, Pointer(512), 2))]
    else:
        entries = b"".join(fd.to_bytes(4, "little") + ready.to_bytes(4, "little") for fd in (3, 9))
        steps += [StoreStep(512, entries), CallStep(poll, (Pointer(512), 2, 0))]
        steps += [CallStep(WRITE, (1, Pointer(518), 1)), CallStep(WRITE, (1, Pointer(526), 1))]
    system = boot_script(ScriptState((*steps, exits(0))), profile=profile, config=Config(accesses="shared"))
    console.end_stdin(system.kernel)
    return system


def test_which_twin_is_reported() -> None:
    """POLL-2, POLL-7: both; as recorded one of them, and nothing says which."""

    def told(profile: Profile, *, select: bool) -> set[bytes]:
        # The choice of how much a transfer does at once is another subject.
        search = Search(twins(profile, select=select), Bounds(kinds=frozenset({"twin"}), reduction=True))
        return {result.stdout for result in search.run().found}

    assert told(SPEC, select=False) == {b"\x01\x01"}
    assert told(LIND, select=False) == {b"\x00\x01", b"\x01\x00"}
    assert told(SPEC, select=True) == {b"\x08\x02"}
    assert told(LIND, select=True) == {b"\x00\x02", b"\x08\x00"}

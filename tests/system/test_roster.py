"""What a system knows of who can run and who waits follows from the threads' statuses, after every turn."""

from __future__ import annotations

import pytest
from grate_scenes import PIPE, READ
from scenes import GUESTS, CallStep, exits, fork, scripted

from lindref.guest.build_guests import load_guest
from lindref.posix import console
from lindref.profile import LIND, SPEC, Profile
from lindref.system import state as states
from lindref.system.boot import boot
from lindref.system.choices import Seeded
from lindref.system.roster import Roster
from lindref.system.runtime import Config
from lindref.system.script_runner import Pointer
from lindref.system.system import System
from lindref.system.threads import Blocked


def check(system: System) -> None:
    """The roster against the statuses, and the kernel's cages with signals against their records."""
    threads = system.threads
    assert set(threads.runnable) == {key for key, thread in threads.items() if thread.status.runnable}
    assert set(threads.timed) == {key for key, thread in threads.items() if thread.status.deadline is not None}
    blocked = {key: t.status for key, t in threads.items() if isinstance(t.status, Blocked)}
    things = {one for status in blocked.values() for one in status.keys}
    for one in things:
        assert [t.key for t in threads.waiting((one,))] == sorted(k for k, s in blocked.items() if one in s.keys)
    assert not threads.waiting(())
    assert all(thread.key == key and thread.roster is threads for key, thread in threads.items())
    signalled = {number for number, cage in system.kernel.cages.items() if cage.pending or cage.triggered}
    assert signalled <= system.kernel.signalled


@pytest.mark.parametrize("profile", [SPEC, LIND], ids=lambda profile: profile.name)
@pytest.mark.parametrize("name", ["signals", "select_server", "grate_blocking", "read_timeout", "condition", "sigchld"])
def test_after_every_turn(name: str, profile: Profile) -> None:
    """Of guests that wait in every way there is, and of a state that was thawed on the way."""
    guest = load_guest(GUESTS / name)
    words = guest.argv
    options = {"profile": profile, "config": Config(max_ticks=3_000_000), "chooser": Seeded(3), "env": guest.env}
    system = boot("/" + words[0], words[1:], root=guest.folder, **options)
    console.feed_stdin(system.kernel, guest.stdin.encode())
    console.end_stdin(system.kernel)
    turns = 0
    while system.step():
        turns += 1
        if turns % 7 == 0 or turns < 60:
            check(system)
        if turns % 97 == 0:
            check(states.thaw(states.freeze(system), chooser=Seeded(3)))
    check(system)


def test_a_turn_is_not_dearer_for_who_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a hundred cages that wait for a pipe none is looked at while another makes calls."""
    waits = (CallStep(READ, (3, Pointer(512), 1)),)
    calls = (CallStep(24),) * 200
    run = scripted(CallStep(PIPE, (Pointer(256),)), *(fork(waits) for _ in range(100)), *calls, exits(0))
    threads = run.system.threads
    while len(threads) < 101 or len(threads.runnable) > 1:
        assert run.system.step()
    monkeypatch.setattr(Roster, "values", lambda threads: pytest.fail("all threads were looked at"))
    for _ in range(20):
        assert run.system.step()
    assert len(threads.runnable) == 1

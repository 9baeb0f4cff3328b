"""Whom a cage may name: what goes on as before, and what is refused. The rules are in force in profile ``spec``, and
with ``--strict-capabilities`` in ``lind``.
"""

from __future__ import annotations

from typing import Any

import pytest
from grate_scenes import CLONE, GETEUID, GETPID, GETUID, PIPE, READ, WRITE, forward, of, of_all, register, rules
from scenes import GUESTS, CallStep, World, exits, fork, scripted

from lindref.guest.build_guests import load_guest
from lindref.posix import console
from lindref.posix.structs import SIGACTION, TIMESPEC
from lindref.profile import LIND, SPEC, Profile
from lindref.system.boot import boot
from lindref.system.events import Note
from lindref.system.runtime import Config
from lindref.system.script_runner import BecomeStep, Given, Pointer, ReturnStep, StoreStep
from lindref.threei.numbers import UNUSED

EPERM = -1
STRICT = Config(capabilities=True, max_ticks=100_000)
WAIT = CallStep(61, ((1 << 64) - 1, 0, 0))
HOLDS = (CallStep(READ, (3, Pointer(600), 1)), exits(0))


def strict(*steps: Any, handlers: tuple[Any, ...] = (), profile: Profile = SPEC) -> World:
    run = scripted(*steps, exits(0), handlers=handlers, profile=profile, config=STRICT)
    run.run()
    return run


def copies(source: int, target: int, caller: int) -> CallStep:
    return CallStep(1003, (source, *[UNUSED] * 5), cages=(target, caller, caller), caller=caller, target=caller)


KNOWN = [(path.parent.name, SPEC) for path in sorted(GUESTS.glob("grate_*/expected.json"))]
#: In profile lind those that want no /tmp in their root.
KNOWN += [(f"grate_{name}", LIND) for name in ("geteuid", "stacked", "nested", "fork_exec", "redirect")]


@pytest.mark.parametrize(("name", "profile"), KNOWN, ids=lambda v: getattr(v, "name", v))
def test_known_good_grates(name: str, profile: Profile) -> None:
    """Launching, forwarding, stacking, lending memory: all stay legal (CAP-1 … CAP-5); the child that would opt out by
    copying the first cage's table is kept from it (CAP-4).
    """
    guest = load_guest(GUESTS / name)
    words = {"root": guest.folder, "env": guest.env, "profile": profile, "config": STRICT_GUEST}
    system = boot("/" + guest.argv[0], guest.argv[1:], **words)
    console.end_stdin(system.kernel)
    outcome = system.run()
    out = console.output(system.kernel, console.STDOUT).decode()
    expected = guest.stdout if profile is SPEC else guest.stdout.replace("new: old", "new: /new.wasm")
    assert (out, outcome.status) == (expected, guest.exit_status)


STRICT_GUEST = Config(capabilities=True, max_ticks=50_000_000)


def test_self_and_target() -> None:
    """CAP-1: neither as self nor as target can one name who is no descendant."""
    child = (CallStep(GETPID, target=1), CallStep(GETPID, caller=1), CallStep(GETPID), exits(0))
    run = strict(fork(child), WAIT, CallStep(GETPID, target=1))
    assert of(run, 2, GETPID) == [EPERM, EPERM, 2]
    assert rules(run, GETPID)[:2] == ["CAP-1", "CAP-1"]
    assert len([e for e in run.recorder.of(Note) if "[CAP-1]" in e.text]) == 2
    lets_go = CallStep(WRITE, (4, Pointer(0), 1))
    parent = strict(CallStep(PIPE, (Pointer(256),)), fork(HOLDS), CallStep(GETPID, target=2), lets_go, WAIT)
    assert of(parent, 1, GETPID) == [2]


def test_owners() -> None:
    """CAP-2: descriptors of another cage are not to be had; what is no cage's id means nothing."""
    writes = (1, Pointer(0), 1)
    child = (CallStep(WRITE, writes, cages=(1, 2, 2)), CallStep(WRITE, writes, cages=(2, 2, 99)))
    run = strict(fork((*child, exits(0))), WAIT)
    assert of(run, 2, WRITE) == [EPERM, 1]
    assert rules(run, WRITE)[0] == "CAP-2"


def test_registering() -> None:
    """CAP-3: for whom, by whom, over what."""
    served = ((ReturnStep(7),), (forward(GETEUID),))
    child = (
        register(2, GETEUID, 1, 1),  # the launching child, in its parent's name
        register(2, GETEUID, 1, 0),  # which is still the parent's program
        CallStep(GETEUID),
        BecomeStep(),
        register(2, GETEUID, 1, 1),  # another function of the grate
        register(2, GETPID, 1, 1),  # a function that nobody offered
        register(2, GETEUID, 500, 0, caller=2),  # shed it
        register(2, GETEUID, 2, 0, caller=2),  # replace it by one's own that does not lead there
        register(2, GETEUID, 777777, 0, caller=2),
        register(1, GETPID, 2, 0, caller=2),  # over an ancestor
        register(2, GETPID, 77, 0, caller=2),  # a stranger as handler
        CallStep(GETEUID),
        exits(0),
    )
    run = strict(fork(child), WAIT, handlers=served)
    assert of(run, 2, GETEUID) == [7, 7]
    assert of(run, 2, 1001) == [0, 0, *[EPERM] * 7]
    assert set(rules(run, 1001)[2:]) == {"CAP-3"}


def test_an_own_handler_that_leads_there() -> None:
    """CAP-3: a grate beneath the grate comes before it, since what it passes on meets it still."""
    own = ((forward(GETEUID, grate=2, target=3), ReturnStep(8)),)
    app = (register(3, GETEUID, 2, 0, caller=2), BecomeStep(), CallStep(GETEUID), exits(0))
    grate = (register(2, GETEUID, 1, 0), BecomeStep(own), fork(app), WAIT, exits(0))
    run = strict(fork(grate), WAIT, handlers=((ReturnStep(7),),))
    assert of(run, 2, 1001) == of(run, 3, 1001) == [0]
    assert (of(run, 3, GETEUID), of(run, 2, GETEUID)) == ([8], [7])


def test_a_row_without_its_grate() -> None:
    """CAP-3, CAP-4: what a grate imposed that is gone stays imposed."""
    app = (
        CallStep(READ, (3, Pointer(600), 1)),
        CallStep(GETEUID),
        register(3, GETEUID, 3, 0, caller=3),
        register(3, GETEUID, 500, 0, caller=3),
        copies(1, 3, 1),
        CallStep(GETEUID),
        exits(0),
    )
    app = (register(3, GETEUID, 2, 0, caller=2), BecomeStep(), *app)
    grate = (BecomeStep(((ReturnStep(7),),)), fork(app), *[CallStep(24)] * 9, exits(0))
    steps = (CallStep(PIPE, (Pointer(256),)), fork(grate), WAIT, CallStep(WRITE, (4, Pointer(0), 1)), CallStep(24))
    run = strict(*steps, *[CallStep(24)] * 12)
    assert of(run, 3, 1001, 1003) == [0, EPERM, EPERM, EPERM]
    assert of(run, 3, GETEUID) == [-3, -3]


def test_the_grate_itself_may() -> None:
    """CAP-3: who imposed a row takes it back; a grandparent may over a parent's."""
    steps = (
        CallStep(PIPE, (Pointer(256),)),
        fork((register(2, GETEUID, 1, 0), *HOLDS)),
        CallStep(24),
        CallStep(24),
        register(2, GETEUID, 1, 1),
        register(2, GETEUID, 500, 0),
        CallStep(WRITE, (4, Pointer(0), 1)),
        WAIT,
    )
    assert of(strict(*steps, handlers=((ReturnStep(7),), (ReturnStep(8),))), 1, 1001) == [0, 0]


def test_copying_tables() -> None:
    """CAP-4: an ancestor's table does not free a cage of what is imposed on it; where nothing is lost it is legal."""
    child = (register(2, GETEUID, 1, 0), BecomeStep(), copies(1, 2, 1), CallStep(GETEUID), exits(0))
    run = strict(fork(child), WAIT, handlers=((ReturnStep(7),),))
    assert of(run, 2, 1003, GETEUID) == [EPERM, 7]
    assert rules(run, 1003) == ["CAP-4"]
    free = strict(fork((BecomeStep(), copies(1, 2, 1), copies(2, 1, 2), exits(0))), WAIT)
    assert of(free, 2, 1003) == [0, EPERM]
    launching = (register(2, GETEUID, 1, 0), copies(1, 2, 1), CallStep(GETEUID), exits(0))
    assert of(strict(fork(launching), WAIT, handlers=((ReturnStep(7),),)), 2, 1003) == [0]


def test_copying_data() -> None:
    """CAP-5: kin from above, or the caller whose call is served; not one's parent, not a stranger."""

    def data(source: int, dest: int, caller: int = 0) -> CallStep:
        base = 1 << 44
        return CallStep(
            1002, (base + source * (1 << 33), base + dest * (1 << 33) + 64, 4, 0), cages=(source, dest), caller=caller
        )

    child = (BecomeStep(), data(1, 2), data(2, 1), exits(0))
    run = strict(fork(child), WAIT)
    assert of(run, 2, 1002) == [EPERM, EPERM]
    assert rules(run, 1002) == ["CAP-5"] * 2
    handler = (CallStep(1002, (Given(0), Pointer(2048), 4, 0), cages=(0, 1)), ReturnStep(0))
    steps = fork((register(2, GETEUID, 1, 0), CallStep(GETEUID, (Pointer(0),)), exits(0)))
    assert (of_all(strict(steps, WAIT, handlers=(handler,)), 1002)[0] or 0) != EPERM


@pytest.mark.parametrize(("profile", "result"), [(SPEC, EPERM), (LIND, 1)], ids=lambda v: getattr(v, "name", v))
def test_by_profile(profile: Profile, result: int) -> None:
    """Without the option the rules hold in profile ``spec`` (deviations 3I-ANY-*)."""
    run = scripted(fork((CallStep(GETPID, target=1), exits(0))), WAIT, exits(0), profile=profile)
    run.run()
    assert of(run, 2, GETPID) == [result]
    assert of(run, 1, CLONE) == [2]


def test_passing_on_lends_no_rights() -> None:
    """CAP-3: a handler of 1001 that passes a registration on as it came asks for nothing of its own."""
    passes = (forward(1001), ReturnStep(EPERM))
    child = (
        register(2, 1001, 1, 1),
        register(2, GETEUID, 1, 0),
        BecomeStep(),
        register(2, GETEUID, 500, 0, caller=2),
        CallStep(GETEUID),
        exits(0),
    )
    run = strict(fork(child), WAIT, handlers=((ReturnStep(7),), passes))
    assert of(run, 1, 1001) == [EPERM]
    assert rules(run, 1001)[-1] == "CAP-3"
    assert of(run, 2, GETEUID) == [7]


def test_the_grate_of_registrations_cannot_be_got_round() -> None:
    """CAP-1: naming the ancestor that interposes registration as self does not get past it."""
    child = (register(2, 1001, 1, 0), BecomeStep(), register(2, GETPID, 2, 0), exits(0))
    run = strict(fork(child), WAIT, handlers=((ReturnStep(7),),))
    assert of(run, 2, 1001) == [0, EPERM]
    assert rules(run, 1001)[-1] == "CAP-1"


def test_a_child_forked_earlier_is_no_way_round() -> None:
    """CAP-1: what is imposed after a child was forked, its table does not know; neither as self nor in its handler does
    it serve for what is imposed on its parent."""
    tool = (BecomeStep(((CallStep(GETEUID, target=2), ReturnStep(8)),)), *HOLDS)
    program = (
        BecomeStep(),
        fork(tool),  # cage 3, of whose getuid and geteuid nobody knows
        *[CallStep(24)] * 4,
        register(2, GETUID, 3, 0, caller=2),
        CallStep(READ, (5, Pointer(600), 1)),  # until the grate has interposed geteuid
        CallStep(GETEUID, caller=3, target=2),
        CallStep(GETEUID, caller=3, target=3),
        CallStep(GETUID),
        CallStep(GETEUID),
        exits(0),
    )
    steps = (CallStep(PIPE, (Pointer(256),)), CallStep(PIPE, (Pointer(264),)), fork(program), *[CallStep(24)] * 12)
    lets_go = (CallStep(WRITE, (6, Pointer(0), 1)), *[CallStep(24)] * 12, CallStep(WRITE, (4, Pointer(0), 1)), WAIT)
    run = strict(*steps, register(2, GETEUID, 1, 0), *lets_go, handlers=((ReturnStep(7),),))
    assert of(run, 1, 1001) == of(run, 2, 1001) == [0]
    assert of(run, 2, GETEUID) == [EPERM, EPERM, 7]
    assert of(run, 2, GETUID) == [8]
    assert of(run, 3, GETEUID) == [EPERM]
    assert rules(run, GETEUID).count("CAP-1") == 3


def test_the_number_of_a_registration_hands_over_nobody() -> None:
    """CAP-1, CAP-5: a handler of 1001 sees the call's number where owners stand; it is no right to that cage."""
    attack = (CallStep(GETPID, target=2), CallStep(1002, (BASE2, Pointer(64), 4, 0), cages=(2, 4)), ReturnStep(0))
    tool = (BecomeStep((attack,)), *HOLDS)
    program = (
        BecomeStep(),
        fork(tool),
        *[CallStep(24)] * 4,
        register(3, 1001, 4, 0, caller=3),
        CallStep(1001, (3, UNUSED, 0), cages=(2, 3, 3)),  # call 2 of cage 3
        CallStep(WRITE, (4, Pointer(0), 1)),
        exits(0),
    )
    run = strict(CallStep(PIPE, (Pointer(256),)), fork(HOLDS), fork(program), WAIT, WAIT)
    assert of(run, 4, GETPID) == of(run, 4, 1002) == [EPERM]


BASE2 = (1 << 44) + 2 * (1 << 33)


def test_memory_of_those_farther_out_is_not_lent() -> None:
    """ABI-8: a function of one's own child, for one's own call, means no memory of whose call one serves oneself."""
    inner, outer = (CallStep(WRITE, (1, BASE3, 1)), ReturnStep(0)), (CallStep(GETUID), ReturnStep(0))
    late = (*[CallStep(24)] * 30, CallStep(GETEUID), CallStep(WRITE, (4, Pointer(0), 1)), exits(0))
    app = (register(3, GETEUID, 2, 0, caller=2), BecomeStep(), *late)
    grate = (BecomeStep((outer,)), fork(app), fork((BecomeStep((inner,)), *HOLDS)), *[CallStep(24)] * 4)
    register_tool = register(2, GETUID, 4, 0, caller=2)
    run = strict(CallStep(PIPE, (Pointer(256),)), fork((*grate, register_tool, WAIT, WAIT, exits(0))), WAIT)
    assert of(run, 2, GETUID) == of(run, 3, GETEUID) == [0]
    assert of(run, 4, WRITE) == [-14]


BASE3 = (1 << 44) + 3 * (1 << 33)


def test_limits_of_others() -> None:
    """CAP-2: prlimit64 sets the limits of whom one may act for; it reads those of anybody."""
    child = (BecomeStep(), CallStep(302, (1, 7, Pointer(0), 0)), CallStep(302, (1, 7, 0, Pointer(64))), exits(0))
    run = strict(fork(child), WAIT)
    assert of(run, 2, 302) == [EPERM, 0]


def test_what_comes_to_be_while_a_call_waits() -> None:
    """CAP-2: a sleep that names memory of a cage to come is judged again when a signal ends it."""
    act = SIGACTION.pack(sa_handler=2)
    sleeps = (
        BecomeStep(((), (), (ReturnStep(0),))),
        StoreStep(800, act),
        CallStep(13, (10, Pointer(800), 0)),
        StoreStep(840, TIMESPEC.pack(tv_sec=1000, tv_nsec=0)),
        CallStep(35, (0, 0, Pointer(840), BASE3 + 64), cages=(2, 2, 2, 3)),
        exits(0),
    )
    signal = (*[CallStep(24)] * 6, fork((CallStep(24), exits(0))), CallStep(62, (2, 10)))
    run = strict(fork(sleeps), *signal, WAIT, WAIT)
    assert of(run, 2, 35) == [EPERM]
    assert rules(run, 35) == ["CAP-2"]

"""Routing and calls 1001 to 1003 as the system serves them: 3I-ROUTE-*, 3I-REG-*, 3I-COPY-*, 3I-DATA-*."""

from __future__ import annotations

from typing import Any

import pytest
from grate_scenes import (
    GETEUID,
    GETPID,
    GETPPID,
    GETUID,
    OPEN,
    PIPE,
    READ,
    WAITS,
    WRITE,
    copies_table,
    forward,
    handler_of,
    of,
    register,
    rules,
    under,
    wasm_grate,
)
from scenes import FORK, CallStep, exits, fork, program, scripted

from lindref.posix.errno import ENOSYS, ESRCH
from lindref.profile import LIND, SPEC, Profile
from lindref.system.events import End, Enter, Exit
from lindref.system.script_runner import Given, Pointer, ReturnStep, StoreStep
from lindref.threei.numbers import DEREGISTER, RAWPOSIX_CAGE, RUNTIME_CAGE, THREEI_CAGE, UNUSED, ThreeIError

# Routing.


def test_route_1_a_dead_target() -> None:
    """3I-ROUTE-1: another cage's call for a cage that is gone is -ESRCH, and no handler runs."""
    run = scripted(
        fork((exits(0),)),
        WAITS,
        register(1, GETEUID, 1, 0),
        CallStep(GETEUID, target=2),
        CallStep(GETEUID),
        exits(0),
        handlers=((ReturnStep(1),),),
    )
    assert run.run() == 0
    assert of(run, 1, GETEUID) == [-ESRCH, 1]
    assert rules(run, GETEUID)[0] == "3I-ROUTE-1"
    assert handler_of(run, GETEUID) == [1]


def test_route_2_self_names_the_table() -> None:
    """3I-ROUTE-2: the caller's own id and the target's table play no part; anybody may name any table."""
    run = under(
        ((ReturnStep(50),),),
        CallStep(GETEUID),
        CallStep(GETEUID, caller=1),
        CallStep(GETEUID, caller=2, target=1),
        CallStep(GETPID, caller=1, target=1),
        profile=OPEN,
    )
    assert run.run() == 0
    assert of(run, 2, GETEUID) == [50, 0, 50]
    assert of(run, 2, GETPID) == [1]
    assert handler_of(run, GETEUID) == [1, RAWPOSIX_CAGE, 1]


@pytest.mark.parametrize("profile", [SPEC, LIND])
@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((CallStep(999),), "no handler for this number: syscall_num 999 in self_cageid 1"),
        ((CallStep(GETUID, caller=1234),), "no handler table: syscall_num 102 in self_cageid 1234"),
        ((register(1, GETUID, DEREGISTER, 0), CallStep(GETUID)), "no handler for this number"),
    ],
)
def test_route_3_nobody_serves(steps: tuple[CallStep, ...], text: str, profile: Profile) -> None:
    """3I-ROUTE-3, deviation 3I-MISSING."""
    run = scripted(*steps, exits(0), profile=profile)
    status = run.run()
    assert run.system.outcome is not None
    if profile is LIND:
        assert (status, run.system.outcome.code) == (134, 101)
        assert text in run.system.outcome.text
    else:
        assert status == 0
        assert run.results[-2][1] == -ENOSYS
        assert [e.rule for e in run.recorder.of(Exit)][-2] == "3I-ROUTE-3"


@pytest.mark.parametrize("profile", [OPEN, LIND])
def test_route_4_a_grate_that_never_was(profile: Profile) -> None:
    """3I-ROUTE-4: the registration is accepted; the call is -ESRCH."""
    run = scripted(register(1, GETEUID, 1500, 0), CallStep(GETEUID), exits(0), profile=profile)
    assert run.run() == 0
    assert of(run, 1, 1001, GETEUID) == [0, -ESRCH]
    assert rules(run, GETEUID) == ["3I-ROUTE-4"]


@pytest.mark.parametrize("profile", [OPEN, LIND])
def test_route_3_a_row_of_the_runtime(profile: Profile) -> None:
    """3I-ROUTE-3: a guest's registration of the runtime as handler jumps to no function."""
    run = scripted(register(1, GETEUID, RUNTIME_CAGE, 64), CallStep(GETEUID), exits(0), profile=profile)
    assert run.run() == (134 if profile is LIND else 0)
    if profile is OPEN:
        assert of(run, 1, GETEUID) == [-ENOSYS]


# Calls of 3i itself.


def test_reg_on_the_wire() -> None:
    """3I-REG-1, 3I-REG-3: the last registration wins; removing does not bring back RawPOSIX, and is 0 twice."""
    run = under(
        ((ReturnStep(50),), (ReturnStep(51),)),
        CallStep(GETEUID),
        register(2, GETEUID, 1, 1),
        CallStep(GETEUID),
        register(2, GETEUID, DEREGISTER, 0),
        register(2, GETEUID, DEREGISTER, 0),
        CallStep(GETEUID),
        copies_table(1, 2),
        CallStep(GETEUID),
    )
    assert run.run() == 0
    assert of(run, 2, GETEUID) == [50, 51, -ENOSYS, 0]
    assert of(run, 2, 1001, 1003) == [0, 0, 0, 0, 0]
    assert set(handler_of(run, 1001)) == {THREEI_CAGE}


def test_reg_2_copy_2_cages_that_are_gone() -> None:
    """3I-REG-2, 3I-COPY-2, 3I-COPY-3: the results when a cage is gone, or never had a table."""
    run = scripted(
        fork((exits(0),)),
        WAITS,
        register(2, GETEUID, 1, 0),
        register(1, GETEUID, 2, 0),
        copies_table(1, 2),
        copies_table(2, 1),
        copies_table(77, 1),
        CallStep(GETEUID),
        exits(0),
    )
    assert run.run() == 0
    gone, aborted = ThreeIError.NO_SUCH_CAGE, ThreeIError.ABORTED
    assert of(run, 1, 1001, 1003) == [gone, gone, gone, gone, aborted]
    assert of(run, 1, GETEUID) == [0]


def test_calls_of_3i_are_interposed_like_any_other() -> None:
    """3I-ROUTE-2 for 1001: the interposer sees the target where the first value is, the number beside it."""
    seen = (CallStep(GETPPID, tuple(Given(i) for i in range(3)), target=1), ReturnStep(-77))
    run = under(
        (seen,),
        CallStep(1001, (2, UNUSED, 4), cages=(GETEUID, 2, UNUSED)),
        register(2, GETUID, 1, 0),
        number=1001,
    )
    assert run.run() == 0
    assert of(run, 2, 1001) == [0, -77, 0]
    inner = next(e for e in run.recorder.of(Enter) if e.within)
    assert inner.args[:3] == ((2, GETEUID), (UNUSED, 2), (4, UNUSED))


def test_fork_inherits_and_exec_keeps() -> None:
    """3I-FORK-1, 3I-EXEC-1 at once: a grandchild's new image is served by the grate of its grandparent."""
    entry = f'(func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32) (i32.const 42))'
    second = program(f"(call $exit (i64.extend_i32_u (call $call0 (i32.const {GETEUID}))))")
    child = f"""(call $register (i64.const {GETEUID}) (i64.const 0))
      (if (i32.eqz {FORK}) (then
        (drop (call $call3 (i32.const 59) (call $at (i32.const 0x200)) (i64.const 0) (i64.const 0)))))
      (drop (call $call3 (i32.const 61) (i64.const -1) (call $at (i32.const 0x700)) (i64.const 0)))"""
    run = wasm_grate(child, entry + '(data (i32.const 0x200) "/two\\00")', files={b"/two": second})
    assert run.run() == 0
    assert of(run, 3, GETEUID) == [42]
    assert next((e.cage, e.status) for e in run.recorder.of(End) if e.whole) == (3, 42)


def test_mmap_of_a_new_image_goes_through_the_grate() -> None:
    """The one mapping of a static image is a call of the cage like any other, and can be refused."""
    second = program("(call $exit (i64.const 3))", '(data (i32.const 0x100) "x")')
    entry = f"""(func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32)
      (i64.store (i32.const 0x400) (local.get 4))
      (call $write (i32.const 1) (i32.const 0x400) (i32.const 8))
      (i32.const -12))"""
    child = """(call $register (i64.const 9) (i64.const 0))
      (drop (call $call3 (i32.const 59) (call $at (i32.const 0x200)) (i64.const 0) (i64.const 0)))"""
    run = wasm_grate(child, entry + '(data (i32.const 0x200) "/two\\00")', files={b"/two": second})
    assert run.run() == 0
    assert int.from_bytes(run.out, "little") == 65536 + 32 * (4096 + (8 << 20))
    assert next((e.cage, e.status) for e in run.recorder.of(End) if e.whole) == (2, 1)


# Copying data.


def copies(source: Any, source_cage: int, dest: Any, dest_cage: int, length: int, kind: int = 0) -> CallStep:
    """copy_data_between_cages as the C library sends it."""
    return CallStep(1002, (source, dest, length, kind), cages=(source_cage, dest_cage, UNUSED, UNUSED))


def test_data_in_both_directions() -> None:
    """3I-DATA-5, 3I-DATA-6: bytes read from the caller and written there; results are addresses' low halves."""
    handler = (
        copies(Given(0), 2, Pointer(1024), 1, 4),
        copies(Pointer(1024), 1, Given(1), 2, 3),
        CallStep(WRITE, (1, Pointer(1024), 4)),
        ReturnStep(0),
    )
    run = under(
        (handler,),
        StoreStep(2048, b"abcd"),
        CallStep(GETEUID, (Pointer(2048), Pointer(3000))),
        CallStep(WRITE, (1, Pointer(3000), 4)),
    )
    assert run.run() == 0
    assert run.out == b"abcdabc\0"
    first, second = of(run, 1, 1002)
    assert first == 1024
    assert second == 3000
    assert rules(run, 1002) == ["3I-DATA-6", "3I-DATA-6"]


@pytest.mark.parametrize(
    ("step", "rule"),
    [
        (copies(Pointer(0), 1, Pointer(64), 1, 4), "3I-DATA-1"),
        (copies(Given(0), 2, Pointer(64), 1, 1 << 32), "3I-DATA-2"),
        (copies(Given(0), 2, 0, 1, 4), "3I-DATA-3"),
        (copies(0, 2, Pointer(64), 1, 4, 1), "3I-DATA-4"),
        (copies(Given(0), 2, Pointer(64), 1, 2, 1), "3I-DATA-4"),
        (copies(Given(0), 2, Pointer(64), 1, 4, 7), "3I-DATA-4"),
        (copies(12345, 99, Pointer(64), 1, 0), "3I-DATA-5"),
        (copies(Given(0), 2, Pointer(1 << 31), 1, 4), "3I-DATA-5"),
        (copies(12345, 2, Pointer(64), 1, 4), "3I-DATA-5"),
    ],
)
def test_data_refusals(step: CallStep, rule: str) -> None:
    """3I-DATA-1 to 3I-DATA-5: each refusal with its rule, and nothing is written."""
    handler = (StoreStep(64, b"...."), step, CallStep(WRITE, (1, Pointer(64), 4)), ReturnStep(0))
    run = under((handler,), StoreStep(2048, b"abcd"), CallStep(GETEUID, (Pointer(2048),)))
    assert run.run() == 0
    assert of(run, 1, 1002) == [ThreeIError.ABORTED]
    assert rules(run, 1002) == [rule]
    assert run.out == b"...."


def test_data_3_null_destination_in_profile_lind() -> None:
    """3I-DATA-3, deviation 3I-DATA-NULL: the real runtime dies."""
    handler = (copies(Given(0), 2, 0, 1, 4), ReturnStep(0))
    run = under((handler,), CallStep(GETEUID, (Pointer(2048),)), profile=LIND)
    assert run.run() == 134


def test_data_4_a_string_stops_at_its_nul() -> None:
    """3I-DATA-4: kind 1 copies up to and with the NUL, and nothing behind it is touched."""
    handler = (
        StoreStep(64, b"######"),
        copies(Given(0), 2, Pointer(64), 1, 100, 1),
        CallStep(WRITE, (1, Pointer(64), 6)),
        ReturnStep(0),
    )
    run = under((handler,), StoreStep(2048, b"ab\0cd"), CallStep(GETEUID, (Pointer(2048),)))
    assert run.run() == 0
    assert run.out == b"ab\0###"


# The cages beside the arguments.


def test_a_descriptor_is_looked_up_in_the_cage_beside_it() -> None:
    """A grate that passes a write on with the pairs unchanged writes to its child's descriptor, not to its own."""
    handler = (forward(WRITE), ReturnStep(33))
    run = under(
        (handler,),
        CallStep(PIPE, (Pointer(512),)),
        CallStep(WRITE, (4, Pointer(2048), 3)),
        CallStep(READ, (3, Pointer(3000), 8)),
        number=WRITE,
    )
    assert run.run() == 0
    assert of(run, 1, WRITE) == [3]
    assert of(run, 2, WRITE, READ) == [33, 3]


def test_a_grates_own_memory_as_an_argument() -> None:
    """The value and the cage of one pair may be the grate's while the others stay the caller's (bit 63 at the gate)."""
    entry = f"""(data (i32.const 0x800) "mine")
    (func (export "pass_fptr_to_wt") {"(param i64)" * 14} (result i32)
      (call $raw (i32.const {WRITE}) (i64.const 0) (i64.const 1) (local.get 3)
        (local.get 2) (local.get 3) (call $at (i32.const 0x800)) (i64.const {1 - (1 << 63)}) (i64.const 4) (local.get 7)
        (local.get 8) (local.get 9) (local.get 10) (local.get 11) (local.get 12) (local.get 13)))"""
    run = wasm_grate(
        f"(call $register (i64.const {WRITE}) (i64.const 0)) (call $write (i32.const 1) (i32.const 0) (i32.const 1))",
        entry,
    )
    assert run.run() == 0
    assert run.out == b"mine"
    inner = next(e for e in run.recorder.of(Enter) if e.within)
    assert [cage for _, cage in inner.args[:3]] == [2, 1, 2]

"""Constructors of static programs run once (LOAD-3), though the linker's command wrappers would run them again."""

from __future__ import annotations

import pytest
from scenes import PRELUDE, module, world

from lindref.profile import LIND, SPEC, Profile
from lindref.wasm.binary.encoder import encode
from lindref.wasm.sections import name_section
from lindref.wasm.text.parser import parse_module

#: How wasm-ld exports a function of a program that does not call the constructors itself.
WRAPPED = """
(func ${0}.command_export (export "{0}") {1} (call $__wasm_call_ctors) {2} (call ${0}) (call $__wasm_call_dtors))
"""


def wrapper(name: str, params: int = 0, result: str = "", kind: str = "i32") -> str:
    given = " ".join(f"(local.get {i})" for i in range(params))
    head = f"(param {' '.join([kind] * params)})" if params else ""
    text = WRAPPED.format(name, f"{head} {result}", given)
    return text.replace(f"{given} (call ${name})", f"(call ${name} {given})") if params else text


COUNT = "(i32.load (i32.const 0x800))"
BODY = f"""
(global $sp (export "__stack_pointer") (mut i32) (i32.const 0x2000)) (global $tls (mut i32) (i32.const 0))
(func $__wasm_call_ctors (i32.store (i32.const 0x800) (i32.add {COUNT} (i32.const 1))))
(func $__wasm_call_dtors)
(func $signal_callback (param i32 i32)
  (i32.store (i32.const 0x804) (i32.add (i32.const 1) (i32.load (i32.const 0x804)))))
(func $__get_aligned_tls_size (result i32) (i32.const 16))
(func $__wasm_init_tls (param i32) (global.set $tls (local.get 0)))
(func $_start (local $r i32)
  (i32.store (i32.const 0x910) (i32.const 5))
  (drop (call $call3 (i32.const 13) (i64.const 10) (call $at (i32.const 0x910)) (i64.const 0)))
  (drop (call $call3 (i32.const 62) (i64.extend_i32_u (call $call0 (i32.const 39))) (i64.const 10) (i64.const 0)))
  (drop (call $call0 (i32.const 39)))
  (drop (call $call3 (i32.const 62) (i64.extend_i32_u (call $call0 (i32.const 39))) (i64.const 10) (i64.const 0)))
  (drop (call $call0 (i32.const 39)))
  (i64.store (i32.const 0x400) (i64.const 0x100)) (i64.store (i32.const 0x410) (call $at (i32.const 0x500)))
  (i64.store (i32.const 0x428) (i64.const 0x6000)) (i64.store (i32.const 0x430) (i64.const 0x1000))
  (if (i32.eqz (call $call3 (i32.const 56) (call $at (i32.const 0x400)) (i64.const 0) (i64.const 0)))
    (then (i32.store (i32.const 0x808) (global.get $tls)) (drop (call $call1 (i32.const 60) (i64.const 0)))))
  (loop $l (if (i32.eqz (i32.load (i32.const 0x808))) (then (drop (call $call0 (i32.const 24))) (br $l))))
  (if (i32.ne (i32.load (i32.const 0x804)) (i32.const 2)) (then unreachable))
  (if (i32.ne (i32.load (i32.const 0x808)) (i32.const 0x5ff0)) (then unreachable))
  (call $exit (i64.extend_i32_u {COUNT})))
{wrapper("_start")} {wrapper("signal_callback", 2)} {wrapper("__get_aligned_tls_size", 0, "(result i32)")}
{wrapper("__wasm_init_tls", 1)}
"""


def image(*, named: bool) -> bytes:
    if not named:
        return module(BODY)
    made = parse_module(f"(module {PRELUDE} {BODY})")
    made.customs = (*made.customs, name_section(made.text_names))  # type: ignore[arg-type]
    return encode(made)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(("profile", "times"), [(SPEC, 1), (LIND, 5)])
def test_load_3_constructors_run_once(profile: Profile, times: int, *, named: bool) -> None:
    """LOAD-3: with the linker's names or by the shape of the wrappers; as recorded (CTORS-AGAIN) once more for each of
    two signals, and twice for the thread."""
    assert world(image(named=named), profile=profile).run() == times


GRATE = f"""
(global $sp (export "__stack_pointer") (mut i32) (i32.const 0x2000))
(func $__wasm_call_ctors (i32.store (i32.const 0x800) (i32.add {COUNT} (i32.const 1))))
(func $__wasm_call_dtors)
(func $pass_fptr_to_wt (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i32) {COUNT})
(func $_start
  (drop (call $raw (i32.const 1001) (i64.const 0) (call $cage) (call $cage)
    (call $cage) (i64.const 102) (i64.const 0) (call $cage) (i64.const 0) (call $cage)
    (i64.const 0) (call $cage) (i64.const 0) (call $cage) (i64.const 0) (call $cage)))
  (drop (call $call0 (i32.const 102)))
  (call $exit (i64.extend_i32_u (call $call0 (i32.const 102)))))
{wrapper("_start")} {wrapper("pass_fptr_to_wt", 14, "(result i32)", "i64")}
"""


@pytest.mark.parametrize(("profile", "times"), [(SPEC, 1), (LIND, 3)])
def test_load_3_grate_calls(profile: Profile, times: int) -> None:
    """LOAD-3: the second call sees what the constructor counted."""
    assert world(module(GRATE), profile=profile).run() == times

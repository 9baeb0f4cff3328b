"""The order of a load, and which definition a symbol means."""

from __future__ import annotations

import pytest
from dynamic_scenes import dynamic, main, module, ran, told
from scenes import program, world

from lindref.profile import LIND, SPEC, Profile
from lindref.system.events import Note
from lindref.system.image import ImageError
from lindref.system.runtime import Config

#: Writes one number at once, so that what different modules say comes in the order in which they say it.
SAY = """
(func $now (param $v i32) (i32.store (i32.add (global.get $base) (i32.const 48)) (local.get $v))
  (call $write (i32.const 1) (i32.add (global.get $base) (i32.const 48)) (i32.const 4)))
"""


def library(number: int, imports: str = "", body: str = "", ctor: str = "", **more: object) -> bytes:
    """A library that says 10n when it starts, 10n+1 when it is relocated, 10n+2 when it is constructed."""
    text = f"""{SAY} {body}
      (func $start (call $now (i32.const {10 * number}))) (start $start)
      (func (export "__wasm_apply_data_relocs") (call $now (i32.const {10 * number + 1})))
      (func (export "__wasm_call_ctors") (call $now (i32.const {10 * number + 2})) {ctor})"""
    return module(f"lib{number}.so", imports, text, relocs=False, **more)  # type: ignore[arg-type]


def said_by_main(start: str, imports: str = "", body: str = "", **more: object) -> bytes:
    text = f"""{SAY} {body} (func $start (call $now (i32.const 90))) (start $start)
      (func (export "__wasm_apply_data_relocs") (call $now (i32.const 91)))
      (func (export "__wasm_call_ctors") (call $now (i32.const 92)))
      (func (export "_start") {start})"""
    return module("main", imports, text, relocs=False, **more)  # type: ignore[arg-type]


ASK = "(call $now (global.get $far))"
FAR = '(import "GOT.mem" "mains" (global $far (mut i32)))'


@pytest.mark.parametrize(
    ("profile", "order"),
    [
        (SPEC, [10, 20, 90, 11, 21, 91, 12, 0x802010, 22, 92, 5]),
        (LIND, [10, 11, 12, 0, 20, 21, 22, 90, 91, 92, 5]),
    ],
)
def test_order(profile: Profile, order: list[int]) -> None:
    """DYN-4: in place, bound, relocated, constructed, libraries first (deviation DL-ORDER: one by one). The first
    library's constructor asks for a symbol of main's."""
    libraries = {"lib1.so": library(1, FAR, ctor=ASK), "lib2.so": library(2)}
    image = said_by_main("(call $now (i32.const 5))", "", '(global (export "mains") i32 (i32.const 0x10))')
    assert ran(dynamic(image, libraries, profile=profile)) == order


ONE = '(import "env" "one" (func $one (result i32)))'
VALUE = '(func (export "{}") (result i32) (i32.const {}))'


def provider(number: int, *functions: tuple[str, int], data: str = "") -> bytes:
    body = "".join(VALUE.format(name, value) for name, value in functions)
    return module(f"lib{number}.so", "", body + data)


def test_the_first_definition_holds() -> None:
    """DYN-9: for calls and addresses alike; main comes first."""
    libraries = {
        "lib1.so": provider(1, ("one", 1), ("both", 2)),
        "lib2.so": provider(2, ("both", 3), ("two", 4)),
    }
    names = ("one", "both", "two", "mine")
    imports = "".join(f'(import "env" "{n}" (func ${n} (result i32)))' for n in names[:3])
    imports += "".join(f'(import "GOT.func" "{n}" (global $p_{n} (mut i32)))' for n in names)
    start = "".join(f"(call $tell (call ${n}))" for n in names[:3])
    start += "".join(f"(call $tell (call_indirect (result i32) (global.get $p_{n})))" for n in names)
    image = main(start, imports, VALUE.format("mine", 9))
    assert ran(dynamic(image, libraries)) == [1, 2, 4, 1, 2, 4, 9]


def test_defined_twice_as_recorded() -> None:
    """DYN-9, deviation DL-NAMES: in libraries it fails the load, in main it ends the host."""
    two = {"lib1.so": provider(1, ("one", 1)), "lib2.so": provider(2, ("one", 3))}
    failed = dynamic(main("(nop)"), two, profile=LIND)
    assert failed.run() == 70 and "one is defined twice" in str(failed.system.outcome)
    again = main("(nop)", "", VALUE.format("one", 9))
    assert dynamic(again, {"lib1.so": two["lib1.so"]}, profile=LIND).run() == 134
    assert dynamic(again, two).run() == 0


def test_two_modules_of_one_name_as_recorded() -> None:
    """DYN-9, deviation DL-NAMES."""
    same = {"lib1.so": provider(1, ("one", 1)), "lib2.so": provider(1, ("two", 3))}
    assert dynamic(main("(nop)"), same, profile=LIND).run() == 134
    assert dynamic(main("(nop)"), same).run() == 0


def test_libraries_call_each_other_and_main() -> None:
    """DYN-9: in whatever order they were loaded; as recorded only what came before (DL-ORDER)."""
    back = '(import "env" "mains" (func $mains (result i32)))(import "env" "two" (func $two (result i32)))'
    sum_ = '(func (export "sum") (result i32) (i32.add (call $mains) (call $two)))'
    libraries = {"lib1.so": module("lib1.so", back, sum_), "lib2.so": provider(2, ("two", 40))}
    image = main(
        "(call $tell (call $sum))", '(import "env" "sum" (func $sum (result i32)))', VALUE.format("mains", 2)
    )
    assert ran(dynamic(image, libraries)) == [42]
    recorded = dynamic(image, libraries, profile=LIND)
    assert recorded.run() == 70 and "unknown import: `env::mains`" in str(recorded.system.outcome)


@pytest.mark.parametrize("profile", [SPEC, LIND])
def test_what_nobody_defines(profile: Profile) -> None:
    """DYN-8, DYN-10: addresses are 0, a call traps with the name."""
    imports = '(import "env" "nobody" (func $nobody (param i64) (result f64)))'
    imports += '(import "GOT.func" "nobody" (global $pf (mut i32)))(import "GOT.mem" "nothing" (global $pd (mut i32)))'
    start = "(call $tell (global.get $pf))(call $tell (global.get $pd))(call $say)(drop (call $nobody (i64.const 1)))"
    found = dynamic(main(start, imports), profile=profile)
    assert found.run() == 70 and told(found) == [0, 0]
    assert "unknown import: `env::nobody` has not been defined" in str(found.system.outcome)


def test_functions_and_data_of_one_name() -> None:
    """DYN-9: are told apart; as recorded the first cell made gets the first definition of either (DL-ORDER)."""
    libraries = {"lib1.so": provider(1, data='(global (export "dual") i32 (i32.const 8))'),
                 "lib2.so": provider(2, ("dual", 5))}
    imports = '(import "GOT.func" "dual" (global $f (mut i32)))(import "GOT.mem" "dual" (global $d (mut i32)))'
    start = "(call $tell (global.get $f))(call $tell (global.get $d))"
    apart = ran(dynamic(main(start, imports), libraries))
    assert apart[0] < 100 and apart[1] & 0xFFF == 8
    files = {b"/lib/" + name.encode(): data for name, data in libraries.items()}
    config = Config(preloads=(("env", "/lib/lib1.so"), ("other", "/lib/lib2.so")))
    mixed = ran(world(main(start, imports), files=files, config=config, profile=LIND))
    assert mixed[0] & 0xFFF == 8 and mixed[0] >> 31 and mixed[1] == 0


def test_another_type_is_no_definition() -> None:
    """DYN-9: it is told, and a call traps, as where programs are linked statically; as recorded the load fails."""
    imports = '(import "env" "one" (func $one (param i32)))'
    libraries = {"lib1.so": provider(1, ("one", 1))}
    found = dynamic(main("(nop)", imports), libraries)
    assert found.run() == 0 and "/main: env.one is defined with another type" in found.recorder.of(Note)[0].text
    called = dynamic(main("(call $one (i32.const 1))", imports), libraries)
    assert called.run() == 70 and "`env::one`" in str(called.system.outcome)
    recorded = dynamic(main("(nop)", imports), libraries, profile=LIND)
    assert recorded.run() == 70 and "incompatible import type" in str(recorded.system.outcome)


def test_thread_local_variables_are_no_addresses() -> None:
    """DYN-7: as recorded they are taken for data (DL-SLOTS)."""
    lib = module("lib1.so", "", '(global (export "own") i32 (i32.const 4))', thread_local=["own"])
    image = main("(call $tell (global.get $d))", '(import "GOT.mem" "own" (global $d (mut i32)))')
    assert ran(dynamic(image, {"lib1.so": lib})) == [0]
    assert ran(dynamic(image, {"lib1.so": lib}, profile=LIND)) == [0xFFFFE004]


def test_internal_names_are_nobody_elses() -> None:
    """DYN-7: a library's memory set-up is not what main's import of that name means."""
    lib = module("lib1.so", "", VALUE.format("asyncify_get_state", 1))
    image = main("(call $tell (call $g))", '(import "env" "asyncify_get_state" (func $g (result i32)))')
    assert dynamic(image, {"lib1.so": lib}).run() == 70


def test_the_namespace_of_a_library() -> None:
    """DYN-5: functions are imported from the name it was asked for under; addresses go by symbol alone."""
    imports = '(import "other" "one" (func $one (result i32)))(import "GOT.func" "one" (global $p (mut i32)))'
    image = main("(call $tell (call $one))(call $tell (call_indirect (result i32) (global.get $p)))", imports)
    files = {b"/lib/x": provider(1, ("one", 1))}
    assert ran(world(image, files=files, config=Config(preloads=(("other", "/lib/x"),)))) == [1, 1]
    elsewhere = world(image, files=files, config=Config(preloads=(("env", "/lib/x"),)))
    assert elsewhere.run() == 70 and "`other::one`" in str(elsewhere.system.outcome)


def test_imports_of_the_instrumented_stage() -> None:
    """DYN-5, DYN-6: words that instrumentation uses are there, and 0; a library sees the program's."""
    imports = """
      (import "lind" "epoch" (global $epoch (mut i64))) (import "env" "__asyncify_state" (global $as (mut i32)))
      (import "env" "__asyncify_data" (global $ad (mut i32))) (import "lind" "epoch_callback" (func $cb))
      (import "GOT.mem" "__stack_low" (global $low (mut i32)))
      (import "GOT.mem" "__stack_high" (global $high (mut i32)))
    """
    bump = '(func (export "bump") (global.set $as (i32.const 7)))'
    libraries = {"lib1.so": module("lib1.so", imports, bump)}
    start = """(call $tell (i32.wrap_i64 (global.get $epoch))) (call $cb) (call $bump) (call $tell (global.get $as))
      (call $tell (global.get $low)) (call $tell (global.get $high)) (call $tell (global.get $sp))"""
    image = main(start, imports + '(import "env" "bump" (func $bump))')
    assert ran(dynamic(image, libraries)) == [0, 7, 0x1000, 0x801000, 0x801000]


def test_what_cannot_be_imported() -> None:
    """DYN-5: is a load failure that names it."""
    found = dynamic(main("(nop)", '(import "env" "strange" (global $g i32))'))
    assert found.run() == 70 and "unknown import env.strange" in str(found.system.outcome)


HANDLER = """(func (export "signal_callback") (param i32 i32)
  (call $write (i32.const 1) (i32.const 0x900) (i32.const 4)))"""
SIGNAL = """
(memory.fill (i32.const 0x900) (i32.const 65) (i32.const 4))
(i32.store (i32.const 0x910) (i32.const 5))
(drop (call $call3 (i32.const 13) (i64.const 10) (call $at (i32.const 0x910)) (i64.const 0)))
(drop (call $call3 (i32.const 62) (i64.extend_i32_u (call $call0 (i32.const 39))) (i64.const 10) (i64.const 0)))
(drop (call $call0 (i32.const 39)))
"""


def test_handlers_are_called_through_the_library() -> None:
    """DYN-11: where main exports no signal_callback, the first library's is called."""
    found = dynamic(main(SIGNAL), {"lib1.so": module("lib1.so", "", HANDLER)})
    assert found.run() == 0 and found.out.startswith(b"AAAA")


def test_thunks_for_function_pointer_casts() -> None:
    """DYN-13: the address is that of the thunk, a call by name that of the function."""
    body = """(func (export "one") (result i32) (i32.const 1))
      (func (export "$fpcast_emu$one") (param i64 i64) (result i64) (i64.const 2)) (func (export "other"))"""
    imports = ONE + '(import "GOT.func" "one" (global $p (mut i32)))(import "GOT.func" "other" (global $o (mut i32)))'
    wide = "(call_indirect (param i64 i64) (result i64) (i64.const 0) (i64.const 0) (global.get $p))"
    start = f"(call $tell (call $one)) (call $tell (i32.wrap_i64 {wide})) (call $tell (global.get $o))"
    for profile in (SPEC, LIND):
        libraries = {"lib1.so": module("lib1.so", "", body)}
        assert ran(dynamic(main(start, imports), libraries, profile=profile)) == [1, 2, 0]


# Finding libraries.



@pytest.mark.parametrize("name", ["libc.so", "libc.wasm"])
def test_a_standard_library_is_found(name: str) -> None:
    """DYN-1: in /lib, where the program needs it; what defines nothing that is missing is left alone."""
    image = main("(call $tell (call $one))", ONE)
    libraries = {name: provider(1, ("one", 1)), "libm.so": library(2)}
    assert ran(dynamic(image, libraries, preload=False)) == [1]
    assert ran(dynamic(image, libraries, preload=False, profile=LIND)) == [20, 21, 22, 1]


def test_machine_code_has_its_module_beside_it() -> None:
    """DYN-1: a .cwasm that is no module stands for the .wasm or .so of that name, asked for or not."""
    image = main("(call $tell (call $one))", ONE)
    files = {b"/lib/libc.cwasm": b"\x7fELF machine code", b"/lib/libc.wasm": provider(1, ("one", 1))}
    assert ran(dynamic(image, preload=False, files=files)) == [1]
    assert ran(world(image, files=files, config=Config(preloads=(("env", "/lib/libc.cwasm"),)))) == [1]


def test_needed_libraries_are_found() -> None:
    """DYN-1: with what they need, each once, needed ones first; deviation DL-NEEDED."""
    image = said_by_main("(call $now (call $one))", ONE, needed=["lib1.so", "lib2.so"])
    first = library(1, '(import "env" "two" (func $two (result i32)))',
                    '(func (export "one") (result i32) (call $two))', needed=["lib2.so"])
    libraries = {"lib1.so": first, "lib2.so": library(2, "", VALUE.format("two", 2))}
    out = ran(dynamic(image, libraries, preload=False))
    assert [n for n in out if n % 10 == 2] == [22, 12, 92, 2]
    assert dynamic(image, libraries, preload=False, profile=LIND).run() == 70
    with pytest.raises(ImageError, match=r"needed library lib2\.so: not in /, /lib, /usr/lib"):
        dynamic(image, {"lib1.so": first}, preload=False)


def test_a_library_asked_for_must_be_there() -> None:
    """DYN-1: for a static program, too."""
    config = Config(preloads=(("env", "/lib/none.so"),))
    for image in (main("(nop)"), program("(nop)")):
        with pytest.raises(ImageError, match=r"preload env=/lib/none\.so: no such file"):
            world(image, config=config)
    with pytest.raises(ImageError, match="not a shared library"):
        world(main("(nop)"), files={b"/lib/none.so": program("(nop)")}, config=config)


REGISTER = """(drop (call $raw (i32.const 1001) (i64.const 0) (call $cage) (call $cage)
  (call $cage) (i64.const 102) (i64.const 0) (call $cage) (i64.const 0) (call $cage)
  (i64.const 0) (call $cage) (i64.const 0) (call $cage) (i64.const 0) (call $cage)))"""


def test_3i_grate_6_a_dynamic_program_serves_no_calls() -> None:
    """3I-GRATE-6: it has no workers (deviation 3I-FORKED-GRATE)."""
    image = main(f"{REGISTER} (call $tell (call $call0 (i32.const 102)))")
    assert ran(dynamic(image)) == [(1 << 32) - 3]
    assert dynamic(image, profile=LIND).run() == 134

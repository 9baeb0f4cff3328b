"""Booting, the guest ABI and how runs end: BOOT-*, LOAD-*, ABI-*, RUN-*."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest
from scenes import FORK, module, program, world

import lindref
from lindref.posix.errno import EFAULT
from lindref.profile import LIND
from lindref.system.boot import BootError, LoadError
from lindref.system.events import End, Enter, Exec, Note
from lindref.system.image import ARENA_SIZE, ImageError
from lindref.system.outcome import HANGS, Ending
from lindref.system.runtime import Config
from lindref.threei.numbers import RAWPOSIX_CAGE
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module


def exit_with(value: str) -> bytes:
    """A program that exits with an i32 expression."""
    return program(f"(call $exit (i64.extend_i32_u {value}))")


def test_boot_1_cage_1_begins_with_rows_of_rawposix() -> None:
    """BOOT-1, LOAD-1: the first call of a run is the image's mmap, served by RawPOSIX through cage 1's table."""
    run = world(exit_with("(i32.const 0)"))
    assert run.system.kernel.cages[1].parent == 1
    rows = run.system.tables.rows[1]
    assert {h.cage for n, h in rows.items() if n in run.system.kernel.rows and h} == {RAWPOSIX_CAGE}
    assert run.run() == 0
    first, second = run.recorder.of(Enter)[:2]
    assert first.name == "mmap" and (first.caller, first.target) == (1, 1)
    assert [v for v, _ in first.args] == [0, 65536 + ARENA_SIZE, 3, 0x32, (1 << 64) - 1, 0]
    assert {cage for _, cage in first.args} == {1}
    assert second.name == "exit_group"
    assert run.recorder.of(Exec)[0].rule == "LOAD-1"


def test_load_1_the_heap_begins_behind_the_workers_stacks() -> None:
    """LOAD-1: brk(0) is the declared minimum plus the workers' slots."""
    start = 65536 + ARENA_SIZE
    run = world(exit_with(f"(i32.eq (call $call1 (i32.const 12) (i64.const 0)) (i32.const {start}))"))
    assert run.run() == 1


def test_load_2_start_function_initialize_then_start() -> None:
    """LOAD-2: each runs once, in this order; what the entry returns is the exit code."""
    body = """
    (data (i32.const 0) "abc")
    (func $first (call $write (i32.const 1) (i32.const 0) (i32.const 1)))
    (start $first)
    (func (export "_initialize") (call $write (i32.const 1) (i32.const 1) (i32.const 1)))
    (func (export "_start") (result i32) (call $write (i32.const 1) (i32.const 2) (i32.const 1)) (i32.const 300))
    """
    run = world(module(body))
    assert run.run() == 300 & 255
    assert run.out == b"abc"
    assert run.recorder.of(Enter)[-1].name == "exit_group"


def test_load_2_a_program_without_entry_ends_with_0() -> None:
    assert world(module("")).run() == 0


@pytest.mark.parametrize("name", ["lind", "wasi_snapshot_preview1"])
def test_abi_2_4_arguments_and_environment(name: str) -> None:
    """ABI-2, ABI-4, BOOT-4: both module names; pointers, then strings back to back; EFAULT is positive."""
    body = f"""
    (import "{name}" "args_sizes_get" (func $as (param i32 i32) (result i32)))
    (import "{name}" "args_get" (func $ag (param i32 i32) (result i32)))
    (import "{name}" "environ_sizes_get" (func $es (param i32 i32) (result i32)))
    (import "{name}" "environ_get" (func $eg (param i32 i32) (result i32)))
    (func (export "_start") (local $r i32)
      (local.set $r (i32.or (call $as (i32.const 0) (i32.const 4)) (call $ag (i32.const 16) (i32.const 64))))
      (local.set $r (i32.or (local.get $r) (call $es (i32.const 8) (i32.const 12))))
      (local.set $r (i32.or (local.get $r) (call $eg (i32.const 32) (i32.const 128))))
      (call $write (i32.const 1) (i32.const 0) (i32.const 256))
      (call $exit (i64.extend_i32_u (i32.add (local.get $r) (call $as (i32.const -8) (i32.const 0))))))
    """
    imports, rest = body.split("(func (export", 1)
    image = encode(parse_module(f"(module {imports} {_prelude()} (func (export{rest})"))
    run = world(image, b"x", b"yy", env=(b"FOO=bar", b"A="))
    assert run.run() == EFAULT
    out = run.out
    words = [int.from_bytes(out[i : i + 4], "little") for i in range(0, 64, 4)]
    assert words[:4] == [3, len(b"/main\0x\0yy\0"), 2, len(b"FOO=bar\0A=\0")]
    assert words[4:7] == [64, 70, 72] and words[8:10] == [128, 136]
    assert out[64:75] == b"/main\0x\0yy\0" and out[128:139] == b"FOO=bar\0A=\0"


def _prelude() -> str:
    from scenes import PRELUDE

    return PRELUDE


def test_abi_2_random_is_a_function_of_the_seed() -> None:
    """ABI-2: random_get fills from the seeded stream, and says 14 where it cannot write."""
    body = """
    (import "lind" "random_get" (func $rnd (param i32 i32) (result i32)))
    """
    start = """(func (export "_start")
      (drop (call $rnd (i32.const 0) (i32.const 32)))
      (call $write (i32.const 1) (i32.const 0) (i32.const 32))
      (call $exit (i64.extend_i32_u (call $rnd (i32.const -4) (i32.const 8)))))"""
    image = encode(parse_module(f"(module {body} {_prelude()} {start})"))
    outs = []
    for seed in (0, 0, 7):
        run = world(image, config=Config(seed=seed))
        assert run.run() == EFAULT
        outs.append(run.out)
    assert outs[0] == outs[1] != outs[2]
    assert len(set(outs[0])) > 8


def test_abi_3_number_and_memory_flag_at_the_gate() -> None:
    """ABI-3: bit 63 of cage ids is cleared on the way; the number has no sign."""
    start = """
      (drop (call $raw (i32.const 39) (i64.const 0) (call $cage) (call $cage)
        (i64.const 5) (i64.or (call $cage) (i64.const 0x8000000000000000)) (i64.const 0) (i64.const 0) (i64.const 0)
        (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))
      (call $exit (i64.extend_i32_s (call $call0 (i32.const -3))))"""
    run = world(program(start))
    assert run.run() == -38 & 255
    asked = next(e for e in run.recorder.of(Enter) if e.number == 39)
    assert asked.args[0] == (5, 1)
    assert [e for e in run.recorder.of(Enter) if e.number == (1 << 32) - 3]


def test_abi_5_each_cage_has_a_base_of_its_own() -> None:
    """ABI-5: a child's base differs from its parent's; an address of no cage is EFAULT."""
    start = f"""(local $r i32)
      (i64.store (i32.const 0) (call $base))
      (local.set $r {FORK})
      (if (i32.eqz (local.get $r)) (then
        (call $exit (i64.extend_i32_u (i64.eq (i64.load (i32.const 0)) (call $base))))))
      (call $exit (i64.extend_i32_s
        (call $call3 (i32.const 1) (i64.const 1) (i64.const 0x7000000000) (i64.const 1))))"""
    run = world(program(start))
    assert run.run() == -EFAULT & 255
    assert [e.status for e in run.recorder.of(End) if e.whole and e.cage == 2] == [0]


def test_abi_6_memory_is_4_gib_whatever_is_declared() -> None:
    """ABI-6: 65,536 pages of which only the mapped ones can be touched; growing is refused."""
    start = """(if (i32.ne (memory.size) (i32.const 65536)) (then (call $exit (i64.const 1))))
      (if (i32.ne (memory.grow (i32.const 1)) (i32.const -1)) (then (call $exit (i64.const 2))))
      (drop (i32.load (i32.const 0xf0000000)))"""
    run = world(program(start))
    assert run.run() == 70
    assert run.system.outcome and "out of bounds memory access" in run.system.outcome.text


def test_abi_7_the_thread_id_is_the_second_argument() -> None:
    """ABI-7: for clone, exit and exit_group made for oneself; not where the target is another."""
    start = f"""(drop {FORK}) (call $exit (i64.const 0))"""
    run = world(program(start))
    run.run()
    assert {e.args[1][0] for e in run.recorder.of(Enter) if e.number in (56, 231)} == {1}
    plain = world(program("(drop (call $call3 (i32.const 39) (i64.const 0) (i64.const 9) (i64.const 0)))"))
    plain.run()
    assert [e.args[1][0] for e in plain.recorder.of(Enter) if e.number == 39] == [9]


def test_abi_1_unknown_imports_are_named_all_at_once() -> None:
    """ABI-1: and those of another type."""
    text = """(module (import "lind" "nothing" (func)) (import "env" "also" (func (param i32)))
      (import "lind" "lind-get-cage-id" (func (result i32))) (import "env" "memory" (memory 1)))"""
    with pytest.raises(ImageError) as caught:
        world(encode(parse_module(text)))
    said = str(caught.value)
    assert "\n" not in said
    for part in ("unknown import lind.nothing", "unknown import env.also", "lind.lind-get-cage-id has type", "shared"):
        assert part in said


def test_boot_2_a_program_inside_a_root(tmp_path: Path) -> None:
    """BOOT-2, BOOT-4: a path inside the root; argv[0] as typed; the root is the working directory."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "p.wasm").write_bytes(exit_with("(i32.const 9)"))
    system = lindref.boot("/bin/p.wasm", ["a"], root=tmp_path)
    assert system.run() == 9
    executed = next(e for e in system.trace if isinstance(e, Exec))
    assert executed.argv == ("/bin/p.wasm", "a") and executed.path == "/bin/p.wasm"
    with pytest.raises(BootError, match=r"p\.wasm: No such file"):
        lindref.boot("p.wasm", root=tmp_path)


def test_boot_3_a_host_program_and_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BOOT-3: in the root it is the file there; from elsewhere it is added under its base name."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "in.wasm").write_bytes(exit_with("(i32.const 1)"))
    (tmp_path / "out.wasm").write_bytes(exit_with("(i32.const 2)"))
    monkeypatch.chdir(tmp_path / "here")
    inside = lindref.boot("in.wasm")
    assert inside.run() == 1
    outside = lindref.boot("../out.wasm")
    assert outside.run() == 2
    paths = [next(e for e in s.trace if isinstance(e, Exec)).path for s in (inside, outside)]
    assert paths == ["/in.wasm", "/out.wasm"]
    assert not (tmp_path / "here" / "out.wasm").exists()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a wasm module"),
        (b"#!/bin/sh\n", "not a wasm module"),
        (b"\0asm\1\0\0", "unexpected end"),
        (b"\0asm\2\0\0\0", "unknown binary version"),
    ],
)
def test_what_is_no_program_is_refused_in_one_line(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "x.wasm"
    path.write_bytes(data)
    with pytest.raises(LoadError) as caught:
        lindref.boot(path)
    assert said in str(caught.value) and "x.wasm" in str(caught.value) and "\n" not in str(caught.value)


def test_run_1_goes_on_until_the_last_cage_has_ended() -> None:
    """RUN-1: cage 1's end does not stop its children."""
    start = f"""(if (i32.eqz {FORK}) (then
        (drop (call $call0 (i32.const 24))) (drop (call $call0 (i32.const 24)))
        (call $write (i32.const 1) (i32.const 0) (i32.const 1)) (call $exit (i64.const 3))))
      (call $exit (i64.const 4))"""
    run = world(program(start, '(data (i32.const 0) "c")'))
    assert run.run() == 4
    assert run.out == b"c"
    assert [e.cage for e in run.recorder.of(End) if e.whole] == [1, 2]


def test_run_2_a_code_or_a_signal() -> None:
    """RUN-2: the code & 255, or 128 + n."""
    assert world(exit_with("(i32.const 0x1ff)")).run() == 255
    me = "(i64.extend_i32_u (call $call0 (i32.const 39)))"
    kill = f"(drop (call $call3 (i32.const 62) {me} (i64.const 15) (i64.const 0)))"
    run = world(program(f"{kill} (loop (br 0))"))
    assert run.run() == 128 + 15
    assert run.system.outcome is not None and run.system.outcome.ending == Ending.SIGNAL.value


def test_run_3_statuses_that_do_not_come_from_the_program() -> None:
    """RUN-3: 70 trap, 71 deadlock, 72 limit, 134 runtime fault."""
    assert world(program("unreachable")).run() == 70
    pause = "(drop (call $call3 (i32.const 7) (i64.const 0) (i64.const 0) (i64.const -1)))"
    assert world(program(pause)).run() == 71
    endless = world(program("(loop (br 0))"), config=Config(max_ticks=1000))
    assert endless.run() == 72 and endless.system.ticks == 1000
    fault = world(program("(drop (call $call0 (i32.const 9999)))"), profile=LIND)
    assert fault.run() == 134
    assert any("runtime fault" in n.text for n in fault.recorder.of(Note))


def test_run_3_a_trap_in_a_child_ends_the_child_alone() -> None:
    start = f"""(if (i32.eqz {FORK}) (then unreachable))
      (drop (call $call3 (i32.const 61) (i64.const -1) (call $at (i32.const 0)) (i64.const 0)))
      (call $exit (i64.extend_i32_u (i32.load8_u (i32.const 1))))"""
    run = world(program(start))
    assert run.run() == 1
    assert [n.text.split(" in ")[0] for n in run.recorder.of(Note)] == ["trap: unreachable"]


def test_an_unbuilt_call_warns_once_by_name_and_is_enosys() -> None:
    run = world(program("(drop (call $call0 (i32.const 24))) (drop (call $call0 (i32.const 24)))"))
    kernel = run.system.kernel
    kernel.rows = {**kernel.rows, 24: attrs.evolve(kernel.rows[24], handler=None)}  # all are built: take one away
    assert run.run() == 0
    assert [r for r in run.results if r[0] == "sched_yield"] == [("sched_yield", -38)] * 2
    warnings = [n.text for n in run.recorder.of(Note)]
    assert len(warnings) == 1 and "sched_yield" in warnings[0]


def test_depth_is_a_trap_not_a_python_error() -> None:
    run = world(program("(call $f)", "(func $f (call $f))"))
    assert run.run() == 70
    assert run.system.outcome is not None and "call stack exhausted" in run.system.outcome.text


PANICS = f"""(import "lind" "debug-panic" (func $panic (param i64))) {_prelude()}
(data (i32.const 0) "went wrong\\00")"""
PANIC = "(call $panic (call $at (i32.const 0)))"


@pytest.mark.parametrize(
    ("start", "codes"),
    [
        (PANIC, (70, 101)),
        (f"(if (i32.eqz {FORK}) (then {PANIC})) (call $exit (i64.const 3))", (3, HANGS)),
    ],
)
def test_debug_panic(start: str, codes: tuple[int, int]) -> None:
    """ABI-9: a trap with its text; deviation DEBUG-PANIC: the host panics, or loses the thread."""
    image = encode(parse_module(f'(module {PANICS} (func (export "_start") {start}))'))
    run = world(image)
    assert run.run() == codes[0]
    assert any("went wrong" in note.text for note in run.recorder.of(Note))
    run = world(image, profile=LIND)
    assert run.run() == 134
    assert run.system.outcome is not None
    assert run.system.outcome.code == codes[1]
    assert "went wrong" in run.system.outcome.text

"""Cages and threads as they come and go: FORK-*, EXEC-*, EXIT-*, THREAD-*, 3I-EXEC-1, and signals on continuations."""

from __future__ import annotations

import pytest
from scenes import FORK, CallStep, World, exits, fork, program, scripted, world

from lindref.posix.errno import EACCES, EINTR, ENOENT, ENOEXEC
from lindref.profile import LIND, SPEC, Profile
from lindref.system.events import End, Enter, Exec, Note, Signal, Spawn
from lindref.system.script_runner import Pointer, ReturnStep, StoreStep

ANY = (1 << 64) - 1
YIELD = "(drop (call $call0 (i32.const 24)))"
#: Runs `path` (at 0x200) with one argument, itself.
EXEC = """(i64.store (i32.const 0x300) (call $at (i32.const 0x200))) (i64.store (i32.const 0x308) (i64.const 0))
 (local.set $r (call $call3 (i32.const 59)
   (call $at (i32.const 0x200)) (call $at (i32.const 0x300)) (call $at (i32.const 0x308))))"""


def whole_ends(run: World) -> list[tuple[int, int, int]]:
    """(cage, status, signal) of the cages that ended, in order."""
    return [(e.cage, e.status, e.signal) for e in run.recorder.of(End) if e.whole]


def test_fork_3_memory_globals_and_operands_are_copied_and_then_apart() -> None:
    """FORK-3, FORK-4: fork in the middle of an expression; both sides go on with what was on the stack."""
    start = f"""(local $r i32)
      (global.set $g (i32.const 5)) (i32.store8 (i32.const 0) (i32.const 65))
      (local.set $r (i32.add (i32.const 100) {FORK}))
      (if (i32.eq (local.get $r) (i32.const 100)) (then
        (global.set $g (i32.const 6)) (i32.store8 (i32.const 0) (i32.const 66))
        (call $write (i32.const 1) (i32.const 0) (i32.const 1)) (call $exit (i64.const 0))))
      (drop (call $call3 (i32.const 61) (i64.const -1) (i64.const 0) (i64.const 0)))
      (call $write (i32.const 1) (i32.const 0) (i32.const 1))
      (call $exit (i64.extend_i32_u (i32.add (local.get $r) (global.get $g))))"""
    run = world(program(start, "(global $g (mut i32) (i32.const 0))"))
    assert run.run() == 102 + 5
    assert run.out == b"BA"
    assert [(e.cage, e.child, e.rule) for e in run.recorder.of(Spawn)] == [(1, 2, "FORK-1")]


def test_exec_1_the_image_is_replaced() -> None:
    """LOAD-1, EXEC-6: nothing of the old one is left but the cage; a new mmap is made through its table."""
    write = "(call $write (i32.const 1) (i32.const 0) (i32.const 2))"
    second = program(f"{write} (call $exit (i64.const 4))", '(data (i32.const 0) "2\\n")')
    first = program(f"(local $r i32) {EXEC} unreachable", '(data (i32.const 0x200) "/two\\00")')
    run = world(first, files={b"/two": second})
    assert run.run() == 4
    assert run.out == b"2\n"
    assert [e.path for e in run.recorder.of(Exec)] == ["/main", "/two"]
    assert [e.argv for e in run.recorder.of(Exec)] == [("/main",), ("/two",)]
    assert [e.name for e in run.recorder.of(Enter)].count("mmap") == 2


def test_exec_11_machine_code_stands_for_the_module_beside_it() -> None:
    """EXEC-11: also as the first program (DYN-1)."""
    second = program("(call $exit (i64.const 4))")
    first = program(f"(local $r i32) {EXEC} unreachable", '(data (i32.const 0x200) "/two.cwasm\\00")')
    run = world(first, files={b"/two.cwasm": b"\x7fELF", b"/two.wasm": second})
    assert run.run() == 4
    alone = f"(local $r i32) {EXEC} (call $exit (i64.extend_i32_u (i32.sub (i32.const 0) (local.get $r))))"
    first = program(alone, '(data (i32.const 0x200) "/two.cwasm\\00")')
    assert world(first, files={b"/two.cwasm": b"\x7fELF"}).run() == ENOEXEC


@pytest.mark.parametrize(
    ("files", "errno"),
    [
        ({}, ENOENT),
        ({b"/two": b"garbage"}, ENOEXEC),
        ({b"/two": b""}, ENOEXEC),
        ({b"/two": b"\0asm\1\0\0\0\xff\xff"}, ENOEXEC),
        ({b"/two/in": b""}, EACCES),
    ],
)
def test_exec_of_what_is_no_program(files: dict[bytes, bytes], errno: int) -> None:
    """EXEC-3, EXEC-4: an error, and the old image goes on."""
    image = program(f"(local $r i32) {EXEC} (call $exit (i64.extend_i32_s (i32.sub (i32.const 0) (local.get $r))))",
                    '(data (i32.const 0x200) "/two\\00")')  # fmt: skip
    run = world(image, files=files)
    assert run.run() == errno


def test_exec_of_a_module_that_cannot_be_linked_says_why() -> None:
    """EXEC-4: unknown imports are named in a note."""
    from lindref.wasm.binary.encoder import encode
    from lindref.wasm.text.parser import parse_module

    bad = encode(parse_module('(module (import "lind" "unheard" (func)))'))
    image = program(f"(local $r i32) {EXEC} (call $exit (i64.extend_i32_s (i32.sub (i32.const 0) (local.get $r))))",
                    '(data (i32.const 0x200) "/two\\00")')  # fmt: skip
    run = world(image, files={b"/two": bad})
    assert run.run() == ENOEXEC
    assert any("lind.unheard" in n.text for n in run.recorder.of(Note))


def test_exec_9_the_target_is_replaced_whoever_calls() -> None:
    """EXEC-9: cage 1 makes the call with its child as target; the child runs the new image, cage 1 gets 0."""
    second = program("(call $exit (i64.const 44))")
    child = (CallStep(7, (0, 0, ANY)),)  # waits until it is replaced
    steps = (
        fork(child),
        StoreStep(0x200, b"/two\0"),
        CallStep(24),
        CallStep(59, (Pointer(0x200), 0, 0), target=2, cages=(1, 1, 1)),
        CallStep(61, (2, Pointer(0x100), 0, 0)),
        exits(0),
    )
    run = scripted(*steps)
    from lindref.posix.fs import roots

    roots.add_file(run.system.kernel, b"/two", second, 0o755)
    run.run()
    assert (2, 44, 0) in whole_ends(run)
    assert [e.cage for e in run.recorder.of(Exec)] == [2]


@pytest.mark.parametrize(("profile", "left"), [(SPEC, False), (LIND, True)])
def test_exec_10_the_other_threads_end(profile: Profile, left: bool) -> None:
    """EXEC-10; deviation EXEC-THREADS: as recorded they go on with the old image."""
    second = program(f"{YIELD * 4} (call $exit (i64.const 4))")
    start = f"""(local $r i32) {thread()} (if (i32.eqz (local.get $r)) (then (loop {YIELD} (br 0))))
      {EXEC} unreachable"""
    image = program(start, f'{STACK} (data (i32.const 0x200) "/two\\00")')
    run = world(image, files={b"/two": second}, profile=profile)
    assert run.run() == 4
    began = next(e.n for e in run.recorder.of(Exec) if e.path == "/two")
    assert any(e.tid == 2 and e.n > began for e in run.recorder.of(Enter)) == left


def test_3i_exec_1_the_table_stays() -> None:
    """3I-EXEC-1: rows registered before exec serve the new image."""
    second = program("(call $exit (i64.extend_i32_u (call $call0 (i32.const 107))))")
    steps = (
        fork((CallStep(7, (0, 0, ANY)),)),
        CallStep(1001, (2, 0, 0), cages=(107, 1)),
        StoreStep(0x200, b"/two\0"),
        CallStep(24),
        CallStep(59, (Pointer(0x200), 0, 0), target=2, cages=(1, 1, 1)),
        CallStep(61, (ANY, 0, 0, 0)),
        exits(0),
    )
    run = scripted(*steps, handlers=((ReturnStep(77),),))
    from lindref.posix.fs import roots

    roots.add_file(run.system.kernel, b"/two", second, 0o755)
    run.run()
    assert (2, 77, 0) in whole_ends(run)


# Threads.

#: A stack pointer with room for threads, clone's arguments for one at 0x400, a word for its id at 0x500.
STACK = """(global $sp (export "__stack_pointer") (mut i32) (i32.const 0x1000))"""


def thread(stack: int = 0x3000) -> str:
    """Text that makes a thread with a stack that ends at ``stack``, and leaves clone's result in $r."""
    return f"""(i64.store (i32.const 0x400) (i64.const 0x100))
      (i64.store (i32.const 0x410) (call $at (i32.const 0x500)))
      (i64.store (i32.const 0x428) (i64.const {stack})) (i64.store (i32.const 0x430) (i64.const 0x1000))
      (local.set $r (call $call3 (i32.const 56) (call $at (i32.const 0x400)) (i64.const 0) (i64.const 0)))"""


def test_thread_5_goes_on_from_the_same_call_with_own_globals_and_stack() -> None:
    """THREAD-5, THREAD-1: shared memory, own globals, the stack pointer as far below the top as the creator's."""
    start = f"""(local $r i32)
      (global.set $sp (i32.sub (global.get $sp) (i32.const 0x30)))
      (global.set $g (i32.const 1))
      {thread()}
      (if (i32.eqz (local.get $r)) (then
        (i32.store (i32.const 0x600) (global.get $sp))
        (global.set $g (i32.add (global.get $g) (i32.const 9)))
        (i32.store (i32.const 0x604) (global.get $g))
        (i32.atomic.store (i32.const 0x608) (i32.const 1))
        (drop (memory.atomic.notify (i32.const 0x608) (i32.const 1)))
        (drop (call $call1 (i32.const 60) (i64.const 0))) unreachable))
      (drop (memory.atomic.wait32 (i32.const 0x608) (i32.const 0) (i64.const -1)))
      (if (i32.ne (i32.load (i32.const 0x500)) (i32.const 2)) (then (call $exit (i64.const 1))))
      (if (i32.ne (i32.load (i32.const 0x600)) (i32.const 0x2fd0)) (then (call $exit (i64.const 2))))
      (if (i32.ne (i32.load (i32.const 0x604)) (i32.const 10)) (then (call $exit (i64.const 3))))
      (call $exit (i64.extend_i32_u (i32.add (global.get $g) (i32.mul (local.get $r) (i32.const 10)))))"""
    run = world(program(start, f"{STACK} (global $g (mut i32) (i32.const 0))"))
    assert run.run() == 21
    assert [(e.child, e.child_tid, e.rule) for e in run.recorder.of(Spawn)] == [(1, 2, "THREAD-1")]


def test_thread_5_thread_local_storage_is_prepared_below_the_stack() -> None:
    """THREAD-5: `__get_aligned_tls_size` and `__wasm_init_tls` run in the new thread before it goes on."""
    more = f"""{STACK} (global $tls (mut i32) (i32.const 0))
      (func (export "__get_aligned_tls_size") (result i32) (i32.const 0x40))
      (func (export "__wasm_init_tls") (param i32) (global.set $tls (local.get 0)))"""
    start = f"""(local $r i32) {thread()}
      (if (i32.eqz (local.get $r)) (then
        (i32.store (i32.const 0x600) (global.get $sp)) (i32.store (i32.const 0x604) (global.get $tls))
        (i32.atomic.store (i32.const 0x608) (i32.const 1)) (drop (call $call1 (i32.const 60) (i64.const 0)))))
      (loop (if (i32.eqz (i32.atomic.load (i32.const 0x608))) (then {YIELD} (br 1))))
      (call $exit (i64.extend_i32_u (i32.and
        (i32.eq (i32.load (i32.const 0x600)) (i32.const 0x2fc0))
        (i32.eq (i32.load (i32.const 0x604)) (i32.const 0x2fc0)))))"""
    assert world(program(start, more)).run() == 1


def test_exit_1_and_2_a_thread_or_all() -> None:
    """EXIT-1, EXIT-2: exit ends one thread, exit_group the others too, even one that waits."""
    start = f"""(local $r i32) {thread()}
      (if (i32.eqz (local.get $r)) (then {YIELD} (call $exit (i64.const 33))))
      (drop (memory.atomic.wait32 (i32.const 0x608) (i32.const 0) (i64.const -1))) unreachable"""
    run = world(program(start, STACK))
    assert run.run() == 33
    assert whole_ends(run) == [(1, 33, 0)]
    assert [(e.tid, e.whole) for e in run.recorder.of(End)].count((1, False)) == 1


def test_exit_5_a_trap_in_one_thread_ends_the_cage() -> None:
    """EXIT-5, RUN-3."""
    start = f"""(local $r i32) {thread()} (if (i32.eqz (local.get $r)) (then unreachable))
      (drop (memory.atomic.wait32 (i32.const 0x608) (i32.const 0) (i64.const -1)))"""
    run = world(program(start, STACK))
    assert run.run() == 70
    assert whole_ends(run) == [(1, 1, 0)]


def test_exit_9_a_cage_that_serves_a_call_ends_when_that_is_done() -> None:
    """EXIT-9: the grate's own thread is gone while its worker waits; the cage ends after the call is served."""
    grate = (
        fork((CallStep(1001, (2, 0, 0), cages=(107, 1), target=2), CallStep(107), exits(0))),
        CallStep(24),
        CallStep(24),
        CallStep(24),
        CallStep(60, (3,)),
    )
    run = scripted(*grate, handlers=((CallStep(24), CallStep(24), CallStep(24), CallStep(24), ReturnStep(7)),))
    run.run()
    assert ("geteuid", 7) in run.results
    events = run.recorder.events
    served = next(e.n for e in events if e.kind == "exit" and e.result == 7)  # type: ignore[attr-defined]
    own_end = next(e.n for e in run.recorder.of(End) if e.cage == 1 and not e.whole)
    ended = next(e.n for e in run.recorder.of(End) if e.cage == 1 and e.whole)
    assert own_end < served < ended


# Signals on wasm continuations.

HANDLER = """(table 4 4 funcref) (elem (i32.const 3) $handler)
 (func $handler (param i32) (i32.store8 (i32.const 0x700) (local.get 0))
   (call $write (i32.const 1) (i32.const 0x700) (i32.const 1)))
 (func (export "signal_callback") (param i32 i32)
   (call_indirect (param i32) (local.get 1) (local.get 0)))"""
#: sigaction(SIGUSR1, handler 3, flags) from a structure at 0x800.
ACTION = """(i32.store (i32.const 0x800) (i32.const 3)) (i32.store (i32.const 0x810) (i32.const %d))
  (drop (call $call (i32.const 13) (i64.const 10) (call $at (i32.const 0x800)) (i64.const 0) (i64.const 8)
    (i64.const 0) (i64.const 0)))"""
ME = "(i64.extend_i32_u (call $call0 (i32.const 39)))"
KILL_SELF = f"(drop (call $call3 (i32.const 62) {ME} (i64.const 10) (i64.const 0)))"


def test_a_handler_runs_on_top_and_the_program_goes_on_beneath() -> None:
    """SIG-1, SIG-11: the operands of the interrupted function are as they were."""
    start = f"""(local $n i32) {ACTION % 0} {KILL_SELF}
      (loop (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if 0 (i32.lt_u (local.get $n) (i32.const 10))))
      (call $exit (i64.extend_i32_u (local.get $n)))"""
    run = world(program(start, HANDLER))
    assert run.run() == 10
    assert run.out == bytes([10])
    assert [(e.signo, e.action) for e in run.recorder.of(Signal)] == [(10, "handler"), (10, "return")]


@pytest.mark.parametrize(("flags", "result"), [(0, -EINTR), (0x10000000, 1)])
def test_sig_8_9_a_wait_is_interrupted_or_started_again(flags: int, result: int) -> None:
    """SIG-8, SIG-9: a read of an empty pipe comes back with EINTR, or goes on under SA_RESTART."""
    start = f"""(local $r i32) {ACTION % flags}
      (drop (call $call1 (i32.const 22) (call $at (i32.const 0x900))))
      (if (i32.eqz {FORK}) (then
        (drop (call $call3 (i32.const 62) (i64.const 1) (i64.const 10) (i64.const 0)))
        {YIELD} {YIELD}
        (call $write (i32.load (i32.const 0x904)) (i32.const 0x700) (i32.const 1)) (call $exit (i64.const 0))))
      (local.set $r
        (call $call3 (i32.const 0) (i64.load32_u (i32.const 0x900)) (call $at (i32.const 0xa00)) (i64.const 5)))
      (call $exit (i64.extend_i32_s (local.get $r)))"""
    run = world(program(start, HANDLER))
    assert run.run() == result & 255
    assert run.out == bytes([10])


def test_a_signal_handler_without_signal_callback_is_a_trap() -> None:
    run = world(program(f"{ACTION % 0} {KILL_SELF} (loop (br 0))"))
    assert run.run() == 70


def test_a_stopped_cage_does_not_run_until_continued() -> None:
    """SIGSTOP and SIGCONT: between the two nothing of the cage happens."""
    start = f"""(if (i32.eqz {FORK}) (then (loop {YIELD} (br 0))))
      (drop (call $call3 (i32.const 62) (i64.const 2) (i64.const 19) (i64.const 0)))
      {YIELD * 3} (call $write (i32.const 1) (i32.const 0) (i32.const 1)) {YIELD * 3}
      (drop (call $call3 (i32.const 62) (i64.const 2) (i64.const 18) (i64.const 0))) {YIELD * 3}
      (drop (call $call3 (i32.const 62) (i64.const 2) (i64.const 9) (i64.const 0)))
      (drop (call $call3 (i32.const 61) (i64.const 2) (i64.const 0) (i64.const 0)))"""
    run = world(program(start))
    assert run.run() == 0
    kills = {e.args[1][0]: e.n for e in run.recorder.of(Enter) if e.name == "kill"}
    running = [e.n for e in run.recorder.of(Enter) if e.cage == 2]
    wrote = next(e.n for e in run.recorder.of(Enter) if e.name == "write")
    assert not [n for n in running if wrote < n < kills[18]]
    assert [n for n in running if n > kills[18]]
    assert whole_ends(run)[0] == (2, 0, 9)

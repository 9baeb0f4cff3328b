"""Threads of dynamic programs: their blocks of thread-local variables, and libraries opened while they are there."""

from __future__ import annotations

import pytest
from dynamic_scenes import dynamic, main, module, ran, told
from scenes import World

from lindref.profile import LIND, SPEC, Profile

#: clone's arguments at 0x400, the word for the thread's id at 0x500; the stack ends at 0x700000.
CLONE = """(i64.store (i32.const 0x400) (i64.const 0x100))
  (i64.store (i32.const 0x410) (call $at (i32.const 0x500)))
  (i64.store (i32.const 0x428) (i64.const 0x700000)) (i64.store (i32.const 0x430) (i64.const 0x10000))
  (local.set $r (call $call3 (i32.const 56) (call $at (i32.const 0x400)) (i64.const 0) (i64.const 0)))"""


def tls(size: int) -> str:
    """Thread-local storage of ``size`` bytes, whose first word begins as 4; ``$own`` is its address."""
    return f"""
      (global $own (mut i32) (i32.const 0)) (global $tls_base (export "__tls_base") i32 (i32.const 0))
      (data $tdata "\\04\\00\\00\\00")
      (func $init (export "__wasm_init_tls") (param $p i32) (global.set $own (local.get $p))
        (memory.init $tdata (local.get $p) (i32.const 0) (i32.const 4)))
      (func (export "__get_aligned_tls_size") (result i32) (i32.const {size}))
      (func $begin (call $init (i32.add (global.get $base) (i32.const 32)))) (start $begin)"""


OWN = """(func (export "own{0}") (result i32) (global.get $own))
  (func (export "bump{0}") (result i32)
    (i32.store (global.get $own) (i32.add (i32.load (global.get $own)) (i32.const 1))) (i32.load (global.get $own)))"""


def library(number: int, size: int) -> bytes:
    return module(f"lib{number}.so", "", tls(size) + OWN.format(number))


IMPORTS = "".join(f'(import "env" "{n}" (func ${n} (result i32)))' for n in ("own1", "own2", "bump1"))


@pytest.mark.parametrize("profile", [SPEC, LIND])
def test_blocks_are_carved_from_the_stack(profile: Profile) -> None:
    """DYN-12: libraries first, main last, downwards; the stack pointer is as far below as the creator's was; first
    contents come from the image, not from the creator's variables."""
    libraries = {"lib1.so": library(1, 0x580), "lib2.so": library(2, 4)}
    start = f"""(local $r i32) (drop (call $bump1)) (drop (call $bump1))
      (global.set $sp (i32.sub (global.get $sp) (i32.const 0x40))) {CLONE}
      (if (i32.eqz (local.get $r))
        (then (call $tell (call $own1)) (call $tell (call $own2)) (call $tell (global.get $own))
          (call $tell (global.get $sp)) (call $tell (call $bump1)) (i32.store (i32.const 0x50c) (i32.const 1))
          (drop (call $call1 (i32.const 60) (i64.const 0)))))
      (loop $l (if (i32.eqz (i32.load (i32.const 0x50c))) (then (drop (call $call0 (i32.const 24))) (br $l))))
      (call $tell (call $bump1))"""
    found = dynamic(main(start, IMPORTS, tls(4)), libraries, profile=profile)
    values = ran(found)
    first, second, own, pointer, five, seven = values
    assert (first, second, own) == (0x700000 - 0x580, 0x700000 - 0x584, 0x700000 - 0x588)
    assert pointer == own - 0x40 and (five, seven) == (5, 7)


def names(*texts: str) -> tuple[str, list[str]]:
    """A passive segment with texts, and the expressions for their addresses once it is at 0x600."""
    data = b"".join(text.encode() + b"\0" for text in texts)
    places, at = [], 0x600
    for text in texts:
        places.append(f"(i32.const {at})")
        at += len(text) + 1
    segment = "".join(f"\\{byte:02x}" for byte in data)
    return f'(data $texts "{segment}")', [*places, str(len(data))]


def opener(where: str) -> bytes:
    """A program with a thread; ``where`` (``main`` or ``thread``) opens a library. Both threads use it, the main thread
    second; each tells where its variables are and how often it counted."""
    segment, (path, name, other, length) = names("/own.so", "bump7", "own7")
    open_ = f"""(global.set $h (call $dlopen {path} (i32.const 2)))
      (i32.store (i32.const 0x504) (call $dlsym (global.get $h) {name}))
      (i32.store (i32.const 0x508) (call $dlsym (global.get $h) {other}))"""
    use = """(call $tell (call_indirect (result i32) (i32.load (i32.const 0x504))))
      (call $tell (call_indirect (result i32) (i32.load (i32.const 0x508))))"""
    wait = "(loop $l (if (i32.ne (i32.load (i32.const 0x50c)) (i32.const {0})) (then {1} (br $l))))"
    pause = "(drop (call $call0 (i32.const 24)))"
    done = "(i32.store (i32.const 0x50c) (i32.const {}))"
    thread = open_ + use if where == "thread" else wait.format(1, pause) + use
    first = open_ + done.format(1) if where == "main" else ""
    start = f"""(local $r i32) (memory.init $texts {path} (i32.const 0) (i32.const {length})) {CLONE}
      (if (i32.eqz (local.get $r)) (then {thread} {done.format(2)} (drop (call $call1 (i32.const 60) (i64.const 0)))))
      {first} {wait.format(2, pause)} {use}"""
    imports = """(import "lind" "dlopen" (func $dlopen (param i32 i32) (result i32)))
      (import "lind" "dlsym" (func $dlsym (param i32 i32) (result i32)))"""
    return main(start, imports, segment + "(global $h (mut i32) (i32.const 0))")


FILES = {b"/own.so": library(7, 16)}


@pytest.mark.parametrize("where", ["main", "thread"])
def test_what_one_thread_opens_all_have(where: str) -> None:
    """DL-8: functions at the same slots, and variables of their own for each."""
    counts_first, own_first, counts_second, own_second = ran(dynamic(opener(where), files=FILES))
    assert counts_first == counts_second == 5
    assert own_first != own_second and own_first and own_second


def test_opening_with_threads_as_recorded() -> None:
    """DL-8, deviation DL-THREADS."""
    assert dynamic(opener("main"), files=FILES, profile=LIND).run() == 134


def outcome(found: World) -> tuple[int, list[int]]:
    return found.run(), told(found)


def test_a_child_of_a_program_with_threads_opens_libraries() -> None:
    """DL-8: as recorded, too: it begins without threads."""
    segment, (path, length) = names("/own.so")
    fork = "(call $call3 (i32.const 56) (call $at (i32.const 0x900)) (i64.const 0) (i64.const 0))"
    start = f"""(local $r i32) (memory.init $texts {path} (i32.const 0) (i32.const {length})) {CLONE}
      (if (i32.eqz (local.get $r)) (then (drop (call $call1 (i32.const 60) (i64.const 0)))))
      (if (i32.eqz {fork}) (then (call $tell (call $dlopen {path} (i32.const 2)))))"""
    imports = '(import "lind" "dlopen" (func $dlopen (param i32 i32) (result i32)))'
    for profile in (SPEC, LIND):
        assert outcome(dynamic(main(start, imports, segment), files=FILES, profile=profile)) == (0, [1])


@pytest.mark.parametrize(("profile", "leaves"), [(SPEC, False), (LIND, True)])
def test_what_unwinding_leaves_at_the_low_end_of_a_stack(profile: Profile, leaves: bool) -> None:
    """UNWIND-WORDS: after making a thread and after fork, in parent and child, the caller's stack begins with the two
    words of the recorded runtime (0x1008 and the stack pointer of the call); so does that of a thread that ended."""
    words = "(call $tell (i32.load (i32.const {0})))(call $tell (i32.load offset=4 (i32.const {0})))"
    fork = "(call $call3 (i32.const 56) (call $at (i32.const 0x2000)) (i64.const 0) (i64.const 0))"
    ended = "(drop (call $call1 (i32.const 60) (i64.const 0)))"
    start = f"""(local $r i32) (global.set $sp (i32.sub (global.get $sp) (i32.const 0xf0)))
      {words.format(0x1000)} {CLONE}
      (if (i32.eqz (local.get $r)) (then (global.set $sp (i32.sub (global.get $sp) (i32.const 0x30))) {ended}))
      (loop $l (if (i32.eqz (i32.load (i32.const 0x6f0000)))
        (then (local.set $r (i32.add (local.get $r) (i32.const 1))) (drop (call $call0 (i32.const 24)))
          (br_if $l (i32.lt_u (local.get $r) (i32.const 50))))))
      {words.format(0x1000)} {words.format(0x6F0000)}
      (global.set $sp (i32.sub (global.get $sp) (i32.const 0x50)))
      (if (i32.eqz {fork}) (then {words.format(0x1000)} (call $say) (call $exit (i64.const 0))))
      (loop $l
        (br_if $l (i32.ne (call $call3 (i32.const 61) (i64.const -1) (i64.const 0) (i64.const 0)) (i32.const 2))))
      {words.format(0x1000)}"""
    thread = [0x6F0008, 0x700000 - 0xF0 - 0x30]
    first, last = [0x1008, 0x800F10], [0x1008, 0x800EC0]
    told = [0, 0, *first, *thread, *last] if leaves else [0] * 8
    assert ran(dynamic(main(start), profile=profile)) == [*told, *told[:6], *told[6:]]


@pytest.mark.parametrize(("profile", "status"), [(SPEC, 70), (LIND, 3)])
def test_a_trap_in_a_thread(profile: Profile, status: int) -> None:
    """EXIT-5, TRAP-THREAD: it ends the cage; as recorded the thread alone, whose word for its id stays."""
    start = f"""(local $r i32) {CLONE} (if (i32.eqz (local.get $r)) (then unreachable))
      (loop $l (local.set $r (i32.add (local.get $r) (i32.const 1))) (drop (call $call0 (i32.const 24)))
        (br_if $l (i32.lt_u (local.get $r) (i32.const 50))))
      (if (i32.load (i32.const 0x500)) (then (call $exit (i64.const 3)))) (call $exit (i64.const 4))"""
    assert dynamic(main(start), profile=profile).run() == status

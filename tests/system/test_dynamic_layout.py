"""Where the parts of a dynamic program lie. The sizes are those of a recorded program and its libraries, so the
addresses and slots of profile ``lind`` are what that program printed (loader.md 2.5, 2.6)."""

from __future__ import annotations

import pytest
from dynamic_scenes import dynamic, main, module, ran
from scenes import World

from lindref.profile import LIND, SPEC
from lindref.system.events import Enter

LIBC_SIZE, LIBC_ELEMENTS, LIBC_EXPORTS = 172696, 329, 2112
LIBM_SIZE, LIBM_ELEMENTS, LIBM_EXPORTS = 104412, 2, 922


def library(name: str, size: int, elements: int, exports: int, known: dict[int, str], data: str = "") -> bytes:
    """A library of given sizes; ``known`` names some of its functions by their place among the exports."""
    names = [known.get(i, f"{name}_{i}") for i in range(exports)]
    first = " ".join(f'(export "{n}")' for n in names)
    body = (
        f"(func $f {first} (result i32) (i32.const 5))"
        f"(func $e (result i32) (i32.const 6)) (elem (table $t) (global.get $tbase) func {'$e ' * elements}) {data}"
    )
    return module(name, "", body, size=size, table=elements)


@pytest.fixture(scope="module")
def libc() -> bytes:
    return library(
        "libc.so",
        LIBC_SIZE,
        LIBC_ELEMENTS,
        LIBC_EXPORTS,
        {436: "printf", 21: "malloc", 11: "exit", 23: "free"},
        '(global (export "environ") i32 (i32.const 0x9190))',
    )


@pytest.fixture(scope="module")
def libm() -> bytes:
    return library("libm.so", LIBM_SIZE, LIBM_ELEMENTS, LIBM_EXPORTS, {412: "sin"})


WANTED = ("printf", "malloc", "exit", "free", "sin")
IMPORTS = "".join(f'(import "GOT.func" "{n}" (global ${n} (mut i32)))' for n in WANTED)
IMPORTS += '(import "GOT.mem" "environ" (global $environ (mut i32)))'
TOLD = "".join(f"(call $tell (global.get ${n}))" for n in (*WANTED, "environ"))


def program(elements: int, start: str = TOLD) -> bytes:
    own = "".join(f"(func $own{i} (result i32) (i32.const {100 + i}))" for i in range(elements))
    table = " ".join(f"$own{i}" for i in range(elements))
    segment = f"(elem (table $t) (global.get $tbase) func {table})" if elements else ""
    return main(start, IMPORTS, f"{own} {segment}", size=344, table=elements)


def mappings(found: World) -> list[tuple[int, ...]]:
    """First four arguments and the result of each mapping."""
    results = {e.call: e.result for e in found.recorder.events if e.kind == "exit"}  # type: ignore[attr-defined]
    out = []
    for event in found.recorder.of(Enter):
        if event.name == "mmap":
            assert (event.caller, event.target) == (1, 1)
            out.append((*(value for value, _ in event.args[:4]), results[event.call] & 0xFFFFFFFF))
    return out


@pytest.mark.parametrize(
    ("elements", "slots"),
    [
        (0, {"printf": 0x2FD}),
        (1, {"printf": 0x2FE}),
        (2, {"printf": 0x2FF, "malloc": 0x160, "exit": 0x156, "sin": 0xB29}),
        (3, {"printf": 0x300}),
    ],
)
def test_slots_as_recorded(libc: bytes, libm: bytes, elements: int, slots: dict[str, int]) -> None:
    """DYN-7, deviations DL-SLOTS and DL-OVERLAP."""
    values = dict(zip((*WANTED, "environ"), ran(lind(libc, libm, program(elements))), strict=True))
    assert {name: values[name] for name in slots} == slots


def lind(libc: bytes, libm: bytes, image: bytes) -> World:
    return dynamic(image, {"libc.so": libc, "libm.so": libm}, profile=LIND)


def test_mappings_as_recorded(libc: bytes, libm: bytes) -> None:
    """DYN-2, DYN-3: four calls, in this order; then the heap."""
    found = lind(libc, libm, program(2))
    told = ran(found)
    assert mappings(found) == [
        (0, 0x801000, 3, 0x32, 0),
        (0, 0x2B000, 3, 0x22, 0xFFFD4000),
        (0, 0x1A000, 3, 0x22, 0xFFFB9000),
        (0x802000, 0x1000, 3, 0x32, 0x802000),
    ]
    assert told[-1] == 0xFFFD4000 + 0x9190  # &environ: base of the library and offset


def test_the_heap_begins_behind_mains_data(libc: bytes) -> None:
    """DYN-2."""
    start = "(call $tell (call $call1 (i32.const 12) (i64.const 0)))"
    for profile in (SPEC, LIND):
        assert ran(dynamic(program(0, start), {"libc.so": libc}, profile=profile)) == [0x803000]


CALL = "(call $tell (call_indirect (result i32) (i32.const {})))"


def test_mains_elements_lie_over_the_librarys_as_recorded(libc: bytes) -> None:
    """DL-OVERLAP: with three elements slots 3 and 4 are main's, the library's first two are gone."""
    start = "".join(CALL.format(i) for i in (2, 3, 4, 5))
    assert ran(dynamic(program(3, start), {"libc.so": libc}, profile=LIND)) == [100, 101, 102, 6]
    apart = "".join(CALL.format(i) for i in (2, 3, 4, 5, 6))
    assert ran(dynamic(program(3, apart), {"libc.so": libc})) == [100, 101, 102, 6, 6]


def test_a_null_pointer_may_be_a_function_as_recorded(libc: bytes) -> None:
    """DL-OVERLAP: without elements of its own, slot 0 is the library's first."""
    assert ran(dynamic(program(0, CALL.format(0)), {"libc.so": libc}, profile=LIND)) == [6]
    found = dynamic(program(0, CALL.format(0)), {"libc.so": libc})
    assert found.run() == 70 and "uninitialized element" in str(found.system.outcome)


def test_libraries_lie_below_two_gigabytes(libc: bytes, libm: bytes) -> None:
    """DYN-2: so that the address of a data symbol is no negative result (deviation DL-HIGH)."""
    found = dynamic(program(2), {"libc.so": libc, "libm.so": libm})
    told = ran(found)
    bases = [result for *_, result in mappings(found)]
    assert bases[1:3] == [0x7FFD4000, 0x7FFB9000] and told[-1] == bases[1] + 0x9190


def test_a_function_has_one_slot(libc: bytes) -> None:
    """DYN-7: the names of one function, and its own module's element, are one address."""
    values = ran(dynamic(program(1), {"libc.so": libc}))
    assert len(set(values[:4])) == 1 and values[4] == 0  # nobody defines sin


def test_libraries_in_another_order(libc: bytes, libm: bytes) -> None:
    """DYN-2: bases and slots follow the order of loading."""
    values = ran(dynamic(program(2), {"libm.so": libm, "libc.so": libc}, profile=LIND))
    assert (values[0], values[4]) == (0x69B, 0x1A0)


def opened_library(name: str, size: int, elements: int) -> bytes:
    """A library with five functions and ``elements`` elements."""
    names = " ".join(f'(export "{n}")' for n in ("lib_fn", "shared_name", "lib_show", "more", "last"))
    body = f"(func $f {names} (result i32) (i32.const 7)) (elem (table $t) (global.get $tbase) func {'$f ' * elements})"
    return module(name, "", body, size=size, table=elements)


DL = """
(import "lind" "dlopen" (func $dlopen (param i32 i32) (result i32)))
(import "lind" "dlsym" (func $dlsym (param i32 i32) (result i32)))
(import "env" "signal_callback" (func $sc (param i32 i32)))
"""


def test_dlopen_as_recorded(libc: bytes, libm: bytes) -> None:
    """DL-2, DL-3, DL-4: bases, slots and handles of the recorded program (loader.md 3.5)."""
    handler = '(func (export "signal_callback") (param i32 i32))'
    libc = library("libc.so", LIBC_SIZE, LIBC_ELEMENTS, LIBC_EXPORTS - 1, {}, handler)
    text = b"/lib/lib1.so\0\0\0\0/lib/lib2.so\0\0\0\0lib_fn\0"
    data = "".join(f"\\{byte:02x}" for byte in text)
    address = "(i32.add (global.get $base) (i32.const {}))"
    open_ = f"(call $tell (call $dlopen {address} (i32.const 2)))"
    find = f"(call $tell (call $dlsym (i32.const {{}}) {address.format(0x120)}))"
    start = (
        f"(memory.init $names {address.format(0x100)} (i32.const 0) (i32.const {len(text)}))"
        + open_.format(0x100) + find.format(1) + open_.format(0x110) + find.format(2) + open_.format(0x100)
    )
    body = f'(export "signal_callback" (func $sc)) (data $names "{data}")'
    body += "(func $a) (func $b) (func $c) (elem (table $t) (global.get $tbase) func $a $b $c)"
    image = main(start, DL, body, size=344, table=3)
    files = {b"/lib/lib1.so": opened_library("lib1.so", 400, 2), b"/lib/lib2.so": opened_library("lib2.so", 12100, 1)}
    libraries = {"libc.so": libc, "libm.so": libm}
    found = dynamic(image, libraries, profile=LIND, files=files)
    assert ran(found) == [1, 0xD2C, 2, 0xD32, 1]
    assert [m[4] for m in mappings(found)[4:]] == [0xFFFB7000, 0xFFFB3000]
    promised = dynamic(image, libraries, files=files)
    assert [n for n in ran(promised) if n < 3] == [1, 2, 1]

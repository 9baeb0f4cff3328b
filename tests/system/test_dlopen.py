"""dlopen, dlsym, dlclose: handles, scopes, failures, threads and children."""

from __future__ import annotations

import pytest
from dynamic_scenes import dynamic, main, module, ran, told
from scenes import World, program, world

from lindref.profile import LIND, SPEC, Profile
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

DL = """
(import "lind" "dlopen" (func $dlopen (param i32 i32) (result i32)))
(import "lind" "dlsym" (func $dlsym (param i32 i32) (result i32)))
(import "lind" "dlclose" (func $dlclose (param i32) (result i32)))
"""
GLOBAL, NOLOAD, NODELETE = 0x100, 4, 0x1000
#: Where a program of these tests puts its strings: its own data.
TEXTS = 0x80


class Source:
    """A program under construction: each line tells the result of one call."""

    def __init__(self) -> None:
        self.texts = b""
        self.lines: list[str] = []

    def text(self, text: str) -> str:
        """The address of a string."""
        offset = TEXTS + len(self.texts)
        self.texts += text.encode() + b"\0"
        return f"(i32.add (global.get $base) (i32.const {offset}))"

    def tell(self, expression: str) -> Source:
        self.lines.append(f"(call $tell {expression})")
        return self

    def open(self, name: str, mode: int = 2) -> Source:
        return self.tell(f"(call $dlopen {self.text(name)} (i32.const {mode}))")

    def find(self, handle: int, name: str) -> Source:
        return self.tell(f"(call $dlsym (i32.const {handle}) {self.text(name)})")

    def call(self, handle: int, name: str) -> Source:
        """Call a function that takes nothing."""
        return self.tell(f"(call_indirect (result i32) (call $dlsym (i32.const {handle}) {self.text(name)}))")

    def close(self, handle: int) -> Source:
        return self.tell(f"(call $dlclose (i32.const {handle}))")

    def load(self, handle: int, name: str) -> Source:
        """What data symbol ``name`` holds."""
        return self.tell(f"(i32.load (call $dlsym (i32.const {handle}) {self.text(name)}))")

    def image(self, imports: str = "", body: str = "", after: str = "") -> bytes:
        data = "".join(f"\\{byte:02x}" for byte in self.texts)
        fill = f"(memory.init $texts (i32.add (global.get $base) (i32.const {TEXTS})) (i32.const 0)"
        start = f"{fill} (i32.const {len(self.texts)})) {' '.join(self.lines)} {after}"
        return main(start, DL + imports, f'{body} (data $texts "{data}")', size=2048)


def number(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def results(found: World) -> list[int]:
    return [number(value) for value in ran(found)]


VALUE = '(func (export "{}") (result i32) (i32.const {}))'


def library(name: str, value: int, imports: str = "", body: str = "", **more: object) -> bytes:
    """A library whose ``value`` function gives a number, and whose ``count`` says how often it was constructed."""
    text = f"""{VALUE.format("value", value)} {VALUE.format("value_" + name[:-3], value)} {body}
      (global (export "data") i32 (i32.const 4))
      (func (export "count") (result i32) (i32.load (global.get $base)))
      (func (export "__wasm_call_ctors")
        (i32.store (global.get $base) (i32.add (i32.const 1) (i32.load (global.get $base))))
        (i32.store offset=4 (global.get $base) (i32.const {value * 11})))"""
    return module(name, imports, text, **more)  # type: ignore[arg-type]


FILES = {b"/" + name.encode(): library(name, value) for name, value in (("a.so", 1), ("b.so", 2), ("c.so", 3))}


def opened(source: Source, profile: Profile = SPEC, files: dict[bytes, bytes] | None = None, **more: str) -> list[int]:
    return results(dynamic(source.image(**more), profile=profile, files={**FILES, **(files or {})}))


@pytest.mark.parametrize("profile", [SPEC, LIND])
def test_handles(profile: Profile) -> None:
    """DL-3: 1, 2, 3 …; a file that is open has its handle again, by whatever name; its constructors ran once."""
    source = Source().open("a.so").open("/b.so").open("./a.so").open("../../a.so").call(1, "value").call(1, "count")
    source.close(1).close(1).call(1, "value").close(1).find(1, "value")
    assert opened(source, profile)[:9] == [1, 2, 1, 1, 1, 1, 0, 0, 1]
    assert opened(source, profile)[9:] == [0, -8 if profile is SPEC else -7]


@pytest.mark.parametrize("profile", [SPEC, LIND])
def test_failures(profile: Profile) -> None:
    """DL-1: each has its code."""
    source = Source().open("none.so").open("").open("text").open("static").open("dir").open("a.so").find(1, "none")
    source.find(9, "value")
    files = {b"/text": b"hello", b"/static": program("(nop)"), b"/dir/x": b""}
    assert opened(source, profile, files) == [-1, -1, -2, -3, -2, 1, -7, -6 if profile is SPEC else -7]


def test_the_program_itself() -> None:
    """DL-1, DL-5: its handle finds what is global; as recorded the name is read at address 0 (DL-NULL)."""
    source = Source().tell("(call $dlopen (i32.const 0) (i32.const 2))").call(1, "mine").open("a.so").find(1, "value")
    assert opened(source, body=VALUE.format("mine", 33)) == [1, 33, 2, -7]
    recorded = Source().tell("(call $dlopen (i32.const 0) (i32.const 2))")
    assert opened(recorded, LIND) == [-1]


def test_names_without_a_slash() -> None:
    """DL-1: the working directory, then the library folders (deviation DL-FOLDERS)."""
    files = {b"/lib/d.so": library("d.so", 4), b"/usr/lib/e.so": library("e.so", 5), b"/lib/a.so": library("a.so", 9)}
    source = Source().open("d.so").open("e.so").open("a.so").call(3, "value").open("x/d.so")
    assert opened(source, SPEC, files) == [1, 2, 3, 1, -1]
    assert opened(Source().open("d.so").open("lib/d.so"), LIND, files) == [-1, 1]


def test_default_and_next() -> None:
    """DL-5: RTLD_DEFAULT looks at main first and never at what is local (deviation DL-DEFAULT)."""
    source = Source().open("a.so").find(0, "value").open("b.so", 2 | GLOBAL).call(0, "value").call(0, "mine")
    assert opened(source, body=VALUE.format("mine", 33)) == [1, -7, 2, 2, 33]
    recorded = Source().open("a.so").open("b.so", 2 | GLOBAL).call(0, "value").find(0, "mine")
    assert opened(recorded, LIND, body=VALUE.format("mine", 33)) == [1, 2, 2, -7]
    assert dynamic(Source().find(-1, "value").image(), profile=LIND).run() == 134


def test_next_is_after_the_caller() -> None:
    """DL-5: main asks for the next definition of what it defines itself (deviation DL-NEXT)."""
    source = Source().call(0, "value").call(-1, "value")
    lib = {"libc.so": library("libc.so", 8)}
    assert results(dynamic(source.image(body=VALUE.format("value", 7)), lib)) == [7, 8]


def test_data() -> None:
    """DL-4: has an address below 2 GiB; as recorded it is no result (DL-HIGH), and there only if somebody asks."""
    assert opened(Source().open("a.so").open("b.so").load(1, "data").load(2, "data")) == [1, 2, 11, 22]
    asked = Source().open("a.so").find(1, "data")
    assert opened(asked, LIND) == [1, -7]
    got = opened(asked, LIND, imports='(import "GOT.mem" "data" (global $d (mut i32)))')
    assert got[0] == 1 and got[1] < -4096


def test_modes() -> None:
    """DL-3: RTLD_NOLOAD asks, RTLD_GLOBAL may come later (deviation DL-MODES)."""
    source = Source().open("a.so", 2 | NOLOAD).open("a.so").open("a.so", 2 | NOLOAD).find(0, "value")
    source.open("a.so", 2 | GLOBAL).call(0, "value")
    assert opened(source) == [-1, 1, 1, -7, 1, 1]
    recorded = Source().open("a.so", 2 | NOLOAD).open("a.so", 2 | GLOBAL).find(0, "value")
    assert opened(recorded, LIND) == [1, 1, -7]


def test_closed_and_opened_again() -> None:
    """DL-6: the library is as it was; as recorded that ends the host, unless it was not to be closed (DL-CLOSE)."""
    source = Source().open("a.so").close(1).close(1).close(9).find(1, "value").open("a.so").call(1, "count")
    assert opened(source) == [1, 0, -8, -6, -8, 1, 1]
    assert dynamic(Source().open("a.so").close(1).open("a.so").image(), profile=LIND, files=FILES).run() == 134
    kept = Source().open("a.so", 2 | NODELETE).close(1).call(1, "value").open("a.so").close(9)
    assert opened(kept, LIND) == [1, 0, 1, 1, 0]


CROSS = '(import "env" "value_a" (func $va (result i32)))'
USES = '(func (export "uses") (result i32) (call $va))'


def test_scopes() -> None:
    """DYN-9, DYN-10: a library calls what is global, also if it became so later; what is local it cannot."""
    files = {b"/u.so": library("u.so", 5, CROSS, USES)}
    assert opened(Source().open("a.so", 2 | GLOBAL).open("u.so").call(2, "uses"), files=files) == [1, 2, 1]
    later = Source().open("u.so").open("a.so", 2 | GLOBAL).call(1, "uses")
    assert opened(later, files=files) == [1, 2, 1]
    local = dynamic(Source().open("a.so").open("u.so").call(2, "uses").image(), files={**FILES, **files})
    assert local.run() == 70 and "`env::value_a`" in str(local.system.outcome)


def test_needed_libraries() -> None:
    """DL-2, DL-4: come first, are searched with it, and may need each other; one that is missing fails the load."""
    files = {
        b"/u.so": library("u.so", 5, CROSS, USES, needed=["a.so"]),
        b"/v.so": library("v.so", 6, needed=["u.so", "none.so"]),
        b"/lib/w.so": library("w.so", 7, needed=["x.so"]),
        b"/lib/x.so": library("x.so", 8, needed=["w.so"]),
    }
    source = Source().open("u.so").call(1, "uses").call(1, "value_a").open("a.so").call(2, "count").open("v.so")
    source.open("w.so").call(3, "value_x").find(0, "value_w")
    assert opened(source, files=files) == [1, 1, 1, 2, 1, -4, 3, 8, -7]
    recorded = dynamic(Source().open("u.so").call(1, "uses").image(), files={**FILES, **files}, profile=LIND)
    assert recorded.run() == 70  # deviation DL-NEEDED


BAD = '(func (export "__wasm_call_ctors") (unreachable))' + VALUE.format("bad", 77)


def test_a_constructor_that_traps() -> None:
    """DL-7: fails dlopen, and the program goes on; as recorded the handle stays (DL-FAILED)."""
    files = {b"/bad.so": module("bad.so", "", BAD)}
    source = Source().open("bad.so").open("a.so").call(1, "value")
    assert opened(source, files=files) == [-9, 1, 1]
    assert opened(Source().open("bad.so").open("bad.so").call(1, "bad"), LIND, files) == [-9, 1, 77]


def test_a_library_that_cannot_be_linked() -> None:
    """DL-7."""
    files = {b"/odd.so": module("odd.so", '(import "env" "strange" (global $g i32))')}
    for profile in (SPEC, LIND):
        assert opened(Source().open("odd.so").find(1, "x"), profile, files)[0] == -9


def test_a_static_program_has_no_libraries() -> None:
    """DL-1: dlopen fails (deviation DL-STATIC)."""
    text = f"""(module {DL} (import "env" "memory" (memory 1 1 shared)) (func (export "_start") (result i32)
      (i32.sub (i32.const 0) (call $dlopen (i32.const 0) (i32.const 2)))))"""
    static = encode(parse_module(text))
    assert world(static).run() == 1
    assert world(static, profile=LIND).run() == 134


# fork and threads.

FORK = "(call $call3 (i32.const 56) (call $at (i32.const 0x900)) (i64.const 0) (i64.const 0))"
WAIT = """(drop (call $call (i32.const 61) (i64.const -1) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)
  (i64.const 0)))"""


def test_a_child_has_what_its_parent_had() -> None:
    """DL-8: and what it opens is its own."""
    source = Source().open("a.so")
    child = Source()
    child.texts = source.texts
    child.call(1, "value").open("b.so").call(2, "value")
    after = f"(if (i32.eqz {FORK}) (then {' '.join(child.lines)} (call $say) (call $exit (i64.const 0)))) {WAIT}"
    parent = Source()
    parent.texts = child.texts
    parent.open("c.so").call(2, "value")
    source.texts = parent.texts
    for profile in (SPEC, LIND):
        found = dynamic(source.image(after=after + " ".join(parent.lines)), profile=profile, files=FILES)
        assert [number(n) for n in ran(found)] == [1, 1, 2, 2, 1, 2, 3]


def test_links_are_made_anew_as_recorded() -> None:
    """DL-8, deviation DL-REPLAY: a child's libraries call each other, its parent's do not."""
    files = {**FILES, b"/u.so": library("u.so", 5, CROSS, USES)}
    source = Source().open("a.so").open("u.so")
    call = Source()
    call.texts = source.texts
    call.call(2, "uses")
    source.texts = call.texts
    run = " ".join(call.lines)
    child = f"(if (i32.eqz {FORK}) (then {run} (call $say) (call $exit (i64.const 0))))"
    image = source.image(after=f"{child} {WAIT} {run}")
    recorded = dynamic(image, profile=LIND, files=files)
    assert recorded.run() == 70 and told(recorded) == [1, 2, 1]
    promised = dynamic(image, files=files)
    assert promised.run() == 70 and told(promised) == []

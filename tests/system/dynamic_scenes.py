"""Small dynamic worlds: modules in text with the sections that make them position-independent."""

from __future__ import annotations

from collections.abc import Sequence

from scenes import PRELUDE, World, world

from lindref.profile import SPEC, Profile
from lindref.system.runtime import Config
from lindref.wasm.binary.encoder import encode
from lindref.wasm.binary.leb import unsigned
from lindref.wasm.names import Names
from lindref.wasm.sections import name_section
from lindref.wasm.text.parser import parse_module

#: What position-independent modules import of the loader, whether they need it or not.
BASES = """
(import "env" "__indirect_function_table" (table $t {elements} funcref))
(import "env" "__memory_base" (global $base i32))
(import "env" "__table_base" (global $tbase i32))
(import "env" "__stack_pointer" (global $sp (mut i32)))
"""


def _vector(items: Sequence[bytes]) -> bytes:
    return unsigned(len(items)) + b"".join(unsigned(len(item)) + item for item in items)


def dylink(size: int, table: int, needed: Sequence[str], thread_local: Sequence[str]) -> str:
    """The custom section, as text."""
    info = unsigned(size) + unsigned(2) + unsigned(table) + unsigned(0)
    data = b"\x01" + unsigned(len(info)) + info
    if needed:
        names = _vector([name.encode() for name in needed])
        data += b"\x02" + unsigned(len(names)) + names
    if thread_local:
        flags = unsigned(0x100)
        exports = unsigned(len(thread_local)) + b"".join(
            unsigned(len(name)) + name.encode() + flags for name in thread_local
        )
        data += b"\x03" + unsigned(len(exports)) + exports
    text = "".join(f"\\{byte:02x}" for byte in data)
    return f'(@custom "dylink.0" (before first) "{text}")'


def module(
    name: str,
    imports: str = "",
    body: str = "",
    *,
    size: int = 64,
    table: int = 0,
    needed: Sequence[str] = (),
    thread_local: Sequence[str] = (),
    relocs: bool = True,
) -> bytes:
    """A position-independent module called ``name``: the prelude, ``imports``, ``body``; data of ``size`` bytes and
    ``table`` elements. ``relocs``: with an empty ``__wasm_apply_data_relocs``."""
    more = '(func (export "__wasm_apply_data_relocs"))' if relocs else ""
    prelude, functions = PRELUDE.split("(func $at", 1)
    text = (
        f"(module {dylink(size, table, needed, thread_local)} {prelude} {BASES.format(elements=table)} {imports}"
        f" (func $at{functions} {body} {more})"
    )
    made = parse_module(text)
    made.customs = (*made.customs, name_section(Names(module=name)))
    return encode(made)


#: Appends the low four bytes of a value to what ``$tell`` collects; ``$say`` writes them out.
TELL = """
(func $tell (param $v i32)
  (i32.store (i32.add (global.get $base) (i32.add (i32.const 8) (i32.load (global.get $base)))) (local.get $v))
  (i32.store (global.get $base) (i32.add (i32.load (global.get $base)) (i32.const 4))))
(func $say (call $write (i32.const 1) (i32.add (global.get $base) (i32.const 8)) (i32.load (global.get $base))))
"""


def main(start: str, imports: str = "", body: str = "", *, size: int = 256, table: int = 0, **more: object) -> bytes:
    """A main program whose ``_start`` runs ``start`` and says what it told."""
    whole = f'{TELL} {body} (func (export "_start") {start} (call $say))'
    return module("main", imports, whole, size=size, table=table, **more)  # type: ignore[arg-type]


def told(found: World) -> list[int]:
    """The numbers that the program told."""
    out = found.out
    return [int.from_bytes(out[i : i + 4], "little") for i in range(0, len(out), 4)]


def dynamic(
    image: bytes, libraries: dict[str, bytes] | None = None, *, profile: Profile = SPEC, preload: bool = True,
    files: dict[bytes, bytes] | None = None,
) -> World:
    """A world with a dynamic program; its libraries lie in ``/lib`` and (``preload``) are asked for as ``env``."""
    there = {b"/lib/" + name.encode(): data for name, data in (libraries or {}).items()}
    words = tuple(("env", f"/lib/{name}") for name in (libraries or {})) if preload else ()
    return world(image, files={**there, **(files or {})}, profile=profile, config=Config(preloads=words))


def ran(found: World) -> list[int]:
    """What the program told, once it has run to its good end."""
    status = found.run()
    assert status == 0, (status, found.system.outcome, [e for e in found.recorder.events if e.kind == "note"])
    return told(found)

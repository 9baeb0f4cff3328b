"""What docs/trace.md says by itself: tables of fields from ``lindref.trace.format``, and a real trace as example.

``python tools/trace_doc.py`` writes them between the marks of the page, and the published JSON Schema; a test holds
that both are up to date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from lindref.posix.fs import roots
from lindref.system.system import System
from lindref.trace.format import COMMON, EVENTS, HEADER, Field, schema
from lindref.trace.jsonl import JsonTrace
from lindref.wasm.binary.encoder import encode
from lindref.wasm.text.parser import parse_module

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "trace.md"
SCHEMA = ROOT / "lindref" / "trace" / "trace-1.schema.json"
_MARK = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PAIR = "(param i64 i64)" * 6

#: Opens a file that is not there, and ends with 3.
EXAMPLE = f"""(module
  (import "lind" "make-syscall"
    (func $call (param i32 i64 i64 i64) {_PAIR} (result i32)))
  (import "lind" "lind-get-memory-base" (func $base (result i64)))
  (import "env" "memory" (memory 1 1 shared))
  (data (i32.const 16) "/none\\00")
  (func (export "_start") (result i32)
    (drop (call $call (i32.const 2) (i64.const 0) (i64.const 1) (i64.const 1)
      (i64.add (call $base) (i64.const 16)) (i64.const 1) (i64.const 0) (i64.const 1) (i64.const 0) (i64.const 1)
      (i64.const 0) (i64.const 1) (i64.const 0) (i64.const 1) (i64.const 0) (i64.const 1)))
    (i32.const 3)))"""


def example() -> str:
    """The trace of the example program."""
    out: list[str] = []
    image = encode(parse_module(EXAMPLE))
    system = System()
    roots.open_root(system.kernel, "blank", None)
    roots.add_file(system.kernel, b"/app.wasm", image, 0o755)
    trace = JsonTrace(system, out.append, argv=["app.wasm"])
    system.observers.append(trace)
    system.boot(b"/app.wasm", image, [b"app.wasm"], ())
    trace.close(system.run())
    return "".join(out)


def _table(fields: tuple[Field, ...]) -> str:
    rows = [f"| `{f.name}` | {'yes' if f.required else ''} | {f.kind.value} | {f.about} |" for f in fields]
    return "\n".join(["| field | required | is | means |", "|---|---|---|---|", *rows]) + "\n"


def _events() -> str:
    parts = []
    for kind in EVENTS.values():
        alone = "" if kind.threaded else " It belongs to no thread."
        parts.append(f"**`{kind.name}`**: {kind.about}.{alone}\n\n{_table(kind.fields)}")
    return "\n".join(parts)


def page(text: str) -> str:
    """The page with its generated parts made anew."""
    made = {
        "header": _table(HEADER),
        "common": _table(COMMON),
        "events": _events(),
        "example": f"```json\n{example()}```\n",
    }
    return _MARK.sub(lambda m: m[1] + made[m[2]] + m[3], text)


def schema_text() -> str:
    """The published schema."""
    return json.dumps(schema(), indent=1) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMA.write_text(schema_text(), encoding="utf-8")

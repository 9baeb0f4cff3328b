"""A large C program: many functions and types, of which a run uses few; what start-up is measured with.

    python -m benchmarks.large OUT.wasm         # built with the guest kit and full debug information
    python -m benchmarks.large --source         # only the C source, to standard output
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: How many groups of a type and its functions make a binary of 2 MB with debug information.
GROUPS = 1040

_HEAD = """/* Made by benchmarks/large.py: what a program of 2 MB looks like to whoever loads it. */
#include <stdio.h>
#include <string.h>

typedef unsigned int u32;
typedef unsigned long long u64;
"""

_GROUP = """
struct record_{n} {{
    u32 id;
    u32 kind;
    u64 total;
    double weight;
    char name[{size}];
    struct record_{n} *next;
}};

/* Mixes a word into the running total of a record. */
__attribute__((noinline)) static u32 mix_{n}(struct record_{n} *record, u32 word)
{{
    u32 turned = (word << {r1}) | (word >> {r2});
    record->total = record->total * {odd}u + (turned ^ {k}u);
    record->kind ^= (u32)(record->total >> {shift});
    return record->kind;
}}

/* Fills a record from a seed, and says how much of its name was used. */
__attribute__((noinline)) static u32 fill_{n}(struct record_{n} *record, u32 seed)
{{
    u32 used = 0;
    memset(record, 0, sizeof *record);
    record->id = seed ^ {k}u;
    for (u32 i = 0; i + 1 < sizeof record->name; i++) {{
        u32 letter = mix_{n}(record, seed + i) % 26u;
        if (letter == {stop}u)
            break;
        record->name[i] = (char)('a' + letter);
        used++;
    }}
    record->weight = (double)used / {denominator}.0;
    return used;
}}

/* What the table of steps holds. */
static u32 step_{n}(u32 seed)
{{
    struct record_{n} here;
    u32 used = fill_{n}(&here, seed);
    switch (used % 5u) {{
    case 0: return here.id + {k}u;
    case 1: return here.kind - seed;
    case 2: return (u32)(here.total >> 7) ^ used;
    case 3: return (u32)(here.weight * 1000.0) + (u32)strlen(here.name);
    default: return mix_{n}(&here, used) * {odd}u;
    }}
}}
"""

_TAIL = """
int main(int argc, char **argv)
{
    (void)argv;
    u32 seed = (u32)argc;
    u32 sum = 0;
    for (u32 i = 0; i < 10; i++) {
        seed = seed * 1664525u + 1013904223u;
        sum ^= steps[seed % (sizeof steps / sizeof *steps)](seed);
    }
    printf("%08x\\n", sum);
    return 0;
}
"""


def source(groups: int = GROUPS) -> Iterator[str]:
    """The program, piece by piece; each group differs from the others in its constants."""
    yield _HEAD
    for n in range(groups):
        r1 = 1 + n % 31
        yield _GROUP.format(
            n=n,
            size=16 + n % 48,
            r1=r1,
            r2=32 - r1,
            odd=2 * n + 65_537,
            k=n * 2_654_435_761 & 0xFFFF_FFFF,
            shift=1 + n % 40,
            stop=n % 26,
            denominator=1 + n % 97,
        )
    yield "\ntypedef u32 (*step)(u32);\nstatic const step steps[] = {\n"
    for n in range(groups):
        yield f"    step_{n},\n"
    yield "};\n" + _TAIL


def build(out: Path, groups: int = GROUPS) -> None:
    """Compiles it with the guest kit; ``SystemExit`` with what the compiler says where that fails."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.c"
        path.write_text("".join(source(groups)), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "lindref.cli.main", "cc", "-g", "-O1", str(path), "-o", str(out.resolve())],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"lindref cc: status {done.returncode}\n{done.stderr}")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", nargs="?", type=Path, metavar="OUT.wasm")
    parser.add_argument("--source", action="store_true", help="print the C source")
    parser.add_argument("--groups", type=int, default=GROUPS, help="types with three functions each")
    options = parser.parse_args()
    if options.source:
        sys.stdout.writelines(source(options.groups))
    elif options.out is None:
        parser.error("where to? OUT.wasm, or --source")
    else:
        build(options.out, options.groups)
        print(f"{options.out}: {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""``lindref fork``: a program's first fork as what it is: one continuation, resumed twice, differing in one value."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from lindref import show
from lindref.arguments import USAGE, Arguments
from lindref.system.asyncify import Asyncified, NotInstrumentedError, Spill, asyncified
from lindref.system.boot import BootError
from lindref.system.forks import SideBySide
from lindref.system.session import System, boot

ABOUT = (
    "After a fork, parent and child are in the middle of the same functions, with the same values, but for one: what "
    "clone gave back. The real system, whose stacks cannot be copied, comes to the same by Asyncify: it unwinds the "
    "program into memory once, and rewinds it twice."
)


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref fork",
        description="Run PROGRAM to its first fork and show parent and child side by side; of an instrumented program "
        "(asyncify_* exports), also how it unwinds and is rewound for the same fork.",
        epilog="Exit status: 0; 2 for a program that does not fork. Example: lindref fork --html fork.html app.wasm",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--root", metavar="DIR", help="the root; PROGRAM is then a path inside it (default: the working directory)")
    add("--asyncify", action="store_true", help="show the unwinding and rewinding alone")
    add("--json", action="store_true", help="all of it as JSON")
    add("--html", metavar="FILE", help="write a page")
    add("program", metavar="PROGRAM", help="a wasm module")
    add("args", nargs=argparse.REMAINDER, metavar="ARG", help=argparse.SUPPRESS)
    return parser


def _fork(system: System) -> SideBySide:
    """Go to the first fork."""
    while True:
        event = system.run_until(event="spawn")
        if event is None:
            raise ValueError("the program does not fork")
        child = getattr(event, "child", event.cage)
        if child != event.cage:
            return system.side_by_side(event.cage, child)


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(argv)
    try:
        system = boot(options.program, options.args, root=options.root, engine="reference")
        unwound, why = None, ""
        try:
            unwound = asyncified(system)
        except NotInstrumentedError as error:
            why = str(error)
        beside = _fork(system)
    except (BootError, ValueError) as error:
        sys.stderr.write(f"lindref fork: {error}\n")
        return USAGE
    if options.json:
        sys.stdout.write(json.dumps(_as_json(beside, unwound), indent=1) + "\n")
        return 0
    if options.asyncify and unwound is None:
        sys.stderr.write(f"lindref fork: {why}\n")
        return USAGE
    shown: list[object] = [] if options.asyncify else [beside]
    shown += [] if unwound is None else [unwound]
    if options.html is not None:
        title = f"The first fork of {Path(options.program).name}"
        Path(options.html).write_text(show.page(title, ABOUT, shown), encoding="utf-8")
        sys.stdout.write(f"{options.html}\n")
        return 0
    sys.stdout.write("\n\n".join(show.text(one) for one in shown) + "\n")
    if why:
        sys.stderr.write(f"lindref fork: no Asyncify beside it: {why}\n")
    return 0


def _as_json(beside: SideBySide, unwound: Asyncified | None) -> dict[str, Any]:
    frames = [
        {
            "functions": [pair.left, pair.right],
            "values": [{"name": s.name, "values": [s.left, s.right], "differs": s.differs} for s in pair.slots],
        }
        for pair in beside.frames
    ]
    pages = {"shared": beside.shared_pages, "not_shared": beside.other_pages}
    found: dict[str, Any] = {"cages": list(beside.cages), "frames": frames, "pages": pages, "asyncify": None}
    if unwound is not None:
        found["asyncify"] = {
            "buffer": unwound.low,
            "end": unwound.end,
            "instructions": unwound.instructions,
            "bytes": unwound.written,
            "unwind": list(map(_spill, unwound.unwind)),
            "rewinds": [
                {
                    "cage": rewind.cage,
                    "result": rewind.result,
                    "frames": list(map(_spill, rewind.frames)),
                    "functions_restored": rewind.functions_restored,
                    "changed": [slot.name for slot in rewind.changed],
                    "next_call": rewind.next_name or None,
                }
                for rewind in unwound.rewinds
            ],
        }
    return found


def _spill(one: Spill) -> dict[str, Any]:
    return {
        "function": one.function,
        "instructions": one.instructions,
        "address": one.address,
        "data": one.data.hex(),
    }

"""``lindref demo``: the main job on guests that travel with lindref: a grate and its cage, as calls and routes."""

from __future__ import annotations

import os
import sys

from lindref.cli.resources import folder
from lindref.cli.run import Notes, connect
from lindref.system.boot import BootError, boot
from lindref.system.system import System
from lindref.trace.strace import Strace

#: The grate and the program of the demo, below ``conformance/guests``.
GUESTS = "grate_redirect"
_HELP = """usage: lindref demo [NAME]

Run a grate and its cage and show every call with the route it takes. NAME is a folder of conformance/guests that holds
grate.wasm and app.wasm. Example: lindref demo
"""


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    if argv and argv[0] in ("-h", "--help"):
        sys.stdout.write(_HELP)
        return 0
    name = argv[0] if argv else GUESTS
    guests = folder("conformance") / "guests" / name
    programs = [guests / "grate.wasm", guests / "app.wasm"]
    missing = [p for p in programs if not p.is_file()]
    if missing or len(argv) > 1:
        sys.stderr.write(f"lindref demo: {missing[0] if missing else argv[1]}: no such guest\n")
        return 2
    colour = "NO_COLOR" not in os.environ

    def observe(system: System) -> None:
        system.observers.append(Strace(system, sys.stdout.write, colour=colour, routes=True))
        system.quiet_observers.append(Notes())

    print("The same as: lindref run --strace --routes --root", guests, "/grate.wasm /app.wasm\n", flush=True)
    try:
        system = boot("/grate.wasm", ["/app.wasm"], root=guests, observe=observe)
    except BootError as error:
        sys.stderr.write(f"lindref demo: {error}\n")
        return 2
    connect(system)
    outcome = system.run()
    print(f"\nexit status {outcome.status}")
    return outcome.status

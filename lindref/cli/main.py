"""``lindref COMMAND …``: finds the command and keeps every failure to one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import lindref

#: Command -> (module with ``main(argv) -> int``, what it does).
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("lindref.cli.run", "run a program and the grates over it"),
    "demo": ("lindref.cli.demo", "a grate and its cage, as a coloured trace of calls and their routes"),
    "cc": ("lindref.guest.cc", "compile C against the guest kit"),
    "wast": ("lindref.conformance.wast", "run official wasm test scripts"),
    "objdump": ("lindref.cli.objdump", "show a module: text, sections, names"),
    "spec": ("lindref.cli.spec", "list the rules of the specification, or show one"),
}

USAGE = 2


def usage() -> str:
    """The help text."""
    lines = [f"  {name:<9} {what}" for name, (_, what) in COMMANDS.items()]
    return (
        "usage: lindref COMMAND [ARG...]\n\n"
        "The executable reference of Lind-Wasm: cages, grates, 3i and RawPOSIX.\n\n"
        + "\n".join(lines)
        + "\n\n`lindref COMMAND --help` tells more. Example: lindref run --strace hello.wasm\n"
    )


def main(argv: Sequence[str]) -> int:
    """Run a command; its exit status."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        sys.stdout.write(usage())
        return 0 if argv else USAGE
    if argv[0] in ("-V", "--version"):
        sys.stdout.write(f"lindref {lindref.__version__}\n")
        return 0
    found = COMMANDS.get(argv[0])
    if found is None:
        sys.stderr.write(f"lindref: no command {argv[0]!r} (one of: {', '.join(COMMANDS)})\n")
        return USAGE
    command: Callable[[list[str]], int] = import_module(found[0]).main
    return command(list(argv[1:]))


def entry() -> None:
    """The console script."""
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # Whoever read our output has had enough; nothing more can be said.
        sys.stderr.close()
        status = 141
    sys.exit(status)


if __name__ == "__main__":
    entry()

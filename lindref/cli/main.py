"""``lindref COMMAND …``: finds the command and keeps every failure to one line."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from importlib import import_module

import lindref
from lindref.arguments import USAGE

#: Command -> (module with ``main(argv) -> int``, what it does).
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("lindref.cli.run", "run a program and the grates over it"),
    "demo": ("lindref.cli.demo", "a grate and its cage, as a coloured trace of calls and their routes"),
    "cc": ("lindref.guest.cc", "compile C against the guest kit"),
    "root": ("lindref.cli.root", "lay out a root for guests to run in"),
    "vectors": ("lindref.conformance.vectors", "play recorded vectors of the real system"),
    "step": ("lindref.cli.step", "step through a run in the terminal, backwards as well"),
    "dap": ("lindref.cli.dap", "debug a program from an editor, backwards as well"),
    "trace": ("lindref.cli.trace", "look at traces: as strace text, compared, as a page"),
    "conform": ("lindref.conformance.campaign", "hold an implementation against the specification"),
    "wast": ("lindref.conformance.wast", "run official wasm test scripts"),
    "objdump": ("lindref.cli.objdump", "show a module: text, sections, names"),
    "explore": ("lindref.cli.explore", "run a program along many schedules: which outcomes there are"),
    "learn": ("lindref.cli.learn", "guided lessons with exercises: cages, grates, fork, races"),
    "fork": ("lindref.cli.fork", "show a program's first fork: one continuation, resumed twice"),
    "spec": ("lindref.cli.spec", "list the rules of the specification, or show one"),
}


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
    gc.disable()  # what is loaded now stays
    try:
        command: Callable[[list[str]], int] = import_module(found[0]).main
    finally:
        gc.enable()
    if hasattr(gc, "freeze") and not gc.get_freeze_count():
        gc.freeze()  # no collection looks at it again
    try:
        return command(list(argv[1:]))
    except SystemExit as done:  # the command line: help was asked for, or something is wrong with it
        return int(done.code or 0)


def entry() -> None:
    """The console script."""
    # A stream that was closed before we began takes everything and gives nothing.
    with ExitStack() as nowhere:
        sys.stdout = sys.stdout or nowhere.enter_context(open(os.devnull, "w", encoding="utf-8"))
        sys.stderr = sys.stderr or nowhere.enter_context(open(os.devnull, "w", encoding="utf-8"))
        try:
            status = main(sys.argv[1:])
            sys.stdout.flush()
        except KeyboardInterrupt:
            status = 130
        except BrokenPipeError:
            status = 141  # whoever read our output has had enough
        except OSError as error:
            where = f"{error.filename}: " if error.filename else "output: "
            sys.stderr.write(f"lindref: {where}{error.strerror}\n")
            status = USAGE
        if status in (141, USAGE):
            # What could not be written cannot be written at the end either.
            with suppress(OSError):
                sys.stdout.close()
    sys.exit(status)


if __name__ == "__main__":
    entry()

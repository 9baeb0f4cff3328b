"""``lindref step``: step through a run in the terminal, forwards and backwards."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec

from lindref.arguments import USAGE, Arguments
from lindref.cli.run import UsageError, environment, kit_libraries
from lindref.system.boot import BootError
from lindref.system.choices import ScheduleError


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref step",
        description="Step through PROGRAM by instruction, line, call or turn, backwards as well; h shows the keys.",
        epilog="Needs the extra: pip install 'lindref[tui]'. Example: lindref step grate.wasm app.wasm",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--root", metavar="DIR", help="the root; PROGRAM is then a path inside it (default: the working directory)")
    add("--root-mode", choices=("cow", "blank"), default="cow", help="copy-on-write, or empty")
    add("--profile", choices=("spec", "lind"), default="spec", help="what Lind promises, or what was recorded")
    add("--seed", type=int, metavar="N", help="random schedule and random bytes from this seed")
    add("--schedule", metavar="S", help="the answers to choice points, as a run reports them")
    add("--env", action="append", default=[], metavar="K[=V]", help="a variable of the environment (repeatable)")
    add("--stdin", metavar="FILE", help="what standard input holds (default: nothing)")
    add("--grate", metavar="GRATE", action="append", default=[], help="a grate over PROGRAM, as for lindref run")
    add("program", metavar="PROGRAM", help="a wasm module")
    add("args", nargs=argparse.REMAINDER, metavar="ARG", help=argparse.SUPPRESS)
    return parser


def _contents(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(argv)
    from lindref.system.session import boot

    try:
        system = boot(
            options.program,
            options.args,
            root=options.root,
            root_mode=options.root_mode,
            profile=options.profile,
            seed=options.seed,
            schedule=options.schedule,
            grates=options.grate,
            env=environment(options.env),
            stdin=b"" if options.stdin is None else _contents(options.stdin),
            libraries=kit_libraries,
        )
    except (BootError, ScheduleError, UsageError) as error:
        sys.stderr.write(f"lindref step: {error}\n")
        return USAGE
    if find_spec("textual") is None:
        sys.stderr.write("lindref step: needs Textual: pip install 'lindref[tui]'\n")
        return USAGE
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("lindref step: needs a terminal; lindref run --strace shows a run without one\n")
        return USAGE
    from lindref.cli.stepper_app import Stepper

    beside = os.path.dirname(os.path.join(options.root or ".", options.program))
    Stepper(system, (".", options.root or ".", beside)).run()
    return 0

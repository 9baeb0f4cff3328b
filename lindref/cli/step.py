"""``lindref step``: step through a run in the terminal, forwards and backwards."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec

from lindref.arguments import USAGE, Arguments
from lindref.system.boot import BootError
from lindref.system.choices import ScheduleError


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref step",
        description="Step through PROGRAM turn by turn and call by call, backwards as well; h shows the keys.",
        epilog="Needs the extra: pip install 'lindref[tui]'. Example: lindref step grate.wasm app.wasm",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--root", metavar="DIR", help="the root; PROGRAM is then a path inside it (default: the working directory)")
    add("--root-mode", choices=("cow", "blank"), default="cow", help="copy-on-write, or empty")
    add("--profile", choices=("spec", "lind"), default="spec", help="what Lind promises, or what was recorded")
    add("--seed", type=int, metavar="N", help="random schedule and random bytes from this seed")
    add("--schedule", metavar="S", help="the answers to choice points, as a run reports them")
    add("--grate", metavar="GRATE", action="append", default=[], help="a grate over PROGRAM, as for lindref run")
    add("program", metavar="PROGRAM", help="a wasm module")
    add("args", nargs=argparse.REMAINDER, metavar="ARG", help=argparse.SUPPRESS)
    return parser


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
        )
    except (BootError, ScheduleError) as error:
        sys.stderr.write(f"lindref step: {error}\n")
        return USAGE
    if find_spec("textual") is None:
        sys.stderr.write("lindref step: needs Textual: pip install 'lindref[tui]'\n")
        return USAGE
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("lindref step: needs a terminal; lindref run --strace shows a run without one\n")
        return USAGE
    from lindref.cli.stepper_app import Stepper

    Stepper(system).run()
    return 0

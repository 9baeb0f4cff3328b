"""``lindref explore``: run a program along many schedules, and say which outcomes there are."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from lindref.arguments import USAGE, Arguments
from lindref.cli import explored, exploring
from lindref.cli.run import GRATE_HELP, MAX_WORKERS, UsageError, environment, kit_libraries, number
from lindref.explore.errors import HelpersError
from lindref.explore.exhaustive import Bounds
from lindref.explore.explain import explain_all
from lindref.explore.outcomes import Outcomes
from lindref.posix import console
from lindref.profile import by_name
from lindref.state.errors import StateError
from lindref.system.boot import BootError, LoadError, boot
from lindref.system.choices import ScheduleError
from lindref.system.outcome import STATUS, Ending
from lindref.system.runtime import Config
from lindref.system.system import System

#: Kinds of choice points.
KINDS = ("thread", "signal", "zombie", "futex-wake", "transfer", "grate", "fork-result", "twin", "signal-wake")


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref explore",
        description="Run PROGRAM along many schedules and report the distinct outcomes, each with the simplest "
        "schedule found. Standard input is empty, or --stdin.",
        epilog="Exit status: 0, also where a bound was reached (standard error says so); 2 usage; 130 Ctrl-C. With "
        "--replay as lindref run. Example: lindref explore --preemptions 2 --json race.wasm",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--strategy", choices=("exhaustive", "random", "pct"), default="exhaustive", help="default: exhaustive")
    add("--preemptions", type=number(0), metavar="N", help="exhaustive: at most N per schedule (default: any number)")
    text = "exhaustive: most states (%(default)s); each takes some 8 KiB"
    add("--max-states", type=number(1), default=100_000, metavar="N", help=text)
    add("--no-reduction", action="store_true", help="exhaustive: try every thread, also where the order cannot matter")
    text = "the file of the search, written now and then and at its end, also by Ctrl-C; it goes on from it (not below "
    text += "the root, which it would change)"
    add("--checkpoint", type=Path, metavar="FILE", help=text)
    text = "processes that search, this one among them (%(default)s); what is reported is the same"
    add("--workers", type=number(1, 256), default=1, metavar="N", help=text)
    add("--dask", metavar="ADDRESS", help="the scheduler of a Dask cluster whose workers search, too")
    add("--runs", type=number(1), default=100, metavar="N", help="random, pct: how many (%(default)s)")
    add("--depth", type=number(1), default=3, metavar="N", help="pct: ordered events of a failure (%(default)s)")
    add("--seed", type=number(0), default=0, metavar="N", help="random, pct: where the choices come from")
    add("--kinds", metavar="WORDS", help=f"exhaustive: choice points to explore, of {','.join(KINDS)} (default: all)")
    where = "threads may switch before accesses to memory that others reach: none, shared (default: all but those to "
    where += "the stack frames of a thread's own functions), all"
    add("--accesses", choices=("none", "shared", "all"), default="shared", help=where)
    add("--json", action="store_true", help="a list of {stdout, stderr, exit_status, kind, count, schedule, …}")
    add("--replay", metavar="SCHEDULE", help="run this one schedule, as a report names it, and show what it writes")
    add("--stdin", metavar="FILE", help="what the program reads")
    add("--root", metavar="DIR", help="the root; PROGRAM is then a path inside it (default: the working directory)")
    add("--root-mode", choices=("cow", "blank"), default="cow", help="copy-on-write (default), or empty")
    add("--profile", choices=("spec", "lind"), default="spec", help="what Lind promises, or what was recorded")
    add("--env", action="append", default=[], metavar="K[=V]", help="a variable of the environment (repeatable)")
    add("--grate", metavar="GRATE", action="append", default=[], help=GRATE_HELP)
    workers = number(1, MAX_WORKERS)
    add("--grate-workers", type=workers, default=MAX_WORKERS, metavar="N", help="most workers of a grate")
    add("--max-ticks", type=number(1), default=10_000_000, metavar="N", help="most ticks of one run (%(default)s)")
    add("--max-memory", type=number(4096), metavar="BYTES", help="most memory that cages and files touch (K, M, G)")
    add("program", metavar="PROGRAM", help="a wasm module")
    add("args", nargs=argparse.REMAINDER, metavar="ARG", help=argparse.SUPPRESS)
    return parser


def _kinds(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    words = frozenset(text.split(","))
    unknown = sorted(words - set(KINDS))
    if unknown:
        raise BootError(f"--kinds: there is no kind {unknown[0]!r} (there are {', '.join(KINDS)})")
    return words


def _boot(options: argparse.Namespace) -> System:
    """The system before its first turn, with all its input."""
    if options.grate and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    config = Config(
        workers=options.grate_workers,
        max_ticks=options.max_ticks,
        max_memory=options.max_memory,
        accesses=options.accesses,
    )
    system = boot(
        options.program,
        options.args,
        root=options.root,
        root_mode=options.root_mode,
        profile=by_name(options.profile),
        config=config,
        engine="reference",  # which can stop before any instruction
        env=environment(options.env),
        grates=options.grate,
        libraries=kit_libraries,
    )
    if options.stdin is not None:
        try:
            console.feed_stdin(system.kernel, Path(options.stdin).read_bytes())
        except OSError as error:
            raise BootError(f"{options.stdin}: {error.strerror}") from None
    console.end_stdin(system.kernel)
    return system


def _explore(system: System, options: argparse.Namespace) -> Outcomes:
    """Search or sample, and say where a bound was reached."""
    if options.strategy != "exhaustive":
        return exploring.sample(system, options)
    bounds = Bounds(options.preemptions, options.max_states, _kinds(options.kinds), not options.no_reduction)
    outcomes, search = exploring.search(system, bounds, options)
    if not search.complete:
        sys.stderr.write(
            f"lindref explore: stopped at --max-states {options.max_states}: there may be other outcomes\n"
        )
    elif not options.json:
        bound = "" if options.preemptions is None else f", at most {options.preemptions} preemptions"
        spared = f", {search.spared} times a thread not tried whose turn could wait" if search.reduces else ""
        found = f"{search.visited} states in {search.turns} turns, {search.merged} reached again"
        sys.stdout.write(f"complete: {found}{spared}{bound}\n")
    return outcomes


def _apart(options: argparse.Namespace) -> None:
    """The file of a search must not lie in the folder that the run sees: the run that goes on would be another."""
    if options.checkpoint is not None and options.root_mode == "cow":
        root = os.path.realpath(options.root or ".")
        if Path(os.path.realpath(options.checkpoint)).is_relative_to(root):
            raise UsageError(
                f"--checkpoint {options.checkpoint}: lies in the root of the run, which it would change; "
                "name a file elsewhere, or use --root-mode blank"
            )


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as done:
        return int(done.code or 0)
    try:
        _kinds(options.kinds)
        _apart(options)
        system = _boot(options)
        if options.replay is not None:
            return explored.replay(system, options)
        outcomes = _explore(system, options)
        told = explain_all(system, outcomes)
    except (StateError, HelpersError) as error:
        sys.stderr.write(f"lindref explore: {error}\n")
        return USAGE
    except KeyboardInterrupt:
        goes_on = f"; --checkpoint {options.checkpoint} goes on from here" if options.checkpoint is not None else ""
        sys.stderr.write(f"\nlindref explore: stopped{goes_on}\n")
        return 130
    except (BootError, ScheduleError, UsageError) as error:
        sys.stderr.write(f"lindref explore: {error}\n")
        return STATUS[Ending.LOAD] if isinstance(error, LoadError) else USAGE
    if options.json:
        sys.stdout.write(json.dumps(explored.as_json(outcomes, told), indent=1) + "\n")
    else:
        explored.report(outcomes, told, sys.stdout.write)
    return 0

"""``lindref run``: boot a program as cage 1 and run it to its end."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

from lindref.arguments import USAGE, Arguments
from lindref.posix import console
from lindref.posix.constants import EPOCH
from lindref.profile import by_name
from lindref.system import worldly
from lindref.system.boot import BootError, LoadError, boot
from lindref.system.choices import (
    Chooser,
    FirstOption,
    Replay,
    ScheduleError,
    Seeded,
    parse_schedule,
)
from lindref.system.events import Event, Note
from lindref.system.outcome import STATUS, Ending, Outcome
from lindref.system.runtime import Config
from lindref.system.system import System
from lindref.vm.engines import ENGINES

if TYPE_CHECKING:
    from lindref.trace.inputs import Recording
    from lindref.trace.jsonl import JsonTrace

MAX_WORKERS = 32

#: Options that take a value as the next word: needed to tell where the program's own words begin.
_VALUED = frozenset(
    "--root --root-mode --engine --profile --seed --schedule --env --preload --grate-workers --trace -e --grate --net "
    "--net-reach --clock --replay --max-memory --max-ticks --accesses".split()
)


def number(low: int, high: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers within bounds; ``K``, ``M``, ``G`` multiply by powers of 1024."""

    def parse(text: str) -> int:
        factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:].upper(), 1)
        digits = text[:-1] if factor > 1 else text
        if not digits.isdecimal() or not digits.isascii():
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
        value = int(digits) * factor
        if value < low or (high is not None and value > high):
            bounds = f"at least {low}" if high is None else f"between {low} and {high}"
            raise argparse.ArgumentTypeError(f"{text} is not {bounds}")
        return value

    return parse


GRATE_HELP = (
    "a grate over PROGRAM (repeatable, the last is closest to it): MODULE:CLASS[,OPTION=VALUE...], "
    "FILE.py:CLASS, or a wasm file; "
    "'%%{' and '%%}' enclose the group of the grate before"
)


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref run",
        description="Boot PROGRAM as cage 1. Words after PROGRAM are its arguments.",
        epilog="Exit status: cage 1's code; 128+n for signal n; 70 trap or load failure; 71 deadlock; 72 a limit "
        "reached; 134 runtime fault; 2 usage. Example: lindref run --strace grate.wasm app.wasm hello",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--root", metavar="DIR", help="the root; PROGRAM is then a path inside it (default: the working directory)")
    add("--root-mode", choices=("cow", "write", "blank"), default="cow", help="copy-on-write, through, or empty")
    add("--engine", choices=ENGINES, default="auto", help="what runs the code (auto: what is hot, compiled)")
    add("--profile", choices=("spec", "lind"), default="spec", help="what Lind promises, or what was recorded")
    add("--seed", type=number(0), metavar="N", help="random schedule and random bytes from this seed")
    add("--schedule", metavar="S", help="the answers to choice points, as a run reports them")
    text = "threads may also switch where lindref explore lets them (its default: shared), for --schedule of its report"
    add("--accesses", choices=("none", "shared", "all"), default="", help=text)
    add("--env", action="append", default=[], metavar="K[=V]", help="a variable of the environment (repeatable)")
    add("--preload", action="append", default=[], metavar="NAME=PATH", help="a library for dynamic programs")
    workers = number(1, MAX_WORKERS)
    add("--grate-workers", type=workers, default=MAX_WORKERS, metavar="N", help="most workers of a grate")
    add("--trace", metavar="FILE", help="write the events as JSON lines")
    add("--trace-memory", action="store_true", help="--trace also has what calls change in memory")
    add("--trace-places", action="store_true", help="--trace also has the functions and source lines that make calls")
    add("--strace", metavar="FILE", dest="strace", help="show calls as strace does, on stderr (or --strace=FILE)")
    add("-e", action="append", default=[], dest="filters", metavar="trace=WORDS", help="which calls --strace shows")
    add("--routes", action="store_true", help="--strace names who served each call")
    add("--strict-capabilities", action="store_true", help="a cage may name itself, its descendants, whom it serves")
    add("--grate", metavar="GRATE", action="append", default=[], help=GRATE_HELP)
    add("--net", choices=("model", "host"), default="model", help="a model inside the run, or joined to the host's")
    add("--net-reach", choices=("loopback", "any"), default="loopback", help="how far --net host goes (loopback)")
    add("--clock", choices=("virtual", "real"), default="virtual", help="real: sleeping takes time (default: none)")
    add("--replay", metavar="TRACE", help="run again what --trace wrote: its choices, its input, nothing from outside")
    add("--max-memory", type=number(4096), metavar="BYTES", help="most memory that cages and files touch (K, M, G)")
    add("--max-ticks", type=number(1), metavar="N", help="most calls and backward branches of the run")
    add("program", metavar="PROGRAM", help="a wasm module")
    add("args", nargs=argparse.REMAINDER, metavar="ARG", help=argparse.SUPPRESS)
    return parser


def _mark_strace(argv: list[str]) -> list[str]:
    """``--strace`` takes its file only with ``=``: make the bare word ``--strace=-``."""
    out: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            return [*out, *words]
        if not word.startswith("-") or word == "-":
            return [*out, word, *words]
        out.append("--strace=-" if word == "--strace" else word)
        if word in _VALUED:
            out += [value for value in (next(words, None),) if value is not None]
    return out


class UsageError(Exception):
    """A wrong use of the command; one line."""


def environment(words: list[str]) -> dict[str, str]:
    """The variables that ``--env`` names; raises ``UsageError``."""
    env: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name:
            raise UsageError(f"--env {word!r}: no name")
        if equals:
            env[name] = value
        elif name in os.environ:
            env[name] = os.environ[name]
    return env


def _chooser(options: argparse.Namespace) -> Chooser:
    then: Chooser = FirstOption() if options.seed is None else Seeded(options.seed)
    if options.schedule is None:
        return then
    return Replay(parse_schedule(options.schedule), then)


def _recording(options: argparse.Namespace) -> Recording | None:
    """The trace to be replayed."""
    if options.replay is None:
        return None
    from pathlib import Path

    from lindref.trace.inputs import read_recording
    from lindref.trace.reader import TraceError

    if options.schedule is not None or options.seed is not None:
        raise UsageError("--replay brings its own schedule and seed")
    try:
        return read_recording(Path(options.replay))
    except OSError as error:
        raise UsageError(f"{options.replay}: {error.strerror}") from None
    except TraceError as error:
        raise UsageError(str(error)) from None


def _config(options: argparse.Namespace, recording: Recording | None) -> Config:
    """What does not change during the run; what a recording says of it counts."""
    net = options.net_reach if options.net == "host" else ""
    start = time.time_ns() - EPOCH if options.clock == "real" else 0
    config = Config(
        workers=options.grate_workers,
        max_ticks=options.max_ticks,
        max_memory=options.max_memory,
        seed=options.seed or 0,
        clock=options.clock,
        net=net,
        start_time=start,
        preloads=_preloads(options.preload),
        capabilities=options.strict_capabilities,
        accesses=options.accesses,
    )
    if recording is None:
        return config
    try:
        return recording.config(config)
    except (TypeError, ValueError):
        raise UsageError(f"{options.replay}: not the header of a trace") from None


def _preloads(words: list[str]) -> tuple[tuple[str, str], ...]:
    """The libraries asked for: import module and path."""
    out = []
    for word in words:
        name, _, path = word.partition("=")
        if not name or not path:
            raise UsageError(f"--preload {word!r}: want NAME=PATH")
        out.append((name, path))
    return tuple(out)


def kit_libraries() -> list[str]:
    """The shared libraries of the guest kit that were built on this machine."""
    from lindref.guest.installed import installed_libraries  # a dynamic program that has no root of its own

    return installed_libraries()


def _terminals(options: argparse.Namespace, recording: Recording | None) -> dict[int, tuple[int, int]]:
    """Which standard streams are terminals, with rows and columns (CONS-4); in a replay those that were."""
    if recording is not None:
        try:
            return recording.terminals
        except (TypeError, ValueError, AttributeError):
            raise UsageError(f"{options.replay}: not the header of a trace") from None
    found: dict[int, tuple[int, int]] = {}
    for stream in range(3):
        try:
            size = os.get_terminal_size(stream)
        except (OSError, ValueError):
            continue  # none, or none that has a size
        found[stream] = (size.lines, size.columns)
    return found


def _observe(system: System, options: argparse.Namespace, files: ExitStack) -> JsonTrace | None:
    """Attach the traces that were asked for; the one that wants to be told the outcome."""
    if options.strace != "-":
        system.quiet_observers.append(Notes())
    only = None
    if options.filters:
        from lindref.trace.filters import FilterError, parse_filters

        try:
            only = parse_filters(options.filters, system.kernel.rows)
        except FilterError as error:
            raise UsageError(str(error)) from None
    if options.strace is not None:
        from lindref.trace.strace import Strace

        to_stderr = options.strace == "-"
        out: IO[str] = sys.stderr if to_stderr else _create(options.strace, files)
        colour = to_stderr and sys.stderr.isatty() and "NO_COLOR" not in os.environ
        system.observers.append(Strace(system, out.write, only=only, colour=colour, routes=options.routes))
    if options.trace is not None:
        from lindref.trace.jsonl import JsonTrace

        out = _create(options.trace, files)
        argv = [options.program, *options.args]
        trace = JsonTrace(system, out.write, memory=options.trace_memory, places=options.trace_places, argv=argv)
        system.observers.append(trace)
        return trace
    return None


def _begin(
    system: System, options: argparse.Namespace, files: ExitStack, terminals: dict[int, tuple[int, int]]
) -> JsonTrace | None:
    """The system is there, and nothing has happened: streams that are terminals are so for the guest."""
    for stream, (rows, columns) in terminals.items():
        console.set_terminal(system.kernel, stream, rows, columns)
    return _observe(system, options, files)


def _create(path: str, files: ExitStack) -> IO[str]:
    try:
        return files.enter_context(open(path, "w", encoding="utf-8", buffering=1 << 16))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def connect(system: System) -> None:
    """Join the guest's standard streams to ours, and what else of the world the run is to have."""
    outputs = {1: sys.stdout.buffer, 2: sys.stderr.buffer}

    def wrote(stream: int, data: bytes) -> None:
        out = outputs[stream]
        out.write(data)
        out.flush()

    outside = system.kernel.outside
    outside.wrote = wrote
    if outside.replays:
        return
    outside.read = lambda: os.read(0, 1 << 16)
    outside.input_fd = 0
    worldly.connect(system)


def _tell(system: System, outcome: Outcome, grates: Sequence[str]) -> None:
    """Why a run ended otherwise than by its program's will; traps were noted as they happened."""
    kind = Ending(outcome.ending)
    files = [word.partition(" ")[0] for word in grates if word not in ("%{", "%}")]
    wasm = [file for file in files if file.endswith(".wasm") or ":" not in file]
    if kind is Ending.EXIT and system.launched <= len(wasm):
        sys.stderr.write(f"lindref run: grate {wasm[system.launched - 1]} ended without launching what is beneath it\n")
    if kind in STATUS and kind not in (Ending.TRAP, Ending.LOAD, Ending.FAULT):
        sys.stderr.write(f"lindref run: {kind.value}: {outcome.text}\n")
    if system.choices.state.count and kind is Ending.DEADLOCK:
        sys.stderr.write(f"lindref run: schedule: {system.choices.schedule() or '0'}\n")


class Notes:
    """Shows notes on standard error where no strace shows them."""

    def on_event(self, event: Event) -> None:
        """Show a note."""
        if isinstance(event, Note):
            sys.stderr.write(f"lindref: cage {event.cage}: {event.text}\n")


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(_mark_strace(argv))
    traces: list[JsonTrace | None] = []
    with ExitStack() as files:
        try:
            if options.grate and os.getcwd() not in sys.path:
                sys.path.insert(0, os.getcwd())  # MODULE may lie where one stands, as with `python -m`
            recording = _recording(options)
            config = _config(options, recording)
            profile = options.profile if recording is None else recording.profile
            terminals = _terminals(options, recording)
            system = boot(
                options.program,
                options.args,
                root=options.root,
                root_mode=options.root_mode,
                profile=by_name(profile),
                config=config,
                chooser=_chooser(options) if recording is None else recording.chooser,
                engine="reference" if options.accesses else options.engine,  # which can stop before any instruction
                env=environment(options.env),
                grates=options.grate,
                observe=lambda made: traces.append(_begin(made, options, files, terminals)),
                libraries=kit_libraries,
            )
            if recording is not None:
                system.kernel.outside.replay(recording.pieces, recording.answers)
        except (UsageError, ScheduleError, BootError) as error:
            sys.stderr.write(f"lindref run: {error}\n")
            return STATUS[Ending.LOAD] if isinstance(error, LoadError) else USAGE
        connect(system)
        try:
            outcome = system.run()
        finally:
            if system.kernel.outside.net is not None:
                system.kernel.outside.net.finish()
        for trace in filter(None, traces):
            trace.close(outcome)
        _tell(system, outcome, options.grate)
    return outcome.status

"""``lindref trace``: a trace as strace text, two compared, one judged, one as a page."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO

from lindref import classes
from lindref.arguments import USAGE, Arguments
from lindref.posix.table import CALLS
from lindref.trace.filters import FilterError, in_cages, parse_filters
from lindref.trace.format import schema
from lindref.trace.reader import Reader, TraceError
from lindref.trace.summary import ORDERS


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref trace",
        description="Look at traces (lindref run --trace FILE); docs/trace.md describes them. - is standard input.",
        epilog="Exit status: 0; of diff 1 where they differ; of check 1 for forbidden, 3 for unspecified or unknown, "
        "4 for not applicable; 2 for what is no trace. "
        "Example: lindref trace show -e trace=%file t.jsonl",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    show = commands.add_parser(
        "show",
        help="as strace text",
        description="Show a trace as strace text, or what it counts.",
        epilog="Example: lindref trace show -e trace=%file -p 1,3 --routes t.jsonl",
        allow_abbrev=False,
    )
    show.add_argument("-e", action="append", default=[], dest="filters", metavar="trace=WORDS", help="which calls")
    show.add_argument("-p", action="append", type=_cages, default=[], metavar="CAGES", help="which cages (1,3)")
    show.add_argument("-c", action="store_true", dest="summary", help="tables of counts instead")
    show.add_argument("-S", choices=ORDERS, default="time", dest="order", help="with -c: sorted by (default: time)")
    show.add_argument("--json", action="store_true", help="with -c: as JSON")
    show.add_argument("--routes", action="store_true", help="name who served each call")
    show.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colours (default: auto)")
    show.add_argument("file", metavar="FILE")
    diff = commands.add_parser(
        "diff",
        help="the first difference of two",
        description="Compare two traces up to ids, addresses and times, step by step, and show the first difference.",
        epilog="Exit status: 0 none, 1 a difference, 2 what is no trace. Example: lindref trace diff a.jsonl b.jsonl",
        allow_abbrev=False,
    )
    diff.add_argument("--threads", action="store_true", help="only the order within each thread counts")
    diff.add_argument("--context", type=int, default=3, metavar="N", help="equal steps shown before it (default: 3)")
    diff.add_argument("--json", action="store_true", help="as JSON")
    diff.add_argument("first", metavar="A")
    diff.add_argument("second", metavar="B")
    check = commands.add_parser(
        "check",
        help="judged by the specification",
        description="Judge traces by the specification: whether the model can show what was observed (spec/oracle.md).",
        epilog="Exit status: 0 all allowed, 1 one forbidden, 2 one is no (whole) trace, 3 one depends on what is not "
        "specified or was not decided within the bounds, 4 one cannot be judged. "
        "Example: lindref trace check --root fs t.jsonl",
        allow_abbrev=False,
    )
    check.add_argument(
        "--profile", choices=("spec", "lind"), help="which specification (default: the trace's, or spec)"
    )
    check.add_argument("--root", metavar="DIR", help="the root at the start (default: not known)")
    check.add_argument("--root-mode", choices=("cow", "blank"), help="cow: DIR, blank: nothing but the standard files")
    check.add_argument(
        "--vectors",
        action="append",
        default=[],
        metavar="PATH",
        help="recorded scripts: a trace that is called as one is judged along it",
    )
    check.add_argument("--max-states", type=_positive, default=1_024, metavar="N", help="most states at once (1024)")
    check.add_argument(
        "--max-work",
        type=_positive,
        default=1_000_000,
        metavar="N",
        help="steps tried besides the trace's (default: 1000000, some minutes)",
    )
    check.add_argument("--json", action="store_true", help="as JSON")
    check.add_argument("files", nargs="+", metavar="FILE")
    html = commands.add_parser(
        "html",
        help="as one self-contained page",
        description="Write a trace as one self-contained page: threads, calls, their routes, source lines.",
        epilog="Example: lindref trace html --source src -o t.html t.jsonl",
        allow_abbrev=False,
    )
    html.add_argument("-o", dest="output", metavar="OUT", help="the page's file (default: FILE.html; - is stdout)")
    html.add_argument("-p", action="append", type=_cages, default=[], metavar="CAGES", help="which cages (1,3)")
    html.add_argument("-e", action="append", default=[], dest="filters", metavar="trace=WORDS", help="which calls")
    where = "where source files are, for traces with places (lindref run --trace-places; repeatable)"
    html.add_argument("--source", action="append", default=[], metavar="DIR", help=where)
    html.add_argument("--most", type=int, default=100_000, metavar="N", help="most events of a page (default: 100000)")
    html.add_argument("file", metavar="FILE")
    commands.add_parser(
        "schema",
        help="the JSON Schema of a line",
        description="Print the JSON Schema of a trace's lines.",
        epilog="Example: lindref trace schema > trace.schema.json",
        allow_abbrev=False,
    )
    return parser


@contextmanager
def _opened(path: str) -> Iterator[Reader]:
    """A reader of ``path``; raises ``TraceError`` where there is no such file."""
    if path == "-":
        yield Reader(sys.stdin.buffer, "standard input")
        return
    try:
        stream: IO[bytes] = open(path, "rb")  # noqa: SIM115  # closed below; the error is about opening alone
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from None
    with stream:
        try:
            reader = Reader(stream, path)
        except OSError as error:
            raise TraceError(f"{path}: {error.strerror}") from None
        yield reader


def _show(options: argparse.Namespace) -> int:
    only = parse_filters(options.filters, CALLS)
    with _opened(options.file) as trace:
        if options.summary:
            from lindref.trace.summary import Summary

            summary = Summary(only)
            for record in in_cages(trace, options.p):
                summary.add(record)
            print(json.dumps(summary.value(), indent=1) if options.json else "\n".join(summary.lines(options.order)))
            return 0
        from lindref.trace.strace import StraceText

        tty = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        colour = options.color == "always" or (options.color == "auto" and tty)
        text = StraceText(sys.stdout.write, only=only, colour=colour, routes=options.routes)
        for record in in_cages(trace, options.p):
            text.on_record(record)
    return 0


def _diff(options: argparse.Namespace) -> int:
    from lindref.trace.diff import Comparison, lines

    if options.first == options.second == "-":
        raise TraceError("only one of the two can be standard input")
    with _opened(options.first) as first, _opened(options.second) as second:
        comparison = Comparison(first, second, by_thread=options.threads, context=min(max(options.context, 0), 10_000))
        found = comparison.run()
    if options.json:
        value = {"same": found is None, "compared": comparison.compared}
        print(json.dumps(value | ({} if found is None else {"difference": classes.asdict(found)}), indent=1))
    elif found is None:
        print(f"no difference in {comparison.compared} steps")
    else:
        print("\n".join(lines(found, (options.first, options.second))))
    return 0 if found is None else 1


def _cages(text: str) -> frozenset[int]:
    if not all(word.isdecimal() and len(word) < 8 for word in text.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is no cage, or several with commas between")
    return frozenset(map(int, text.split(",")))


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 32:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _check(options: argparse.Namespace) -> int:
    from lindref.cli.spec import known_rules
    from lindref.conformance.oracle.command import check

    return check(options, _opened, known_rules())


def _html(options: argparse.Namespace) -> int:
    from lindref.cli.spec import known_rules
    from lindref.trace.page import TooManyError, page

    rules = {name: rule.text for name, rule in known_rules().items()}
    only = parse_filters(options.filters, CALLS)
    with _opened(options.file) as trace:
        title = " ".join(trace.header.get("argv", ())) or os.path.basename(options.file)
        try:
            text = page(
                trace.header,
                in_cages(trace, options.p),
                title=title,
                rules=rules,
                only=only,
                most=options.most,
                sources=options.source,
            )
        except TooManyError as error:
            raise TraceError(f"{options.file}: {error}") from None
    if options.output == "-" or (options.output is None and options.file == "-"):
        sys.stdout.write(text)
        return 0
    path = options.output or f"{options.file}.html"
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as out:  # JSON has half characters
            out.write(text)
    except OSError as error:
        raise TraceError(f"{path}: {error.strerror}") from None
    return 0


def _schema(_: argparse.Namespace) -> int:
    print(json.dumps(schema(), indent=1))
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "show": _show,
    "diff": _diff,
    "check": _check,
    "html": _html,
    "schema": _schema,
}


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a trace may hold what the terminal's encoding cannot say
    try:
        return _COMMANDS[options.command](options)
    except (TraceError, FilterError) as error:
        sys.stdout.flush()
        sys.stderr.write(f"lindref trace {options.command}: {error}\n")
        return USAGE

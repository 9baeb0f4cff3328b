"""``lindref conform``: a campaign on an implementation."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, date, datetime
from pathlib import Path

from lindref.arguments import USAGE, Arguments
from lindref.conformance.adapters.case import Case
from lindref.conformance.adapters.find import ADAPTERS
from lindref.conformance.adapters.interface import AdapterError, Description
from lindref.conformance.adapters.recorded import save_description
from lindref.conformance.adapters.template import TEMPLATE
from lindref.conformance.campaign import cluster, pool, waivers
from lindref.conformance.campaign.coverage import Reach, coverage
from lindref.conformance.campaign.kept import keep
from lindref.conformance.campaign.pool import Plan, closed
from lindref.conformance.campaign.report import junit, lind, own, page
from lindref.conformance.campaign.report.about import Campaign
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.resume import Progress, ResumeError
from lindref.conformance.campaign.suites import SUITES, SuiteError, Wanted, cases
from lindref.conformance.progress import Bar
from lindref.profile import LIND, SPEC

_EXAMPLE = """\
example:
  lindref conform new-adapter mine.py                       a commented adapter that runs as it is
  lindref conform run guests --adapter mine:Runtime -n 4
  lindref conform run guests functional --adapter linux --html report.html --junit report.xml
  lindref conform list guests

Exit status of run: 0 all as expected, 1 something differs, 2 usage.
"""


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref conform",
        description="Runs the cases of suites on an implementation of Lind and says, rule by rule, where it differs.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run suites on an implementation",
        description="Run suites.",
        epilog="Exit status: 0 all as expected, 1 something differs, 2 usage. "
        "Example: lindref conform run guests --adapter mine:Runtime -n 4 --html report.html",
    )
    listed = commands.add_parser(
        "list",
        help="list suites, adapters, or the cases of suites",
        description="List suites and adapters, or the cases of suites.",
        epilog="Example: lindref conform list guests --only 'guests.grate_*'",
    )
    new = commands.add_parser(
        "new-adapter",
        help="write an adapter to begin with",
        description="Write a commented adapter, which runs as it is.",
        epilog="Example: lindref conform new-adapter mine.py",
    )
    new.add_argument("file", metavar="FILE", help="the Python file to write")
    mutants = commands.add_parser(
        "mutants",
        help="test the oracle: which faults in a copy of the model it finds out",
        description="Hunts mutants: the model with one fault each, as implementations under test.",
        epilog="Exit status: 0 all found out, 1 one missed, 2 usage. "
        "Example: lindref conform mutants --vectors ../shared/vectors pipes signals",
    )
    mutants.add_argument("names", nargs="*", metavar="NAME", help="of a mutant or an area (default: all)")
    mutants.add_argument("--vectors", metavar="PATH", action="append", default=[], help="recorded scripts to try, too")
    mutants.add_argument("--profile", choices=(SPEC.name, LIND.name), default=SPEC.name, help="default: spec")
    mutants.add_argument("--no-shrink", action="store_true", help="do not look for the smallest script")
    mutants.add_argument("--json", action="store_true", help="as JSON")
    for one in (run, listed):
        some = "+" if one is run else "*"
        one.add_argument("suites", nargs=some, metavar="SUITE", help=f"of {', '.join(SUITES)}")
        one.add_argument("--only", metavar="ID-GLOB", action="append", default=[], help="cases whose ids match")
        one.add_argument("--vectors", metavar="PATH", action="append", default=[], help="suite vectors: file or folder")
        one.add_argument("--count", type=_whole, default=100, metavar="N", help="generated cases (%(default)s)")
        one.add_argument("--seed", type=_whole, default=0, metavar="N", help="which generated cases (%(default)s)")
    add = run.add_argument
    add("--adapter", required=True, metavar="NAME", help=f"{', '.join(ADAPTERS)}, MODULE:CLASS, or command:WORDS")
    add("--option", metavar="KEY=VALUE", action="append", default=[], help="an option of the adapter (repeatable)")
    add("--against", choices=(SPEC.name, LIND.name), default="", help="hold it against this profile, not its own")
    add("-n", type=_whole, default=1, dest="processes", metavar="N", help="processes (%(default)s)")
    add("--limit", type=_seconds, default=30.0, metavar="SECONDS", help="for one case (%(default)g)")
    add("--shrink", type=_whole, default=200, metavar="N", help="tries for a shorter script that differs (%(default)s)")
    add("--dask", metavar="ADDRESS", help="run on a Dask cluster instead (extra dask)")
    add("--resume", metavar="FILE", help="keep results in FILE, and do not run again what it has")
    add("--record", metavar="DIR", help="keep what each case showed: --adapter recorded --option path=DIR judges it")
    add("--scripts", metavar="DIR", help="keep scripts that differ: vectors to play again, C, text")
    add("--waivers", metavar="FILE", help="differences that are known (TOML: [[waiver]] case, reason, expires)")
    add("--today", type=_day, metavar="YYYY-MM-DD", help="the day on which waivers are looked at (today)")
    for form, (about, _) in REPORTS.items():
        add(f"--{form}", metavar="FILE", help=about)
    add("--verbose", action="store_true", help="a line for every case")
    return parser


#: Reports by option: what they are, and what makes them.
REPORTS: dict[str, tuple[str, Callable[[Campaign], str]]] = {
    "html": ("write the report as one page (-: standard output)", page.text),
    "junit": ("write it as JUnit XML", junit.text),
    "json": ("write it as JSON, with everything", own.text),
    "lind-json": ("write it as Lind's own harness does (results.json)", lind.text),
}


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day (YYYY-MM-DD)") from None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value


def _options(words: Sequence[str]) -> dict[str, str]:
    out = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.replace("-", "_").isidentifier():
            raise AdapterError(f"--option {word!r}: want KEY=VALUE")
        out[key.replace("-", "_")] = value
    return out


def main(argv: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    try:
        options = _parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        if options.command == "new-adapter":
            return _new(Path(options.file))
        if options.command == "list":
            return _list(options)
        if options.command == "mutants":
            return _mutants(options)
        return _run(options)
    except (AdapterError, SuiteError, waivers.WaiverError, ResumeError) as error:
        sys.stderr.write(f"lindref conform: {error}\n")
        return USAGE


def _mutants(options: argparse.Namespace) -> int:
    from lindref.conformance.mutants import command
    from lindref.conformance.vectors.model import VectorError

    try:
        return command.run(
            options.names, options.vectors, options.profile, as_json=options.json, shrinks=not options.no_shrink
        )
    except (LookupError, VectorError, OSError) as error:
        told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error.args[0])
        sys.stderr.write(f"lindref conform mutants: {told}\n")
        return USAGE


def _new(path: Path) -> int:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.replace("MODULE", path.stem))
    except OSError as error:
        sys.stderr.write(f"lindref conform: {path}: {error.strerror}\n")
        return USAGE
    sys.stdout.write(f"{path}: now run  lindref conform run guests --adapter {path.stem}:Runtime\n")
    return 0


def _wanted(options: argparse.Namespace) -> Wanted:
    return Wanted(tuple(options.vectors), options.count, options.seed)


def _list(options: argparse.Namespace) -> int:
    if not options.suites:
        for name, suite in SUITES.items():
            sys.stdout.write(f"suite   {name:<12} {suite.about}\n")
        for name, (_, about) in ADAPTERS.items():
            sys.stdout.write(f"adapter {name:<12} {about}\n")
        return 0
    for case in cases(options.suites, _wanted(options), options.only):
        sys.stdout.write(f"{case.id}  {case.title}\n")
    return 0


def _run(options: argparse.Namespace) -> int:
    chosen = cases(options.suites, _wanted(options), options.only)
    known = waivers.load(Path(options.waivers)) if options.waivers else []
    for form in REPORTS:
        _check_place(f"--{form}", getattr(options, form.replace("-", "_")))
    plan = Plan(
        options.adapter, _options(options.option), options.against, options.limit, options.shrink, options.record or ""
    )
    adapter, said = plan.made()  # what is wrong with it is told before anything runs
    closed(adapter)
    if plan.record:
        _record_into(Path(plan.record), said)
    if options.scripts:
        try:
            Path(options.scripts).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SuiteError(f"--scripts {options.scripts}: {error.strerror}") from None
    ids = [case.id for case in cases(options.suites, _wanted(options))] if known else []
    for warning in waivers.strangers(known, ids, SUITES.keys() - set(options.suites)):
        sys.stderr.write(f"lindref conform: warning: {options.waivers}: {warning}\n")
    results = _results(plan, chosen, options, known)
    suites = tuple(dict.fromkeys(options.suites))
    campaign = Campaign(said, plan.options, suites, results, coverage(results, said))
    for form, (_, make) in REPORTS.items():
        where = getattr(options, form.replace("-", "_"))
        if where is not None:
            _write(where, make(campaign))
    sys.stdout.write(_summary(campaign))
    return 1 if any(result.failed for result in results) else 0


def _summary(campaign: Campaign) -> str:
    counts = Counter(result.status for result in campaign.results)
    told = [f"{counts[one]} {one.value}" for one in Status if counts[one]]
    waived = sum(bool(result.waived) for result in campaign.results)
    reach = Counter(one.reach for one in campaign.covered)
    rules = ", ".join(f"{reach[one]} {one.value}" for one in Reach if reach[one])
    return ", ".join(told) + (f" ({waived} waived)" if waived else "") + f"\nrules: {rules}\n"


def _record_into(folder: Path, said: Description) -> None:
    """A folder for what is seen, with what the adapter says of itself. Raises ``SuiteError``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_description(folder, said)
    except OSError as error:
        raise SuiteError(f"--record {folder}: {error.strerror}") from None


def _check_place(option: str, where: str | None) -> None:
    """Whether a report can be written there: told before a campaign has taken its time. Raises ``SuiteError``."""
    if where is None or where == "-":
        return
    path = Path(where)
    if path.is_dir() or not path.parent.is_dir():
        raise SuiteError(f"{option} {where}: {'is a folder' if path.is_dir() else f'there is no folder {path.parent}'}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise SuiteError(f"{option} {where}: cannot be written")


def _write(where: str, text: str) -> None:
    if where == "-":
        sys.stdout.write(text)
    else:
        Path(where).write_text(text, encoding="utf-8")


def _results(
    plan: Plan, chosen: Sequence[Case], options: argparse.Namespace, known: Sequence[waivers.Waiver]
) -> list[Result]:
    """All results in the order of the cases, what fails being told as it is found, waivers applied."""
    today = options.today or datetime.now(UTC).date()
    order = {case.id: number for number, case in enumerate(chosen)}
    bar = Bar(len(chosen), sys.stderr)
    found: list[Result] = []
    for result in _run_cases(plan, chosen, options):
        found.append(result)
        bar.show(len(found), result.case)
        (held,) = waivers.apply([result], known, today)
        if options.verbose or held.failed:
            bar.clear()
            sys.stdout.write(_line(held))
        _keep(options, held)
    bar.clear()
    return waivers.apply(sorted(found, key=lambda result: order[result.case]), known, today)


def _run_cases(plan: Plan, chosen: Sequence[Case], options: argparse.Namespace) -> Iterator[Result]:
    """The results as they come, those first that are known from before."""
    with ExitStack() as files:
        progress = None
        if options.resume is not None:
            about = {"adapter": plan.adapter, "options": dict(plan.options), "against": plan.against}
            progress = files.enter_context(closing(Progress(Path(options.resume), about)))
        known = progress.known if progress is not None else {}
        yield from (known[case.id] for case in chosen if case.id in known)
        left = [case for case in chosen if case.id not in known]
        if options.dask is not None:
            results = cluster.run(plan, left, options.dask)
        else:
            results = pool.run(plan, left, max(options.processes, 1))
        for result in results:
            if progress is not None:
                progress.add(result)
            yield result


def _keep(options: argparse.Namespace, result: Result) -> None:
    """Keep the script of a result that differs, and say how it is played again. Raises ``SuiteError``."""
    try:
        file = keep(Path(options.scripts), result) if options.scripts else None
    except OSError as error:
        raise SuiteError(f"--scripts {error.filename}: {error.strerror}") from None
    if file is not None and result.failed:
        words = ["lindref", "conform", "run", "vectors", "--vectors", str(file), "--adapter", options.adapter]
        words += [word for one in options.option for word in ("--option", one)]
        words += ["--against", options.against] if options.against else []
        sys.stdout.write(f"    again: {shlex.join(words)}\n")


def _line(result: Result) -> str:
    why = "".join(f": {part}" for part in (result.complaint, result.detail) if part)
    why += f" (waived: {result.waived})" if result.waived else ""
    rules = f" [{', '.join(result.rules)}]" if result.rules else ""
    script = result.scripts.get("script", "")
    indented = "".join(f"    {line}\n" for line in script.splitlines())
    return f"{result.case}: {result.status.value}{why}{rules}\n{indented}"

"""``lindref wast``: runs scripts and counts."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lindref.arguments import Arguments
from lindref.conformance.progress import Bar
from lindref.conformance.wast import skips
from lindref.conformance.wast.script import run_script
from lindref.conformance.wast.verdict import Status, Verdict, is_assertion
from lindref.vm.engines import ENGINES
from lindref.wasm.features import BUILT, Feature

_EXAMPLE = """\
example:
  lindref wast spec/test/core/i32.wast spec/test/core/exceptions --json verdicts.json

  lindref wast spec/test/core --exclude core/simd/,core/relaxed-simd/,core/gc/,core/memory64/

Counted are assertions, and every other command that should succeed and does not (as failed). Commands that need a
feature which is not built are skipped if the list that comes with lindref (skips.toml) names them, otherwise they
fail; an entry of the list that skips nothing in a file that was run is reported.
Exit status: 0 nothing failed, 1 something failed or an entry of the list is stale, 2 usage.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = Arguments(
        prog="lindref wast",
        description="Runs official WebAssembly test scripts.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a .wast file, or a folder to look for them in")
    parser.add_argument(
        "--exclude",
        metavar="PATH,…",
        action="append",
        default=[],
        help="leave out the scripts whose paths end so, or (with / at the end) lie in a folder that ends so",
    )
    parser.add_argument("--json", metavar="FILE", help="write the verdict of every command to FILE")
    parser.add_argument(
        "--features",
        metavar="NAME,…",
        help="read the scripts under these features instead of those that the folder tells "
        f"({', '.join(sorted(f.value for f in BUILT))})",
    )
    parser.add_argument("--engine", choices=ENGINES, default="reference", help="what runs the code")
    parser.add_argument("--verbose", action="store_true", help="also print skipped commands and a line for each file")
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    try:
        scripts = exclude(find_scripts(options.paths), [end for ends in options.exclude for end in ends.split(",")])
        features = None if options.features is None else read_features(options.features)
        verdicts = run(scripts, features, options.engine, verbose=options.verbose)
        if options.json is not None:
            write_json(Path(options.json), verdicts)
    except (OSError, ValueError) as error:
        where = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        sys.stderr.write(f"lindref wast: {where}\n")
        return 2
    counts = Counter(v.status for v in verdicts if v.status is Status.FAILED or is_assertion(v.kind))
    passed, failed, skipped = (counts[s] for s in (Status.PASSED, Status.FAILED, Status.SKIPPED))
    # Under other features than the list was made for, other commands are skipped.
    stale = [] if features is not None else skips.stale(skips.load(), verdicts)
    for entry in stale:
        sys.stdout.write(f"skips.toml: {entry.place}: nothing is skipped there\n")
    sys.stdout.write(f"{passed} passed, {failed} failed, {skipped} skipped\n")
    return 1 if failed or stale else 0


def find_scripts(paths: Sequence[str]) -> Iterator[Path]:
    """The files named, and those in the folders named, in order; ``ValueError`` for a path that is neither."""
    for name in paths:
        path = Path(name)
        if path.is_dir():
            found = sorted(path.rglob("*.wast"))
            if not found:
                raise ValueError(f"{name}: no .wast file in this folder")
            yield from found
        elif path.is_file():
            yield path
        else:
            raise ValueError(f"{name}: no such file or folder")


def exclude(scripts: Iterable[Path], ends: Sequence[str]) -> list[Path]:
    """The scripts without those that lie where ``--exclude`` says; ``ValueError`` if nothing is left."""
    kept = [path for path in scripts if not any(skips.within(path.resolve().as_posix(), end) for end in ends)]
    if not kept:
        raise ValueError("--exclude: no script is left")
    return kept


def read_features(names: str) -> frozenset[Feature]:
    """Features by name, separated by commas; the base is always there."""
    try:
        return frozenset(map(Feature, names.split(","))) | {Feature.BASE}
    except ValueError as error:
        raise ValueError(f"--features: {error}") from None


def run(scripts: Sequence[Path], features: frozenset[Feature] | None, engine: str, *, verbose: bool) -> list[Verdict]:
    """Runs the scripts, printing what failed as it is found."""
    entries = skips.load()
    verdicts: list[Verdict] = []
    bar = Bar(len(scripts), sys.stderr)
    for number, path in enumerate(scripts):
        bar.show(number, str(path))
        found = [skips.judge(verdict, entries) for verdict in run_script(path, features, engine)]
        verdicts += found
        told = {Status.FAILED, Status.SKIPPED} if verbose else {Status.FAILED}
        lines = [str(v) for v in found if v.status in told]
        if verbose:
            counts = Counter(v.status.value for v in found)
            lines.append(f"{path}: " + ", ".join(f"{n} {status}" for status, n in sorted(counts.items())))
        if lines:
            bar.clear()
            sys.stdout.write("".join(f"{line}\n" for line in lines))
    bar.clear()
    return verdicts


def write_json(path: Path, verdicts: Sequence[Verdict]) -> None:
    """The verdicts as a list of objects; ``ok`` is the status of a command that is not counted."""
    rows = [
        {"file": v.file, "line": v.line, "kind": v.kind, "status": v.status.value, "detail": v.detail} for v in verdicts
    ]
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")

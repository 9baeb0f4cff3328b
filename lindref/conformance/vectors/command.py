"""``lindref vectors``: plays recorded vectors and counts."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from lindref.arguments import USAGE, Arguments
from lindref.conformance.progress import Bar
from lindref.conformance.vectors import cage
from lindref.conformance.vectors.judge import Play, Status, Verdict, judge
from lindref.conformance.vectors.model import Vector, VectorError, load
from lindref.conformance.vectors.play import play
from lindref.profile import LIND, SPEC, Profile, by_name

_EXAMPLE = """\
example:
  lindref vectors ../shared/vectors --profile lind
  lindref vectors ../shared/vectors/pipe.json --player cage --only 'pipe.fork.*' --verbose

In profile lind a vector passes if it is answered as Lind-Wasm answered; in profile spec if it is answered as Linux
answered, or differs by a rule of spec/linux.md; where Linux was not asked, as Lind-Wasm answered or differing by
deviations (lindref/profile/deviations). In profile spec the vectors that differ are listed with the reason.
Exit status: 0 nothing failed, 1 something failed, 2 usage.
"""

#: By name: calls put straight into the model, or a guest that makes them through the real ABI.
PLAYERS: dict[str, Play] = {"cage": cage.play, "direct": play}


def main(argv: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = Arguments(
        prog="lindref vectors",
        description="Plays recorded vectors and compares the answers.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a .json file, or a folder that has some")
    players = "direct: calls put into the model (default); cage: made by a guest"
    parser.add_argument("--player", choices=sorted(PLAYERS), default="direct", help=players)
    parser.add_argument("--profile", choices=[SPEC.name, LIND.name], default=SPEC.name, help="default: spec")
    parser.add_argument("--only", metavar="ID-GLOB", action="append", help="play the vectors whose ids match")
    parser.add_argument("--json", metavar="FILE", help="write the verdict on every vector to FILE (-: standard output)")
    parser.add_argument("--verbose", action="store_true", help="a line for every vector")
    try:
        options = parser.parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    try:
        vectors = select([one for path in find(options.paths) for one in load(path)], options.only)
        verdicts = run(vectors, by_name(options.profile), PLAYERS[options.player], verbose=options.verbose)
        if options.json is not None:
            _write(options.json, verdicts)
    except (VectorError, OSError) as error:
        where = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        sys.stderr.write(f"lindref vectors: {where}\n")
        return USAGE
    counts = Counter(one.status for one in verdicts)
    passed, failed, skipped = (counts[one] for one in (Status.PASSED, Status.FAILED, Status.SKIPPED))
    sys.stdout.write(f"{passed} passed, {failed} failed, {skipped} skipped\n")
    return 1 if failed else 0


def find(paths: Sequence[str]) -> Iterator[Path]:
    """The files named, and the ``*.json`` files directly in the folders named, in order. Raises ``VectorError``."""
    for name in paths:
        path = Path(name)
        if path.is_dir():
            found = sorted(one for one in path.glob("*.json") if one.is_file())
            if not found:
                raise VectorError(f"{name}: no .json file in this folder")
            yield from found
        elif path.is_file():
            yield path
        else:
            raise VectorError(f"{name}: no such file or folder")


def select(vectors: Sequence[Vector], globs: Sequence[str] | None) -> list[Vector]:
    """The vectors whose ids match one of ``globs`` (all without any). Raises ``VectorError`` if there are none."""
    if not globs:
        return list(vectors)
    for glob in globs:
        if not any(fnmatchcase(one.id, glob) for one in vectors):
            raise VectorError(f"--only {glob}: no vector is called so")
    return [one for one in vectors if any(fnmatchcase(one.id, glob) for glob in globs)]


def run(vectors: Sequence[Vector], profile: Profile, player: Play, *, verbose: bool) -> list[Verdict]:
    """Plays and judges, printing what failed, or passed for a reason, as it is found."""
    verdicts = []
    bar = Bar(len(vectors), sys.stderr)
    for number, vector in enumerate(vectors):
        bar.show(number, vector.id)
        verdict = judge(vector, profile, player, model=play)
        verdicts.append(verdict)
        if verbose or verdict.status is not Status.PASSED or verdict.reasons:
            bar.clear()
            sys.stdout.write(f"{verdict}\n")
    bar.clear()
    return verdicts


def _write(name: str, verdicts: Sequence[Verdict]) -> None:
    """The verdicts as a list of objects."""
    rows = [
        {"id": v.id, "status": v.status.value, "against": v.against, "reasons": v.reasons, "detail": v.detail}
        for v in verdicts
    ]
    text = json.dumps(rows, indent=1) + "\n"
    if name == "-":
        sys.stdout.write(text)
    else:
        Path(name).write_text(text, encoding="utf-8")

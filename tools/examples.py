"""Examples of rules: ``--find VECTORS`` looks for those that have none, ``--write`` makes all excerpts anew.

Without either it says which rules have no example and which excerpts are not what their run shows.
Example: python tools/examples.py --find ../shared/vectors
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from lindref import classes
from lindref.cli.main import main as command
from lindref.conformance.examples import MOST_LINES, Example, load, made, script_lines, scripts
from lindref.conformance.rules import rules
from lindref.conformance.vectors.model import Vector
from lindref.conformance.vectors.model import load as load_vectors

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "spec" / "examples"


def stale(known: dict[str, Example]) -> list[str]:
    """One line for each example whose run shows something else."""
    played = scripts(EXAMPLES)
    return [rule for rule, one in known.items() if made(one, played, command) != list(one.excerpt)]


def missing(known: dict[str, Example]) -> list[str]:
    """The rules without an example that do not say why."""
    return [rule.id for rule in rules(ROOT / "spec") if rule.id not in known and not rule.unseen]


def find(folder: Path, known: dict[str, Example], used: dict[str, Vector]) -> None:
    """Add the shortest excerpt of any script for each rule that some event carries."""
    wanted = set(missing(known))
    best: dict[str, tuple[tuple[int, int, str], Example, Vector]] = {}
    for profile in ("spec", "lind"):
        for path in sorted(folder.glob("*.json")):
            for vector in load_vectors(path):
                lines = script_lines(vector, profile)
                for at, line in enumerate(lines):
                    for rule in line.rules & wanted:
                        first, last = max(at - 3, 0), at + 1  # with what led to it
                        key = (len(lines), at, vector.id)
                        if rule not in best or key < best[rule][0]:
                            excerpt = tuple(shown.text for shown in lines[first:last])
                            example = Example(rule, excerpt, profile, vector=vector.id, lines=(first + 1, last))
                            best[rule] = (key, example, vector)
        wanted -= set(best)
    for rule, (_, example, vector) in best.items():
        known[rule] = example
        used[vector.id] = vector


def write(known: dict[str, Example], used: dict[str, Vector]) -> None:
    """The files of ``spec/examples``, and in ``vectors.json`` the scripts that are played and no others."""
    by_file: dict[str, dict[str, object]] = {}
    for rule in rules(ROOT / "spec"):
        if rule.id in known:
            by_file.setdefault(Path(rule.file).stem, {})[rule.id] = known[rule.id].value()
    for name, values in by_file.items():
        text = json.dumps(values, ensure_ascii=False, indent=1)
        (EXAMPLES / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    played = {one.vector for one in known.values() if one.vector}
    lines = [
        json.dumps(name)
        + ": "
        + json.dumps({"about": one.about, "files": one.files, "programs": one.programs, "tags": list(one.tags)})
        for name, one in sorted(used.items())
        if name in played
    ]
    (EXAMPLES / "vectors.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def main() -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--find", metavar="VECTORS", type=Path, help="a folder of vectors to take examples from")
    parser.add_argument("--write", action="store_true", help="make all excerpts anew")
    options = parser.parse_args()
    used = scripts(EXAMPLES) if (EXAMPLES / "vectors.json").exists() else {}
    known = load(EXAMPLES)
    if options.find is not None:
        for path in sorted(options.find.glob("*.json")):
            used |= {one.id: one for one in load_vectors(path)}
        find(options.find, known, used)
        write(known, used)
    if options.write:
        for path in () if options.find is None else sorted(options.find.glob("*.json")):
            used |= {one.id: one for one in load_vectors(path)}
        known = {rule: classes.evolve(one, excerpt=tuple(made(one, used, command))) for rule, one in known.items()}
        write(known, used)
    without, wrong = missing(known), stale(known)
    long = [rule for rule, one in known.items() if len(one.excerpt) > MOST_LINES or not one.excerpt]
    print(f"{len(known)} examples; without one: {', '.join(without) or 'none'}")
    if wrong or long:
        print(f"not what their run shows: {', '.join(wrong)}; too long or empty: {', '.join(long)}")
    return 1 if wrong or long else 0


if __name__ == "__main__":
    sys.exit(main())

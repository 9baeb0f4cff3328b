"""``lindref spec``: the rules of the specification, listed, one by one, and what stands behind them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from lindref import classes
from lindref.conformance.examples import load
from lindref.conformance.resources import folder, root
from lindref.conformance.rules import Citation, Rule, citations, family, rules

_HELP = """usage: lindref spec list [--json] | lindref spec show RULE... | lindref spec coverage [--json]
       lindref spec book DIR

List the rules of the specification; show some, with an example and what implements and tests them; count what is
covered; or build the specification as a site of linked pages in DIR (needs the extra 'book').
Tests are known in a checkout only. Example: lindref spec show 3I-ROUTE-2
"""


def known_rules() -> dict[str, Rule]:
    """All rules by id."""
    return {rule.id: rule for rule in rules(folder("spec"))}


def _cited(known: Mapping[str, Rule], where: str) -> Mapping[str, list[Citation]]:
    return citations(root(), [where], frozenset(map(family, known)))


def _show(known: Mapping[str, Rule], names: list[str]) -> int:
    missing = [name for name in names if name not in known]
    if missing:
        sys.stderr.write(f"lindref spec: no rule {', '.join(missing)} (lindref spec list names them all)\n")
        return 2
    examples = load()
    places = {"implemented": _cited(known, "lindref"), "tested": _cited(known, "tests")}
    for name in names:
        rule = known[name]
        print(f"{rule.id} (spec/{rule.file})\n  {rule.text}")
        if rule.reason:
            print(f"  why: {rule.reason}")
        if rule.source:
            print(f"  source: {rule.source}")
        for word, cited in places.items():
            if cited.get(name):
                print(f"  {word}: {', '.join(map(str, cited[name]))}")
        if name in examples:
            print(f"  example (profile {examples[name].profile}):", *examples[name].excerpt, sep="\n    ")
    return 0


def _book(where: str) -> int:
    from lindref.conformance.book.site import BookError, build

    try:
        count = build(Path(where))
    except BookError as error:
        sys.stderr.write(f"lindref spec: {error}\n")
        return 2
    print(f"{where}/index.html: {count} rules")
    return 0


def _coverage(known: Mapping[str, Rule], *, as_json: bool) -> int:
    code, tests = _cited(known, "lindref"), _cited(known, "tests")
    gaps = {"implemented": [r for r in known if r not in code], "tested": [r for r in known if r not in tests]}
    if as_json:
        print(json.dumps({"rules": len(known), **{f"not_{word}": gap for word, gap in gaps.items()}}, indent=1))
        return 0
    for word, gap in gaps.items():
        print(f"{len(known) - len(gap)} of {len(known)} rules {word}" + (f"; not: {', '.join(gap)}" if gap else ""))
    return 0


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(_HELP)
        return 0 if argv else 2
    if {"-h", "--help"} & set(argv[1:]):
        sys.stdout.write(_HELP)
        return 0
    wrong = next((word for word in argv[1:] if word.startswith("-") and word != "--json"), None)
    if wrong is not None:
        sys.stderr.write(f"lindref spec: unrecognized arguments: {wrong} (see lindref spec --help)\n")
        return 2
    known = known_rules()
    match argv:
        case ["list"]:
            for rule in known.values():
                print(f"{rule.id:<16} {rule.text}")
            return 0
        case ["list", "--json"]:
            print(json.dumps([classes.asdict(rule) for rule in known.values()], ensure_ascii=False, indent=1))
            return 0
        case ["show", *names] if names:
            return _show(known, names)
        case ["book", where]:
            return _book(where)
        case ["coverage"] | ["coverage", "--json"]:
            return _coverage(known, as_json=len(argv) > 1)
        case _:
            sys.stderr.write(f"lindref spec: cannot read {' '.join(argv)!r} (see lindref spec --help)\n")
            return 2

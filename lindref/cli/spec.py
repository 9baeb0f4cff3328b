"""``lindref spec``: the rules of the specification, listed or one by one."""

from __future__ import annotations

import json
import re
import sys

import attrs

from lindref.cli.resources import folder

_RULE = re.compile(r"^- \*\*([A-Z0-9]+(?:-[A-Z0-9]+)*-\d+)\*\* (.*?)(?: \*\(([^)]*(?:\([^)]*\)[^)]*)*)\)\*)?$")
_HELP = """usage: lindref spec list [--json] | lindref spec show RULE...

List the rules of the specification, or show some: what each says and where it comes from.
Example: lindref spec show 3I-ROUTE-2
"""


@attrs.frozen
class Rule:
    """A rule: its id, its text, its source (empty where the text is ours), and the file that defines it."""

    id: str
    text: str
    source: str
    file: str


def rules() -> dict[str, Rule]:
    """All rules by id, in the order of the files and of their lines."""
    found: dict[str, Rule] = {}
    for path in sorted(folder("spec").glob("*.md")):
        for line in path.read_text(encoding="utf-8").splitlines():
            match = _RULE.match(line)
            if match:
                found[match[1]] = Rule(match[1], match[2], match[3] or "", path.name)
    return found


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    if not argv or argv[0] in ("-h", "--help"):
        sys.stdout.write(_HELP)
        return 0 if argv else 2
    known = rules()
    match argv:
        case ["list"]:
            for rule in known.values():
                print(f"{rule.id:<16} {rule.text}")
            return 0
        case ["list", "--json"]:
            print(json.dumps([attrs.asdict(rule) for rule in known.values()], ensure_ascii=False, indent=1))
            return 0
        case ["show", *ids] if ids:
            missing = [name for name in ids if name not in known]
            if missing:
                sys.stderr.write(f"lindref spec: no rule {', '.join(missing)} (lindref spec list names them all)\n")
                return 2
            for name in ids:
                rule = known[name]
                print(f"{rule.id} (spec/{rule.file})\n  {rule.text}")
                if rule.source:
                    print(f"  source: {rule.source}")
            return 0
        case _:
            sys.stderr.write(f"lindref spec: cannot read {' '.join(argv)!r} (see lindref spec --help)\n")
            return 2

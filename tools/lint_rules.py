"""Rules have names: each rule of ``spec/`` is defined once, says why it is so, is cited by the code that implements
it and by a test, and has an example in ``spec/examples`` or says why no run can show it.

Ids cited but defined nowhere are found too, as are deviations (``lindref/profile``) that nothing asks for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lindref.conformance.examples import load
from lindref.conformance.rules import citations, family, rules
from lindref.profile import DEVIATIONS

ROOT = Path(__file__).resolve().parent.parent


def problems() -> list[str]:
    """One line for each rule that is doubled, without reason or example, not implemented, not tested or not defined."""
    out = []
    defined: dict[str, str] = {}
    shown = load(ROOT / "spec" / "examples")
    for rule in rules(ROOT / "spec"):
        if rule.id in defined:
            out.append(f"spec/{rule.file}: {rule.id} is defined in {defined[rule.id]} already")
        defined[rule.id] = rule.file
        if not rule.reason:
            out.append(f"spec/{rule.file}: {rule.id} does not say why (a line `  *Why:* …` below it)")
        if (rule.id in shown) == bool(rule.unseen):
            both = "has an example, and says that it has none" if rule.unseen else "has neither an example nor a line"
            out.append(f"spec/{rule.file}: {rule.id} {both} (`  *No example:* …` below its reason)")
    families = frozenset(map(family, defined))
    code, tests = citations(ROOT, ["lindref"], families), citations(ROOT, ["tests"], families)
    out += [f"spec: {name} is implemented nowhere" for name in sorted(defined) if name not in code]
    out += [f"spec: {name} is tested nowhere" for name in sorted(defined) if name not in tests]
    for cited in (code, tests):
        unknown = sorted(set(cited) - set(defined))
        out += [f"{cited[name][0]}: cites {name}, which spec/ does not define" for name in unknown]
    sources = [p for p in (ROOT / "lindref").rglob("*.py") if "profile" not in p.parts]
    asked = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    out += [f"lindref/profile: nothing asks for {name}" for name in sorted(DEVIATIONS) if f'"{name}"' not in asked]
    return out


if __name__ == "__main__":
    found = problems()
    print(*found, sep="\n" if found else "")
    sys.exit(1 if found else 0)

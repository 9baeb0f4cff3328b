"""Rules have names: each rule of ``spec/`` is defined once, cited by the code that implements it and by a test.

A rule is a line ``- **ID** text`` in ``spec/*.md``. A citation is the id anywhere in a file of ``lindref/`` or of
``tests/``.
Ids cited but defined nowhere are found too, as are deviations (``lindref/profile``) that nothing asks for.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEFINITION = re.compile(r"^- \*\*([A-Z0-9]+(?:-[A-Z0-9]+)*-\d+)\*\*", re.MULTILINE)
WORD = re.compile(r"(?<![\w-])([A-Z0-9]+(?:-[A-Z0-9]+)*-\d+)(?![\w-])")


def texts(folder: str, suffix: str) -> dict[Path, str]:
    """The files below a folder with a suffix, by path."""
    return {p: p.read_text(encoding="utf-8") for p in sorted((ROOT / folder).rglob(f"*{suffix}"))}


def problems() -> list[str]:
    """One line for each rule that is doubled, not implemented, not tested or not defined."""
    out = []
    defined: dict[str, Path] = {}
    for path, text in texts("spec", ".md").items():
        for rule in DEFINITION.findall(text):
            if rule in defined:
                out.append(f"{path.relative_to(ROOT)}: {rule} is defined in {defined[rule].name} already")
            defined[rule] = path
    families = {rule.rsplit("-", 1)[0] for rule in defined}
    code = texts("lindref", ".py")
    tests = texts("tests", ".py")
    in_code = {word for text in code.values() for word in WORD.findall(text)}
    in_tests = {word for text in tests.values() for word in WORD.findall(text)}
    out += [f"spec: {rule} is implemented nowhere" for rule in sorted(defined) if rule not in in_code]
    out += [f"spec: {rule} is tested nowhere" for rule in sorted(defined) if rule not in in_tests]
    for path, text in {**code, **tests}.items():
        out += [
            f"{path.relative_to(ROOT)}: cites {word}, which spec/ does not define"
            for word in sorted(set(WORD.findall(text)))
            if word.rsplit("-", 1)[0] in families and word not in defined
        ]
    deviations = ROOT / "lindref" / "profile" / "deviations.py"
    asked = "\n".join(text for path, text in code.items() if path != deviations)
    for name in re.findall(r"^        \"([A-Z0-9-]+)\",$", deviations.read_text(encoding="utf-8"), re.MULTILINE):
        if f'"{name}"' not in asked:
            out.append(f"{deviations.relative_to(ROOT)}: nothing asks for {name}")
    return out


if __name__ == "__main__":
    found = problems()
    print(*found, sep="\n" if found else "")
    sys.exit(1 if found else 0)

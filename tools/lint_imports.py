"""Imports point one way: each package may import only those named here (docs/design.md draws it)."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

#: How classes of plain data are made, digests, and what can be looked at: everybody may import them.
COMMON = {"classes", "hashing", "shown"}

#: package -> what it may import from lindref besides itself and what is common.
MAY_IMPORT: dict[str, set[str]] = {
    "arguments": set(),
    "classes": set(),
    "hashing": set(),
    "shown": set(),
    "show": {"state", "profile", "wasm", "vm", "posix", "threei", "system", "trace", "api"},
    "state": set(),
    "profile": set(),
    "wasm": set(),
    "vm": {"state", "wasm"},
    "posix": {"state", "profile", "vm"},
    "threei": {"state", "profile", "vm"},
    "system": {"state", "profile", "wasm", "vm", "posix", "threei"},
    "trace": {"state", "profile", "vm", "posix", "threei", "system"},
    "debug": {"state", "profile", "wasm", "vm", "posix", "threei", "system", "trace"},
    "dap": {"arguments", "profile", "wasm", "vm", "posix", "threei", "system", "trace", "debug"},
    "testing": {"profile", "posix", "system", "trace"},
    "pytest_plugin": {"system", "testing"},
    "properties": {"state", "profile", "wasm", "posix", "threei", "system"},
    "explore": {"state", "profile", "posix", "system", "threei", "vm"},
    "grates": {"posix", "system"},
    "guest": set(),
    "lessons": {"posix", "system", "explore", "testing", "guest"},
    "notebook": {"lessons"},
    "api": {"state", "wasm", "vm"},
    "conformance": {
        *("arguments", "state", "profile", "wasm", "vm", "posix"),
        *("threei", "system", "trace", "guest", "api", "explore", "properties"),
    },
    "cli": {
        *("arguments", "state", "profile", "wasm", "vm", "posix"),
        *("threei", "system", "trace", "guest", "api", "conformance", "explore", "lessons", "show", "debug", "dap"),
    },
}

#: posix and threei may use the memory of ``vm`` and its limits, never its machine or instructions.
VM_FOR_MODELS = {"lindref.vm.limits", "lindref.vm.memory", "lindref.vm.pages"}


def package_of(module: str) -> str | None:
    """The package a dotted ``lindref.*`` name belongs to; ``None`` for the top level itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "lindref" else None


def imports_of(path: Path) -> list[tuple[int, str]]:
    """The ``lindref.*`` modules that a file imports, with line numbers (``from lindref.x import y`` gives both)."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(node.lineno, name) for name in (names if node.module == "lindref" else [node.module])]
    return [(line, name) for line, name in found if name.split(".")[0] == "lindref"]


def problems() -> list[str]:
    """One line for each import that points the wrong way."""
    out = []
    for path in sorted((ROOT / "lindref").rglob("*.py")):
        relative = path.relative_to(ROOT)
        own = relative.parts[1].removesuffix(".py")
        if relative.parts[:3] == ("lindref", "lessons", "course"):
            continue  # what students write against the public names
        if own == "__init__":
            continue
        allowed = MAY_IMPORT.get(own)
        if allowed is None:
            out.append(f"{relative}: package {own!r} has no row in tools/lint_imports.py")
            continue
        for line, name in imports_of(path):
            other = package_of(name)
            if other is None or other == own or other in COMMON:
                continue
            if other not in allowed:
                out.append(f"{relative}:{line}: {own} may not import {name}")
            elif own in ("posix", "threei") and other == "vm" and name not in VM_FOR_MODELS:
                out.append(f"{relative}:{line}: {own} may import only {', '.join(sorted(VM_FOR_MODELS))} of vm")
    return out


if __name__ == "__main__":
    found = problems()
    print(*found, sep="\n" if found else "")
    sys.exit(1 if found else 0)

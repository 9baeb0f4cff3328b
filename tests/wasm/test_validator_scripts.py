"""The official scripts: every module that they define is valid, every ``assert_invalid`` is refused as they say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lindref.wasm.errors import Invalid, Malformed, Unsupported, WasmError
from lindref.wasm.features import BUILT, Feature
from lindref.wasm.module import Module
from lindref.wasm.text import commands as c
from lindref.wasm.text.script import parse_script
from lindref.wasm.validator import validate

#: Folders whose features are not built; a folder → the features of its scripts.
UNBUILT = {"simd", "relaxed-simd", "gc", "memory64"}
THREADS = frozenset({Feature.BASE, Feature.THREADS})

#: What scripts older than the present specification ask for: (file, line) → what is so now.
OUTDATED = {
    ("threads/imports.wast", 309): "many tables are part of wasm 2.0",
    ("threads/imports.wast", 313): "many tables are part of wasm 2.0",
    ("threads/imports.wast", 317): "many tables are part of wasm 2.0",
}


def verdict(source: c.ModuleSource) -> WasmError | None:
    """What is wrong with a module, if anything is."""
    try:
        module: Module = source.module()
        validate(module)
    except WasmError as error:
        found = error
    else:
        return None
    assert "\n" not in str(found)
    return found


def complaint(command: c.Command) -> tuple[str, str]:
    """How a command was judged (``ok``, ``wrong``, ``unsupported``) and what was found."""
    match command:
        case c.ModuleCommand(source=source) | c.DefinitionCommand(source=source) | c.AssertUnlinkable(source=source):
            found = verdict(source)
            fine = found is None
        case c.AssertTrap(subject=c.ModuleSource() as source):
            found = verdict(source)
            fine = found is None
        case c.AssertInvalid(source=source, message=message):
            found = verdict(source)
            fine = isinstance(found, Invalid) and found.message.startswith(message) and bool(found.where)
        case c.AssertMalformed(source=source):
            found = verdict(source)
            fine = isinstance(found, Malformed)
        case _:
            return "other", ""
    if isinstance(found, Unsupported):
        return "unsupported", str(found)
    return "ok" if fine else "wrong", f"{type(found).__name__}: {found}"


def test_official_scripts(shared: Path) -> None:
    root = shared / "wasm-testsuite"
    counts: Counter[tuple[str, str]] = Counter()
    wrong: dict[tuple[str, int], str] = {}
    for path in sorted(root.rglob("*.wast")):
        name = path.relative_to(root).as_posix()
        if UNBUILT & set(path.parts):
            continue
        features = THREADS if name.startswith("threads/") else BUILT
        for command in parse_script(path.read_bytes(), features):
            judged, found = complaint(command)
            counts[judged, type(command).__name__] += 1
            if judged == "wrong":
                wrong[name, command.line] = found
    assert wrong.keys() == OUTDATED.keys(), {place: wrong[place] for place in wrong.keys() - OUTDATED.keys()}
    assert counts["ok", "AssertInvalid"] > 1700
    assert counts["ok", "ModuleCommand"] > 1490
    assert sum(n for (judged, _), n in counts.items() if judged == "unsupported") < 20


@pytest.mark.parametrize("folder", sorted(UNBUILT))
def test_scripts_of_features_not_built_end_in_typed_errors(shared: Path, folder: str) -> None:
    for path in sorted((shared / "wasm-testsuite" / "core" / folder).rglob("*.wast")):
        for command in parse_script(path.read_bytes()):
            if isinstance(command, c.ModuleCommand | c.AssertInvalid | c.AssertMalformed):
                verdict(command.source)

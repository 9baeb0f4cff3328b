"""Exercises: what a student begins with, and checks that try what was written on many cases."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from lindref import classes
from lindref.guest.cc import compile_guest
from lindref.guest.toolchain import GuestBuildError
from lindref.lessons.text import Lesson


@classes.frozen
class Verdict:
    """What came of a check: passed or not, and the lines that say on what, the first being the whole in short."""

    passed: bool
    lines: tuple[str, ...]


class ExerciseError(Exception):
    """A file that cannot be checked at all; one line."""


def start(lesson: Lesson, folder: Path) -> list[Path]:
    """Write what the exercise begins with into ``folder``; the files. ``ExerciseError`` where one is there already."""
    sources = sorted(path for path in (lesson.folder / "start").iterdir() if path.suffix in (".c", ".py"))
    wanted = [folder / source.name for source in sources]
    for path in wanted:
        if path.exists():
            raise ExerciseError(f"{path}: is there already")
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(source, path)) for source, path in zip(sources, wanted, strict=True)]


def solution(lesson: Lesson) -> Path:
    """The model solution."""
    return lesson.folder / "solution" / lesson.exercise


def check(lesson: Lesson, path: Path) -> Verdict:
    """Try what a student wrote. ``ExerciseError`` for a file that cannot be read or does not build."""
    if not path.is_file():
        raise ExerciseError(f"{path}: {'is a directory' if path.is_dir() else 'no such file'}")
    verdict: Verdict = import_module(f"lindref.lessons.checks.{lesson.name}").check(path)
    return verdict


def passed(text: str) -> Verdict:
    """All went well."""
    return Verdict(passed=True, lines=(text,))


def failed(text: str, *more: str) -> Verdict:
    """It did not; ``more``: the case that shows it."""
    return Verdict(passed=False, lines=(text, *more))


def load(path: Path) -> ModuleType:
    """A student's Python file. ``ExerciseError`` says in one line what is wrong with it."""
    spec = importlib.util.spec_from_file_location(f"lindref_exercise_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ExerciseError(f"{path}: is no Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 (whatever a student's file does)
        raise ExerciseError(f"{path}: {oops(error, path)}") from None
    return module


def named(module: ModuleType, name: str, path: Path) -> Any:
    """What a student's file must define."""
    if not hasattr(module, name):
        raise ExerciseError(f"{path}: defines no {name}")
    return getattr(module, name)


def oops(error: BaseException, path: Path) -> str:
    """An exception in one line, with the line of the student's file that raised it."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    places = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {places[-1].lineno}: " if places else ""
    return f"{where}{type(error).__name__}: {' '.join(str(error).split())}"


@contextmanager
def program(path: Path) -> Iterator[Path]:
    """A student's program as wasm: compiled, if it is C. ``ExerciseError`` where it does not compile."""
    if path.suffix == ".wasm":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"{path.stem}.wasm"
        try:
            compile_guest([path.resolve()], made)
        except GuestBuildError as error:
            raise ExerciseError(f"{path}: does not compile: {error}") from None
        yield made

"""Running the cells of a lesson: Python in one namespace, ``lindref`` commands as processes, in the lesson's folder."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lindref
from lindref.lessons.text import Block, Lesson
from lindref.shown import Shown

#: Seconds after which a command of a lesson is taken to hang.
PATIENCE = 300


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a lesson's folder: its programs are named by their file names, its grates can be imported."""
    before = Path.cwd()
    forget(folder.parent)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        os.chdir(before)
        sys.path.remove(str(folder))
        forget(folder.parent)


def forget(course: Path) -> None:
    """Modules of lessons that were imported: the next lesson has its own of the same names."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(str(course) + os.sep):
            del sys.modules[name]


def command(line: str) -> str:
    """What a ``lindref`` command writes, standard output and error as they come; a status other than 0 is told."""
    words = shlex.split(line)
    if words[:1] == ["lindref"]:
        words = words[1:]
    here = str(Path(lindref.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "lindref.cli.main", *words],
        env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    status = f"[exit status {done.returncode}]\n" if done.returncode else ""
    return done.stdout + status


class Cells:
    """The cells of one lesson, run one after the other; to be used in the lesson's folder (``inside``)."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__lesson__"}

    def run(self, block: Block) -> str:
        """What a cell shows."""
        return command(block.text) if block.kind == "console" else self.python(block.text)

    def python(self, source: str) -> str:
        """What the statements print, and then the value of the last one, if it is an expression with one."""
        tree = ast.parse(source)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(tree, "<lesson>", "exec"), self.names)  # noqa: S102 (the lesson's own code)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), "<lesson>", "eval"), self.names)  # noqa: S307
                if value is not None:
                    said.write(f"{value if isinstance(value, Shown) else repr(value)}\n")
        return said.getvalue()


def played(lesson: Lesson) -> Iterator[tuple[Block, str]]:
    """The blocks of a lesson in their order, each with what it shows (cells) or nothing."""
    with inside(lesson.folder):
        cells = Cells()
        for block in lesson.blocks:
            yield block, cells.run(block) if block.kind in ("python", "console") else ""

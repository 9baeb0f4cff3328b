"""Lessons as Jupyter notebooks (format 4): the same text, with cells to run; nothing of Jupyter is needed to write one.

``lindref.notebook`` gives notebooks ``%lesson NAME``, which goes into the lesson's folder, and ``%lindref``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lindref.lessons.text import Lesson


def notebook(lesson: Lesson) -> dict[str, Any]:
    """The notebook of a lesson, its cells not yet run."""
    title = f"# {lesson.number}. {lesson.title}\n\n{lesson.about}"
    cells = [_markdown(title), _code(f"%load_ext lindref.notebook\n%lesson {lesson.name}")]
    for block in lesson.blocks:
        if block.kind == "prose":
            cells.append(_markdown(block.text))
        elif block.kind == "source":
            head = f"`{block.name}`\n\n" if block.name else ""
            cells.append(_markdown(f"{head}```{block.language}\n{block.text}\n```"))
        else:
            cells.append(_code(block.text if block.kind == "python" else f"%{block.text}"))
    begin = f"lindref learn {lesson.name} --start mine"
    then = f"lindref learn {lesson.name} --check mine/{lesson.exercise}"
    needs = "You will need clang (`pip install 'lindref[cc]'` brings one). " if lesson.needs else ""
    cells.append(
        _markdown(f"{needs}In a terminal, begin, and check as often as you like:\n\n```\n{begin}\n{then}\n```")
    )
    for number, cell in enumerate(cells):
        cell["id"] = f"{lesson.name}-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def file_name(lesson: Lesson) -> str:
    """What a lesson's notebook is called."""
    return f"{lesson.number}-{lesson.name}.ipynb"


def dump(made: dict[str, Any]) -> str:
    """A notebook as text."""
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def write(every: Iterable[Lesson], folder: Path) -> list[Path]:
    """Write notebooks into ``folder``; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for lesson in every:
        path = folder / file_name(lesson)
        path.write_text(dump(notebook(lesson)), encoding="utf-8")
        out.append(path)
    return out

"""Run the lessons' notebooks and write them, with what their cells show, to docs/notebooks.

Needs nbclient and ipykernel.
"""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lindref.lessons import lessons  # noqa: E402
from lindref.lessons.notebooks import dump, file_name, notebook  # noqa: E402

NOTEBOOKS = ROOT / "docs" / "notebooks"


def executed() -> dict[str, str]:
    """The text of all notebooks by file name, run one after the other by one kernel, its names forgotten in between."""
    nbformat: Any = import_module("nbformat")
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient

    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    manager = KernelManager(kernel_name="python3", transport="ipc")
    manager.start_kernel()
    out = {}
    try:
        for lesson in lessons():
            forget = {"cell_type": "code", "id": "forget", "source": "%reset -f", "metadata": {}, "outputs": []}
            made = notebook(lesson)
            made["cells"].insert(0, {**forget, "execution_count": None})
            node = nbformat.reads(dump(made), as_version=4)
            NotebookClient(node, km=manager, timeout=120).execute()
            del node.cells[0]
            clean(node)
            out[file_name(lesson)] = nbformat.writes(node, version=4) + "\n"
    finally:
        manager.shutdown_kernel(now=True)
    return out


def clean(node: Any) -> None:
    """Take away what differs from run to run."""
    for number, cell in enumerate((cell for cell in node.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
        cell.metadata = {}
        cell.outputs = joined(cell.outputs)
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
    node.metadata["language_info"] = {"name": "python"}


def joined(outputs: list[Any]) -> list[Any]:
    """Outputs with pieces of one stream, which come as the kernel happens to send them, in one."""
    out: list[Any] = []
    for output in outputs:
        before = out[-1] if out else None
        if before is not None and output.output_type == before.output_type == "stream" and output.name == before.name:
            before.text += output.text
        else:
            out.append(output)
    return out


#: What exploration says of its own way, which may become shorter: counts, and which of the simplest schedules it found.
_OF_ITS_WAY = ((r"complete: [^\n\\]*", "complete"), (r"\d+ schedules?", "schedules"), (r"--replay '[^']*'", "--replay"))


def settled(text: str) -> str:
    """A text without what exploration says of its own way."""
    for pattern, instead in (*_OF_ITS_WAY, (r"wrong in \d+", "wrong")):
        text = re.sub(pattern, instead, text)
    return text


def _same(path: Path, text: str) -> bool:
    return path.is_file() and settled(path.read_text(encoding="utf-8")) == settled(text)


def main() -> int:
    """Write them all; with ``--check`` say which of those that are there differ (status 1)."""
    if "--check" in sys.argv:
        made = executed()
        stale = [name for name, text in made.items() if not _same(NOTEBOOKS / name, text)]
        print(*(f"docs/notebooks/{name} is not what running it gives" for name in stale), sep="\n")
        return 1 if stale else 0
    NOTEBOOKS.mkdir(parents=True, exist_ok=True)
    for name, text in executed().items():
        (NOTEBOOKS / name).write_text(text, encoding="utf-8")
        print(NOTEBOOKS / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What ``%load_ext lindref.notebook`` gives a notebook: ``%lindref COMMAND …`` and ``%lesson NAME``.

IPython calls ``load_ipython_extension``; nothing of it is imported here.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from lindref.lessons import find
from lindref.lessons.cells import command, forget


def _lindref(line: str) -> None:
    """Run a command of lindref and show what it writes."""
    sys.stdout.write(command(line))


def _lesson(line: str) -> None:
    """Go into the folder of a lesson, so that its programs and grates are at hand."""
    lesson = find(line.strip())
    forget(lesson.folder.parent)
    sys.path[:] = [str(lesson.folder), *(path for path in sys.path if not path.startswith(str(lesson.folder.parent)))]
    os.chdir(lesson.folder)


def load_ipython_extension(shell: Any) -> None:
    """Register the two."""
    shell.register_magic_function(_lindref, magic_name="lindref")
    shell.register_magic_function(_lesson, magic_name="lesson")

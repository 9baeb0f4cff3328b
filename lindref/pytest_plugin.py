"""Fixtures for authors of grates; pytest finds them where lindref is installed.

``lindref_root``: an empty folder for a run's files. ``lindref_boot``: boots a program that lies in it, with grates.
``lindref_script``: makes a script of calls to be played beneath grates (``lindref.testing``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lindref.system.session import System
    from lindref.testing import Script


@pytest.fixture
def lindref_root(tmp_path: Path) -> Path:
    """A folder that is the root of what ``lindref_boot`` boots; what the run changes does not reach it."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "tmp").mkdir()
    return root


@pytest.fixture
def lindref_boot(lindref_root: Path) -> Callable[..., System]:
    """What boots a program in ``lindref_root``: it takes what ``lindref.boot`` takes.

    A program that is a path on the host is put there first; runs end after 100 million ticks.
    """
    import lindref

    def boot(program: str | Path, args: list[str] | None = None, **options: Any) -> System:
        source = Path(program)
        name = str(program)
        if source.is_file():
            inside = lindref_root / source.name
            inside.write_bytes(source.read_bytes())
            inside.chmod(0o755)
            name = "/" + source.name
        options.setdefault("max_ticks", 100_000_000)
        return lindref.boot(name, args or [], root=lindref_root, **options)

    return boot


@pytest.fixture
def lindref_script() -> type[Script]:
    """The class of scripts: make one, write calls down with ``call``, and ``play`` it beneath a grate."""
    from lindref.testing import Script

    return Script

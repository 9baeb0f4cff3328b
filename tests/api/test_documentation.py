"""The examples of docs/api.md, docs/grates.md and docs/properties.md are run."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lindref.lessons.text import COURSE

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(("page", "least"), [("api.md", 50), ("grates.md", 20)])
def test_the_examples_of_the_documentation(page: str, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(COURSE / "4-grate")
    failed, tried = doctest.testfile(
        str(ROOT / "docs" / page),
        module_relative=False,
        optionflags=doctest.IGNORE_EXCEPTION_DETAIL,
        encoding="utf-8",
    )
    assert tried > least and not failed


def test_the_project_of_an_author(tmp_path: Path) -> None:
    """The files that docs/grates.md shows, as a project of their own with nothing but lindref and pytest."""
    for block in re.findall(r"```python\n(# (\w+\.py)\n.*?)```", (ROOT / "docs" / "grates.md").read_text(), re.DOTALL):
        (tmp_path / block[1]).write_text(block[0])
    shutil.copy(COURSE / "4-grate" / "greet.wasm", tmp_path)
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "lindref.pytest_plugin", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    main = [sys.executable, "-m", "lindref.cli.main", "run", "--grate", "hide.py:Hide,prefix=/etc/m", "greet.wasm"]
    shutil.copytree(COURSE / "4-grate" / "etc", tmp_path / "etc")
    seen = subprocess.run(main, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (seen.returncode, seen.stdout) == (0, "")


def test_the_examples_of_properties() -> None:
    failed, tried = doctest.testfile(
        str(ROOT / "docs" / "properties.md"),
        module_relative=False,
        optionflags=doctest.IGNORE_EXCEPTION_DETAIL,
        encoding="utf-8",
    )
    assert tried > 10 and not failed

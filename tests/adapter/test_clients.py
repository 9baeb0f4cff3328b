"""The adapter driven by somebody else's client."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"


def line(text: str) -> int:
    found = [n for n, one in enumerate((DATA / "walk.c").read_text().splitlines(), 1) if text in one]
    assert len(found) == 1
    return found[0]


def test_the_test_client_of_vs_code() -> None:
    """npm's @vscode/debugadapter-testsupport, where node finds it from here (or from LINDREF_NODE_FROM)."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node on PATH, which is absent")
    start = os.environ.get("LINDREF_NODE_FROM", str(HERE / "x.js"))
    env = {**os.environ, "LINDREF_NODE_FROM": start, "PYTHONPATH": str(ROOT)}
    looks = "require('node:module').createRequire(process.env.LINDREF_NODE_FROM)('@vscode/debugadapter-testsupport')"
    if subprocess.run([node, "-e", looks], env=env, capture_output=True, check=False).returncode:
        pytest.skip("no npm package @vscode/debugadapter-testsupport")
    words = [node, HERE / "support.mjs", sys.executable, HERE / "start.py", DATA, str(line("total += twice"))]
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and done.stdout.startswith("done"), done.stdout + done.stderr

"""The wheel works by itself: outside the checkout, with its guests, its specification and its C kit."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.campaign
def test_the_wheel_outside_the_checkout(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"lindref"}
    assert "lindref/py.typed" in names
    assert "lindref/trace/trace-1.schema.json" in names
    assert {f"lindref/trace/page/{name}" for name in ("page.html", "style.css", "view.js")} <= set(names)
    assert "lindref/guest/include/lind_syscall.h" in names
    course = [path.relative_to(ROOT) for path in (ROOT / "lindref" / "lessons" / "course").rglob("*") if path.is_file()]
    assert {str(path) for path in course if "__pycache__" not in path.parts} <= set(names)
    assert "lindref/data/conformance/puppet/puppet.wasm" in names
    venv.create(tmp_path / "venv", with_pip=True)
    inside = tmp_path / "venv" / "bin"
    subprocess.run([inside / "pip", "install", "--quiet", wheel], check=True)

    def lindref(*words: str) -> str:
        done = subprocess.run([inside / "lindref", *words], cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    assert "→ grate 1" in lindref("demo")
    assert "spec/3i.md" in lindref("spec", "show", "3I-ROUTE-2")
    assert "xample" in lindref("cc", "--help")
    assert "grate 3001 Redirect.open" in lindref("learn", "grate")
    assert "budget.py" in lindref("learn", "inherit", "--start", "mine")
    (tmp_path / "mine" / "budget.py").write_text(lindref("learn", "inherit", "--solution"))
    assert lindref("learn", "inherit", "--check", "mine/budget.py").startswith("solved")
    vectors = tmp_path / "vectors.json"
    step = {"id": "s1", "op": "call", "n": 39, "name": "getpid", "args": []}
    seen = {"outcome": "exit", "code": 0, "log": [{"cage": 1, "step": "s1", "ret": 1}]}
    one = {"id": "a.b.c", "files": [], "programs": {"main": {"steps": [step]}}, "observed": {"lind": seen}}
    vectors.write_text(json.dumps([one]))
    assert lindref("vectors", str(vectors), "--player", "cage") == "1 passed, 0 failed, 0 skipped\n"

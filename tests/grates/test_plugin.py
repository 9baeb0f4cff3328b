"""The pytest plugin, used by a test file as an author of grates would write it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from scenes import GUESTS

from lindref import BootError
from lindref.testing import MEMORY, Script

AUTHOR = """
import errno
import lindref

class Deny(lindref.Grate):
    def unlink(self, call, path):
        self.state["kept"] = self.read_string(path)
        return -errno.EPERM

    def geteuid(self, call):
        return self.forward() + 5

def test_script(lindref_script):
    script = lindref_script()
    script.call("unlink", "/keep")
    fd = script.call("open", "/keep", 0, 0)
    child = lindref_script()
    there = child.call("open", "/keep", 0, 0)
    child.call("close", there)
    child.call("close", there)
    script.fork(child)
    script.call("close", fd)
    played = script.play(Deny, files={"/keep": b"kept"})
    assert played.results("unlink", "open", "close") == [-errno.EPERM, 3, 0]
    assert played.results("open", "close", cage=2) == [4, 0, -errno.EBADF]
    assert played.served_by("unlink") == [3001] and not played.beneath("unlink")
    assert dict(played.grates[3001].state) == {"kept": "/keep"}
    assert (played.status, played.notes) == (0, [])

def test_program(lindref_boot, lindref_root):
    (lindref_root / "file").write_text("x")
    system = lindref_boot(PROGRAM, grates=[Deny])
    assert system.run() == 3
    assert system.stdout == b"app: getuid 0, geteuid 5\\n"
"""


def test_as_an_author(tmp_path: Path) -> None:
    program = GUESTS / "grate_geteuid" / "app.wasm"
    (tmp_path / "test_deny.py").write_text(AUTHOR.replace("PROGRAM", repr(str(program))))
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "lindref.pytest_plugin", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_scripts_say_what_is_wrong() -> None:
    with pytest.raises(BootError, match=r"deny\.wasm: a script plays beneath grates in Python alone"):
        Script().play("deny.wasm")
    with pytest.raises(ValueError, match="there is no call 'opne'"):
        Script().call("opne")
    with pytest.raises(ValueError, match=f"{MEMORY} bytes of memory"):
        Script().buffer(1 << 20)

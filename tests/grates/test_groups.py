"""Groups of grates, nested and of both forms: who sees a call, and how often (PY-9)."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lindref
from lindref import Address, Fd, Grate, Served
from lindref.grates.clamp import Clamp
from lindref.guest.build_guests import GUESTS

CLAMPS = {"python": Clamp, "wasm": lambda prefix: f"grate.wasm prefix={prefix}"}


class Shout(Grate):
    """Says its mark, and writes in capitals."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def write(self, call: Served, fd: Fd, data: Address, count: int) -> int:
        self.print(self.mark)
        return self.forward(..., self.place(self.read_bytes(data, count).upper()))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The programs of the clamp in C, and a /tmp."""
    for program in ("grate.wasm", "inner.wasm", "app.wasm"):
        shutil.copy(GUESTS / "grate_clamp" / program, tmp_path / program)
    (tmp_path / "tmp").mkdir()
    return tmp_path


def seen(root: Path, *grates: object) -> tuple[list[str], str]:
    """What the program tells, without ends of lines, and what grates said."""
    system = lindref.boot("app.wasm", root=str(root), grates=grates, max_ticks=20_000_000)
    system.run()
    return system.stdout.decode().splitlines(), system.stderr.decode()


@pytest.mark.parametrize(("outer", "inner"), [*itertools.product(CLAMPS, CLAMPS)])
def test_a_group_in_a_group(outer: str, inner: str, root: Path) -> None:
    """The inner group is reached through both; one that stands before it in the outer group sees what it passes on."""
    wide, narrow = CLAMPS[outer]("/tmp"), CLAMPS[inner]("/tmp/box")
    said, marks = seen(root, wide, "%{", narrow, "%{", Shout("1"), "%}", "%}")
    assert [line.rpartition("/a: ")[2] for line in said] == ["SOME WORDS, removed", *["some words, removed"] * 2]
    assert marks == "1"
    said, marks = seen(root, wide, "%{", narrow, "%{", Shout("1"), Shout("2"), "%}", "%}")
    assert said[0] == "/tmp/box/a: SOME WORDS, removed"
    assert marks == "121"  # the second's own word goes by the first
    said, marks = seen(root, wide, "%{", narrow, "%{", "inner.wasm", Shout("2"), "%}", "%}")
    assert said[:2] == ["/tmp/box/a: SOME WORDS, Operation not permitted", "/tmp/boxes/a: some words, removed"]
    assert (said[-1], marks) == ("inner: 2 writes, 1 removals", "2")
    said, marks = seen(root, wide, "%{", Shout("o"), narrow, "%{", Shout("i"), "%}", "%}")
    assert said == [line.replace("some", "SOME").replace("words", "WORDS") for line in said]
    assert marks.endswith("oIooo")


def test_groups_side_by_side(root: Path) -> None:
    """Behind a group that is complete another begins: a grate of that one in C, one in Python."""
    said, marks = seen(root, Clamp("/tmp"), "%{", "inner.wasm", "%}", Clamp("/tmp/box"), "%{", Shout("!"), "%}")
    assert said[0] == "/tmp/box/a: SOME WORDS, Operation not permitted"
    assert said[1] == "/tmp/boxes/a: SOME WORDS, Operation not permitted"
    assert (said[-1], marks) == ("inner: 3 writes, 3 removals", "!")


def test_what_a_python_grate_lends_is_read_in_c(root: Path) -> None:
    """PY-11: a grate in C beneath one in Python copies what that one put in the place of an argument."""
    said, _ = seen(root, "inner.wasm", Shout(""))
    assert said[0] == "/TMP/BOX/A: SOME WORDS, OPERATION NOT PERMITTED"
    shutil.copy(GUESTS / "grate_strace" / "grate.wasm", root / "strace.wasm")
    assert 'open("/tmp/moved", O_RDWR|O_CREAT, 0600)' in seen(root, "strace.wasm", Moves())[1]


class Moves(Grate):
    """Every file is the same one."""

    def open(self, call: Served, path: Address) -> int:
        return self.forward("/tmp/moved")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"m.py": "import sys; sys.exit(5)"}, "m.py:X: importing m.py: SystemExit: 5"),
        ({"m.py": "import nothing_here"}, "m.py:X: importing m.py: there is no module 'nothing_here'"),
        ({"m.py": "raise ValueError('two\\nlines')"}, "m.py:X: importing m.py: ValueError: two lines"),
        ({"m.py": "import lindref\nclass X(lindref.Grate):\n def open(self): 1"}, "X.open: a handler takes self"),
    ],
)
def test_files_of_python_that_are_none(files: dict[str, str], said: str, tmp_path: Path) -> None:
    """One line and exit status 2, whatever a stranger's file does when it is imported."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "lindref.cli.main", "run", "--grate", "m.py:X", "x.wasm"]
    env = {"PYTHONPATH": str(Path(lindref.__file__).parents[1]), "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr


def test_a_grate_that_launches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: object) -> None:
    """The status is its own, and it is said that nothing ran beneath it."""
    from lindref.cli.main import main

    shutil.copy(GUESTS / "grate_faults" / "grate.wasm", tmp_path / "faults.wasm")
    shutil.copy(GUESTS / "hello" / "main.wasm", tmp_path / "app.wasm")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--grate", "faults.wasm call=nothing", "app.wasm"]) == 2
    err = capfd.readouterr().err  # type: ignore[attr-defined]
    assert err.splitlines() == [
        "faults: there is no nothing",
        "lindref run: grate faults.wasm ended without launching what is beneath it",
    ]
    assert main(["run", "--grate", "faults.wasm", "app.wasm"]) == 0
    assert capfd.readouterr().err == ""  # type: ignore[attr-defined]

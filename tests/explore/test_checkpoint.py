"""A search that is stopped and gone on with reports what it would have anyway (EXP-8)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lindref.cli.main import main
from lindref.explore import running
from lindref.state import saved

DATA = Path(__file__).resolve().parents[1] / "data"


def explore(*words: str) -> int:
    return main(["explore", "--root-mode", "blank", "--json", *words, str(DATA / "race.wasm")])


@pytest.mark.parametrize("words", [[], ["--preemptions", "1"]])
def test_stopped_and_gone_on_with(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """EXP-8: Ctrl-C in the middle, twice; the third call reports what one alone does, and runs only what is left."""
    assert explore(*words) == 0
    expected = json.loads(capsys.readouterr().out)
    file = tmp_path / "search"
    run = running.Turns._run
    counted = [0]

    def counts(*args: Any, **named: Any) -> Any:
        counted[0] += 1
        if counted[0] % 60 == 0:
            raise KeyboardInterrupt
        return run(*args, **named)

    with monkeypatch.context() as patched:
        patched.setattr(running.Turns, "_run", counts)
        for _ in range(2):
            assert explore(*words, "--checkpoint", str(file)) == 130
            assert f"--checkpoint {file} goes on from here" in capsys.readouterr().err
    done = counted[0]
    assert explore(*words, "--checkpoint", str(file)) == 0
    assert json.loads(capsys.readouterr().out) == expected
    assert done == 120

    def never(*args: Any, **named: Any) -> Any:
        raise AssertionError("what was run is run again")

    monkeypatch.setattr(running.Turns, "_run", never)
    assert explore(*words, "--checkpoint", str(file)) == 0
    assert json.loads(capsys.readouterr().out) == expected


def test_of_another_search(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, and the file stays as it is."""
    file = tmp_path / "search"
    assert explore("--preemptions", "0", "--checkpoint", str(file)) == 0
    before = file.read_bytes()
    capsys.readouterr()
    assert explore("--preemptions", "1", "--checkpoint", str(file)) == 2
    told = capsys.readouterr().err
    assert "of another program, of other options or of other bounds" in told
    assert told.count("\n") == 1
    file.write_bytes(b"nothing")
    assert explore("--preemptions", "0", "--checkpoint", str(file)) == 2
    assert capsys.readouterr().err.count("\n") == 1
    file.write_bytes(before[:-5])
    assert explore("--preemptions", "0", "--checkpoint", str(file)) == 2


@pytest.mark.parametrize("words", [["--max-states", "100000"], ["--strategy", "random", "--runs", "100000"]])
def test_a_signal_from_outside(words: list[str], tmp_path: Path) -> None:
    """EXP-8: SIGINT to a search with helpers: it ends at once, with a line, and the file has what was found."""
    file = tmp_path / "search"
    command = [sys.executable, "-m", "lindref.cli.main", "explore", "--root-mode", "blank", "--checkpoint", str(file)]
    program = str(DATA / "dining.wasm")
    with subprocess.Popen([*command, *words, "--workers", "2", program], stderr=subprocess.PIPE, text=True) as search:
        time.sleep(3)
        assert search.poll() is None
        search.send_signal(signal.SIGINT)
        _, told = search.communicate(timeout=60)
    assert search.returncode == 130
    assert told == f"\nlindref explore: stopped; --checkpoint {file} goes on from here\n"
    assert isinstance(saved.load(file, "exploration"), tuple)


def test_a_file_in_the_root_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """It would change what the run sees, so that no later search were the same."""
    (tmp_path / "root").mkdir()
    monkeypatch.chdir(tmp_path / "root")
    Path("race.wasm").write_bytes((DATA / "race.wasm").read_bytes())
    assert main(["explore", "--checkpoint", "search", "race.wasm"]) == 2
    assert "lies in the root of the run" in capsys.readouterr().err
    assert main(["explore", "--checkpoint", "search", "--root-mode", "blank", "--preemptions", "0", "race.wasm"]) == 0
    Path("deeper").mkdir()
    assert main(["explore", "--checkpoint", "deeper/search", "race.wasm"]) == 2
    for _ in range(2):
        assert main(["explore", "--preemptions", "0", "--checkpoint", "../search", "race.wasm"]) == 0

"""Sampled runs: the same whoever makes them, kept in a file, gone on with (EXP-5, EXP-8)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lindref.cli.main import main
from lindref.explore import pools, sampling
from lindref.explore.sampled import Plan
from lindref.explore.sampling import Sampling
from lindref.posix import console
from lindref.state.codec import encode
from lindref.system import state as states
from lindref.system.boot import boot
from lindref.system.runtime import Config
from lindref.system.system import System

DATA = Path(__file__).resolve().parents[1] / "data"


def program(name: str = "race") -> System:
    system = boot(DATA / f"{name}.wasm", root_mode="blank", config=Config(accesses="shared"), engine="reference")
    console.end_stdin(system.kernel)
    return system


def explore(*words: str) -> int:
    return main(["explore", "--root-mode", "blank", "--json", *words, str(DATA / "race.wasm")])


class Late:
    """A pool whose tasks are over only when they are waited for, the last first; or all fail."""

    size = 2

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.sent = encode(states.freeze(program()))

    def submit(self, work: pools.Work, task: Any) -> Any:
        if self.fails:
            raise OSError("nobody\nthere")
        pool = self

        class Future:
            def done(self) -> bool:
                return False

            def result(self) -> Any:
                return work(pool.sent, None, task)

        return Future()


@pytest.mark.parametrize("plan", [Plan("random", 3), Plan("pct", 3)])
def test_the_same_with_helpers(plan: Plan) -> None:
    """EXP-8: also where they are late, or fail."""
    alone = Sampling(program(), plan, 23).run().as_json()
    assert sum(one["count"] for one in alone) == 23
    late = Sampling(program(), plan, 23)
    assert late.run(Late()).as_json() == alone
    assert late.helped > 0
    lost = Sampling(program(), plan, 23)
    assert lost.run(Late(fails=True)).as_json() == alone
    assert lost.lost == "OSError: nobody there"


def test_processes(capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-8: --workers."""
    words = ["--strategy", "random", "--runs", "30", "--seed", "1"]
    assert explore(*words) == 0
    alone = capsys.readouterr()
    assert explore(*words, "--workers", "2") == 0
    assert capsys.readouterr() == alone


@pytest.mark.parametrize("strategy", ["random", "pct"])
def test_stopped_and_gone_on_with(
    strategy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """EXP-8: Ctrl-C after some runs; then the others; then more of them."""
    words, file = ["--strategy", strategy, "--checkpoint", str(tmp_path / "runs")], tmp_path / "runs"
    assert explore(*words[:2], "--runs", "20") == 0
    expected = json.loads(capsys.readouterr().out)
    made: list[int] = []
    sample = sampling.sample

    def counts(start: Any, like: Any, plan: Plan, number: int) -> Any:
        made.append(number)
        if len(made) == 8:
            raise KeyboardInterrupt
        return sample(start, like, plan, number)

    monkeypatch.setattr(sampling, "sample", counts)
    assert explore(*words, "--runs", "20") == 130
    assert f"--checkpoint {file} goes on from here" in capsys.readouterr().err
    assert explore(*words, "--runs", "20") == 0
    assert json.loads(capsys.readouterr().out) == expected
    assert made == [*range(8), *range(7, 20)]
    assert explore(*words, "--runs", "22") == 0
    assert made[-2:] == [20, 21]
    capsys.readouterr()
    before = file.read_bytes()
    for others, said in (
        (["--runs", "5"], "holds 22 runs already, more than --runs 5"),
        (["--seed", "9"], "is of another program, of other options or of other bounds"),
    ):
        assert explore(*words, *others) == 2
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1
        assert file.read_bytes() == before


def test_who_goes_round_has_to_wait(capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-5: a thread of high priority that looks for a flag again and again lets the other set it."""
    words = ["explore", "--root-mode", "blank", "--json", "--strategy", "pct", "--runs", "3"]
    assert main([*words, "--max-ticks", "100000", str(DATA / "spin.wasm")]) == 0
    assert [one["stdout"] for one in json.loads(capsys.readouterr().out)] == ["seen\n"]

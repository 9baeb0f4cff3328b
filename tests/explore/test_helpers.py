"""Others that run turns for a search: what it reports is the same, and they do run some (EXP-8)."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from lindref.cli.main import main
from lindref.explore import helpers, pools, sampling
from lindref.explore.exhaustive import Bounds, Search
from lindref.explore.sampled import Plan
from lindref.posix import console
from lindref.state.codec import encode
from lindref.system import state as states
from lindref.system.boot import boot
from lindref.system.runtime import Config
from lindref.system.system import System

DATA = Path(__file__).resolve().parents[1] / "data"


def program() -> System:
    system = boot(DATA / "race.wasm", root_mode="blank", config=Config(accesses="shared"), engine="reference")
    console.end_stdin(system.kernel)
    return system


class Here:
    """A pool that does a task when it is given."""

    size = 3

    def __init__(self, first: bytes) -> None:
        self.first = first

    def submit(self, work: pools.Work, task: Any) -> Any:
        packed = work(self.first, None, task)

        class Done:
            def done(self) -> bool:
                return True

            def result(self) -> Any:
                return packed

        return Done()


@pytest.mark.parametrize("bounds", [Bounds(reduction=True), Bounds(1), Bounds(None, 300)])
def test_the_same_with_helpers(bounds: Bounds) -> None:
    """EXP-8, within bounds that are reached too."""
    alone = Search(program(), bounds)
    expected = alone.run()
    search = Search(program(), bounds)
    group = helpers.Helpers(Here(encode(states.freeze(program()))))
    group.help(search)
    found = search.run()
    assert found.as_json() == expected.as_json()
    assert (search.visited, search.complete, search.turns) == (alone.visited, alone.complete, alone.turns)
    assert group.helped > 0
    assert not group.lost
    assert search.running.count < alone.running.count


def explore(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["explore", "--root-mode", "blank", "--json", *words, str(DATA / "race.wasm")]) == 0
    captured = capsys.readouterr()
    assert not captured.err
    return json.loads(captured.out)


def test_processes(capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-8: --workers."""
    assert explore(capsys, "--workers", "2") == explore(capsys)


@pytest.mark.campaign
def test_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    """EXP-8: --dask, with a cluster of this process."""
    distributed = pytest.importorskip("distributed", reason="the extra lindref[distributed] is not there")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
    ):
        found = explore(capsys, "--dask", cluster.scheduler_address)
    assert found == explore(capsys)


def test_no_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    assert main(["explore", "--root-mode", "blank", "--dask", "nowhere:x", str(DATA / "race.wasm")]) == 2
    told = capsys.readouterr().err
    assert "--dask" in told
    assert told.count("\n") == 1


def test_a_helper_that_dies() -> None:
    """EXP-8: the search goes on alone, says what became of it, and finds the same."""
    plan, first = Plan("random", 1), states.freeze(program())
    with pools.processes(first, None, 1) as pool:
        assert len(pool.submit(sampling.run_batch, (plan, 0, 2)).result()) == 2
        for process in multiprocessing.active_children():
            process.kill()
            process.join()
        some = sampling.Sampling(program(), plan, 8)
        assert some.run(pool).as_json() == sampling.Sampling(program(), plan, 8).run().as_json()
        search = Search(program(), Bounds(1))
        group = helpers.Helpers(pool)
        group.help(search)
        assert search.run().as_json() == Search(program(), Bounds(1)).run().as_json()
    assert some.lost.startswith("BrokenProcessPool: ")
    assert group.lost.startswith("BrokenProcessPool: ")

"""Campaigns: verdicts, and implementations that go wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.interface import AdapterError
from lindref.conformance.campaign import main, pool
from lindref.conformance.campaign.examine import examine
from lindref.conformance.campaign.pool import Plan
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.suites import Wanted, cases

ODD = "tests.conformance.odd_adapters:"


def guests(*names: str) -> list:
    return cases(["guests"], Wanted(), [f"guests.{name}" for name in names])


def one(adapter: str, name: str, **options: str) -> Result:
    made = make(adapter, options)
    return examine(made, described(made, adapter), guests(name)[0])


def test_what_goes_wrong_is_one_broken_case() -> None:
    names = ["hello", "getopt", "matrix", "life", "calendar", "integers", "sha256", "strings", "arguments"]
    plan = Plan(ODD + "Odd", {}, limit=2.0)
    found = {result.case: result for result in pool.run(plan, guests(*names))}
    told = {name: (found[f"guests.{name}"].status.value, found[f"guests.{name}"].detail) for name in names}
    assert told["hello"] == ("broken", "the adapter's process ended: signal SIGSEGV")
    assert told["getopt"] == ("broken", "no answer within 2 seconds")
    assert told["matrix"] == ("broken", "the adapter raised ZeroDivisionError: integer division or modulo by zero")
    assert told["life"] == ("broken", "the adapter's process ended: exit status 3")
    assert told["calendar"] == ("not applicable", "no calendar here")
    assert told["integers"] == ("broken", "the adapter observed nothing")
    assert told["sha256"] == ("broken", "the adapter's run() gave str, not an Observed")
    assert told["strings"][0] == "forbidden"
    assert told["strings"][1].startswith("stdout line 1: 'other\\n', not ")
    assert told["arguments"] == ("allowed", "")


def test_parallel_is_as_serial() -> None:
    chosen = guests("hello", "strings", "matrix", "integers", "arguments", "life")
    plan = Plan(ODD + "Odd", {}, limit=2.0)

    def told(processes: int) -> dict[str, tuple]:
        results = pool.run(plan, chosen, processes)
        return {r.case: (r.status, r.detail, r.rules, r.reached, r.output) for r in results}

    assert told(3) == told(1)


@pytest.mark.parametrize(
    ("adapter", "status", "detail"),
    [
        ("lindref", "allowed", ""),
        (ODD + "NoTrace", "broken", "no trace, though the adapter says that it observes enter, exit"),
        (ODD + "BadTrace", "broken", "its trace cannot be read: trace:"),
    ],
)
def test_traces_are_looked_at(adapter: str, status: str, detail: str) -> None:
    found = one(adapter, "hello")
    assert (found.status.value, found.detail[: len(detail)]) == (status, detail)


def test_what_a_call_returned_is_compared() -> None:
    found = one(ODD + "WrongErrno", "symlink_cases")
    assert found.status is Status.FORBIDDEN
    assert "-13" in found.detail or "EACCES" in found.detail


def test_what_an_adapter_lacks_is_not_applicable() -> None:
    found = one(ODD + "Few", "pipeline")
    assert (found.status, found.detail) == (
        Status.NOT_APPLICABLE,
        "needs fork: new cages by fork (one process only)",
    )
    assert found.reached
    assert one(ODD + "Few", "grate_deny").status is Status.NOT_APPLICABLE
    assert one(ODD + "Few", "hello").status is Status.ALLOWED


def test_profile_lind_is_held_against_its_own_answers() -> None:
    assert one("lindref", "hello", profile="lind").status is Status.ALLOWED


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "guests", "--adapter", "nosuch"], "no adapter 'nosuch' (one of lindref"),
        (["run", "guests", "--adapter", "nosuch:It"], "adapter nosuch:It: no module 'nosuch'"),
        (["run", "guests", "--adapter", "json:It"], "adapter json:It: json has no 'It'"),
        (["run", "guests", "--adapter", ODD + "NoConstructor"], "OSError: nothing here"),
        (["run", "guests", "--adapter", ODD + "NoDescription"], "describe() gave dict, not a Description"),
        (["run", "guests", "--adapter", "lindref", "--option", "colour=red"], "option: got an unexpected keyword"),
        (["run", "guests", "--adapter", "lindref", "--option", "engine=red"], "engine 'red' (one of auto, reference"),
        (["run", "guests", "--adapter", "lindref", "--option", "red"], "--option 'red': want KEY=VALUE"),
        (["run", "nosuch", "--adapter", "lindref"], "no suite 'nosuch' (one of guests, "),
        (["run", "guests", "--adapter", "lindref", "--only", "no*"], "--only no*: no case is called so"),
        (["run", "vectors", "--adapter", "lindref", "--vectors", "/nosuch"], "/nosuch: no such file or folder"),
        (["run", "guests", "--adapter", "lindref", "-n", "x"], "'x' is not a whole number"),
        (["new-adapter", "/nosuch/x.py"], "/nosuch/x.py: No such file or directory"),
    ],
)
def test_usage(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_adapter_error_is_a_line() -> None:
    with pytest.raises(AdapterError):
        list(pool.run(Plan(ODD + "NoConstructor", {}), guests("hello")))


def test_new_adapter_runs_at_once(tmp_path: Path) -> None:
    """What the command writes is an adapter; it works as it is."""
    command = [sys.executable, "-m", "lindref.cli.main", "conform"]
    env = {"PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PATH": "/usr/bin:/bin"}
    for words, says in (
        (["new-adapter", "mine.py"], "mine.py: now run  lindref conform run guests --adapter mine:Runtime\n"),
        (
            ["run", "guests", "--adapter", "mine:Runtime", "--only", "guests.he*", "--only", "guests.pipeline"],
            "2 allowed\n",
        ),
    ):
        done = subprocess.run([*command, *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr, done.stdout[: len(says)]) == (0, "", says)
    again = subprocess.run(
        [*command, "new-adapter", "mine.py"], cwd=tmp_path, env=env, capture_output=True, check=False
    )
    assert (again.returncode, again.stderr) == (2, b"lindref conform: mine.py: File exists\n")


def test_the_adapter_of_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    block = (Path(__file__).parents[2] / "docs" / "conform.md").read_text().split("```python\n")[1].split("```")[0]
    place: dict = {}
    exec(block, place)
    toy = tmp_path / "toy"
    toy.write_text("#!/bin/sh\necho hello, world\n")
    toy.chmod(0o755)
    adapter = place["Runtime"](command=str(toy))
    found = {case.id: examine(adapter, adapter.describe(), case) for case in cases(["guests"], Wanted(), ["*.hello"])}
    assert found["guests.hello"].status is Status.ALLOWED

"""Scripts instead of programs: generated, shrunk, and as text, C and vectors."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from lindref import classes
from lindref.conformance.adapters.find import described, make
from lindref.conformance.adapters.interface import AdapterError
from lindref.conformance.adapters.own import Lindref
from lindref.conformance.campaign import pool
from lindref.conformance.campaign.examine import examine
from lindref.conformance.campaign.pool import Plan
from lindref.conformance.campaign.result import Result, Status
from lindref.conformance.campaign.shorten import shortened
from lindref.conformance.campaign.suites import Wanted, cases, script_case
from lindref.conformance.scripts import c, generate, shrink, text, vector
from lindref.conformance.vectors.cage import play as play_as_cage
from lindref.conformance.vectors.command import main as vectors
from lindref.conformance.vectors.image import all_steps
from lindref.conformance.vectors.model import Vector, load
from lindref.conformance.vectors.play import play
from lindref.guest.cc import compile_guest
from lindref.guest.toolchain import GuestBuildError, find_toolchain
from lindref.posix import console
from lindref.profile import SPEC
from lindref.system.boot import boot
from tests.conformance.odd_adapters import WrongCopy, WrongSeek, WrongStatus

ODD = "tests.conformance.odd_adapters:"
SEEDS = range(36)


def without_times(observation: dict) -> list:
    return [
        {**entry, "dump": [{**one, "raw": ""} if isinstance(one, dict) else one for one in entry.get("dump", ())]}
        for entry in observation["log"]
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_is_a_script_that_both_players_play_alike(seed: int, tmp_path: Path) -> None:
    script = generate.script(seed)
    assert script == generate.script(seed)
    path = tmp_path / "x.json"
    path.write_text(vector.text(script, None))
    (again,) = load(path)
    assert (again.programs, list(again.files)) == (script.programs, list(script.files))
    one, other = play(again, SPEC), play_as_cage(again, SPEC)
    assert without_times(dict(one)) == without_times(dict(other))
    assert one["outcome"] == "exit"
    assert one["log"]


def test_scripts_are_about_the_whole_table() -> None:
    """Nearly every call that does not wait or end is made, and calls fail in many ways."""
    names, errors = set(), set()
    for seed in range(90):
        script = generate.script(seed)
        names |= {step["name"] for step in all_steps(script) if step["op"] == "call"}
        errors |= {entry["ret"] for entry in play(script, SPEC)["log"] if isinstance(entry.get("ret"), int)}
    assert len(names) > 75
    assert len({error for error in errors if -134 <= error < 0}) > 18


# What is wrong, in few calls.


@cache
def wrong() -> tuple[Vector, Result]:
    """The first script in which the broken implementation shows itself."""
    adapter = WrongSeek()
    said = described(adapter, "seeks")
    for seed in range(0, 900, 9):  # about files
        case = script_case(generate.script(seed))
        found = examine(adapter, said, case)
        if found.status is Status.FORBIDDEN:
            assert case.script is not None
            return case.script, shortened(adapter, said, case, found, 120, 60)
    raise AssertionError("no script shows it")


def test_a_difference_is_shrunk_to_few_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, found = wrong()
    assert found.rules and found.rules[0].startswith("FILE-SEEK")
    assert found.scripts["script"].count("\n") - 2 <= 3 < shrink.size(whole)
    assert "lseek" in found.scripts["script"]
    path = tmp_path / "found.json"
    path.write_text(found.scripts["vector"])
    (small,) = load(path)
    assert shrink.size(small) <= 3
    # The vector holds what the implementation showed, which is not what the model shows.
    assert vectors([str(path), "--profile", "lind"]) == 1
    assert "recorded {'ret': 0}, played {'ret': -22}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("adapter", "subject", "rule"),
    [(WrongSeek, "files", "FILE-SEEK"), (WrongStatus, "family", "WAIT-"), (WrongCopy, "pipes", "FD-")],
)
def test_a_fault_is_shown_by_few_calls_in_three_forms(
    adapter: type[Lindref], subject: str, rule: str, tmp_path: Path
) -> None:
    """The vector shows it again; the C makes the same calls, and Linux, which is right, answers as the model."""
    made = adapter()
    said = described(made, "odd")
    first = generate.SUBJECTS.index(subject)
    for seed in range(first, 900, len(generate.SUBJECTS)):
        case = script_case(generate.script(seed))
        found = examine(made, said, case)
        if found.status is Status.FORBIDDEN:
            break
    found = shortened(made, said, case, found, 90, 60)
    assert any(one.startswith(rule) for one in found.rules), found.rules
    (tmp_path / "found.json").write_text(found.scripts["vector"])
    (small,) = load(tmp_path / "found.json")
    made_of = [step for step in all_steps(small) if step["op"] in ("call", "call3i", "fork")]
    assert 0 < len(made_of) <= 4, found.scripts["script"]
    assert all(f"{step['id']}: " in found.scripts["script"] for step in made_of)
    again = script_case(classes.evolve(small, lind={}))
    assert examine(made, said, again).status is Status.FORBIDDEN
    assert found.scripts["c"] == c.text(small)
    try:
        linux = make("linux", {"strace": "none"})
    except AdapterError as error:
        pytest.skip(str(error))
    if "script" not in linux.describe().kinds:
        pytest.skip(linux.describe().lacks["script"])
    assert examine(linux, linux.describe(), again).status is Status.ALLOWED


def test_a_difference_is_kept_when_the_implementation_dies_of_shrinking() -> None:
    whole, _ = wrong()
    chosen = cases(["scripts"], Wanted(count=900), [f"scripts.{whole.id}"])
    results = list(pool.run(Plan(ODD + "Fragile", {}, limit=5.0, shrink=40), chosen))
    assert [result.status for result in results] == [Status.FORBIDDEN]


def test_what_differs_nowhere_is_left_as_it_is() -> None:
    script = generate.script(0)
    assert shrink.shrunk(script, lambda _: False, 20) is script


# As C.


@pytest.mark.parametrize("seed", [3, 4, 5, 6, 7])
def test_as_c_a_script_shows_the_same(seed: int, tmp_path: Path) -> None:
    """Compiled with the guest kit, it makes the calls of the script and prints what they return."""
    try:
        find_toolchain()
    except GuestBuildError as missing:
        pytest.skip(str(missing))
    script = generate.script(seed)
    root = tmp_path / "root"
    for folder in ("w/d", "prog", "tmp"):
        (root / folder).mkdir(parents=True)
    (root / "w/a").write_text("hello, world")
    (root / "w/d/e").write_text("x")
    (root / "w/d/e").chmod(0o600)
    os.symlink("a", root / "w/l")
    for name, source in c.files(script).items():
        (tmp_path / name).write_text(source)
        program = root / "prog" / name.removesuffix(".c")
        compile_guest([tmp_path / name], program, grate="pass_fptr_to_wt" in source, extra=["-Wall", "-Werror"])
        program.chmod(0o755)
    system = boot("/prog/main", root=root)
    console.end_stdin(system.kernel)
    system.run()
    lines = [line.split() for line in console.output(system.kernel, console.STDERR).decode().splitlines()]
    told = {(int(words[0]), words[1]): int(words[3]) for words in lines if words[2:3] == ["="]}
    for entry in play(script, SPEC)["log"]:
        if isinstance(entry.get("ret"), int):
            assert told[entry["cage"], entry["step"]] == entry["ret"], entry


def test_as_text() -> None:
    script = generate.script(7)
    shown = text.text(script)
    assert shown.startswith("# grate.7\nprogram main:\n")
    assert "register_handler[self s1, target s1](" in shown
    assert "  handler 1:\n" in shown
    assert all(f" {step['id']}: " in shown for step in all_steps(script))


def test_lindref_comes_through_its_own_scripts() -> None:
    """The other engine and the other player, on a sample."""
    for options in ({"engine": "reference"}, {"player": "direct"}):
        adapter = Lindref(**options)
        said = described(adapter, "lindref")
        for seed in range(100, 109):
            found = examine(adapter, said, script_case(generate.script(seed)))
            assert (found.status, found.detail) == (Status.ALLOWED, "")

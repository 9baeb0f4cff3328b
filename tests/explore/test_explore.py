"""Exploration against brute force, known answers, and that what is reported replays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from counts import Counts
from grate_scenes import CLOSE, GETEUID, GETPID, PIPE, READ, WRITE
from scenes import CallStep, exits, fork

from lindref.cli.main import main
from lindref.explore.exhaustive import Bounds, Search, deepen
from lindref.explore.outcomes import Outcomes, result_of, schedule
from lindref.explore.sampled import answers_of, at_random, with_priorities
from lindref.posix import console
from lindref.system.boot import boot, boot_script
from lindref.system.choices import Replay, parse_schedule
from lindref.system.runtime import Config
from lindref.system.script_runner import Pointer, ResultOf, ScriptState, StoreStep
from lindref.system.system import System

DATA = Path(__file__).resolve().parents[1] / "data"
WAIT = CallStep(61, ((1 << 64) - 1, 0, 0))
FLOCK, OPEN, EX, NB = 73, 2, 2, 4


def scripted(*steps: Any, grates: tuple[Any, ...] = ()) -> System:
    system = boot_script(ScriptState((*steps, exits(0))), grates=grates, config=Config(accesses="shared"))
    console.end_stdin(system.kernel)
    return system


def says(text: bytes) -> tuple[Any, ...]:
    return (StoreStep(512, text), CallStep(WRITE, (1, Pointer(512), len(text))))


def two_writers() -> System:
    return scripted(fork((*says(b"a"), *says(b"b"), exits(0))), *says(b"x"), WAIT)


def crossed_locks() -> System:
    """Two cages take two locks in opposite order."""

    def takes(first: int, second: int) -> tuple[Any, ...]:
        return (CallStep(FLOCK, (first, EX)), CallStep(FLOCK, (second, EX)))

    opens = (StoreStep(512, b"/a\0"), CallStep(OPEN, (Pointer(512), 0o102, 0o600)), StoreStep(512, b"/b\0"))
    again = CallStep(OPEN, (Pointer(512), 0o102, 0o600))
    child = (StoreStep(512, b"/a\0"), CallStep(OPEN, (Pointer(512), 2, 0)), StoreStep(512, b"/b\0"))
    child = (*child, CallStep(OPEN, (Pointer(512), 2, 0)), *takes(6, 5), exits(0))
    return scripted(*opens, again, fork(child), *takes(3, 4), WAIT)


def counted() -> System:
    """Two cages beneath a grate that counts without a lock; the parent asks for the count at the end."""
    return scripted(fork((CallStep(GETEUID), exits(0))), CallStep(GETEUID), WAIT, CallStep(110), grates=(Counts,))


def short_reads() -> System:
    """What one read gives of a pipe is open."""
    return scripted(
        CallStep(PIPE, (Pointer(256),)),
        StoreStep(512, b"abcd"),
        CallStep(WRITE, (4, Pointer(512), 4)),
        CallStep(READ, (3, Pointer(600), 4)),
        CallStep(WRITE, (1, Pointer(600), 4)),
        CallStep(CLOSE, (3,)),
    )


class Asked:
    """Replays answers, and notes how many options there were."""

    def __init__(self, answers: tuple[int, ...]) -> None:
        self.answers = answers
        self.options: list[int] = []

    def choose(self, index: int, kind: str, options: int) -> int:
        self.options.append(options)
        return self.answers[index] if index < len(self.answers) else 0


def brute_force(make: Callable[[], System]) -> Outcomes:
    """Every schedule there is, one run each."""
    outcomes = Outcomes()
    todo: list[tuple[int, ...]] = [()]
    while todo:
        prefix = todo.pop()
        asked = Asked(prefix)
        system = make()
        already = system.choices.state.count
        assert not already
        system.choices.chooser = asked
        system.run()
        answers = answers_of(system)
        outcomes.add(result_of(system), answers)
        todo += [
            (*answers[:i], other) for i in range(len(prefix), len(answers)) for other in range(1, asked.options[i])
        ]
    return outcomes


@pytest.mark.parametrize("make", [two_writers, crossed_locks, short_reads])
def test_exhaustive_is_brute_force(make: Callable[[], System]) -> None:
    """EXP-1, EXP-3, EXP-4: the same outcomes from as many schedules; each that is named replays (EXP-2)."""
    whole = brute_force(make)
    search = Search(make(), Bounds())
    found = search.run()
    assert search.complete
    assert {r: f.count for r, f in found.found.items()} == {r: f.count for r, f in whole.found.items()}
    assert {r: sum(1 for a in f.answers if a) for r, f in found.found.items()} == {
        r: sum(1 for a in f.answers if a) for r, f in whole.found.items()
    }
    deeper, last = deepen(make(), Bounds())
    assert last.complete
    assert {r: f.count for r, f in deeper.found.items()} == {r: f.count for r, f in whole.found.items()}
    for outcomes in (found, deeper):
        for result, how in outcomes.found.items():
            again = make()
            again.choices.chooser = Replay(parse_schedule(schedule(how.answers)))
            again.run()
            assert result_of(again) == result
    for sampled in (at_random(make(), 20, 1), with_priorities(make(), 20, 1)):  # EXP-5
        assert set(sampled.found) <= set(whole.found)
        assert sum(f.count for f in sampled.found.values()) == 20


def test_known_answers() -> None:
    """What these worlds can do, by thinking."""
    assert {r.stdout for r in Search(two_writers(), Bounds()).run().found} == {b"abx", b"axb", b"xab"}
    locks = Search(crossed_locks(), Bounds()).run().found
    assert {(r.ending, r.exit_status) for r in locks} == {("exit", 0), ("deadlock", 71)}
    assert {r.stdout for r in Search(short_reads(), Bounds()).run().found} == {b"abcd", b"ab\0\0"}


def test_the_lost_addition_of_a_grate() -> None:
    """The parent exits with the count that the grate tells: 2, or 1 where one is lost."""

    def make() -> System:
        child = (CallStep(GETEUID), exits(0))
        steps = (fork(child), CallStep(GETEUID), WAIT, CallStep(110), CallStep(231, (ResultOf(3),)))
        system = boot_script(ScriptState(steps), grates=(Counts,), config=Config(accesses="shared"))
        console.end_stdin(system.kernel)
        return system

    assert {r.exit_status for r in Search(make(), Bounds()).run().found} == {1, 2}
    assert {r.exit_status for r in Search(make(), Bounds(preemptions=0)).run().found} == {2}


def test_bounds_are_said() -> None:
    """A search that does not end says that it is not complete, and still gives what it found."""
    search = Search(two_writers(), Bounds(states=4))
    assert search.run().found
    assert not search.complete
    fewer = Search(two_writers(), Bounds(kinds=frozenset({"zombie"})))
    assert len(fewer.run().found) == 1


def program(name: str, accesses: str = "shared") -> System:
    system = boot(DATA / name, root_mode="blank", config=Config(accesses=accesses))
    console.end_stdin(system.kernel)
    return system


def test_two_additions() -> None:
    """SCHED-7: the race is between two accesses to memory, with one preemption; not where only calls switch."""
    found = Search(program("race.wasm"), Bounds(preemptions=1)).run().found
    assert {r.stdout for r in found} == {b"1\n", b"2\n"}
    calls = Search(program("race.wasm", "none"), Bounds())
    assert {r.stdout for r in calls.run().found} == {b"2\n"}
    assert calls.complete


def test_three_philosophers() -> None:
    """Random priorities find the deadlock of three who each take the left fork first."""
    found = with_priorities(program("dining.wasm"), 40, 3)
    assert {r.ending for r in found.found} == {"exit", "deadlock"}
    deadlock = next(r for r in found.found if r.ending == "deadlock")
    assert deadlock.text.count("in futex") == 3


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON as published, and a schedule of it replayed."""
    words = ["explore", "--root-mode", "blank"]
    assert main([*words, "--preemptions", "1", "--json", str(DATA / "race.wasm")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(o["stdout"], o["stderr"], o["exit_status"], o["deadlock"]) for o in found] == [
        ("2\n", "", 0, False),
        ("1\n", "", 0, False),
    ]
    assert all(o["count"] >= 1 for o in found)
    assert main([*words, "--replay", found[1]["schedule"], "--json", str(DATA / "race.wasm")]) == 0
    assert json.loads(capsys.readouterr().out)[0]["stdout"] == "1\n"
    assert main([*words, "--strategy", "random", "--runs", "3", "--seed", "2", str(DATA / "race.wasm")]) == 0
    assert "outcome 1: exit, exit status 0, " in capsys.readouterr().out
    assert main([*words, "--max-states", "5", str(DATA / "race.wasm")]) == 0
    assert "there may be other outcomes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--kinds", "thread,luck", "x.wasm"], 2, "--kinds: there is no kind 'luck'"),
        (["nowhere.wasm"], 2, "No such file or directory"),
        (["--replay", "1,x", str(DATA / "race.wasm")], 2, "cannot read 'x'"),
        (["--stdin", "/no/such", str(DATA / "race.wasm")], 2, "/no/such: No such file"),
        ([str(DATA / "race.c")], 70, "not a wasm module"),
    ],
)
def test_wrong_use_is_one_line(words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore", "--root-mode", "blank", *words]) == status
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1


def test_pids_do_not_depend_on_the_way() -> None:
    """A world without a race has one outcome, however many schedules."""
    system = scripted(fork((CallStep(GETPID), exits(0))), CallStep(GETPID), WAIT)
    found = Search(system, Bounds()).run().found
    assert len(found) == 1
    assert next(iter(found.values())).count > 1

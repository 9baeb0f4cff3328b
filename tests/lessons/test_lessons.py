"""The lessons: what they show is made by running them, each exercise can be solved and is not solved yet."""

from __future__ import annotations

import functools
import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import lindref
from lindref.cli.main import main
from lindref.guest.cc import compile_guest
from lindref.guest.toolchain import GuestBuildError, find_toolchain
from lindref.lessons import LessonError, find, lessons
from lindref.lessons.cells import played
from lindref.lessons.exercises import Verdict, check
from lindref.lessons.text import COURSE, Block, read
from lindref.system.events import Enter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from notebooks import settled  # noqa: E402

NOTEBOOKS = ROOT / "docs" / "notebooks"
NAMES = ["call", "fork", "pipes", "grate", "order", "inherit", "race", "sandbox"]


@functools.cache
def run(name: str) -> tuple[tuple[Block, str], ...]:
    """A lesson, gone through once."""
    return tuple(played(find(name)))


def shown(name: str) -> str:
    """All that the cells of a lesson show."""
    return "".join(text for _, text in run(name))


def text_of(outputs: list[dict[str, Any]]) -> str:
    """What a notebook's cell shows, as plain text."""
    parts = []
    for output in outputs:
        text = output["text"] if "text" in output else output["data"]["text/plain"]
        joined = text if isinstance(text, str) else "".join(text)
        parts.append(joined if "text" in output else joined + "\n")
    return "".join(parts)


def notebook(name: str) -> dict[str, Any]:
    found = next(NOTEBOOKS.glob(f"*-{name}.ipynb"))
    return dict(json.loads(found.read_text(encoding="utf-8")))


def test_there_are_eight() -> None:
    assert [one.name for one in lessons()] == NAMES
    assert [one.number for one in lessons()] == list(range(1, 9))
    for lesson in lessons():
        assert lesson.title and lesson.about and lesson.exercise
        assert (lesson.folder / "start" / lesson.exercise).is_file()
        assert (lesson.folder / "solution" / lesson.exercise).is_file()
        assert (lesson.needs == "clang") == lesson.exercise.endswith(".c")
        kinds = [block.kind for block in lesson.blocks]
        assert kinds[0] == "prose" and kinds[-1] == "prose" and kinds.count("python") + kinds.count("console") >= 4


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_shows_what_its_notebook_shows(name: str) -> None:
    """Both are made of one text: the terminal's cells and those kept in docs/notebooks show the same."""
    cells = [cell for cell in notebook(name)["cells"] if cell["cell_type"] == "code"][1:]
    ran = [(block, text) for block, text in run(name) if block.kind in ("python", "console")]
    assert len(cells) == len(ran)
    for cell, (block, text) in zip(cells, ran, strict=True):
        source = "".join(cell["source"])
        assert source == (block.text if block.kind == "python" else f"%{block.text}")
        assert settled(text_of(cell["outputs"])) == settled(text)
    prose = ["".join(cell["source"]) for cell in notebook(name)["cells"] if cell["cell_type"] == "markdown"]
    assert all(block.text in prose for block, _ in run(name) if block.kind == "prose")


def test_the_notebooks_are_those_that_running_gives() -> None:
    """Executed by a Jupyter kernel, all of them; a difference is mended by ``python tools/notebooks.py``."""
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "notebooks.py"), "--check"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]


# What the texts say of what is shown.


def test_what_the_lessons_say_is_so() -> None:
    call = shown("call")
    assert 'open("/etc/motd", O_RDONLY) = 3' in call and "before: [0, 1, 2]\nafter:  [0, 1, 2, 3]" in call
    fork = shown("fork")
    assert fork.count("they differ in one value") == 1 and len(re.findall("≠", fork)) == 1
    assert "operand 0             2                   0                   ≠" in fork
    assert ", 0 are one cage's own" in fork and "0 pages are shared" not in fork
    pipes = shown("pipes")
    assert "in read, waiting for data in pipe 1" in pipes and "deadlock" in pipes and "[exit status 71]" in pipes
    order, inherit = shown("order"), shown("inherit")
    assert "open of cage 1 is served by 3002" in order and "open of cage 3001 is served by 777777" in order
    assert inherit.count("Welcome to the sandbox.") == 3 and "cage 3: 3 of its own, 3 in all" in inherit
    race = shown("race")
    first, second = race.index("account holds 200"), race.index("account holds 100")
    assert first < second and race.count("outcome 2") == 1, "with the mutex there is one outcome"
    counts = re.search(r"right in (\d+) schedules, wrong in (\d+)", race)
    assert counts and int(counts[1]) > int(counts[2]) > 0
    assert "account holds 100\ncomplete:" in race, "the schedule that was found gives the wrong sum again"
    sandbox = shown("sandbox")
    assert "out of bounds memory access" in sandbox and "undefined element" in sandbox
    assert "still: the parent's secret" in sandbox and "[CAP-5]" in sandbox
    assert 'the child holds "the parent\'s secret"' in sandbox and 'the child holds ""' in sandbox


def test_a_grate_rewrites_an_open() -> None:
    """What a student is to have understood after ten minutes."""
    text = shown("grate")
    lines = text[text.index("register_handler(cage 1, open") :].splitlines()
    inner = next(i for i, line in enumerate(lines) if '│ open("/sandbox/etc/motd"' in line)
    assert '"/etc/motd", O_RDONLY <unfinished ...> → grate 3001 Redirect.open' in lines[inner - 1]
    assert "open resumed>) = 3" in lines[inner + 1]
    assert "2f 65 74 63 2f 6d 6f 74 64 00" in text  # the cage's memory still has the name it asked for


# Exercises.

#: What is said of the file that an exercise begins with.
SAYS = {
    "call": "a descriptor is left open",
    "fork": "does not print 42",
    "pipes": "does not come to its end",
    "grate": "can tell that there is something",
    "order": "does not have the name that the cage used",
    "inherit": "open number 4 should fail",
    "race": "a schedule in which it goes wrong",
    "sandbox": "has read the secret",
}


def prebuilt(name: str, which: str) -> Path:
    """The exercise's file, of C the program built from it."""
    lesson = find(name)
    path = lesson.folder / which / lesson.exercise
    return path.with_suffix(".wasm") if path.suffix == ".c" else path


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_is_not_solved_yet(name: str) -> None:
    verdict = check(find(name), prebuilt(name, "start"))
    assert not verdict.passed and SAYS[name] in verdict.lines[0]
    assert len(verdict.lines) > 1, "the case that shows it"


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_can_be_solved(name: str) -> None:
    verdict = check(find(name), prebuilt(name, "solution"))
    assert verdict.passed, verdict.lines


def verdict_of(name: str, text: str, tmp_path: Path) -> Verdict:
    path = tmp_path / find(name).exercise
    path.write_text(text)
    return check(find(name), path)


def solution_of(name: str) -> str:
    lesson = find(name)
    return (lesson.folder / "solution" / lesson.exercise).read_text()


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("call", "buffer, got)", "buffer, 100)", "the copy is not the same"),
        ("call", " | O_TRUNC", "", "the copy is not the same"),
        ("grate", "any_call(self, call)", "open(self, call)", "can tell"),
        ("grate", "else self.forward()", "else -ENOENT", "can tell"),
        ("grate", "call.number)]", "call.nr)]", "the grate makes a mistake"),
        ("order", "[Deny, Redirect, Log]", "[Redirect, Deny, Log]", "a way to the denied file is open"),
        ("order", "[Deny, Redirect, Log]", "[Deny, Log, Redirect]", "the log does not have"),
        ("inherit", ">= 3", ">= 2", "open number 3 should succeed"),
        ("inherit", "-EMFILE", "-13", "open number 4 should fail"),
        ("sandbox", '"open", "openat"', '"open"', "has read the secret"),
        ("sandbox", "!= secret", "!= 0", "has read the secret"),
        ("sandbox", "        return -EACCES", "        return 0", ""),
    ],
)
def test_half_solved(name: str, old: str, new: str, says: str, tmp_path: Path) -> None:
    """Each mistake in a solution is found, or is none."""
    text = solution_of(name)
    assert old in text
    verdict = verdict_of(name, text.replace(old, new), tmp_path)
    if says:
        assert not verdict.passed and says in verdict.lines[0], verdict.lines
    else:
        assert verdict.passed, "0 is a descriptor, too, but gives no secret away"


def test_files_that_cannot_be_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, and status 2."""
    cases = {
        "copy.py": ["def program(:\n", "x = 1\n", "1 / 0\n"],
        "hide.py": ["class Hide:\n    pass\n", "import lindref\nclass Hide(lindref.Grate):\n    open = 3\n"],
        "order.py": ["STACK = 3\n"],
        "sum.wasm": ["no wasm"],
    }
    names = {"copy.py": "call", "hide.py": "grate", "order.py": "order", "sum.wasm": "fork"}
    for file, texts in cases.items():
        for text in texts:
            path = tmp_path / file
            path.write_text(text)
            assert main(["learn", names[file], "--check", str(path)]) == 2
            said = capsys.readouterr()
            assert said.out == "" and said.err.count("\n") == 1 and said.err.startswith("lindref learn: "), said.err
    (tmp_path / "copy.py").write_text("def program(script):\n    script.call('nothing')\n")
    assert main(["learn", "call", "--check", str(tmp_path / "copy.py")]) == 1
    assert "line 2: ValueError: there is no call 'nothing'" in capsys.readouterr().out


def find_folder(source: Path) -> Path:
    """The lesson's folder that a source belongs to."""
    return COURSE / source.relative_to(COURSE).parts[0]


def does(program: Path) -> tuple[list[str], bytes, str]:
    """What a program does, in the folder that one stands in: its calls, its output, its end."""
    system = lindref.boot(program)
    system.run()
    assert system.outcome is not None
    return [event.name for event in system.trace if isinstance(event, Enter)], system.stdout, system.outcome.ending


def test_c_is_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is checked is what the student wrote; the programs that travel are those of their sources."""
    try:
        find_toolchain()
    except GuestBuildError as missing:
        pytest.skip(f"needs a tool chain: {missing}")
    assert main(["learn", "fork", "--start", str(tmp_path)]) == 0
    assert main(["learn", "fork", "--check", str(tmp_path / "sum.c")]) == 1
    said = capsys.readouterr().out
    assert "it writes: 24" in said
    for line in said.splitlines()[-2:]:  # the commands that show it again
        words = shlex.split(line)
        assert words[0] == "lindref" and main(words[1:]) == 0
    assert capsys.readouterr().out == "24\n"
    (tmp_path / "sum.c").write_text(solution_of("fork"))
    assert main(["learn", "fork", "--check", str(tmp_path / "sum.c")]) == 0
    (tmp_path / "sum.c").write_text("int main(void) { return no_such_thing; }\n")
    assert main(["learn", "fork", "--check", str(tmp_path / "sum.c")]) == 2
    assert "does not compile" in capsys.readouterr().err
    for source in sorted(COURSE.rglob("*.c")):
        made = tmp_path / source.with_suffix(".wasm").name
        monkeypatch.chdir(find_folder(source))
        compile_guest([source], made)
        assert does(made) == does(source.with_suffix(".wasm")), source


# The command.


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn"]) == 0
    said = capsys.readouterr().out
    assert [line.split()[1] for line in said.splitlines() if re.match(r"\d ", line)] == NAMES
    assert main(["learn", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed] == NAMES
    assert listed[1]["exercise"] == {"file": "sum.c", "needs": "clang"}


def test_a_lesson_in_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal it runs through, in plain text."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert main(["learn", "6"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("6. Inheritance\n==") and "\x1b" not in said and "Enter goes on" not in said
    for _, text in run("inherit"):
        assert all(line in said for line in text.splitlines())
    assert said.rstrip().endswith("lindref learn inherit --check mine/budget.py")
    assert main(["learn", "inherit", "--json"]) == 0
    blocks = json.loads(capsys.readouterr().out)["blocks"]
    assert [(b["kind"], b.get("shows", "")) for b in blocks] == [(block.kind, text) for block, text in run("inherit")]


def test_start_check_solution(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine"
    assert main(["learn", "inherit", "--start", str(mine)]) == 0
    assert capsys.readouterr().out == f"{mine / 'budget.py'}\n"
    assert main(["learn", "inherit", "--start", str(mine)]) == 2  # what a student wrote is not written over
    assert main(["learn", "inherit", "--check", str(mine / "budget.py")]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("not yet: open number 4 should fail") and "is there already" in said.err
    assert main(["learn", "inherit", "--solution"]) == 0
    (mine / "budget.py").write_text(capsys.readouterr().out)
    assert main(["learn", "inherit", "--check", str(mine / "budget.py"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passed"] is True
    for words in (["nothing"], ["--start", "x"], ["call", "--check", str(mine)], ["call", "--check", "none"]):
        assert main(["learn", *words]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_notebooks_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["learn", "--notebooks", str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 8
    for path in tmp_path.glob("*.ipynb"):
        made, kept = json.loads(path.read_text()), json.loads((NOTEBOOKS / path.name).read_text())
        assert [(c["cell_type"], "".join(c["source"])) for c in made["cells"]] == [
            (c["cell_type"], "".join(c["source"])) for c in kept["cells"]
        ]


def test_step_by_step_on_a_terminal() -> None:
    """It waits for Enter after each cell, and q leaves."""
    master, slave = pty.openpty()
    words = [sys.executable, "-m", "lindref.cli.main", "learn", "inherit"]
    process = subprocess.Popen(words, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen = ""

    def until(text: str, times: int) -> None:
        nonlocal seen
        end = time.monotonic() + 60
        while seen.count(text) < times and time.monotonic() < end:
            if select.select([master], [], [], 1)[0]:
                seen += os.read(master, 65536).decode("utf-8", "replace")
        assert seen.count(text) >= times, seen[-500:]

    until("Enter goes on", 1)
    assert "the program reads" in seen and "grates over it" not in seen
    os.write(master, b"\n")
    until("Enter goes on", 2)
    assert "grates over it" in seen and "\x1b[" in seen
    os.write(master, b"q\n")
    assert process.wait(60) == 0
    os.close(master)
    assert seen.count("Enter goes on") == 2


def test_texts_that_are_none(tmp_path: Path) -> None:
    folder = tmp_path / "1-x"
    folder.mkdir()
    (folder / "lesson.md").write_text("title: t\n\nno more\n")
    with pytest.raises(LessonError, match="begins with title"):
        read(folder)
    with pytest.raises(LessonError, match="there is no lesson 'none'"):
        find("none")

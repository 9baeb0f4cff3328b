"""``lindref learn``: guided lessons, run where they are read, each with an exercise that is checked."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from lindref.arguments import USAGE, Arguments
from lindref.cli.prose import Prose
from lindref.lessons import Lesson, LessonError, find, lessons
from lindref.lessons.cells import played
from lindref.lessons.exercises import ExerciseError, Verdict, check, solution, start
from lindref.lessons.notebooks import write as write_notebooks

#: Exit status of an exercise that is not solved.
UNSOLVED = 1


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref learn",
        description="Guided lessons about Lind: cages, grates, fork, schedules. Without a name: the list. On a "
        "terminal a lesson goes on by Enter; otherwise it runs through.",
        epilog="Exit status: 0; with --check 1 where the exercise is not solved yet; 2 usage. Examples: lindref learn; "
        "lindref learn fork; lindref learn fork --start mine; lindref learn fork --check mine/sum.c",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("lesson", nargs="?", metavar="LESSON", help="its name or number")
    add("--start", metavar="DIR", help="write what the exercise begins with into DIR")
    add("--check", metavar="FILE", help="try what you wrote on many cases (C or wasm, or Python)")
    add("--solution", action="store_true", help="show a model solution of the exercise")
    add("--notebooks", metavar="DIR", help="write the lessons (or LESSON) as Jupyter notebooks into DIR")
    add("--json", action="store_true", help="the list, a lesson with what its cells show, or a verdict, as JSON")
    return parser


def _listing(every: list[Lesson], screen: Prose) -> str:
    lines = [screen.paint(f"{one.number}  {one.name:<8} {one.title}", "1") + f"\n   {one.about}" for one in every]
    return "\n".join(lines) + "\n\nlindref learn NAME begins a lesson; ten minutes each.\n"


def _as_json(lesson: Lesson) -> dict[str, Any]:
    exercise = {"file": lesson.exercise, "needs": lesson.needs or None}
    about = {"number": lesson.number, "name": lesson.name, "title": lesson.title, "about": lesson.about}
    return {**about, "exercise": exercise}


def _screen() -> Prose:
    colour = "NO_COLOR" not in os.environ and ("FORCE_COLOR" in os.environ or sys.stdout.isatty())
    return Prose(shutil.get_terminal_size((92, 24)).columns, colour=colour)


def _pause(screen: Prose) -> bool:
    """Wait for Enter; false where the reader has had enough."""
    sys.stdout.write(screen.paint("── Enter goes on, q leaves ── ", "2"))
    sys.stdout.flush()
    answer = sys.stdin.readline()
    return bool(answer) and answer.strip().lower() not in ("q", "quit", "exit")


def _teach(lesson: Lesson) -> int:
    """Go through a lesson; it waits before each cell where somebody sits at the terminal."""
    screen = _screen()
    waits = sys.stdin.isatty() and sys.stdout.isatty()
    write = sys.stdout.write
    write(screen.title(f"{lesson.number}. {lesson.title}") + "\n")
    for block, shown in played(lesson):
        if block.kind == "prose":
            write(screen.prose(block.text) + "\n")
            continue
        if block.kind == "source":
            write(screen.code(block.text, block.name) + "\n")
            continue
        write(screen.code(block.text if block.kind == "python" else f"$ {block.text}"))
        write(screen.output(shown) + "\n")
        if waits and not _pause(screen):
            return 0
    write(_exercise(lesson, screen))
    return 0


def _exercise(lesson: Lesson, screen: Prose) -> str:
    needs = "You will need clang (pip install 'lindref[cc]' brings one). " if lesson.needs else ""
    begin = f"lindref learn {lesson.name} --start mine"
    then = f"lindref learn {lesson.name} --check mine/{lesson.exercise}"
    return screen.prose(f"{needs}Begin, and check as often as you like:") + "\n" + screen.code(f"{begin}\n{then}")


def _verdict(verdict: Verdict, *, as_json: bool) -> int:
    if as_json:
        sys.stdout.write(json.dumps({"passed": verdict.passed, "lines": list(verdict.lines)}) + "\n")
    else:
        head, *more = verdict.lines
        said = "solved: " if verdict.passed else "not yet: "
        sys.stdout.write("\n".join([said + head, *more]) + "\n")
    return 0 if verdict.passed else UNSOLVED


def _dispatch(options: argparse.Namespace) -> int:
    chosen = None if options.lesson is None else find(options.lesson)
    every = lessons() if chosen is None else [chosen]
    if options.notebooks is not None:
        for path in write_notebooks(every, Path(options.notebooks)):
            sys.stdout.write(f"{path}\n")
        return 0
    if chosen is None:
        if options.start or options.check or options.solution:
            raise LessonError("which lesson? (lindref learn LESSON --start DIR)")
        listing = json.dumps([_as_json(one) for one in every], indent=1) + "\n"
        sys.stdout.write(listing if options.json else _listing(every, _screen()))
        return 0
    if options.start is not None:
        for path in start(chosen, Path(options.start)):
            sys.stdout.write(f"{path}\n")
        return 0
    if options.check is not None:
        return _verdict(check(chosen, Path(options.check)), as_json=options.json)
    if options.solution:
        sys.stdout.write(solution(chosen).read_text(encoding="utf-8"))
        return 0
    if options.json:
        blocks = [
            {"kind": block.kind, "text": block.text, **({"shows": shown} if shown else {})}
            for block, shown in played(chosen)
        ]
        sys.stdout.write(json.dumps({**_as_json(chosen), "blocks": blocks}, indent=1) + "\n")
        return 0
    return _teach(chosen)


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(argv)
    try:
        return _dispatch(options)
    except (LessonError, ExerciseError) as error:
        sys.stderr.write(f"lindref learn: {error}\n")
        return USAGE

"""``lindref step``: the panes as text, the application under Textual's pilot, the program itself in a terminal (tmux).

Screens lie in ``screens/``; with LINDREF_SCREENS=write they are written anew.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from scenes import GUESTS

import lindref
from lindref.cli.main import main
from lindref.cli.stepper_keys import HELP
from lindref.cli.stepper_view import PANES, View
from lindref.system.session import System

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = ROOT / "tests" / "data"
FOLDER = GUESTS / "grate_redirect"


def booted() -> System:
    """A grate and its cage, about to run; without debug information."""
    argv = json.loads((FOLDER / "expected.json").read_text())["argv"]
    return lindref.boot(argv[0], argv[1:], root=FOLDER)


def walk() -> System:
    """A program with debug information."""
    return lindref.boot("walk.wasm", root=DATA)


def text(view: View, pane: str, height: int = 20) -> str:
    return "\n".join(row.text for row in view.pane(pane, height))


def test_the_panes_say_where_one_stands() -> None:
    """TRAVEL-2: the same text at the same place, from either side."""
    view = View(booted())
    opened = view.system.run_until(call="open", cage=2)
    view.debugger.settle()
    assert opened is not None
    names = [name for name, _ in PANES if name != "calls"]
    here = {name: text(view, name) for name in names}
    assert "open: grate 1 at" in here["handlers"] and "cage 2 ← 1" in here["cages"]
    assert "cage 2 calls open" in here["journey"] and "→ grate 1  [3I-ROUTE-2]" in here["journey"]
    assert "1: console" in here["files"] and "rw" in here["memory"]
    marked = [line for line in text(view, "calls").splitlines() if line.startswith("▶")]
    assert len(marked) == 1 and "open(" in marked[0]
    where = view.where()
    view.system.run()
    view.debugger.settle()
    lines = list(view.transcript.lines)
    assert view.where().endswith("status 0") and text(view, "output") and text(view, "cages") == "no cage lives"
    view.system.goto_turn(0)
    view.system.run_until(call="open", cage=2)
    view.debugger.settle()
    assert view.where() == where and {name: text(view, name) for name in names} == here
    # What is known of the future is shown as such, and nothing is written down twice.
    assert "\n· " in text(view, "calls") and view.transcript.lines == lines


def test_source_values_and_stack() -> None:
    view = View(walk(), (str(DATA),))
    view.debugger.goto_line("walk.c", 61, forwards=True)
    rows = view.source(10)
    assert [r.text[:2] for r in rows].count(" ▶") == 1 and any("total += twice" in r.text for r in rows)
    assert view.title() == "sum · walk.c:61"
    values = "\n".join(row.text for row in view.values())
    assert "total = 0" in values and "operands" in values and "wasm locals" in values
    assert text(view, "stack").splitlines()[1].split()[:2] == ["_start", "walk.c:116"]
    view.level = 1
    assert view.title() == "_start · walk.c:116"
    view.level = 0
    code = view.source(9, code=True)
    assert sum("▶" in r.text for r in code) == 1 and any("local" in r.text for r in code)
    assert "i32" in "".join(row.text for row in View(walk(), ()).source(4)) or not View(walk(), ()).source(4)
    text_at = int(view.debugger.evaluate("&text", view.debugger.stack()[0]).number())
    view.memory = text_at
    assert "walk" in text(view, "memory")


def piloted(
    steps: Callable[[Any, Any], Awaitable[None]],
    size: tuple[int, int] = (80, 24),
    system: Callable[[], System] = booted,
) -> None:
    """Run the application headless."""
    pytest.importorskip("textual")
    from lindref.cli.stepper_app import Stepper

    async def session() -> None:
        app = Stepper(system(), (str(DATA),))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(session())


def shown(app: Any, name: str) -> str:
    """What a pane shows."""
    return str(app.query_one(f"#{name}").render())


def screen(app: Any) -> str:
    """The whole screen as text, without the line of keys, which is Textual's own."""
    strips = app.screen._compositor.render_strips()[:-1]
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


def same(app: Any, name: str) -> None:
    """The screen is the one that is kept."""
    path = HERE / "screens" / f"{name}.txt"
    now = screen(app)
    if os.environ.get("LINDREF_SCREENS") == "write":
        path.write_text(now, encoding="utf-8")
    assert now == path.read_text(encoding="utf-8"), name


def test_turns_calls_and_places() -> None:
    """Turns, calls, ends, places by number and name, help; at 80 columns and 24 lines."""

    async def steps(app: Any, pilot: Any) -> None:
        await pilot.press("t", "t", "t")
        assert app.system.turn == 3
        await pilot.press("T", "T")
        assert app.system.turn == 1 and "turn 1" in shown(app, "where")
        await pilot.press("end")
        assert app.system.outcome is not None and "status 0" in shown(app, "where")
        end = app.system.turn
        await pilot.press("up")
        assert app.system.turn < end and app.system.outcome is None
        await pilot.press("home")
        assert app.system.turn == 0
        await pilot.press("down")
        assert app.system.position > 0
        await pilot.press("colon", *"40", "enter")
        assert app.system.position >= 40
        await pilot.press("home", "colon", *"open", "enter")
        assert "open(" in shown(app, "pane")
        await pilot.press("2")
        assert "3I-ROUTE-2" in shown(app, "pane")
        same(app, "journey_of_open")
        await pilot.press("question_mark", *"nothing", "enter")
        assert app.system.turn == 0 and "no call of nothing" in shown(app, "message")
        await pilot.press("colon", *"12", "escape")
        assert app.focused is None and app.system.turn == 0
        await pilot.press("T")
        assert "the beginning" in shown(app, "message")
        await pilot.press("h")
        assert "one turn of a thread" in shown(app, "source")
        same(app, "help")
        await pilot.press("h")
        assert "one turn" not in shown(app, "source")

    piloted(steps)


def test_lines_instructions_and_breakpoints() -> None:
    async def steps(app: Any, pilot: Any) -> None:
        await pilot.press("b", *"sum", "enter")
        assert "sum" in shown(app, "pane")
        await pilot.press("g", "3")
        assert "▶  59     int total = 0;" in shown(app, "source") and "list = 0x" in shown(app, "values")
        same(app, "sum")
        await pilot.press("n", "n")
        assert app.view.title() == "sum · walk.c:61"
        await pilot.press("N")
        assert app.view.title() == "sum · walk.c:60"
        await pilot.press("o", "s", "n")
        assert app.view.title() == "_start · walk.c:118"
        await pilot.press("S")
        before = app.debugger.position
        await pilot.press("i", "I")
        assert app.debugger.position == before
        await pilot.press("j", "J")
        assert app.debugger.position == before
        await pilot.press("B", "b", *"call * fails", "enter", "g")
        assert app.system.outcome is not None
        await pilot.press("B", "b", *"factorial if n == 2", "enter", "G")
        assert app.view.title().startswith("factorial") and "breakpoint" in shown(app, "message")
        await pilot.press("plus")
        assert app.view.level == 1 and "n = 3" in shown(app, "values")
        await pilot.press("minus", "e", *"n * 100", "enter")
        assert "n * 100 → 200  (int)" in shown(app, "message")
        await pilot.press("e", *"counter = 5", "enter", "w", *"counter", "enter")
        assert app.view.title() == "_start · walk.c:116"
        await pilot.press("m", *"text", "enter")
        assert "walk" in shown(app, "pane")
        same(app, "memory")
        await pilot.press("x")
        assert "local.get" in shown(app, "source")
        same(app, "disassembly")
        await pilot.press("b", *"nonsense(", "enter", "b", *"call open errno=X", "enter")
        assert "no such error" in shown(app, "message")
        await pilot.press("e", *"nothing", "enter")
        assert "no nothing here" in shown(app, "message")
        await pilot.press("b", "question_mark", "enter")
        assert "when a value changes" in shown(app, "source")
        await pilot.press("escape", "slash", *"clone", "enter")
        assert "found" in shown(app, "message")
        await pilot.press("slash", *"xyzzy", "enter")
        assert "not among" in shown(app, "message")

    piloted(steps, system=walk)


def test_every_pane_and_size() -> None:
    async def steps(app: Any, pilot: Any) -> None:
        await pilot.press("b", *"= counter", "enter", "b", *"my_uid", "enter", "g")
        assert app.view.title().startswith("my_uid")
        for number, (name, heading) in enumerate(PANES, 1):
            await pilot.press(str(number))
            assert app.pane == name and f"[{heading}]" in shown(app, "tabs") and shown(app, "pane").strip()
        await pilot.press("tab")
        assert app.pane == "calls"
        await pilot.press("5", "v", "v")
        assert "worker 1" in shown(app, "pane")
        same(app, "cages_wide")

    piloted(steps, (132, 40), walk)


def test_the_mouse() -> None:
    """A click on a line of source sets a breakpoint, on a tab shows its pane, on a call goes there."""

    async def steps(app: Any, pilot: Any) -> None:
        app.debugger.goto_line("walk.c", 61, forwards=True)
        app.show()
        await pilot.pause()
        rows = app.query_one("#source").rows
        at = next(i for i, row in enumerate(rows) if "return total" in row.text)
        await pilot.click("#source", offset=(8, at))
        assert [b.line for b in app.debugger.breakpoints.values()] == [62]
        assert "●" in shown(app, "source")
        await pilot.click("#source", offset=(8, at))
        assert not app.debugger.breakpoints
        await pilot.click("#tabs", offset=(app.query_one("#tabs").spans[2][0] + 1, 0))
        assert app.pane == "stack"
        await pilot.click("#pane", offset=(2, 1))
        assert app.view.level == 1
        await pilot.press("1")
        await pilot.click("#pane", offset=(3, 0))
        assert app.system.turn < 2
        await pilot.press("end")
        await pilot.click("#tabs", offset=(0, 0))
        assert app.pane == "calls"

    piloted(steps, system=walk)


def test_a_branch_and_back() -> None:
    """TRAVEL-4: what if the last call had failed; the run that one came from is as it was."""

    async def steps(app: Any, pilot: Any) -> None:
        await pilot.press("end")
        usual = app.system.stdout
        await pilot.press("home", "colon", *"open", "enter", "f")
        assert len(app.lines) == 2 and "branch 1" in shown(app, "where")
        await pilot.press("end")
        assert "EIO" in "\n".join(app.view.transcript.lines) and app.system.stdout != usual
        await pilot.press("u")
        assert len(app.lines) == 1 and "the branch parted: event " in shown(app, "message")
        await pilot.press("end")
        assert app.system.stdout == usual

    piloted(steps, (120, 40))


def test_another_thread_goes_first() -> None:
    """TRAVEL-4, from the stepper."""

    async def steps(app: Any, pilot: Any) -> None:
        await pilot.press("F")
        assert len(app.lines) == 1 and "no choice" in shown(app, "message")
        await pilot.press("end", "F")
        assert len(app.lines) == 2 and "another thread" in shown(app, "message")
        await pilot.press("end", "u")
        assert "parted: event" in shown(app, "message")

    piloted(steps, (120, 30), walk)


def test_the_help_names_every_key() -> None:
    pytest.importorskip("textual")
    from lindref.cli.stepper_app import Stepper

    symbols = {"colon": ":", "question_mark": "?", "slash": "/", "plus": "+", "minus": "-"}
    keys = {b.key for b in Stepper.BINDINGS if hasattr(b, "key")} - {"escape", "tab", "right", "left", "up", "down"}
    missing = [k for k in keys if not k.isdigit() and symbols.get(k, k.title() if len(k) > 1 else k) not in HELP]
    assert not missing


@pytest.mark.parametrize("colour", [True, False])
def test_in_a_terminal(tmp_path: Path, colour: bool) -> None:
    """The program itself, at 80 columns and 24 lines, with and without colour."""
    pytest.importorskip("textual")
    tmux = shutil.which("tmux")
    if tmux is None:
        pytest.skip("no tmux")
    socket = str(tmp_path / "tmux")

    def do(*words: str) -> str:
        return subprocess.run([tmux, "-S", socket, *words], capture_output=True, text=True, check=False).stdout

    def until(wanted: str) -> str:
        seen = ""
        for _ in range(400):
            seen = do("capture-pane", "-p", "-t", "x")
            if wanted in seen:
                return seen
            time.sleep(0.1)
        raise AssertionError(f"{wanted!r} never came:\n{seen}")

    start = "'from lindref.cli.main import entry; entry()'"
    words = [sys.executable, "-c", start, "step", "--root", str(DATA), "walk.wasm"]
    env = ["-e", f"PYTHONPATH={ROOT}", *(["-e", "NO_COLOR=1"] if not colour else [])]
    do("new-session", "-d", "-x", "80", "-y", "24", "-s", "x", *env, " ".join(words))
    try:
        until("[Calls]")
        do("send-keys", "-t", "x", "b")
        until("a function, FILE:LINE")
        do("send-keys", "-t", "x", "-l", "factorial")
        do("send-keys", "-t", "x", "Enter")
        until("● factorial")
        do("send-keys", "-t", "x", "g")
        seen = until("▶  67     if (n < 2)")
        assert "n = 5" in seen and len(seen.rstrip("\n").splitlines()) <= 24
        styles = do("capture-pane", "-p", "-e", "-t", "x")
        numbers = {int(n) for n in re.findall(r"[34]8;5;(\d+)m", styles)}  # of the palette: from 232 on they are grey
        assert numbers and any(16 < n < 231 for n in numbers) == colour
        do("send-keys", "-t", "x", "G")
        until("the beginning")
        do("send-keys", "-t", "x", "q")
        for _ in range(100):
            if not do("list-sessions").strip():
                break
            time.sleep(0.1)
        assert not do("list-sessions").strip()
    finally:
        do("kill-server")


def test_what_is_wrong_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    program = str(GUESTS / "hello" / "main.wasm")
    for words in (["none.wasm"], ["--schedule", "x", program], ["--stdin", "/nowhere", program], [program]):
        assert main(["step", *words]) == 2
        err = capsys.readouterr().err
        assert err.startswith("lindref step: ") and err.count("\n") == 1
    monkeypatch.setattr("lindref.cli.step.find_spec", lambda _: None)
    assert main(["step", program]) == 2
    assert capsys.readouterr().err == "lindref step: needs Textual: pip install 'lindref[tui]'\n"

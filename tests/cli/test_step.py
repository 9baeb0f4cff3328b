"""``lindref step``: the panes as text, and the application under Textual's pilot."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from scenes import GUESTS

import lindref
from lindref.cli.main import main
from lindref.cli.stepper_view import View
from lindref.system.session import System

FOLDER = GUESTS / "grate_redirect"


def booted() -> System:
    """A grate and its cage, about to run."""
    argv = json.loads((FOLDER / "expected.json").read_text())["argv"]
    return lindref.boot(argv[0], argv[1:], root=FOLDER)


def test_the_panes_say_where_one_stands() -> None:
    """TRAVEL-2: the same text at the same place, from either side."""
    view = View(booted())
    opened = view.system.run_until(call="open", cage=2)
    assert opened is not None
    here = (view.where(), view.trace(20), view.cages(), view.journey(), view.output(5))
    assert "→ grate 1: open" in view.cages() and "cage 2 ← 1" in view.cages()
    assert "cage 2 open" in view.journey() and "→ grate: cage 1  [3I-ROUTE-2]" in view.journey()
    marked = [line for line in view.trace(20).splitlines() if line.startswith("▶")]
    assert len(marked) == 1 and "open(" in marked[0]
    view.system.run()
    lines = list(view.lines)
    assert view.where().endswith("status 0") and view.output(5) and view.cages() == "no cage lives"
    view.system.goto_turn(0)
    view.system.run_until(call="open", cage=2)
    assert (view.where(), view.cages(), view.journey(), view.output(5)) == (here[0], *here[2:])
    # What is known of the future is shown as such, and nothing is written down twice.
    assert "\n· " in view.trace(20) and view.trace(20).splitlines()[0] == here[1].splitlines()[0]
    assert view.lines == lines


def piloted(steps: Callable[[Any, Any], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> None:
    """Run the application headless."""
    pytest.importorskip("textual")
    from lindref.cli.stepper_app import Stepper

    async def session() -> None:
        app = Stepper(booted())
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(session())


def text(app: Any, name: str) -> str:
    """What a pane shows."""
    return str(app.query_one(f"#{name}").render())


def test_keys() -> None:
    """Steps, calls, ends, places by number and name, help; at 80 columns and 24 lines."""

    async def steps(app: Any, pilot: Any) -> None:
        await pilot.press("right", "n", "n")
        assert app.system.turn == 3
        await pilot.press("left", "b")
        assert app.system.turn == 1 and "turn 1" in text(app, "where")
        await pilot.press("end")
        assert app.system.outcome is not None and "status 0" in text(app, "where")
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
        assert "open(" in text(app, "trace") and "3I-ROUTE-2" in text(app, "journey")
        await pilot.press("question_mark", *"nothing", "enter")
        assert app.system.turn == 0 and "no call of nothing" in text(app, "where")
        await pilot.press("colon", *"12", "escape")
        assert app.focused is None and app.system.turn == 0
        await pilot.press("left")
        assert "the beginning" in text(app, "where")
        await pilot.press("h")
        assert "a turn back" in text(app, "journey")

    piloted(steps)


def test_a_branch_and_back() -> None:
    """TRAVEL-4: what if the last call had failed; the run that one came from is as it was."""

    async def steps(app: Any, pilot: Any) -> None:
        await pilot.press("end")
        usual = app.system.stdout
        await pilot.press("home", "colon", *"open", "enter", "f")
        assert len(app.lines) == 2 and "branch 1" in text(app, "where")
        await pilot.press("end")
        assert "EIO" in "\n".join(line for _, line in app.view.lines) and app.system.stdout != usual
        await pilot.press("u")
        assert len(app.lines) == 1
        await pilot.press("end")
        assert app.system.stdout == usual

    piloted(steps, (120, 40))


def test_what_is_wrong_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    program = str(GUESTS / "hello" / "main.wasm")
    for words in (["none.wasm"], ["--schedule", "x", program], [program]):
        assert main(["step", *words]) == 2
        err = capsys.readouterr().err
        assert err.startswith("lindref step: ") and err.count("\n") == 1
    monkeypatch.setattr("lindref.cli.step.find_spec", lambda _: None)
    assert main(["step", program]) == 2
    assert capsys.readouterr().err == "lindref step: needs Textual: pip install 'lindref[tui]'\n"

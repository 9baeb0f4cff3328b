"""Fork as what it is: one continuation used twice (FORK-3, FORK-4); and the same by unwinding and rewinding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lindref
from lindref.cli.main import main
from lindref.lessons.text import COURSE
from lindref.system.asyncify import NotInstrumentedError, asyncified
from lindref.system.events import Enter

TWINS = COURSE / "2-fork"
DATA = Path(__file__).resolve().parents[1] / "data" / "instrumented"


def test_right_after_a_fork_one_value_differs() -> None:
    system = lindref.boot("/twins.wasm", root=TWINS)
    assert system.run_until(event="spawn") is not None
    beside = system.side_by_side(1, 2)
    assert [(slot.left, slot.right) for slot in beside.differences] == [(2, 0)]
    assert [frame.differs for frame in beside.frames] == [True] + [False] * (len(beside.frames) - 1)
    assert [frame.left.split()[0] for frame in beside.frames][-1] == "_start" and beside.frames[1].left.startswith(
        "fork "
    )
    assert beside.shared_pages > 0 and beside.other_pages == 0
    assert "they differ in one value" in str(beside) and str(beside).count("≠") == 1
    system.run_until(call="write", cage=2)
    later = system.side_by_side(1, 2)
    assert len(later.differences) > 1 and later.other_pages > 0
    with pytest.raises(ValueError, match="cage 9 runs no wasm program"):
        system.side_by_side(1, 9)


@pytest.mark.parametrize("program", [TWINS / "twins-asyncify.wasm", DATA / "fork_tree.wasm"])
def test_unwinding_and_rewinding(program: Path) -> None:
    """What is written is read back, once by each of the two, and both are where the continuation says they are."""
    system = lindref.boot(f"/{program.name}", root=program.parent, engine="reference")
    state = system.snapshot()
    done = asyncified(system)
    assert system.snapshot() == state, "it is done on a copy"
    assert done.functions[-1] == "_start" and done.functions[1] == "fork"
    assert [spill.function for spill in done.unwind] == list(done.functions)
    assert [(r.cage, r.result) for r in done.rewinds] == [(1, 2), (2, 0)]
    at = done.low + 8
    for spill in done.unwind:  # one frame after the other, from the low end of the stack on
        assert spill.address == at and spill.data and spill.instructions > 0
        at += len(spill.data)
    assert at < done.end and done.written == at - done.low
    for rewind in done.rewinds:
        assert [spill.function for spill in rewind.frames] == list(reversed(done.functions))
        assert [spill.data for spill in rewind.frames] == [spill.data for spill in reversed(done.unwind)]
        assert rewind.functions_restored
    system.run_until(event="spawn")
    beside = system.side_by_side(1, 2)
    assert [frame.left.split()[0] for frame in beside.frames] == list(done.functions)
    # And they go on as after the fork of lindref.
    for cage, rewind in zip((1, 2), done.rewinds, strict=True):
        seen = system.position
        wanted = system.run_until(event="enter", cage=cage)
        assert isinstance(wanted, Enter) and rewind.next_call is not None
        made = rewind.next_call
        pairs = tuple((arg.value, arg.cage) for arg in made.args)
        assert (made.number, made.caller, pairs[0], pairs[2:]) == (
            wanted.number, wanted.caller, wanted.args[0], wanted.args[2:]
        )  # fmt: skip
        assert pairs[1] == wanted.args[1] or wanted.name == "clone", "whose second argument is the thread (ABI-7)"
        system.goto(seen)
    # What is computed with is the same, and most variables are: the others are not needed any more.
    changed = {slot.name for rewind in done.rewinds for slot in rewind.changed}
    assert len(changed) < sum(len(frame.slots) for frame in beside.frames) / 4
    assert not any("operand" in name for name in changed)


def test_programs_that_cannot_be_shown_unwinding() -> None:
    with pytest.raises(NotInstrumentedError, match="does not export asyncify_start_unwind"):
        asyncified(lindref.boot("/twins.wasm", root=TWINS))
    with pytest.raises(ValueError, match="does not fork"):
        asyncified(lindref.boot("/greet.wasm", root=COURSE / "1-call"))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TWINS)
    assert main(["fork", "twins-asyncify.wasm"]) == 0
    said = capsys.readouterr()
    assert "they differ in one value" in said.out and "the same by Asyncify" in said.out and said.err == ""
    assert main(["fork", "twins.wasm"]) == 0
    said = capsys.readouterr()
    assert "Asyncify" not in said.out and said.err.count("\n") == 1
    assert main(["fork", "--json", "twins-asyncify.wasm"]) == 0
    made = json.loads(capsys.readouterr().out)
    different = [v for frame in made["frames"] for v in frame["values"] if v["differs"]]
    assert [v["values"] for v in different] == [[2, 0]]
    unwound = made["asyncify"]
    assert unwound["bytes"] == 8 + sum(len(f["data"]) // 2 for f in unwound["unwind"])
    page = tmp_path / "fork.html"
    assert main(["fork", "--html", str(page), "twins-asyncify.wasm"]) == 0
    text = page.read_text()
    assert "≠" in text and "asyncify" in text.lower() and "<script" not in text
    capsys.readouterr()
    for words in (["../1-call/greet.wasm"], ["none.wasm"], ["--asyncify", "twins.wasm"]):
        assert main(["fork", *words]) == 2
        assert capsys.readouterr().err.count("\n") == 1

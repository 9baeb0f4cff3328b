"""What things look like: as text, as HTML, in rich; and a trace that tells what arguments pointed to."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import lindref
from lindref import show
from lindref.shown import Shown
from lindref.system.events import Enter

ROOT = Path(__file__).resolve().parents[2]
GUESTS = ROOT / "conformance" / "guests"


def redirected() -> lindref.System:
    """A grate in wasm and its cage, about to run."""
    return lindref.boot("/grate.wasm", ["/app.wasm"], root=GUESTS / "grate_redirect")


class Outline(HTMLParser):
    """Whether elements are closed in their order, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def in_all_ways(value: Shown) -> str:
    """Text, HTML and rich say the same words; the text."""
    pytest.importorskip("rich")
    from rich.console import Console

    text = str(value)
    outline = Outline()
    outline.feed(value._repr_html_())
    assert outline.open == []
    console = Console(width=400, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    with console.file:
        console.print(value)
    rich = console.export_text()
    for word in text.split():
        assert word in outline.text and word in rich, word
    return text


def test_a_system_and_its_cages() -> None:
    system = redirected()
    system.run_until(call="open", cage=2)
    text = in_all_ways(system)
    assert "in open, served by grate 1 (worker 1)" in text
    assert 'open("/etc/motd", O_RDONLY <unfinished ...> → grate 1 redirect_open' in text
    assert "worker 1 ready" in in_all_ways(system.cages)
    cage = in_all_ways(system.cages[2])
    assert (
        "program            /app.wasm" in cage and "grate 1    access, open" in cage and "RawPOSIX   113 calls" in cage
    )
    assert "standard output" in in_all_ways(system.cages[2].fds)
    assert in_all_ways(system.cages[2].threads[0]) == "cage 2 thread 1: in open, served by grate 1 (worker 1)"
    handlers = system.cages[2].handlers
    served = handlers["open"]
    assert served is not None and served.cage == 1 and "grate 1" in in_all_ways(handlers)
    assert repr(system).startswith("<system at event ") and repr(system.cages) == "<cages 1, 2>"
    system.run()
    assert "exited with 0" in in_all_ways(system)
    assert system.outcome is not None and in_all_ways(system.outcome) == "exited with 0, exit status 0"


def test_views_are_of_their_moment() -> None:
    system = redirected()
    system.run_until(lambda e: e.kind == "exit" and getattr(e, "result", 0) == 3, cage=2)
    before = system.cages[2].fds
    assert before[3].name == "/sandbox/etc/motd" and before[3].kind == "file" and before[3].offset == 0
    system.run_until(call="read", cage=2)
    assert before[3].offset == 0 and system.cages[2].fds[3].offset == len("Welcome to the sandbox.\n")
    assert list(before) == [0, 1, 2, 3] and "cage 2" in repr(before)


def test_bytes_of_memory() -> None:
    system = redirected()
    opened = system.run_until(call="open", cage=2)
    assert isinstance(opened, Enter)
    address = opened.args[0][0] % (1 << 32)
    view = system.cages[2].bytes(address, 10)
    assert bytes(view) == b"/etc/motd\0" and "2f 65 74 63" in in_all_ways(view) and "rw" in str(view)
    edge = view.regions[0].end * 4096
    across = system.cages[2].bytes(edge - 4, 8)
    assert across.data[4:] == [None] * 4 and "··" in in_all_ways(across)
    with pytest.raises(ValueError, match="not all of 8 bytes"):
        bytes(across)
    assert "not mapped" in str(system.cages[2].bytes((1 << 32) - 16, 64)) and len(system.cages[2].bytes(0, 0)) == 0


def test_a_trace_tells_what_arguments_pointed_to() -> None:
    """The lines are those of ``run --strace --routes``, wherever one stands, however one came there."""
    system = redirected()
    system.run()
    whole = str(system.trace).splitlines()[1:]
    words = ["run", "--strace", "--routes", "--root", ".", "/grate.wasm", "/app.wasm"]
    done = subprocess.run(
        [sys.executable, "-m", "lindref.cli.main", *words],
        cwd=GUESTS / "grate_redirect", env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [line.strip() for line in whole] == done.stderr.splitlines()
    position, events = system.position, tuple(system.trace)
    system.goto(40)
    assert str(system.trace).splitlines()[1:-1] == whole[: len(str(system.trace).splitlines()) - 2]
    assert list(system.trace) != list(events) and system.position < position
    system.run()
    assert tuple(system.trace) == events and str(system.trace).splitlines()[1:] == whole
    assert "open(" in in_all_ways(system.trace)


def test_pieces_of_a_trace() -> None:
    """They show their own lines, wherever the run stands by now; where it knows them no more, the events."""
    system = redirected()
    system.run()
    whole = system.trace
    lines = str(whole).splitlines()[1:]
    opens = whole.of(call="open")
    assert {event.kind for event in opens} == {"enter", "route", "exit"} and len(opens) == 6
    shown = in_all_ways(opens).splitlines()[1:]
    assert [line for line in lines if "open(" in line or "open resumed" in line] == shown and len(shown) == 3
    assert [e.name for e in whole.of(event="enter", cage=2) if isinstance(e, Enter)][-1] == "exit_group"
    piece = whole[30:60]
    assert isinstance(piece, type(whole)) and piece[0] is whole[30]
    assert set(str(piece).splitlines()[1:-1]) < set(lines) and "<unfinished" in str(piece).splitlines()[-1]
    system.goto(10)
    assert str(whole).splitlines()[1:] == lines, "what is ahead is known"
    state = system.snapshot()
    system.restore(state)
    assert str(piece).splitlines()[1].strip().startswith("31 ") and "in cage" in str(piece)
    assert str(type(whole)(())) == "0 events"


def test_telling_again_changes_nothing() -> None:
    """TRAVEL-2: no observer hears twice, the state is the same."""
    system = redirected()
    heard: list[int] = []

    class Hears:
        def on_event(self, event: lindref.system.events.Event) -> None:  # type: ignore[name-defined]
            heard.append(event.n)

    system.engine.observers.append(Hears())
    system.run_until(call="read", cage=2)
    state, count = system.snapshot(), len(heard)
    told: list[int] = []
    system.retell(lambda engine, event: told.append(event.n))
    assert told == list(range(1, system.position + 1))
    told.clear()
    system.retell(lambda engine, event: told.append(event.n), first=20)
    assert told[-1] == system.position and told[0] <= 20 and told == list(range(told[0], system.position + 1))
    assert system.snapshot() == state and len(heard) == count


def test_events_and_modules() -> None:
    system = redirected()
    system.run()
    for event in system.trace:
        assert event.kind in in_all_ways(event)
    opened = next(e for e in system.trace if isinstance(e, Enter) and e.name == "open")
    assert "of cage 2" in str(opened) and "16045690984833335023" not in str(opened)
    module = lindref.Module.from_file(GUESTS / "hello" / "main.wasm")
    assert "make-syscall" in in_all_ways(module) and repr(module).startswith("<module: ")


def test_markup_is_text() -> None:
    """Names that a guest chooses do not become markup."""
    from lindref.show.sheet import lines, table
    from lindref.show.web import html_of

    evil = '<script>alert(1)</script>&"'
    for part in (lines(evil, [evil]), table(evil, [evil], [[evil]])):
        assert "<script" not in html_of(part) and "&lt;script&gt;" in html_of(part)


def test_nothing_is_loaded_before_somebody_looks() -> None:
    code = (
        "import sys, lindref; s = lindref.boot(sys.argv[1]); s.run(); repr(s)\n"
        "print(*(m for m in sys.modules if m.startswith(('rich', 'IPython', 'lindref.show.', 'lindref.lessons'))))"
    )
    words = [sys.executable, "-c", code, "main.wasm"]
    env = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=GUESTS / "hello", env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_page_of_several_things() -> None:
    system = redirected()
    made = show.page("<a title>", "about & more", [system, system.cages])
    assert "&lt;a title&gt;" in made and "about &amp; more" in made and "@@" not in made
    assert made.count("<section>") == 2 and "src=" not in made and "http" not in made.split("</head>")[1]

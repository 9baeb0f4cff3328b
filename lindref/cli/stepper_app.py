"""The stepper as a terminal application (Textual): panes and keys over ``stepper_view``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Footer, Input, Static

from lindref.cli.stepper_keys import ALSO, HELP, MOVES
from lindref.cli.stepper_view import PANES, Row, View
from lindref.debug import words
from lindref.debug.breakpoints import AtAddress, AtLine, BreakpointError
from lindref.debug.debugger import Debugger, Stop, describe
from lindref.debug.expressions import ExpressionError
from lindref.system.events import Choice
from lindref.system.session import System


class Pane(Static):
    """Lines of text; a click or the wheel is told."""

    class Chosen(Message):
        """A line was clicked."""

        def __init__(self, row: Row) -> None:
            super().__init__()
            self.row = row

    def __init__(self, name: str) -> None:
        super().__init__(id=name, markup=False)
        self.rows: list[Row] = []
        self.top = 0

    def put(self, rows: list[Row], *, top: int | None = None) -> None:
        """Show lines, from the first or from where one has scrolled to."""
        self.rows = rows
        self.top = max(min(self.top if top is None else top, len(rows) - self.size.height), 0)
        shown = rows[self.top : self.top + max(self.size.height, 1)]
        self.update("\n".join(row.text[: max(self.size.width, 1)] for row in shown))

    def on_click(self, event: events.Click) -> None:
        """Tell which line it was."""
        at = self.top + event.y
        if at < len(self.rows) and self.rows[at].target[0]:
            self.post_message(self.Chosen(self.rows[at]))

    def on_mouse_scroll_down(self, _: events.MouseScrollDown) -> None:
        """Further down."""
        self.put(self.rows, top=self.top + 3)

    def on_mouse_scroll_up(self, _: events.MouseScrollUp) -> None:
        """Further up."""
        self.put(self.rows, top=max(self.top - 3, 0))


class Tabs(Static):
    """The names of the panes, with their numbers; a click chooses one. ``spans``: where each stands."""

    spans: tuple[tuple[int, int, str], ...] = ()

    def put(self, chosen: str) -> None:
        """Mark the one that is shown."""
        spans = []
        text = ""
        for number, (name, heading) in enumerate(PANES, 1):
            label = f"[{heading}]" if name == chosen else f"{number}{heading}"
            spans.append((len(text), len(text) + len(label), name))
            text += label + " "
        self.spans = tuple(spans)
        self.update(text)

    class Chosen(Message):
        """A name was clicked."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def on_click(self, event: events.Click) -> None:
        """Tell which it was."""
        for start, end, name in self.spans:
            if start <= event.x < end:
                self.post_message(self.Chosen(name))


class Stepper(App[None]):
    """Steps through a run. ``lines`` are the run and, above it, the branches one has gone into."""

    TITLE = "lindref step"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""
    CSS = """
    #where { height: 1; background: $primary; color: $text; }
    #message { height: 1; color: $text-muted; }
    #upper { height: 1fr; } #lower { height: 10; }
    Pane { height: 100%; text-wrap: nowrap; }
    #source { width: 3fr; } #values { width: 2fr; border-left: solid $primary; }
    #tabs { height: 1; background: $surface; text-style: bold; } #pane { height: 1fr; }
    #ask { display: none; height: 3; } #ask.asking { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "move('s')", "into"),
        Binding("n", "move('n')", "over"),
        Binding("o", "move('o')", "out"),
        Binding("i", "move('i')", "instr"),
        Binding("c", "move('c')", "call"),
        Binding("g", "move('g')", "go"),
        Binding("N", "move('N')", "back"),
        Binding("b", "ask('break')", "break"),
        Binding("e", "ask('evaluate')", "eval"),
        Binding("h", "help", "help"),
        Binding("q", "quit", "quit"),
        *(Binding(key, f"move('{key}')", show=False) for key in "jtSOIJTCG"),
        *(Binding(key, f"move('{meant}')", show=False) for key, meant in ALSO.items()),
        *(Binding(str(n), f"pane('{name}')", show=False) for n, (name, _) in enumerate(PANES, 1)),
        Binding("tab", "next_pane", show=False, priority=True),
        Binding("end", "to_end", show=False),
        Binding("home", "to_start", show=False),
        Binding("colon", "ask('go')", show=False),
        Binding("question_mark", "ask('back')", show=False),
        Binding("slash", "ask('find')", show=False),
        Binding("w", "ask('write')", show=False),
        Binding("m", "ask('memory')", show=False),
        Binding("B", "forget", show=False),
        Binding("f", "fail", show=False),
        Binding("F", "other", show=False),
        Binding("u", "leave", show=False),
        Binding("x", "code", show=False),
        Binding("v", "thread", show=False),
        Binding("plus", "level(1)", show=False),
        Binding("minus", "level(-1)", show=False),
        Binding("escape", "no_more", show=False),
    ]
    ASKS: ClassVar[dict[str, str]] = {
        "go": "an event's number, or the name of a call to run to",
        "back": "the name of a call to go back to",
        "find": "text to find among the calls",
        "break": "a function, FILE:LINE, call NAME, event NAME, = EXPRESSION … (? tells)",
        "evaluate": "a C expression, or an assignment",
        "write": "an expression: who wrote it last?",
        "memory": "an address, or an expression",
    }

    def __init__(self, system: System, folders: tuple[str, ...] = (".",)) -> None:
        """Begin where ``system`` stands."""
        super().__init__()
        self.folders = folders
        self.lines = [View(system, folders)]
        self.message = "h: help"
        self.pane = "calls"
        self.code = False
        self.helping = ""
        self._asked = ""

    @property
    def view(self) -> View:
        """The line of the run that one stands in."""
        return self.lines[-1]

    @property
    def debugger(self) -> Debugger:
        """Its debugger."""
        return self.view.debugger

    @property
    def system(self) -> System:
        """Its session."""
        return self.view.system

    def compose(self) -> ComposeResult:
        """The panes."""
        yield Static(id="where", markup=False)
        with Horizontal(id="upper"):
            yield Pane("source")
            yield Pane("values")
        with Vertical(id="lower"):
            yield Tabs(id="tabs", markup=False)
            yield Pane("pane")
        yield Static(id="message", markup=False)
        yield Input(id="ask")
        yield Footer()

    def on_mount(self) -> None:
        """Show the beginning."""
        self.set_focus(None)
        self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        """The panes have another size."""
        self.call_after_refresh(self.show)

    def show(self) -> None:
        """Draw all panes anew."""
        branch = f"branch {len(self.lines) - 1} · " if len(self.lines) > 1 else ""
        self.query_one("#where", Static).update(f" {branch}{self.view.where()}")
        title = self.view.title()
        self.query_one("#message", Static).update(" " + " · ".join(filter(None, [title, self.message])))
        source, values, pane = (self.query_one(f"#{name}", Pane) for name in ("source", "values", "pane"))
        lower = self.query_one("#lower")
        if values.display == bool(self.helping):  # the help has all of the room
            values.display = lower.display = not self.helping
            self.call_after_refresh(self.show)
            return
        if self.helping:
            source.put([Row(line) for line in self.helping.splitlines()], top=0)
        else:
            source.put(self.view.source(max(source.size.height, 1), code=self.code), top=0)
        values.put(self.view.values())
        self.query_one(Tabs).put(self.pane)
        pane.put(self.view.pane(self.pane, pane.size.height))

    # Moving.

    def _say(self, stop: Stop) -> None:
        """Tell why one stands here."""
        usual = {"step": "", "goto": "", "end": "the run is over", "start": "the beginning"}
        hits = ", ".join(words.written(hit) for hit in stop.hits)
        parts = [usual.get(stop.reason, stop.reason), stop.text if stop.reason != "end" else "", hits]
        self._moved(": ".join(filter(None, parts)))

    def _moved(self, message: str = "") -> None:
        self.message = message
        self.helping = ""
        self.view.level = 0
        for name in ("values", "pane"):
            self.query_one(f"#{name}", Pane).top = 0
        self.show()

    def action_move(self, key: str) -> None:
        """A step; upper case goes back."""
        back, kind = key.isupper(), MOVES[key.lower()]
        debugger = self.debugger
        if kind in ("turn", "call"):
            self._coarse(kind, back=back)
            return
        if kind == "run":
            self._say(debugger.reverse() if back else debugger.run())
            return
        way, _, unit = kind.partition(" ")
        move = debugger.back if back else debugger.step
        self._say(move(way, lines=unit == "line"))

    def _coarse(self, kind: str, *, back: bool) -> None:
        """By turns, or to calls."""
        debugger, system = self.debugger, self.system
        debugger.cursor.forget()
        if kind == "call":
            found = system.back_until(event="enter") if back else system.run_until(event="enter")
            moved = found is not None
        else:
            inside = debugger.position > (system.turn, 0, 0)
            moved = inside or system.back() if back else system.step()
        debugger.settle()
        self._moved("" if moved else "the beginning" if back else "the run is over")

    def action_to_end(self) -> None:
        """To the end of the run."""
        self.debugger.cursor.forget()
        self.system.run()
        self.debugger.settle()
        self._moved("the run is over")

    def action_to_start(self) -> None:
        """To the beginning."""
        self.debugger.goto_event(0)
        self._moved("the beginning")

    # Looking.

    def action_pane(self, name: str) -> None:
        """Another pane below."""
        self.pane = name
        self.query_one("#pane", Pane).top = 0
        self.show()

    def on_tabs_chosen(self, event: Tabs.Chosen) -> None:
        """A pane was clicked."""
        self.action_pane(event.pane)

    def action_next_pane(self) -> None:
        """The next one."""
        names = [name for name, _ in PANES]
        self.action_pane(names[(names.index(self.pane) + 1) % len(names)])

    def action_code(self) -> None:
        """Source or disassembly."""
        self.code = not self.code
        self.show()

    def action_level(self, by: int) -> None:
        """A frame further out or in."""
        last = max(len(self.debugger.stack()) - 1, 0)
        self.view.level = min(max(self.view.level + by, 0), last)
        self.show()

    def action_thread(self) -> None:
        """The next thread."""
        keys = [thread.key for thread in self.debugger.threads()]
        if keys:
            at = keys.index(self.debugger.key) if self.debugger.key in keys else -1
            self._thread(keys[(at + 1) % len(keys)])

    def _thread(self, key: int) -> None:
        self.debugger.key = key
        self._moved(f"thread {key}")

    def action_help(self) -> None:
        """Show the keys in place of the source, or the source again."""
        self.helping = "" if self.helping else HELP
        self.show()

    def on_pane_chosen(self, event: Pane.Chosen) -> None:
        """A line was clicked: a breakpoint for a line of source, going to what another line is about."""
        kind, value = event.row.target
        if kind == "event":
            self.debugger.goto_event(value)
            self._moved()
        elif kind == "level":
            self.view.level = value
            self.show()
        elif kind == "thread":
            self._thread(value)
        elif kind == "memory" and value is not None:
            self.view.memory = value
            self.action_pane("memory")
        elif kind == "breakpoint":
            self.debugger.remove(value)
            self.show()
        elif kind in ("line", "offset"):
            self._toggle(kind, value)

    def _toggle(self, kind: str, value: Any) -> None:
        """A breakpoint where there is none, or no more."""
        there = [
            b.id
            for b in self.debugger.breakpoints.values()
            if (kind == "line" and b.line and (b.file, b.line) == value) or (kind == "offset" and b.offset == value)
        ]
        for number in there:
            self.debugger.remove(number)
        if not there:
            made = self.debugger.add(AtLine(*value) if kind == "line" else AtAddress(value))
            self.message = words.written(made)
        self.show()

    def action_forget(self) -> None:
        """No breakpoints any more."""
        self.debugger.breakpoints.clear()
        self.show()

    # Other ways.

    def action_fail(self) -> None:
        """A branch in which the last call fails with EIO."""
        last = next((e for e in reversed(self.system.trace) if e.kind == "enter"), None)
        try:
            if last is None:
                raise ValueError("no call yet")
            other = self.system.branch(call=getattr(last, "call", 0), errno="EIO")
        except ValueError as error:
            self.message = str(error)
        else:
            self.lines.append(View(other, self.folders))
            self.message = f"here {getattr(last, 'name', 'the call')} will fail with EIO; u leaves the branch"
        self.show()

    def action_other(self) -> None:
        """A branch in which the last choice of a thread is another."""
        last = next((e for e in reversed(self.system.trace) if isinstance(e, Choice) and e.point == "thread"), None)
        try:
            if last is None:
                raise ValueError("there was no choice of threads yet")
            other = self.system.branch(choice=last.index, answer=(last.answer + 1) % last.options)
        except ValueError as error:
            self.message = str(error)
        else:
            self.lines.append(View(other, self.folders))
            self.message = "here another thread will go first; u leaves the branch"
        self.show()

    def action_leave(self) -> None:
        """Leave the branch, and say where it parted from the run that it came from."""
        if len(self.lines) < 2:
            self._moved()
            return
        left = self.lines.pop().system
        parted = self.system.divergence(left)
        first, second = (None, None) if parted is None else parted
        told = [f"event {e.n}: {describe(e)}" for e in (first, second) if e is not None]
        self._moved(f"the branch parted: {' / '.join(told)}" if first is not None and second is not None else "")

    # Asking.

    def action_ask(self, what: str) -> None:
        """Ask for something."""
        self._asked = what
        ask = self.query_one("#ask", Input)
        ask.placeholder = self.ASKS[what]
        ask.value = ""
        ask.add_class("asking")
        ask.focus()

    def action_no_more(self) -> None:
        """Escape gives up asking, or the help."""
        self.helping = ""
        self._answered()
        self.show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """It was answered."""
        text = event.value.strip()
        self._answered()
        answers: dict[str, Callable[[str], None]] = {
            "go": self._go, "back": self._back, "find": self._find, "break": self._break,
            "evaluate": self._evaluate, "write": self._last_write, "memory": self._memory,
        }  # fmt: skip
        if text:
            try:
                answers[self._asked](text)
            except (ExpressionError, BreakpointError) as error:
                self.message = str(error)
                self.show()

    def _answered(self) -> None:
        self.query_one("#ask", Input).remove_class("asking")
        self.set_focus(None)

    def _go(self, text: str) -> None:
        system = self.system
        self.debugger.cursor.forget()
        if text.isdecimal() and text.isascii() and len(text) < 16:
            moved, nothing = system.goto(int(text)), f"no event {text}"
        else:
            moved, nothing = system.run_until(call=text) is not None, f"no more call of {text}"
        self.debugger.settle()
        self._moved("" if moved else nothing)

    def _back(self, text: str) -> None:
        self.debugger.cursor.forget()
        found = self.system.back_until(call=text)
        self.debugger.settle()
        self._moved("" if found is not None else f"no call of {text} before")

    def _find(self, text: str) -> None:
        """The next line of the calls that has a text, those after the present first."""
        known, lines = self.view.transcript.known(), self.view.transcript.lines
        order = [*range(known, len(lines)), *range(known)]
        found = next((i for i in order if text in lines[i]), None)
        if found is None:
            self.message = f"{text}: not among the calls seen so far"
            self.show()
            return
        self.debugger.goto_event(self.view.transcript.numbers[found])
        self._moved(f"found: {text}")

    def _break(self, text: str) -> None:
        if text == "?":
            self.helping = words.HELP
            self.show()
            return
        made = words.parse(self.debugger, text, self.view.frame())
        self.message = words.written(made)
        self.action_pane("breaks")

    def _frame(self) -> Any:
        frame = self.view.frame()
        if frame is None:
            raise ExpressionError("no function is running here")
        return frame

    def _evaluate(self, text: str) -> None:
        value = self.debugger.evaluate(text, self._frame())
        self.message = f"{text} → {value.text()}  ({value.type.name})"
        self.show()

    def _last_write(self, text: str) -> None:
        frame = self._frame()
        value = self.debugger.evaluate(text, frame)
        if value.address is None or not value.type.size:
            raise ExpressionError(f"{text} is not in memory")
        stop = self.debugger.last_write(frame.thread.cage, value.address, value.type.size)
        self._moved(f"nothing wrote {text} before" if stop is None else f"here {text} is about to be written")

    def _memory(self, text: str) -> None:
        value = self.debugger.evaluate(text, self._frame()) if not text.lower().startswith("0x") else None
        try:
            plain = int(text, 16) if value is None else value.address
        except ValueError:
            raise ExpressionError(f"{text}: not an address") from None
        number = plain if plain is not None else int(value.number()) if value is not None else 0
        self.view.memory = number & 0xFFFFFFFF
        self.action_pane("memory")

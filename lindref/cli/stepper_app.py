"""The stepper as a terminal application (Textual): panes and keys over ``stepper_view``."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Footer, Input, Static

from lindref.cli.stepper_view import View
from lindref.system.session import System

HELP = """\
→ n  a turn forwards          ← b  a turn back
↓ c  the next call            ↑ C  the call before
End  to the end of the run    Home  to its beginning
:    go to an event: its number; or run to a call: its name
?    the call before that name, after ?
f    what if the last call had failed: a branch with EIO
u    leave a branch again     h  this help     q  quit"""


class Stepper(App[None]):
    """Steps through a run. ``system`` is the run one stands in; branches lie above it on ``lines``."""

    TITLE = "lindref step"
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""
    CSS = """
    #where { height: 1; background: $primary; color: $text; }
    #left { width: 3fr; } #right { width: 2fr; border-left: solid $primary; }
    #trace { height: 1fr; text-wrap: nowrap; text-overflow: ellipsis; }
    #output { height: 5; border-top: solid $primary; }
    #cages-box { height: 1fr; } #journey-box { height: 1fr; border-top: solid $primary; }
    #ask { display: none; height: 3; } #ask.asking { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,n", "forward", "step"),
        Binding("left,b", "backwards", "back"),
        Binding("down,c", "next_call", "call"),
        Binding("up,C", "call_before", "call back"),
        Binding("end", "to_end", "end", show=False),
        Binding("home", "to_start", "start", show=False),
        Binding("colon", "ask('go')", "go to"),
        Binding("question_mark", "ask('back')", "find back"),
        Binding("f", "fail", "fail"),
        Binding("u", "leave", "leave", show=False),
        Binding("h", "help", "help"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, system: System) -> None:
        """Begin where ``system`` stands."""
        super().__init__()
        self.lines = [View(system)]
        self.message = "h: help"
        self._asked = ""

    @property
    def view(self) -> View:
        """The line of the run that one stands in."""
        return self.lines[-1]

    @property
    def system(self) -> System:
        """Its session."""
        return self.view.system

    def compose(self) -> ComposeResult:
        """The panes."""
        yield Static(id="where", markup=False)
        with Horizontal():
            with Vertical(id="left"):
                yield Static(id="trace", markup=False)
                yield Static(id="output", markup=False)
            with Vertical(id="right"):
                with VerticalScroll(id="cages-box"):
                    yield Static(id="cages", markup=False)
                with VerticalScroll(id="journey-box"):
                    yield Static(id="journey", markup=False)
        yield Input(id="ask")
        yield Footer()

    def on_mount(self) -> None:
        """Show the beginning; keys go to the application, not to a pane."""
        self.query_one("#cages-box").can_focus = False
        self.query_one("#journey-box").can_focus = False
        self.set_focus(None)
        self.call_after_refresh(self.show)

    def on_resize(self) -> None:
        """The panes have another size."""
        self.call_after_refresh(self.show)

    def show(self) -> None:
        """Draw all panes anew."""
        branch = f"branch {len(self.lines) - 1} · " if len(self.lines) > 1 else ""
        texts = {
            "where": f" {branch}{self.view.where()}" + (f" · {self.message}" if self.message else ""),
            "trace": self.view.trace(max(self.query_one("#trace").size.height, 1)),
            "output": self.view.output(4),
            "cages": self.view.cages(),
            "journey": self.view.journey(),
        }
        for name, text in texts.items():
            self.query_one(f"#{name}", Static).update(text)

    def _go(self, move: Callable[[], object], nothing: str = "") -> None:
        """Move, and say where that led."""
        moved = move()
        self.message = nothing if not moved else ""
        self.show()

    def action_forward(self) -> None:
        """A turn forwards."""
        self._go(self.system.step, "the run is over")

    def action_backwards(self) -> None:
        """A turn back."""
        self._go(self.system.back, "the beginning")

    def action_next_call(self) -> None:
        """To the next call."""
        self._go(lambda: self.system.run_until(event="enter"), "the run is over")

    def action_call_before(self) -> None:
        """To the call before."""
        self._go(lambda: self.system.back_until(event="enter"), "the beginning")

    def action_to_end(self) -> None:
        """To the end of the run."""
        self._go(self.system.run, "the run is over")

    def action_to_start(self) -> None:
        """To the beginning."""
        self._go(lambda: self.system.goto(0))

    def action_fail(self) -> None:
        """A branch in which the last call fails with EIO."""
        last = self.system.back_until(event="enter") if self.system.outcome is not None else self._last_enter()
        try:
            if last is None:
                raise ValueError("no call yet")
            other = self.system.branch(call=getattr(last, "call", 0), errno="EIO")
        except ValueError as error:
            self.message = str(error)
        else:
            self.lines.append(View(other))
            self.message = f"here {getattr(last, 'name', 'the call')} will fail with EIO; u leaves the branch"
        self.show()

    def _last_enter(self) -> object | None:
        return next((e for e in reversed(self.system.trace) if e.kind == "enter"), None)

    def action_leave(self) -> None:
        """Leave the branch."""
        if len(self.lines) > 1:
            self.lines.pop()
        self.message = ""
        self.show()

    def action_help(self) -> None:
        """Show the keys in the pane of the journey."""
        self.query_one("#journey", Static).update(HELP)

    def action_ask(self, what: str) -> None:
        """Ask for a place to go to."""
        self._asked = what
        ask = self.query_one("#ask", Input)
        ask.placeholder = "an event's number, or the name of a call" if what == "go" else "the name of a call"
        ask.value = ""
        ask.add_class("asking")
        ask.focus()

    def on_key(self, event: object) -> None:
        """Escape gives up asking."""
        if getattr(event, "key", "") == "escape":
            self._answered()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A place was named."""
        text = event.value.strip()
        self._answered()
        if text.isdecimal() and text.isascii() and len(text) < 16:
            self._go(lambda: self.system.goto(int(text)), f"no event {text}")
        elif text and self._asked == "go":
            self._go(lambda: self.system.run_until(call=text), f"no more call of {text}")
        elif text:
            self._go(lambda: self.system.back_until(call=text), f"no call of {text} before")

    def _answered(self) -> None:
        self.query_one("#ask", Input).remove_class("asking")
        self.set_focus(None)

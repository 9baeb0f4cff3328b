"""Commands of the debugger's own, for the client's console: what the protocol has no request for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lindref.dap.arguments import RequestError
from lindref.debug import inspect
from lindref.debug.expressions import ExpressionError, value_of

if TYPE_CHECKING:
    from lindref.dap.adapter import Adapter

#: Lines that ``.calls`` shows.
LINES = 20


def run(adapter: Adapter, text: str) -> str:
    """Do what a line says (``.help``); its answer. Raises ``RequestError``."""
    word, _, rest = text.partition(" ")
    found = COMMANDS.get(word)
    if found is None:
        raise RequestError(f"no command {word}; .help lists them")
    return found[0](adapter, rest.strip())


def _help(_: Adapter, __: str) -> str:
    return "\n".join(f"{word:<12} {what}" for word, (_, what) in COMMANDS.items())


def _event(adapter: Adapter, rest: str) -> str:
    if not (rest.isascii() and rest.isdigit() and len(rest) < 16):
        raise RequestError(".event N: the number of an event was expected")
    adapter.debugger.goto_event(int(rest))
    adapter.moved()
    return f"event {adapter.debugger.session.position}"


def _last_write(adapter: Adapter, rest: str) -> str:
    frames = adapter.debugger.stack()
    if not frames:
        raise RequestError("no function is running here")
    try:
        value = value_of(rest, frames[0])
    except ExpressionError as why:
        raise RequestError(str(why)) from None
    if value.address is None or not value.type.size:
        raise RequestError(f"{rest} is not in memory")
    stop = adapter.debugger.last_write(frames[0].thread.cage, value.address, value.type.size)
    if stop is None:
        return f"nothing changed {rest} so far"
    adapter.moved()
    return stop.text or "here"


def _calls(adapter: Adapter, rest: str) -> str:
    count = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 6 else LINES
    written = adapter.transcript
    known = 0 if written is None else written.known()
    return "no call so far" if written is None or not known else "\n".join(written.lines[max(known - count, 0) : known])


def _journey(adapter: Adapter, _: str) -> str:
    way = inspect.journey(adapter.debugger.session.trace, adapter.debugger.engine)
    return "\n".join(map(str, way)) or "no call so far"


def _cages(adapter: Adapter, _: str) -> str:
    engine = adapter.debugger.engine
    out = []
    for depth, cage in inspect.cage_tree(engine):
        out.append("  " * depth + f"cage {cage.id} {inspect.text(cage.exe)}")
        for thread in engine.threads.values():
            if thread.cage == cage.id:
                out.append("  " * depth + f"  {inspect.thread_name(engine, thread)}: {inspect.doing(engine, thread)}")
    return "\n".join(out) or "no cage lives"


COMMANDS: dict[str, tuple[Callable[[Adapter, str], str], str]] = {
    ".help": (_help, "this list"),
    ".event": (_event, "go to where event N has just happened"),
    ".lastwrite": (_last_write, "go back to before what last changed an expression's value"),
    ".calls": (_calls, "the last calls, as strace shows them (.calls N: so many lines)"),
    ".journey": (_journey, "the way of the last call: caller, grates, RawPOSIX, with the rules"),
    ".cages": (_cages, "the cages and what their threads do"),
}

"""The Python source of a function: what the compiled tier makes of a body, and what its cache keeps.

A unit is one Python function: the whole body, or what is left of it from the head of a loop on (``entry``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.vm.compiled.layout import Layout
from lindref.vm.compiled.nodes import Site, State
from lindref.vm.compiled.rules import RULES
from lindref.vm.compiled.sink import sink
from lindref.vm.compiled.translate import Translator

if TYPE_CHECKING:
    from lindref.vm.program import Body

@classes.frozen
class Source:
    """Text, and for each line of it (from 1 on) where the reference machine goes on: before it, and while it calls."""

    text: str
    states: tuple[State | None, ...]
    afters: dict[int, State]


def make(body: Body, entry: int) -> Source:
    """The source of a prepared body from code entry ``entry`` on: 0, or the head of a loop.

    Raises ``Unfit`` for what cannot be written down so.
    """
    translator = Translator(body, RULES)
    nodes = sink(translator.translate())
    name = f"f{body.index}" if not entry else f"f{body.index}_{entry}"
    layout = Layout(nodes, entry or None)
    lines: list[tuple[int, str, Any]] = []
    if entry:
        assert layout.entry is not None
        params = [f"v{i}" for i in range(body.n_params + len(body.zeros))]
        params += [f"q{k}" for k in range(len(layout.entry.stack))]
        lines.append((0, f"def {name}({', '.join(params)}):", None))
        lines.append((1, "e = 1", None))
        lines += [(1, f"{to} = q{k}", None) for k, to in enumerate(layout.entry.stack) if to[0] in "ts"]
    else:
        params = [f"v{i}" for i in range(body.n_params)]
        lines.append((0, f"def {name}({', '.join(params)}):", None))
        lines += _start(body, translator.preset)
    lines += layout.lines
    states = tuple(None if site is None else site.before for _, _, site in lines)
    afters = {n: site.after for n, (_, _, site) in enumerate(lines) if site is not None and site.after is not None}
    return Source("".join(f"{' ' * indent}{text}\n" for indent, text, _ in lines), states, afters)


def _start(body: Body, preset: set[int]) -> list[tuple[int, str, Any]]:
    """A function's entry: its tick, and what locals start with."""
    lines: list[tuple[int, str, Any]] = [(1, "for _ in F: break", None), (1, "else: raise TICK", Site((0, "()")))]
    by_zero: dict[str, list[str]] = {}
    for index in sorted(preset):
        by_zero.setdefault(repr(body.zeros[index - body.n_params]), []).append(f"v{index}")
    lines += [(1, f"{' = '.join(names)} = {zero}", None) for zero, names in by_zero.items()]
    return lines

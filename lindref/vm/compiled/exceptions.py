"""Exceptions of both encodings as Python's own.

``throw`` raises; each tag is a Python class (``E3``, all below ``WASM``), so that Python looks for the clause. A clause
only puts the values in their variables and goes where handling begins: for the older encoding that is a block behind
the ``try``, as in the newer one. ``delegate`` keeps what it caught in ``d`` and throws it again at the end of the block
that it names, past what is between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lindref import classes
from lindref.vm.compiled.layout import completes
from lindref.vm.compiled.nodes import Block, Branch, Label, Leave, Line, Node, Site, Try
from lindref.wasm.instructions import Catch, CatchKind

if TYPE_CHECKING:
    from lindref.vm.compiled.translate import Open, Translator

ANY = "WASM"


@classes.define(eq=False)
class Parts:
    """The parts of a ``try`` as they are read: what it protects, and handlers that stand behind it."""

    catches: list[tuple[str, list[Node]]]
    protected: list[Node] | None = None
    handlers: list[tuple[Label, list[Node]]] = classes.field(factory=list)
    hidden: int = -1
    """The hidden local that keeps the exception of a legacy ``catch`` (see ``prepare``)."""


def clauses(t: Translator, catches: tuple[Catch, ...]) -> Parts:
    """A ``try_table`` that is about to be opened."""
    made = []
    for catch in catches:  # their labels count from outside
        ref = catch.kind in (CatchKind.CATCH_REF, CatchKind.CATCH_ALL_REF)
        made.append((_class(catch.tag), _caught(t, catch.tag, t.target(catch.label), ref=ref)))
    return Parts(made)


def _class(tag: int | None) -> str:
    return ANY if tag is None else f"E{tag}"


def _params(t: Translator, tag: int | None) -> Any:
    """The types of what an exception carries to a clause."""
    return () if tag is None else t.module.func_type(t.tags[tag]).params


def _caught(t: Translator, tag: int | None, label: Label, *, ref: bool = False, hidden: int = -1) -> list[Node]:
    """What a clause does: nothing of it can fail."""
    count = len(_params(t, tag))
    if label is t.function:
        values = ["*x.args" if count + ref > 1 else "x.args[0]"] * bool(count) + ["x.exn"] * ref
        text = f"({', '.join(values)}{',' * (count > 1 and not ref)})" if count + ref > 1 else "".join(values)
        return [Leave(f"return {text}".rstrip(), None)]
    done: list[Node] = []
    if count:
        done.append(Line("".join(f"s{label.height + k}, " for k in range(count)) + "= x.args", None))
    if ref:
        done.append(Line(f"s{label.height + count} = x.exn", None))
    if hidden >= 0:
        done.append(Line(f"v{hidden} = x.exn", None))
    label.used = True
    return [*done, Branch(label)]


def divide(t: Translator, opened: Open, tag: int | None) -> None:
    """``catch``: what was read until here has its place; the handler begins."""
    parts = opened.parts
    assert parts is not None
    if parts.protected is None:
        parts.protected = t.out
        parts.hidden = t.next_hidden()
    params = _params(t, tag)
    t.labels += 1
    handler = Label(t.labels, loop=False, height=opened.label.height, arity=len(params))
    parts.catches.append((_class(tag), _caught(t, tag, handler, hidden=parts.hidden)))
    t.out = []
    parts.handlers.append((handler, t.out))
    del t.stack[handler.height :]
    t.stack += [t.typed(f"s{handler.height + k}", kind) for k, kind in enumerate(params)]


def close(opened: Open, out: list[Node]) -> list[Node]:
    """The inside of the block that a ``try`` of either kind is; ``out`` is its last part."""
    parts = opened.parts
    assert parts is not None
    if parts.protected is None:
        return [Try(out, parts.catches)] if parts.catches else out
    made: list[Node] = [Try(parts.protected, parts.catches)]
    for label, handler in parts.handlers:
        if completes(made):
            made.append(Branch(opened.label))
            opened.label.used = True
        made = [Block(label, made), *handler]
    return made


def delegate(t: Translator, opened: Open, depth: int) -> None:
    """The exceptions of a ``try`` are thrown again where the block at ``depth`` (of those around) ends."""
    parts = opened.parts
    assert parts is not None
    t.labels += 1
    landing = Label(t.labels, loop=False, height=0, arity=0, used=True)
    (t.landings if depth == len(t.blocks) else t.blocks[-1 - depth].landings).append(landing)
    parts.catches.append((ANY, [Line("d = [x]", None), Branch(landing)]))


def land(t: Translator, landings: list[Label], out: list[Node]) -> None:
    """At the end of a part of a block: where delegated exceptions go on from."""
    for landing in landings:
        t.labels += 1
        end = Label(t.labels, loop=False, height=0, arity=0)
        inner = list(out)
        if completes(inner):
            inner.append(Branch(end))
            end.used = True
        out[:] = [Block(end, [Block(landing, inner), Leave("raise d.pop()", None)])]
    landings.clear()


# The instructions that throw.


def throw(t: Translator, tag: int) -> None:
    """``throw``."""
    count = len(_params(t, tag))
    t.settle(keep=count)
    consumed = t.pop(count)
    t.out.append(Leave(f"raise n{tag}({', '.join(o.value for o in consumed)})", Site(t.state(*consumed))))


def throw_ref(t: Translator) -> None:
    """``throw_ref``; a null is left to the reference machine."""
    t.settle(keep=1)
    consumed = t.pop(1)
    t.out.append(Leave(f"raise again({consumed[0].value})", Site(t.state(*consumed))))


def rethrow(t: Translator, depth: int) -> None:
    """``rethrow``."""
    t.settle()
    parts = t.blocks[-1 - depth].parts
    assert parts is not None
    t.out.append(Leave(f"raise again(v{parts.hidden})", Site(t.state())))


RULES: dict[str, Callable[..., Any]] = {"throw": throw, "throw_ref": throw_ref, "rethrow": rethrow}

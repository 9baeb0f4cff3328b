"""Typing rules of exceptions, in both encodings (spec §3.4.2 for ``try_table``; the legacy proposal for ``try``)."""

from __future__ import annotations

from collections.abc import Callable

from lindref.wasm.errors import Invalid
from lindref.wasm.instructions import Catch, CatchKind
from lindref.wasm.types import EXNREF, AbsHeap, BlockType, RefType, ValType
from lindref.wasm.validation.rules_control import enter
from lindref.wasm.validation.stack import Kind, State, require

_CAUGHT = RefType(False, AbsHeap.EXN)
_WITH_REF = (CatchKind.CATCH_REF, CatchKind.CATCH_ALL_REF)


def tag_params(s: State, tag: int) -> list[ValType]:
    """What an exception of a tag carries; ``Invalid`` ("unknown tag") out of range."""
    tags = s.context.tags
    if not 0 <= tag < len(tags):
        raise Invalid(f"unknown tag {tag}")
    return tags[tag].params


def throw(s: State, tag: int) -> None:
    """``throw``."""
    s.pop_list(tag_params(s, tag))
    s.stop()


def throw_ref(s: State) -> None:
    """``throw_ref``."""
    s.pop(EXNREF)
    s.stop()


def try_table(s: State, blocktype: BlockType, catches: tuple[Catch, ...]) -> None:
    """``try_table``: its clauses branch to labels around it."""
    for catch_ in catches:
        carried = [] if catch_.tag is None else list(tag_params(s, catch_.tag))
        if catch_.kind in _WITH_REF:
            carried.append(_CAUGHT)
        require(carried, s.frame(catch_.label).label, f"label {catch_.label} of a catch clause")
    enter(s, blocktype, Kind.BLOCK)


def try_(s: State, blocktype: BlockType) -> None:
    """``try`` (legacy)."""
    enter(s, blocktype, Kind.TRY)


def catch(s: State, tag: int) -> None:
    """``catch`` (legacy)."""
    s.innermost(Kind.TRY, Kind.CATCH)
    s.next_arm(Kind.CATCH, tag_params(s, tag))


def catch_all(s: State) -> None:
    """``catch_all`` (legacy)."""
    s.innermost(Kind.TRY, Kind.CATCH)
    s.next_arm(Kind.CATCH_ALL, ())


def delegate(s: State, label: int) -> None:
    """``delegate`` (legacy) ends a ``try``; its label counts from outside of that."""
    s.innermost(Kind.TRY)
    s.close_arm()
    s.close()
    s.frame(label)


def rethrow(s: State, label: int) -> None:
    """``rethrow`` (legacy): its label names a block whose ``catch`` one is in."""
    if s.frame(label).kind not in (Kind.CATCH, Kind.CATCH_ALL):
        raise Invalid(f"invalid rethrow label {label}")
    s.stop()


RULES: dict[str, Callable[..., None]] = {
    "throw": throw,
    "throw_ref": throw_ref,
    "try_table": try_table,
    "try": try_,
    "catch": catch,
    "catch_all": catch_all,
    "delegate": delegate,
    "rethrow": rethrow,
}

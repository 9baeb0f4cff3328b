"""In which order a load does what (DYN-4)."""

from __future__ import annotations

from collections.abc import Sequence

from lindref.system.loader.layout import APPLY_DATA_RELOCS, APPLY_TLS_RELOCS, CALL_CTORS, START
from lindref.system.loader.records import LoadStep


def _begin(index: int, *, must: bool) -> list[LoadStep]:
    """What a module runs before others may use it: its memory, its relocations, its constructors."""
    return [
        LoadStep("call", index, START),
        LoadStep("call", index, APPLY_DATA_RELOCS, must=must),
        LoadStep("call", index, APPLY_TLS_RELOCS),
        LoadStep("call", index, CALL_CTORS),
    ]


def _each(do: str, modules: Sequence[int]) -> list[LoadStep]:
    return [LoadStep(do, index) for index in modules]


def program_one_by_one(main: int, preloads: Sequence[int]) -> tuple[LoadStep, ...]:
    """A program, module by module, main last (deviation ``DL-ORDER``)."""
    steps = [LoadStep("stack"), *_each("cells", [main, *preloads])]
    for index in preloads:
        steps += [LoadStep(do, index) for do in ("grow", "map", "place", "publish")]
        steps += [*_begin(index, must=True), LoadStep("link", index)]
    steps += [LoadStep(do, main) for do in ("map", "heap", "place")]
    steps += [*_begin(main, must=True), LoadStep("publish", main), LoadStep("link", main)]
    return tuple(steps)


def program_together(main: int, preloads: Sequence[int]) -> tuple[LoadStep, ...]:
    """A program: all modules in place and known to each other before the first constructor runs (DYN-4)."""
    everything = [*preloads, main]
    return (
        LoadStep("stack"),
        *_each("map", everything),
        LoadStep("heap", main),
        *_settle(preloads, main),
        *_run([*preloads, main]),
    )


def _settle(libraries: Sequence[int], main: int | None = None) -> list[LoadStep]:
    """Modules that have their places come into the store; no code of theirs runs."""
    everything = [*libraries, *([] if main is None else [main])]
    return [
        *_each("grow", libraries),
        *_each("place", everything),
        *_each("publish", everything),
        *_each("bind", everything),
    ]


def _run(modules: Sequence[int]) -> list[LoadStep]:
    """Modules in place run what they must, each kind of work for all of them before the next."""
    names = (START, APPLY_DATA_RELOCS, APPLY_TLS_RELOCS, CALL_CTORS)
    return [LoadStep("call", index, name) for name in names for index in modules]


def library_alone(index: int) -> tuple[LoadStep, ...]:
    """``dlopen`` of a library, as recorded (DL-2, deviation ``DL-ORDER``)."""
    first = [LoadStep(do, index) for do in ("grow", "cells", "map", "place", "publish", "handle")]
    return (*first, *_begin(index, must=True))


def library_with_needed(modules: Sequence[int]) -> tuple[LoadStep, ...]:
    """``dlopen`` of the last of ``modules`` with what it needs, needed ones first (DL-2).

    Between ``settle`` and the constructors the threads of the cage get the modules (DL-8).
    """
    run = _run(modules)
    ctors = [step for step in run if step.name == CALL_CTORS]
    return (
        *_each("map", modules),
        *_settle(modules),
        LoadStep("handle", modules[-1]),
        LoadStep("share", modules[0]),
        *[step for step in run if step.name != CALL_CTORS],
        LoadStep("share-values", modules[0]),
        *_each("share-tls", modules),
        *ctors,
    )

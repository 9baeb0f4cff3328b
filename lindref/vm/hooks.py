"""Looking at entries of prepared code before they are taken, at no cost to all others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lindref.vm.machine import Machine
    from lindref.vm.program import Body

#: What is called at an entry of code: with the machine, which is about to take the entry before its ``pc``.
Hook = Callable[["Machine"], None]


def hooked(m: Machine, imm: tuple[Hook, Any, Any]) -> None:
    """An entry with somebody who looks at it first, and may raise."""
    hook, handler, original = imm
    hook(m)
    handler(m, original)


class Hooks:
    """Entries of prepared code at which ``hook`` is called. The code is shared by all runs of a program, so they are
    to be there only while one runs that wants them: ``with hooks.set(...)``."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook
        self._there: dict[tuple[int, int], tuple[Body, int]] = {}

    @contextmanager
    def set(self, wanted: Mapping[Body, Iterable[int]]) -> Iterator[Hooks]:
        """Have the hook called at these entries, and at those that are added meanwhile."""
        try:
            for body, entries in wanted.items():
                self.add(body, entries)
            yield self
        finally:
            for body, pc in self._there.values():
                assert body.code is not None
                body.code[pc] = body.code[pc][1][1:]
            self._there.clear()

    def add(self, body: Body, entries: Iterable[int]) -> None:
        """The hook is called there too from now on."""
        code = body.prepare()
        for pc in entries:
            key = id(body), pc
            if key not in self._there:
                self._there[key] = body, pc
                code[pc] = hooked, (self._hook, *code[pc])

    def original(self, body: Body, pc: int) -> tuple[Any, Any]:
        """The handler and immediate of an entry, whether or not the hook is there."""
        assert body.code is not None
        handler, imm = body.code[pc]
        return imm[1:] if handler is hooked else (handler, imm)

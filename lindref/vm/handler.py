"""The shape of a handler: what executes one instruction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lindref.vm.machine import Machine

#: ``op(m, imm)`` does the instruction's effect on the machine ``m``; ``m.pc`` already points behind it. What ``imm`` is
#: belongs to the handler (its docstring or its family's says it): the instruction's immediate, or what ``prepare``
#: made of it. It raises ``Trap``, or ``Stop`` to leave the run loop.
Handler = Callable[["Machine", Any], None]

#: Prepared code: what the run loop fetches.
Code = list[tuple[Handler, Any]]

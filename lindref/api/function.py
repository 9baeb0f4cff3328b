"""Functions of instances, as Python callables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lindref.vm.values import FuncInst, HostFunc

if TYPE_CHECKING:
    from lindref.api.realm import Realm


class Function:
    """A function of a store. Two of them are equal when they are the same function."""

    __slots__ = ("func", "realm")

    def __init__(self, realm: Realm, func: FuncInst | HostFunc) -> None:
        self.realm = realm
        self.func = func

    def __call__(self, *args: Any) -> Any:
        """Calls it: ``None``, one value, or a tuple of several.

        Raises ``Trap``, ``WasmException`` (not caught by the guest), ``Exhaustion`` (a limit of ours), ``TypeError``
        or ``OverflowError`` for arguments that do not fit, and whatever a Python function called by it raises.
        """
        return self.realm.call(self.func, args)

    @property
    def type(self) -> str:
        """Its type in the text format's words."""
        return str(self.realm.store.closed_type(self.func))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.realm is other.realm and self.func == other.func

    def __hash__(self) -> int:
        return hash(self.func)

    def __repr__(self) -> str:
        return f"<Function {self.type}>"

"""The commands of test scripts (``.wast``) as data; a runner gives them meaning.

Every command has its ``line``. Module names are those of the script's identifiers, without ``$``.
"""

from __future__ import annotations

from collections.abc import Callable

from lindref import classes
from lindref.wasm.errors import WasmError
from lindref.wasm.features import Feature
from lindref.wasm.module import Module
from lindref.wasm.types import AbsHeap, NumType


@classes.frozen
class ModuleSource:
    """A module as a script holds it: text, bytes or quoted text, read only when asked for.

    ``name`` is its identifier. What is wrong with it comes out of ``module`` as ``Malformed`` or ``Unsupported``.
    """

    name: str | None
    line: int
    form: str
    """``"text"``, ``"binary"`` or ``"quote"``."""
    features: frozenset[Feature]
    """What the script is read under."""
    _read: Callable[[frozenset[Feature]], Module] = classes.field(eq=False, repr=False)
    data: bytes | None = classes.field(default=None, repr=False)
    """The bytes of a binary or quoted module."""

    def module(self, features: frozenset[Feature] | None = None) -> Module:
        """The module, read in full (bodies too) under ``features`` (default: the script's)."""
        return self._read(self.features if features is None else features)


# Values and what results are compared with.


@classes.frozen
class Const:
    """A number: its type and bit pattern."""

    type: NumType
    bits: int


@classes.frozen
class Nan:
    """Any canonical NaN of a type (``nan:canonical``), or any arithmetic one (``nan:arithmetic``); of either sign."""

    type: NumType
    canonical: bool


@classes.frozen
class Null:
    """A null reference, of any type where ``heap`` is ``None`` (as it is for types given by index)."""

    heap: AbsHeap | None


@classes.frozen
class Ref:
    """A reference that is not null: the script's host reference ``number``, or with ``None`` any one of its kind.

    ``heap`` is ``EXTERN`` for ``ref.extern``, ``ANY`` for ``ref.host`` and ``ref.any``, else as the name says.
    """

    heap: AbsHeap
    number: int | None = None


@classes.frozen
class Either:
    """Any of several results."""

    choices: tuple[Const | Nan | Null | Ref, ...]


Value = Const | Null | Ref
Result = Const | Nan | Null | Ref | Either


# Actions.


@classes.frozen
class Invoke:
    """A call of the function exported as ``name`` by ``module`` (``None``: the latest instance)."""

    line: int
    module: str | None
    name: str
    args: tuple[Value, ...]


@classes.frozen
class Get:
    """The value of an exported global."""

    line: int
    module: str | None
    name: str


Action = Invoke | Get


# Commands.


@classes.frozen
class ModuleCommand:
    """Define a module and instantiate it; it becomes the latest instance."""

    line: int
    source: ModuleSource


@classes.frozen
class DefinitionCommand:
    """Define a module without instantiating it."""

    line: int
    source: ModuleSource


@classes.frozen
class InstanceCommand:
    """Instantiate the definition ``definition`` (``None``: the latest) as ``name``."""

    line: int
    name: str | None
    definition: str | None


@classes.frozen
class Register:
    """Make an instance (``None``: the latest) importable under ``name``."""

    line: int
    name: str
    module: str | None


@classes.frozen
class Perform:
    """An action whose result does not matter but which must succeed."""

    line: int
    action: Action


@classes.frozen
class AssertReturn:
    """The action returns these results."""

    line: int
    action: Action
    results: tuple[Result, ...]


@classes.frozen
class AssertTrap:
    """The action, or the instantiation, traps with a message that begins so."""

    line: int
    subject: Action | ModuleSource
    message: str


@classes.frozen
class AssertExhaustion:
    """The action exhausts a resource."""

    line: int
    action: Action
    message: str


@classes.frozen
class AssertException:
    """The action throws an exception that nothing catches."""

    line: int
    action: Action


@classes.frozen
class AssertMalformed:
    """The module is malformed."""

    line: int
    source: ModuleSource
    message: str


@classes.frozen
class AssertInvalid:
    """The module is well-formed and invalid."""

    line: int
    source: ModuleSource
    message: str


@classes.frozen
class AssertUnlinkable:
    """The module is valid and cannot be linked."""

    line: int
    source: ModuleSource
    message: str


@classes.frozen
class Thread:
    """Run commands in a thread of its own, with the named instances of the enclosing script shared with it."""

    line: int
    name: str
    shared: tuple[str, ...]
    commands: tuple[Command, ...]


@classes.frozen
class Wait:
    """Wait until a thread has run all its commands."""

    line: int
    name: str


@classes.frozen
class Input:
    """Go on with the commands of another file, relative to this one."""

    line: int
    path: str


@classes.frozen
class Broken:
    """A command that cannot be understood: ``error`` says why. ``keyword`` is its first word."""

    line: int
    keyword: str
    error: WasmError


Command = (
    ModuleCommand
    | DefinitionCommand
    | InstanceCommand
    | Register
    | Perform
    | AssertReturn
    | AssertTrap
    | AssertExhaustion
    | AssertException
    | AssertMalformed
    | AssertInvalid
    | AssertUnlinkable
    | Thread
    | Wait
    | Input
    | Broken
)

"""Modules as Python sees them."""

from __future__ import annotations

from pathlib import Path

from lindref.shown import Shown
from lindref.vm.program import Program, program
from lindref.wasm import module as syntax
from lindref.wasm.binary.decoder import decode
from lindref.wasm.errors import Malformed
from lindref.wasm.features import DEFAULT, Feature
from lindref.wasm.text.parser import parse_module

_MAGIC = b"\0asm"


class Module(Shown):
    """A decoded module. Everything but function bodies is valid; ``validate`` checks those too, which otherwise
    happens when an instance is made.

    Made by ``from_file``, ``from_bytes`` or ``from_text``; these raise ``wasm.errors.Malformed``, ``Invalid`` or
    ``Unsupported``, each one line.
    """

    def __init__(self, module: syntax.Module) -> None:
        self.syntax = module
        self.program: Program = program(module)

    @classmethod
    def from_bytes(cls, data: bytes, features: frozenset[Feature] = DEFAULT) -> Module:
        """The module in the binary format."""
        return cls(decode(data, features))

    @classmethod
    def from_text(cls, text: str | bytes, features: frozenset[Feature] = DEFAULT) -> Module:
        """The module in the text format."""
        return cls(parse_module(text, features))

    @classmethod
    def from_file(cls, path: str | Path, features: frozenset[Feature] = DEFAULT) -> Module:
        """The module in a file: binary if it begins like one, else text. ``OSError`` if it cannot be read."""
        data = Path(path).read_bytes()
        if data.startswith(_MAGIC):
            return cls.from_bytes(data, features)
        if Path(path).suffix == ".wasm":
            raise Malformed("magic header not detected", str(path))
        return cls.from_text(data, features)

    def validate(self) -> None:
        """Checks every function body; ``wasm.errors.Invalid`` or ``Malformed``."""
        self.program.validate()

    def __repr__(self) -> str:
        return f"<module: {len(self.imports)} imports, {len(self.exports)} exports>"

    @property
    def imports(self) -> list[tuple[str, str, str]]:
        """Module, name and kind (``func``, ``table``, ``memory``, ``global``, ``tag``) of each import."""
        return [(i.module, i.name, i.kind.name.lower()) for i in self.syntax.imports]

    @property
    def exports(self) -> list[tuple[str, str]]:
        """Name and kind of each export."""
        return [(e.name, e.kind.name.lower()) for e in self.syntax.exports]

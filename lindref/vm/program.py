"""A module made ready to run: what all its instances, in whatever store, share.

Bodies are validated and prepared when they are first called, so that a large library costs what is used of it.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

from lindref.hashing import blake2b
from lindref.vm import prepare
from lindref.vm.handler import Code
from lindref.vm.limits import SLOTS
from lindref.vm.ops_exceptions import Region
from lindref.vm.values import default
from lindref.wasm.module import Export, ExternKind, Instr, Module
from lindref.wasm.names import Names
from lindref.wasm.sections import names
from lindref.wasm.types import DefType, FuncType, TagType
from lindref.wasm.validator import BodyFacts, Context, validate_body, validate_shell


class Body:
    """The body of a defined function. ``code`` is ``None`` until ``prepare`` has made it."""

    __slots__ = (
        "code",
        "compiled",
        "facts",
        "heat",
        "index",
        "n_params",
        "n_results",
        "origins",
        "program",
        "regions",
        "type",
        "weight",
        "zeros",
    )

    def __init__(self, program: Program | None, index: int, functype: FuncType) -> None:
        self.program = program
        self.index = index
        """The function's index in the module, imports first; -1 for the host's."""
        self.type = functype
        self.n_params = len(functype.params)
        self.n_results = len(functype.results)
        self.code: Code | None = None
        self.weight = 1
        """What a frame counts against the depth limit, once the body is prepared: see ``limits.SLOTS``."""
        self.facts: BodyFacts | None = None
        """What validation found out; there once the body is prepared."""
        self.zeros: tuple[Any, ...] = ()
        """What the locals behind the parameters start with; hidden ones for caught exceptions come last."""
        self.origins: list[int] = []
        """For each entry of ``code`` the index of the instruction it belongs to."""
        self.regions: tuple[Region, ...] = ()
        self.compiled: dict[int, Any] = {}
        """By entry of ``code`` what the compiled tier made of the body from there on (``vm.compiled.unit.Unit``)."""
        self.heat: dict[int, int] = {}
        """By entry of ``code`` how often a machine that compiles came by there."""

    @classmethod
    def host(cls, code: Code) -> Body:
        """The body of a frame that stands for a call by the host."""
        body = cls(None, -1, FuncType())
        body.code = code
        body.origins = [0] * len(code)
        return body

    def prepare(self) -> Code:
        """Validates and translates the body, once; ``WasmError`` with the function's place if it is not valid."""
        if self.code is None:
            assert self.program is not None
            code = self.program.module.codes[self.code_index]
            self.facts = validate_body(self.program.context, self.code_index)
            self.zeros = tuple(map(default, code.local_types()))
            prepare.build(self, code.body)
            slots = self.n_params + len(self.zeros) + max(self.facts.heights)
            self.weight = 1 + slots // SLOTS
        assert self.code is not None
        return self.code

    @property
    def code_index(self) -> int:
        """The position in ``module.codes``."""
        assert self.program is not None
        return self.index - self.program.n_imported

    def instruction(self, pc: int) -> Instr:
        """The instruction that entry ``pc`` of the code belongs to."""
        assert self.program is not None
        return self.program.module.codes[self.code_index].body[self.origins[pc]]


class Program:
    """A module, its closed types and its bodies. Made by ``program``."""

    def __init__(self, module: Module, *, eager: bool) -> None:
        self.module = module
        self.context: Context = validate_shell(module)
        self.types: tuple[DefType, ...] = self.context.types
        """The closed types of the type index space."""
        imported = module.imported(ExternKind.FUNC)
        self.n_imported = len(imported)
        indices = [i.desc for i in imported if isinstance(i.desc, int)] + list(module.funcs)
        self.func_types: tuple[DefType, ...] = tuple(self.types[i] for i in indices)
        """The type of every function of the index space."""
        tags = [i.desc for i in module.imported(ExternKind.TAG) if isinstance(i.desc, TagType)] + list(module.tags)
        self.tag_types: tuple[DefType, ...] = tuple(self.types[tag.type_index] for tag in tags)
        """The type of every tag of the index space."""
        self.bodies = [
            Body(self, self.n_imported + i, module.func_type(type_index)) for i, type_index in enumerate(module.funcs)
        ]
        self.validated = False
        if eager:
            self.validate()

    def validate(self) -> None:
        """Validates every body now; ``WasmError`` for the first that is not valid."""
        if not self.validated:
            for body in self.bodies:
                if body.code is None:
                    validate_body(self.context, body.code_index)
            self.validated = True

    def body(self, index: int) -> Body:
        """The body of defined function ``index`` (imports counted)."""
        return self.bodies[index - self.n_imported]

    @cached_property
    def exports(self) -> dict[str, Export]:
        """The exports by name."""
        return {export.name: export for export in self.module.exports}

    @cached_property
    def names(self) -> Names:
        """What the module's items are called: from the text's identifiers, or the name section."""
        found = self.module.text_names
        return found if isinstance(found, Names) else names(self.module)

    def func_name(self, index: int) -> str:
        """What a function is called, for people; empty if nothing is known."""
        return self.names.funcs.get(index, "")

    @cached_property
    def binary(self) -> bytes:
        """The module's encoding."""
        from lindref.wasm.binary.encoder import encode

        return encode(self.module)

    @cached_property
    def digest(self) -> str:
        """What the module is known by in a saved state: the digest of its binary (of its encoding, for text)."""
        return self.module.digest or blake2b(self.binary, digest_size=16).hexdigest()


_PROGRAMS: WeakValueDictionary[int, Program] = WeakValueDictionary()


def program(module: Module, *, eager: bool = False) -> Program:
    """The program of a module, the same object each time; ``Invalid`` or ``Malformed`` if it is none.

    ``eager`` validates all bodies now, otherwise each is on its first call.
    """
    made = _PROGRAMS.get(id(module))  # alive: it holds its module, so the id is not used again
    if made is None:
        made = _PROGRAMS[id(module)] = Program(module, eager=eager)
    elif eager:
        made.validate()
    return made

"""Is a module valid (spec §3)? The face of ``lindref.wasm.validation``."""

from __future__ import annotations

from lindref.wasm.module import Module
from lindref.wasm.validation.body import BodyFacts, validate_body
from lindref.wasm.validation.context import Context
from lindref.wasm.validation.shell import validate_shell

__all__ = ["BodyFacts", "Context", "validate", "validate_body", "validate_shell"]


def validate(module: Module) -> None:
    """Checks a module with all its bodies.

    Raises:
        Invalid: a rule is broken; the message begins as the official scripts expect, ``where`` names the place.
        Malformed: a body's bytes are (bodies are decoded on demand).
        Exhausted: a limit of ours is exceeded.
        Unsupported: an instruction needs a feature that the module is not read under.
    """
    context = validate_shell(module)
    for code_index in range(len(module.codes)):
        validate_body(context, code_index)

"""What a module's items are called: one record for both sources of names.

The text parser fills it from identifiers (``$f`` is the name ``f``), ``lindref.wasm.sections.names`` from the name
section (spec §7.4.1). Names are for people: they carry no meaning and need not be unique.
"""

from __future__ import annotations

import attrs


@attrs.define
class Names:
    """The names of a module. Every dictionary maps an index of its index space (imports first) to a name.

    Names are plain text without the ``$`` and quotes of the text format.
    """

    module: str | None = None
    """The module's own name."""
    funcs: dict[int, str] = attrs.Factory(dict)
    tables: dict[int, str] = attrs.Factory(dict)
    memories: dict[int, str] = attrs.Factory(dict)
    globals: dict[int, str] = attrs.Factory(dict)
    tags: dict[int, str] = attrs.Factory(dict)
    types: dict[int, str] = attrs.Factory(dict)
    elems: dict[int, str] = attrs.Factory(dict)
    datas: dict[int, str] = attrs.Factory(dict)
    locals: dict[int, dict[int, str]] = attrs.Factory(dict)
    """Function index -> local index (parameters first) -> name."""
    labels: dict[int, dict[int, str]] = attrs.Factory(dict)
    """Function index -> label index -> name; label *n* belongs to the *n*-th block instruction
    (``block``, ``loop``, ``if``, ``try``, ``try_table``) of the body, counted from 0 in order of appearance."""

"""What a module's items are called: one record for both sources of names.

The text parser fills it from identifiers (``$f`` is the name ``f``), ``lindref.wasm.sections.names`` from the name
section (spec §7.4.1). Names are for people: they carry no meaning and need not be unique.
"""

from __future__ import annotations

from lindref import classes


@classes.define
class Names:
    """The names of a module. Every dictionary maps an index of its index space (imports first) to a name.

    Names are plain text without the ``$`` and quotes of the text format.
    """

    module: str | None = None
    """The module's own name."""
    funcs: dict[int, str] = classes.Factory(dict)
    tables: dict[int, str] = classes.Factory(dict)
    memories: dict[int, str] = classes.Factory(dict)
    globals: dict[int, str] = classes.Factory(dict)
    tags: dict[int, str] = classes.Factory(dict)
    types: dict[int, str] = classes.Factory(dict)
    elems: dict[int, str] = classes.Factory(dict)
    datas: dict[int, str] = classes.Factory(dict)
    locals: dict[int, dict[int, str]] = classes.Factory(dict)
    """Function index -> local index (parameters first) -> name."""
    labels: dict[int, dict[int, str]] = classes.Factory(dict)
    """Function index -> label index -> name; label *n* belongs to the *n*-th block instruction
    (``block``, ``loop``, ``if``, ``try``, ``try_table``) of the body, counted from 0 in order of appearance."""

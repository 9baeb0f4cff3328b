"""The features a module is read under.

The base is wasm 2.0 without SIMD (multi-value, reference types, bulk memory, sign extension,
saturating conversions, mutable globals). Everything later is a named feature, and a module is decoded,
parsed and validated under a *set* of them (MACH-1).
"""

from __future__ import annotations

import enum


class Feature(enum.Enum):
    """One proposal beyond (or taken out of) wasm 2.0; the value is the name shown to people."""

    BASE = "base"
    EXTENDED_CONST = "extended-const"
    MULTI_MEMORY = "multi-memory"
    TAIL_CALL = "tail-call"
    FUNCTION_REFERENCES = "function-references"  # typed references, rec groups, abstract heap types
    THREADS = "threads"
    EXCEPTIONS = "exceptions"  # try_table, throw_ref, exnref
    LEGACY_EXCEPTIONS = "legacy-exceptions"  # try, catch, delegate, rethrow
    ANNOTATIONS = "annotations"  # text: (@id ...), $"quoted ids"
    SIMD = "simd"
    MEMORY64 = "memory64"
    GC = "gc"  # structs, arrays, i31, casts


#: Features that lindref implements; the others answer ``Unsupported``.
BUILT: frozenset[Feature] = frozenset(
    {
        Feature.BASE,
        Feature.EXTENDED_CONST,
        Feature.MULTI_MEMORY,
        Feature.TAIL_CALL,
        Feature.FUNCTION_REFERENCES,
        Feature.THREADS,
        Feature.EXCEPTIONS,
        Feature.LEGACY_EXCEPTIONS,
        Feature.ANNOTATIONS,
    }
)

#: What a module is read under when nobody says otherwise.
DEFAULT: frozenset[Feature] = BUILT

"""Values to bytes and back, and their digests: the face of this package for everything above it.

The encoding is canonical: two values have the same bytes exactly when they are the same state. A record or
map that occurs twice is written once and then referred to, so sharing survives, and a saved state is no larger
than what is distinct in it. ``decode`` accepts what ``encode`` writes and nothing else. The format is described
in ``state.wire``.

Values are ``None``, bool, int of any size, float (by bits), str, bytes, tuple, frozenset of ints and strs,
``PMap``, and instances of the classes declared with ``state.records``.
"""

from __future__ import annotations

from lindref.state.decoder import decode
from lindref.state.digest import digest, same
from lindref.state.encoder import encode
from lindref.state.errors import StateError

__all__ = ["StateError", "decode", "digest", "encode", "same"]

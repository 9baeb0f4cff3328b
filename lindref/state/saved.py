"""Values in files: a line that says what the file is, then the value's canonical bytes (``state.wire``).

The line is ``lindref-state VERSION KIND CHECKSUM LENGTH``: the version of this format, what is saved (a word), the
BLAKE2b checksum of the bytes that follow (16 bytes, in hex) and their number. A file is written beside its place and
moved there, so that a place holds the whole old file or the whole new one, whatever happens.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from lindref.state.codec import decode, encode
from lindref.state.errors import StateError

MAGIC = "lindref-state"
VERSION = 1
_LONGEST_LINE = 256
_LINE = re.compile(rf"{MAGIC} (\d{{1,9}}) ([a-z][a-z.-]*) ([0-9a-f]{{32}}) (\d{{1,18}})\n")


def save(path: str | os.PathLike[str], kind: str, value: object) -> None:
    """Write ``value`` to ``path`` as a ``kind`` (lower-case letters, dots and hyphens).

    Raises ``StateError`` where the file cannot be written; what was there before is then untouched.
    """
    assert re.fullmatch(r"[a-z][a-z.-]*", kind), kind
    data = encode(value)
    line = f"{MAGIC} {VERSION} {kind} {_checksum(data)} {len(data)}\n"
    place = Path(path)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
        with open(handle, "wb") as file:
            file.write(line.encode())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, place)
        temporary = None
    except OSError as error:
        raise StateError(f"cannot be written: {error.strerror}", str(path)) from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def load(path: str | os.PathLike[str], kind: str) -> object:
    """The value that was saved to ``path`` as a ``kind``.

    Raises ``StateError``, which names the file, for one that cannot be read, that is no saved state or one of another
    kind or a later version, and for one that is not as it was written.
    """
    try:
        with open(path, "rb") as file:
            first = file.readline(_LONGEST_LINE)
            data = file.read()
    except OSError as error:
        raise StateError(f"cannot be read: {error.strerror}", str(path)) from None
    found = _LINE.fullmatch(first.decode("latin-1"))
    if found is None:
        raise StateError("not a saved state", str(path))
    version, stored, checksum, length = int(found[1]), found[2], found[3], int(found[4])
    if version != VERSION:
        raise StateError(f"saved in format {version}, this is lindref's format {VERSION}", str(path))
    if stored != kind:
        raise StateError(f"holds a {stored}, not a {kind}", str(path))
    if len(data) != length:
        what = "cut off" if len(data) < length else "longer than it says"
        raise StateError(f"{what}: {len(data)} of {length} bytes", str(path))
    if _checksum(data) != checksum:
        raise StateError("damaged: its checksum does not fit", str(path))
    try:
        return decode(data)
    except StateError as error:
        raise StateError(str(error), str(path)) from None


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


__all__ = ["StateError", "load", "save"]

"""Words that are not to be seen are struck out of what is written.

    lindref run --grate lindref.grates.writefilter:WriteFilter,word=secret app.wasm

Each write is looked at alone: a word cut in two by two writes passes.
"""

from __future__ import annotations

import lindref
from lindref.posix.structs import LAYOUTS

IOVEC = LAYOUTS["iovec"]


class WriteFilter(lindref.Grate):
    """Replaces ``word`` by ``by`` (stars if not given) in what goes to the descriptors ``fds``, ``+`` between them."""

    def __init__(self, word: str, by: str | None = None, fds: str = "1+2") -> None:
        if not word:
            raise ValueError("word: there must be one")
        self.word = word.encode()
        self.by = b"*" * len(self.word) if by is None else by.encode()
        self.fds = tuple(int(number) for number in fds.split("+"))

    @lindref.serves("write", "pwrite64")
    def write_one(self, call: lindref.Served, fd: int, data: int, count: int) -> int:
        """Write the cleaned bytes; the caller hears that all its own were written."""
        if fd not in self.fds:
            return self.forward()
        dirty = self.read_bytes(data, count)
        clean = dirty.replace(self.word, self.by)
        if clean == dirty:
            return self.forward()
        written = self.forward(..., self.place(clean), len(clean))
        return count if written == len(clean) else min(written, count)

    def writev(self, call: lindref.Served, fd: int, vector: int, count: int) -> int:
        """The pieces as one write."""
        if fd not in self.fds:
            return self.forward()
        pieces = [IOVEC.unpack(self.read_bytes(vector + i * IOVEC.size, IOVEC.size)) for i in range(count)]
        dirty = b"".join(self.read_bytes(piece["iov_base"], piece["iov_len"]) for piece in pieces)
        clean = dirty.replace(self.word, self.by)
        written = self.call("write", fd, self.place(clean), len(clean), target=call.caller)
        return len(dirty) if written == len(clean) else min(written, len(dirty))

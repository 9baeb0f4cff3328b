"""Messages of the Debug Adapter Protocol: a header with their length, then JSON."""

from __future__ import annotations

import json
import threading
from typing import Any, BinaryIO

#: A message as an object.
Message = dict[str, Any]

#: Bytes of a header and of a body that are accepted.
MAX_HEADER = 8 << 10
MAX_BODY = 64 << 20


class ProtocolError(Exception):
    """What comes in is not the protocol: nothing after it can be understood. One line."""


class Unreadable(Exception):
    """One message that is none; the next may be. One line."""


def read_message(stream: BinaryIO) -> Message | None:
    """The next message; ``None`` at the end of the stream. Raises ``ProtocolError`` or ``Unreadable``."""
    length: int | None = None
    read = 0
    while True:
        line = stream.readline(MAX_HEADER)
        read += len(line)
        if not line:
            if read:
                raise ProtocolError("the stream ends within a header")
            return None
        if read > MAX_HEADER or not line.endswith(b"\n"):
            raise ProtocolError("a header that does not end")
        text = line.strip()
        if not text:
            if length is None:
                raise ProtocolError("a header without Content-Length")
            break
        name, colon, value = text.partition(b":")
        if not colon:
            raise ProtocolError(f"not a header: {text[:40].decode('latin-1')!r}")
        if name.strip().lower() == b"content-length":
            digits = value.strip()
            if not digits.isdigit() or len(digits) > 12 or int(digits) > MAX_BODY:
                raise ProtocolError(f"Content-Length {digits[:20].decode('latin-1')!r}")
            length = int(digits)
    body = stream.read(length)
    if len(body) < length:
        raise ProtocolError("the stream ends within a message")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise Unreadable("a message that is not JSON") from None
    if not isinstance(message, dict):
        raise Unreadable("a message that is no object")
    return message


class Writer:
    """Sends messages, numbered in their order; several threads may."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._seq = 0
        self._lock = threading.Lock()
        #: Nobody listens any more.
        self.closed = False

    def send(self, message: Message) -> None:
        """Send a message; nothing happens where nobody listens any more."""
        with self._lock:
            self._seq += 1
            body = json.dumps({"seq": self._seq, **message}, separators=(",", ":")).encode()
            try:
                self._stream.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
                self._stream.flush()
            except (OSError, ValueError):
                self.closed = True

    def event(self, name: str, **body: Any) -> None:
        """Send an event."""
        self.send({"type": "event", "event": name, "body": body})

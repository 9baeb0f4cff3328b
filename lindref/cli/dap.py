"""``lindref dap``: a debug adapter for editors, over standard input and output or TCP."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress

from lindref.arguments import USAGE, Arguments
from lindref.cli.run import kit_libraries, number


def _parser() -> Arguments:
    parser = Arguments(
        prog="lindref dap",
        description="Speak the Debug Adapter Protocol: an editor launches programs, sets breakpoints, and steps "
        "forwards and backwards. docs/dap.md tells how to set up VS Code and others.",
        epilog="Without --port it speaks over standard input and output. Example: lindref dap --port 4711",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--port", type=number(0, 65535), metavar="N", help="listen on TCP port N of the loopback (0: any)")
    add("--host", default="127.0.0.1", metavar="ADDRESS", help="listen there; whoever connects can run programs")
    add("--once", action="store_true", help="with --port: end after the first session")
    return parser


def main(argv: list[str]) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(argv)
    if options.port is None:
        return _stdio()
    try:
        with socket.create_server((options.host, options.port)) as server:
            sys.stderr.write(f"lindref dap: listening on {options.host}:{server.getsockname()[1]}\n")
            sys.stderr.flush()
            return _listen(server, once=options.once)
    except OSError as error:
        sys.stderr.write(f"lindref dap: {options.host}:{options.port}: {error.strerror}\n")
        return USAGE


def _stdio() -> int:
    """One session over standard input and output; what else would be written there goes to standard error."""
    from lindref.dap.adapter import Adapter

    incoming, outgoing = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return Adapter(incoming, outgoing, kit_libraries, os.getcwd()).serve()


def _listen(server: socket.socket, *, once: bool) -> int:
    """One session after the other: a run belongs to whoever launched it."""
    from lindref.dap.adapter import Adapter

    while True:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as incoming, connection.makefile("wb") as outgoing:
            status = Adapter(incoming, outgoing, kit_libraries, os.getcwd()).serve()
            with suppress(OSError):  # the client may have been first
                connection.shutdown(socket.SHUT_RDWR)
        if once:
            return status

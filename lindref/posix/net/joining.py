"""What the host is asked and told about the network, where the network in the run is joined to the host's (SOCK-14).

The answers are in the trace (`Kernel.ask`). What the host does by itself is the business of `gate`.
"""

from __future__ import annotations

from typing import Any

from lindref.posix.errno import EIO, NUMBERS
from lindref.posix.errors import fail
from lindref.posix.kernel import Kernel
from lindref.posix.net import records
from lindref.posix.net.addresses import address_of, with_port
from lindref.posix.net.numbers import AF_UNIX, SOCK_STREAM
from lindref.posix.net.records import Gate, Name
from lindref.posix.result import Refused
from lindref.state.records import replace


def tell(kernel: Kernel, word: str, *values: object) -> None:
    """Tell the host something that has no answer: a method of `hostnet.HostNet`."""
    net = kernel.outside.net
    kernel.ask("net", lambda: getattr(net, word)(*values) if net is not None else None, None)


def error_number(name: str) -> int:
    """The guest's number of an error that the host names; 0 for none."""
    return NUMBERS.get(name, EIO) if name else 0


def change(kernel: Kernel, handle: int, **changes: Any) -> None:
    """Replace fields of a gate."""
    kernel.gates = kernel.gates.set(handle, replace(kernel.gates[handle], **changes))


def drop(kernel: Kernel, handle: int) -> None:
    """A gate is no more."""
    kernel.gates = kernel.gates.remove(handle)


def bind(kernel: Kernel, number: int, name: Name, *, reuse: bool = False) -> Name:
    """Take ``name`` on the host too for socket ``number``; the name with the port it got. Refused as bind is."""
    if not kernel.network or name.family == AF_UNIX:
        return name
    net = kernel.outside.net
    stream = records.get(kernel, number).type == SOCK_STREAM
    address = address_of(name)
    error, port = kernel.ask(
        "bind",
        lambda: net.bind(number, name.family, address, name.port, stream=stream, reuse=reuse),
        ("EADDRNOTAVAIL", 0),
    )
    if error:
        raise Refused(fail(error_number(error), "SOCK-14"))
    kernel.gates = kernel.gates.set(number, Gate("name" if stream else "datagram", number))
    return with_port(name, port)


def listen(kernel: Kernel, number: int, backlog: int) -> None:
    """Socket ``number``, which has a name, hears of connections from the host from now on; refused as listen is."""
    if not kernel.network or number not in kernel.gates or kernel.gates[number].kind == "listener":
        return
    net = kernel.outside.net
    error = kernel.ask("listen", lambda: net.listen(number, max(backlog, 1)), "")
    if error:
        raise Refused(fail(error_number(error), "SOCK-14"))
    change(kernel, number, kind="listener")


def connect(kernel: Kernel, number: int, name: Name) -> None:
    """Begin to connect socket ``number`` to ``name`` on the host; refused as connect is."""
    net = kernel.outside.net
    address = address_of(name)
    error = kernel.ask("connect", lambda: net.connect(number, name.family, address, name.port), "")
    if error:
        raise Refused(fail(error_number(error), "SOCK-14"))
    kernel.gates = kernel.gates.set(number, Gate("connecting", number))
    records.change(kernel, number, connecting=True, remote=name, error=0)


def send_to(kernel: Kernel, number: int, data: bytes, name: Name) -> bool:
    """Send a datagram to ``name`` on the host; whether socket ``number`` can."""
    if number not in kernel.gates:
        return False
    tell(kernel, "send_to", number, data, address_of(name), name.port)
    return True

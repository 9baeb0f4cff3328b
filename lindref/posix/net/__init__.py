"""Sockets inside the run: records, addresses, how bytes and messages go, options.

Functions take the kernel, whose ``sockets`` they replace. Calls are not here: `posix.sockets`, `posix.messages` and
`posix.sockopt` are built on this package. There is no network but the loopback.
"""

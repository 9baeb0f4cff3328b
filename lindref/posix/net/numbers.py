"""Numbers of the socket calls. Source: the guest's headers."""

from __future__ import annotations

AF_UNSPEC = 0
AF_UNIX = 1
AF_INET = 2
AF_INET6 = 10
AF_NETLINK = 16

SOCK_STREAM = 1
SOCK_DGRAM = 2
SOCK_RAW = 3
SOCK_SEQPACKET = 5
SOCK_NONBLOCK = 0o4000
SOCK_CLOEXEC = 0o2000000

#: The bits of a type that are the type; types end before the second number, families before the third.
SOCK_TYPE = 0xF
SOCK_MAX = 11
AF_MAX = 46

IPPROTO_IP = 0
IPPROTO_TCP = 6
IPPROTO_UDP = 17
IPPROTO_IPV6 = 41
SOL_SOCKET = 1

MSG_OOB = 0x1
MSG_PEEK = 0x2
MSG_CTRUNC = 0x8
MSG_TRUNC = 0x20
MSG_DONTWAIT = 0x40
MSG_WAITALL = 0x100
MSG_NOSIGNAL = 0x4000
MSG_CMSG_CLOEXEC = 0x40000000

SHUT_RD = 0
SHUT_WR = 1
SHUT_RDWR = 2

SCM_RIGHTS = 1

#: Connections that wait to be accepted, at most.
BACKLOG_MAX = 4096

#: Bytes that wait in a socket to be read, at most, and of one message.
ROOM = 212992
UDP_MAX = 65507

#: Most bytes that one event brings.
PIECE = 1 << 16

"""Names of numbers: sets of flag bits and enumerations, for showing calls as strace does.

A set is a mapping from value to name in ascending order, so the lowest bits come first. Where one name is several bits
(``O_SYNC``) the wider one wins. Source: the guest's headers.
"""

from __future__ import annotations

from types import MappingProxyType

_SETS: dict[str, dict[int, str]] = {
    "open": {
        0x40: "O_CREAT", 0x80: "O_EXCL", 0x100: "O_NOCTTY", 0x200: "O_TRUNC", 0x400: "O_APPEND",
        0x800: "O_NONBLOCK", 0x1000: "O_DSYNC", 0x2000: "O_ASYNC", 0x4000: "O_DIRECT", 0x8000: "O_LARGEFILE",
        0x10000: "O_DIRECTORY", 0x20000: "O_NOFOLLOW", 0x40000: "O_NOATIME", 0x80000: "O_CLOEXEC",
        0x101000: "O_SYNC", 0x200000: "O_PATH", 0x410000: "O_TMPFILE",
    },
    "open-mode": {
        0: "O_RDONLY", 1: "O_WRONLY", 2: "O_RDWR", 3: "O_ACCMODE",
    },
    "at": {
        0x100: "AT_SYMLINK_NOFOLLOW", 0x200: "AT_REMOVEDIR", 0x400: "AT_SYMLINK_FOLLOW", 0x800: "AT_NO_AUTOMOUNT",
        0x1000: "AT_EMPTY_PATH",
    },
    "faccessat": {
        0x100: "AT_SYMLINK_NOFOLLOW", 0x200: "AT_EACCESS", 0x1000: "AT_EMPTY_PATH",
    },
    "access": {
        1: "X_OK", 2: "W_OK", 4: "R_OK",
    },
    "whence": {
        0: "SEEK_SET", 1: "SEEK_CUR", 2: "SEEK_END", 3: "SEEK_DATA", 4: "SEEK_HOLE",
    },
    "prot": {
        1: "PROT_READ", 2: "PROT_WRITE", 4: "PROT_EXEC", 0x1000000: "PROT_GROWSDOWN", 0x2000000: "PROT_GROWSUP",
    },
    "map": {
        1: "MAP_SHARED", 2: "MAP_PRIVATE", 0x10: "MAP_FIXED", 0x20: "MAP_ANONYMOUS", 0x40: "MAP_32BIT",
        0x100: "MAP_GROWSDOWN", 0x800: "MAP_DENYWRITE", 0x1000: "MAP_EXECUTABLE", 0x2000: "MAP_LOCKED",
        0x4000: "MAP_NORESERVE", 0x8000: "MAP_POPULATE", 0x10000: "MAP_NONBLOCK", 0x20000: "MAP_STACK",
        0x40000: "MAP_HUGETLB", 0x80000: "MAP_SYNC", 0x100000: "MAP_FIXED_NOREPLACE",
    },
    "clone": {
        0x80: "CLONE_NEWTIME", 0x100: "CLONE_VM", 0x200: "CLONE_FS", 0x400: "CLONE_FILES", 0x800: "CLONE_SIGHAND",
        0x1000: "CLONE_PIDFD", 0x2000: "CLONE_PTRACE", 0x4000: "CLONE_VFORK", 0x8000: "CLONE_PARENT",
        0x10000: "CLONE_THREAD", 0x20000: "CLONE_NEWNS", 0x40000: "CLONE_SYSVSEM", 0x80000: "CLONE_SETTLS",
        0x100000: "CLONE_PARENT_SETTID", 0x200000: "CLONE_CHILD_CLEARTID", 0x400000: "CLONE_DETACHED",
        0x800000: "CLONE_UNTRACED", 0x1000000: "CLONE_CHILD_SETTID", 0x2000000: "CLONE_NEWCGROUP",
        0x4000000: "CLONE_NEWUTS", 0x8000000: "CLONE_NEWIPC", 0x10000000: "CLONE_NEWUSER",
        0x20000000: "CLONE_NEWPID", 0x40000000: "CLONE_NEWNET", 0x80000000: "CLONE_IO",
    },
    "wait": {
        1: "WNOHANG", 2: "WUNTRACED", 4: "WEXITED", 8: "WCONTINUED", 0x1000000: "WNOWAIT",
    },
    "sigmask-how": {
        0: "SIG_BLOCK", 1: "SIG_UNBLOCK", 2: "SIG_SETMASK",
    },
    "sa": {
        1: "SA_NOCLDSTOP", 2: "SA_NOCLDWAIT", 4: "SA_SIGINFO", 0x4000000: "SA_RESTORER", 0x8000000: "SA_ONSTACK",
        0x10000000: "SA_RESTART", 0x20000000: "SA_INTERRUPT", 0x40000000: "SA_NODEFER", 0x80000000: "SA_RESETHAND",
    },
    "clock": {
        0: "CLOCK_REALTIME", 1: "CLOCK_MONOTONIC", 2: "CLOCK_PROCESS_CPUTIME_ID", 3: "CLOCK_THREAD_CPUTIME_ID",
        4: "CLOCK_MONOTONIC_RAW", 5: "CLOCK_REALTIME_COARSE", 6: "CLOCK_MONOTONIC_COARSE", 7: "CLOCK_BOOTTIME",
        8: "CLOCK_REALTIME_ALARM", 9: "CLOCK_BOOTTIME_ALARM", 0xb: "CLOCK_TAI",
    },
    "timer": {
        1: "TIMER_ABSTIME",
    },
    "itimer": {
        0: "ITIMER_REAL", 1: "ITIMER_VIRTUAL", 2: "ITIMER_PROF",
    },
    "rlimit": {
        0: "RLIMIT_CPU", 1: "RLIMIT_FSIZE", 2: "RLIMIT_DATA", 3: "RLIMIT_STACK", 4: "RLIMIT_CORE", 5: "RLIMIT_RSS",
        6: "RLIMIT_NPROC", 7: "RLIMIT_NOFILE", 8: "RLIMIT_MEMLOCK", 9: "RLIMIT_AS", 0xa: "RLIMIT_LOCKS",
        0xb: "RLIMIT_SIGPENDING", 0xc: "RLIMIT_MSGQUEUE", 0xd: "RLIMIT_NICE", 0xe: "RLIMIT_RTPRIO",
        0xf: "RLIMIT_RTTIME",
    },
    "fcntl": {
        0: "F_DUPFD", 1: "F_GETFD", 2: "F_SETFD", 3: "F_GETFL", 4: "F_SETFL", 5: "F_GETLK", 6: "F_SETLK",
        7: "F_SETLKW", 8: "F_SETOWN", 9: "F_GETOWN", 0xa: "F_SETSIG", 0xb: "F_GETSIG", 0xc: "F_GETLK64",
        0xd: "F_SETLK64", 0xe: "F_SETLKW64", 0xf: "F_SETOWN_EX", 0x10: "F_GETOWN_EX", 0x24: "F_OFD_GETLK",
        0x25: "F_OFD_SETLK", 0x26: "F_OFD_SETLKW", 0x400: "F_SETLEASE", 0x401: "F_GETLEASE", 0x402: "F_NOTIFY",
        0x406: "F_DUPFD_CLOEXEC", 0x407: "F_SETPIPE_SZ", 0x408: "F_GETPIPE_SZ", 0x409: "F_ADD_SEALS",
        0x40a: "F_GET_SEALS", 0x40b: "F_GET_RW_HINT", 0x40c: "F_SET_RW_HINT", 0x40d: "F_GET_FILE_RW_HINT",
        0x40e: "F_SET_FILE_RW_HINT",
    },
    "lock-type": {
        0: "F_RDLCK", 1: "F_WRLCK", 2: "F_UNLCK",
    },
    "fd": {
        1: "FD_CLOEXEC",
    },
    "flock": {
        1: "LOCK_SH", 2: "LOCK_EX", 4: "LOCK_NB", 8: "LOCK_UN", 0x20: "LOCK_MAND", 0x40: "LOCK_READ",
        0x80: "LOCK_WRITE",
    },
    "ioctl": {
        0x5401: "TCGETS", 0x5402: "TCSETS", 0x5403: "TCSETSW", 0x5404: "TCSETSF", 0x540c: "TIOCEXCL",
        0x540d: "TIOCNXCL", 0x540e: "TIOCSCTTY", 0x540f: "TIOCGPGRP", 0x5410: "TIOCSPGRP", 0x5411: "TIOCOUTQ",
        0x5412: "TIOCSTI", 0x5413: "TIOCGWINSZ", 0x5414: "TIOCSWINSZ", 0x5415: "TIOCMGET", 0x5416: "TIOCMBIS",
        0x5417: "TIOCMBIC", 0x5418: "TIOCMSET", 0x5419: "TIOCGSOFTCAR", 0x541a: "TIOCSSOFTCAR", 0x541b: "FIONREAD",
        0x541c: "TIOCLINUX", 0x541d: "TIOCCONS", 0x541e: "TIOCGSERIAL", 0x541f: "TIOCSSERIAL", 0x5420: "TIOCPKT",
        0x5421: "FIONBIO", 0x5422: "TIOCNOTTY", 0x5423: "TIOCSETD", 0x5424: "TIOCGETD", 0x5427: "TIOCSBRK",
        0x5428: "TIOCCBRK", 0x5429: "TIOCGSID", 0x542e: "TIOCGRS485", 0x542f: "TIOCSRS485", 0x5437: "TIOCVHANGUP",
        0x5450: "FIONCLEX", 0x5451: "FIOCLEX", 0x5452: "FIOASYNC", 0x5453: "TIOCSERCONFIG", 0x5454: "TIOCSERGWILD",
        0x5455: "TIOCSERSWILD", 0x5456: "TIOCGLCKTRMIOS", 0x5457: "TIOCSLCKTRMIOS", 0x5458: "TIOCSERGSTRUCT",
        0x5459: "TIOCSERGETLSR", 0x545a: "TIOCSERGETMULTI", 0x545b: "TIOCSERSETMULTI", 0x545c: "TIOCMIWAIT",
        0x545d: "TIOCGICOUNT", 0x5460: "FIOQSIZE", 0x8901: "FIOSETOWN", 0x8903: "FIOGETOWN",
    },
    "poll": {
        1: "POLLIN", 2: "POLLPRI", 4: "POLLOUT", 8: "POLLERR", 0x10: "POLLHUP", 0x20: "POLLNVAL",
        0x40: "POLLRDNORM", 0x80: "POLLRDBAND", 0x100: "POLLWRNORM", 0x200: "POLLWRBAND", 0x400: "POLLMSG",
        0x1000: "POLLREMOVE", 0x2000: "POLLRDHUP",
    },
    "epoll": {
        1: "EPOLLIN", 2: "EPOLLPRI", 4: "EPOLLOUT", 8: "EPOLLERR", 0x10: "EPOLLHUP", 0x40: "EPOLLRDNORM",
        0x80: "EPOLLRDBAND", 0x100: "EPOLLWRNORM", 0x200: "EPOLLWRBAND", 0x400: "EPOLLMSG", 0x2000: "EPOLLRDHUP",
        0x10000000: "EPOLLEXCLUSIVE", 0x20000000: "EPOLLWAKEUP", 0x40000000: "EPOLLONESHOT", 0x80000000: "EPOLLET",
    },
    "epoll-op": {
        1: "EPOLL_CTL_ADD", 2: "EPOLL_CTL_DEL", 3: "EPOLL_CTL_MOD",
    },
    "epoll-create": {
        0x80000: "EPOLL_CLOEXEC",
    },
    "family": {
        0: "AF_UNSPEC", 1: "AF_UNIX", 2: "AF_INET", 0xa: "AF_INET6", 0x10: "AF_NETLINK", 0x11: "AF_PACKET",
    },
    "socket-kind": {
        1: "SOCK_STREAM", 2: "SOCK_DGRAM", 3: "SOCK_RAW", 4: "SOCK_RDM", 5: "SOCK_SEQPACKET", 6: "SOCK_DCCP",
        0xa: "SOCK_PACKET",
    },
    "socket": {
        0x800: "SOCK_NONBLOCK", 0x80000: "SOCK_CLOEXEC",
    },
    "msg": {
        1: "MSG_OOB", 2: "MSG_PEEK", 4: "MSG_DONTROUTE", 8: "MSG_CTRUNC", 0x10: "MSG_PROXY", 0x20: "MSG_TRUNC",
        0x40: "MSG_DONTWAIT", 0x80: "MSG_EOR", 0x100: "MSG_WAITALL", 0x200: "MSG_FIN", 0x400: "MSG_SYN",
        0x800: "MSG_CONFIRM", 0x1000: "MSG_RST", 0x2000: "MSG_ERRQUEUE", 0x4000: "MSG_NOSIGNAL", 0x8000: "MSG_MORE",
        0x10000: "MSG_WAITFORONE", 0x40000: "MSG_BATCH", 0x4000000: "MSG_ZEROCOPY", 0x20000000: "MSG_FASTOPEN",
        0x40000000: "MSG_CMSG_CLOEXEC",
    },
    "shutdown": {
        0: "SHUT_RD", 1: "SHUT_WR", 2: "SHUT_RDWR",
    },
    "sol": {
        0: "SOL_IP", 1: "SOL_SOCKET", 6: "SOL_TCP", 0x29: "SOL_IPV6", 0x3a: "SOL_ICMPV6", 0xff: "SOL_RAW",
    },
    "so": {
        1: "SO_DEBUG", 2: "SO_REUSEADDR", 3: "SO_TYPE", 4: "SO_ERROR", 5: "SO_DONTROUTE", 6: "SO_BROADCAST",
        7: "SO_SNDBUF", 8: "SO_RCVBUF", 9: "SO_KEEPALIVE", 0xa: "SO_OOBINLINE", 0xb: "SO_NO_CHECK",
        0xc: "SO_PRIORITY", 0xd: "SO_LINGER", 0xe: "SO_BSDCOMPAT", 0xf: "SO_REUSEPORT", 0x10: "SO_PASSCRED",
        0x11: "SO_PEERCRED", 0x12: "SO_RCVLOWAT", 0x13: "SO_SNDLOWAT", 0x14: "SO_RCVTIMEO", 0x15: "SO_SNDTIMEO",
        0x16: "SO_SECURITY_AUTHENTICATION", 0x17: "SO_SECURITY_ENCRYPTION_TRANSPORT",
        0x18: "SO_SECURITY_ENCRYPTION_NETWORK", 0x19: "SO_BINDTODEVICE", 0x1a: "SO_ATTACH_FILTER",
        0x1b: "SO_DETACH_FILTER", 0x1c: "SO_PEERNAME", 0x1d: "SO_TIMESTAMP", 0x1e: "SO_ACCEPTCONN",
        0x1f: "SO_PEERSEC", 0x20: "SO_SNDBUFFORCE", 0x21: "SO_RCVBUFFORCE", 0x22: "SO_PASSSEC",
        0x23: "SO_TIMESTAMPNS", 0x24: "SO_MARK", 0x25: "SO_TIMESTAMPING", 0x26: "SO_PROTOCOL", 0x27: "SO_DOMAIN",
        0x28: "SO_RXQ_OVFL", 0x29: "SO_WIFI_STATUS", 0x2a: "SO_PEEK_OFF", 0x2b: "SO_NOFCS", 0x2c: "SO_LOCK_FILTER",
        0x2d: "SO_SELECT_ERR_QUEUE", 0x2e: "SO_BUSY_POLL", 0x2f: "SO_MAX_PACING_RATE", 0x30: "SO_BPF_EXTENSIONS",
        0x31: "SO_INCOMING_CPU", 0x32: "SO_ATTACH_BPF", 0x33: "SO_ATTACH_REUSEPORT_CBPF",
        0x34: "SO_ATTACH_REUSEPORT_EBPF", 0x35: "SO_CNX_ADVICE", 0x37: "SO_MEMINFO", 0x38: "SO_INCOMING_NAPI_ID",
        0x39: "SO_COOKIE", 0x3b: "SO_PEERGROUPS", 0x3c: "SO_ZEROCOPY", 0x3d: "SO_TXTIME", 0x3e: "SO_BINDTOIFINDEX",
        0x44: "SO_DETACH_REUSEPORT_BPF", 0x45: "SO_PREFER_BUSY_POLL", 0x46: "SO_BUSY_POLL_BUDGET",
        0x47: "SO_NETNS_COOKIE", 0x48: "SO_BUF_LOCK", 0x49: "SO_RESERVE_MEM", 0x4a: "SO_TXREHASH",
        0x4b: "SO_RCVMARK",
    },
    "ipc": {
        0x200: "IPC_CREAT", 0x400: "IPC_EXCL", 0x800: "IPC_NOWAIT",
    },
    "ipc-cmd": {
        0: "IPC_RMID", 1: "IPC_SET", 2: "IPC_STAT", 3: "IPC_INFO", 0xb: "SHM_LOCK", 0xc: "SHM_UNLOCK",
        0xd: "SHM_STAT", 0xe: "SHM_INFO",
    },
    "shm": {
        0x1000: "SHM_RDONLY", 0x2000: "SHM_RND", 0x4000: "SHM_REMAP", 0x8000: "SHM_EXEC",
    },
    "pipe": {
        0x800: "O_NONBLOCK", 0x4000: "O_DIRECT", 0x80000: "O_CLOEXEC",
    },
    "cloexec": {
        0x80000: "O_CLOEXEC",
    },
    "rename": {
        1: "RENAME_NOREPLACE", 2: "RENAME_EXCHANGE", 4: "RENAME_WHITEOUT",
    },
    "xattr": {
        1: "XATTR_CREATE", 2: "XATTR_REPLACE",
    },
    "sync-range": {
        1: "SYNC_FILE_RANGE_WAIT_BEFORE", 2: "SYNC_FILE_RANGE_WRITE", 4: "SYNC_FILE_RANGE_WAIT_AFTER",
    },
    "getrandom": {
        1: "GRND_NONBLOCK", 2: "GRND_RANDOM", 4: "GRND_INSECURE",
    },
    "futex": {
        0: "FUTEX_WAIT", 1: "FUTEX_WAKE", 2: "FUTEX_FD", 3: "FUTEX_REQUEUE", 4: "FUTEX_CMP_REQUEUE",
        5: "FUTEX_WAKE_OP", 6: "FUTEX_LOCK_PI", 7: "FUTEX_UNLOCK_PI", 8: "FUTEX_TRYLOCK_PI", 9: "FUTEX_WAIT_BITSET",
        0xa: "FUTEX_WAKE_BITSET", 0xb: "FUTEX_WAIT_REQUEUE_PI", 0xc: "FUTEX_CMP_REQUEUE_PI", 0xd: "FUTEX_LOCK_PI2",
    },
    "futex-bits": {
        0x80: "FUTEX_PRIVATE_FLAG", 0x100: "FUTEX_CLOCK_REALTIME",
    },
    "file-type": {
        0x1000: "S_IFIFO", 0x2000: "S_IFCHR", 0x4000: "S_IFDIR", 0x6000: "S_IFBLK", 0x8000: "S_IFREG",
        0xa000: "S_IFLNK", 0xc000: "S_IFSOCK",
    },
    "dirent-type": {
        0: "DT_UNKNOWN", 1: "DT_FIFO", 2: "DT_CHR", 4: "DT_DIR", 6: "DT_BLK", 8: "DT_REG", 0xa: "DT_LNK",
        0xc: "DT_SOCK", 0xe: "DT_WHT",
    },
    "signal": {
        1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE",
        9: "SIGKILL", 0xa: "SIGUSR1", 0xb: "SIGSEGV", 0xc: "SIGUSR2", 0xd: "SIGPIPE", 0xe: "SIGALRM",
        0xf: "SIGTERM", 0x10: "SIGSTKFLT", 0x11: "SIGCHLD", 0x12: "SIGCONT", 0x13: "SIGSTOP", 0x14: "SIGTSTP",
        0x15: "SIGTTIN", 0x16: "SIGTTOU", 0x17: "SIGURG", 0x18: "SIGXCPU", 0x19: "SIGXFSZ", 0x1a: "SIGVTALRM",
        0x1b: "SIGPROF", 0x1c: "SIGWINCH", 0x1d: "SIGIO", 0x1e: "SIGPWR", 0x1f: "SIGSYS",
    },
}

#: The sets by name.
SETS: MappingProxyType[str, MappingProxyType[int, str]] = MappingProxyType(
    {name: MappingProxyType(values) for name, values in _SETS.items()}
)

#: A flag word whose low bits are an enumeration of their own: set of flags -> (mask of those bits, their set).
FIELDS: MappingProxyType[str, tuple[int, str]] = MappingProxyType(
    {"open": (3, "open-mode"), "socket": (0xF, "socket-kind"), "futex-bits": (0x7F, "futex")}
)


def flags(name: str, value: int) -> str:
    """``value`` as names of the flag set ``name`` joined by ``|``; bits without a name in hexadecimal; 0 as ``0``."""
    parts: list[str] = []
    if name in FIELDS:
        mask, inner = FIELDS[name]
        parts.append(enum(inner, value & mask))
        value &= ~mask
    known = [(bits, text) for bits, text in SETS[name].items() if bits]
    covered = 0
    for bits, text in sorted(known, key=lambda item: -item[0].bit_count()):
        if value & bits == bits and bits & ~covered:
            covered |= bits
            parts.append(text)
    rest = value & ~covered
    if rest:
        parts.append(hex(rest))
    return "|".join(parts) or "0"


def enum(name: str, value: int) -> str:
    """The name of ``value`` in the set ``name``; the number where it has none."""
    return SETS[name].get(value) or (str(value) if -10 < value < 10 else hex(value))


def signal(number: int) -> str:
    """The name of a signal (``SIGUSR1``), or the number."""
    return SETS["signal"].get(number, str(number))


def signal_set(mask: int) -> str:
    """A set of signals as strace shows it: ``[INT USR1]``, or ``~[...]`` where most are in."""
    numbers = [n for n in range(1, 65) if mask >> (n - 1) & 1]
    if len(numbers) > 32:
        return "~" + signal_set(~mask & (1 << 64) - 1)
    return "[" + " ".join(signal(n).removeprefix("SIG") if n < 32 else f"RT_{n - 32}" for n in numbers) + "]"

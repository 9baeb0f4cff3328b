"""Every difference between profile ``spec`` and profile ``lind``, each with its evidence.

An entry is added when code first asks for it, never before. ``evidence`` names a recorded vector or a section of the
facts about the real system (``3i.md 4.6``, ``rawposix.md 5.1``).
"""

from __future__ import annotations

import attrs


@attrs.frozen
class Deviation:
    """One difference: what ``spec`` does, what ``lind`` does, and how we know."""

    id: str
    spec: str
    lind: str
    evidence: str


_ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "FORK-MASK",
        spec="a forked child inherits the blocked signal mask (POSIX fork)",
        lind="the child's mask is empty",
        evidence="3i.md 4.3; rawposix.md 10",
    ),
    Deviation(
        "CALL-UNKNOWN",
        spec="a call number that nothing serves fails with ENOSYS",
        lind="the host process panics",
        evidence="3i.md 2.3; vectors 3i-reg.unknown_call.*",
    ),
    Deviation(
        "CAGE-MISSING",
        spec="a call that acts on a cage that does not exist fails with ESRCH",
        lind="the host process aborts",
        evidence="vectors 3i-meta.target.nonexistent, 3i-reg.exiting_self_call",
    ),
    Deviation(
        "PTR-CRASH",
        spec="a pointer that leads nowhere is EFAULT wherever it is used",
        lind="pointers that the host process dereferences itself (paths, structures) end it with a segmentation fault",
        evidence="rawposix.md 0; vectors stat.stat.nullbuf, path.unmapped.*, pipe.basic.null",
    ),
    Deviation(
        "FORK-NONE",
        spec="a child has the contents of its parent's inaccessible pages (POSIX fork)",
        lind="the contents of PROT_NONE pages are not copied: the child finds zeros",
        evidence="3i.md 4.3; vector mem.mprotect.fork_none",
    ),
    Deviation(
        "FORK-SHM",
        spec="a child shares its parent's attached SysV segments (POSIX fork)",
        lind="the child gets a private copy of them",
        evidence="rawposix.md 5.1; vector mem.shm.fork_inherit",
    ),
    Deviation(
        "FORK-THREAD",
        spec="any thread can fork",
        lind="a child forked by a thread other than the main one exists and never runs",
        evidence="3i.md 4.3, 10",
    ),
    Deviation(
        "FORK-EXHAUSTED",
        spec="fork fails with EAGAIN when the cage ids are used up",
        lind="the host process aborts",
        evidence="3i.md 4.2",
    ),
    Deviation(
        "EXEC-ARGV0",
        spec="the new image gets argv[0] as given",
        lind="argv[0] is the path that was executed",
        evidence="3i.md 4.4; vector proc.exec.argv0",
    ),
    Deviation(
        "EXEC-ENV",
        spec="the new image gets exactly the environment that was given",
        lind="an empty environment means the previous one, entries without = are dropped",
        evidence="vectors proc.exec.empty_env_inherits, proc.exec.env_noeq",
    ),
    Deviation(
        "EXEC-LOSSY",
        spec="strings given to exec are bytes",
        lind="what is not UTF-8 becomes U+FFFD",
        evidence="rawposix.md 1a execve",
    ),
    Deviation(
        "EXEC-SCRIPTS",
        spec=(
            "up to five scripts before the module; blanks after the interpreter's argument go; the script's "
            "path takes argv[0]'s place"
        ),
        lind="up to three; blanks stay, a CR at the end of the line goes; all old arguments follow",
        evidence="vectors proc.exec.shebang_depth5, proc.exec.shebang_arg, proc.exec.shebang_crlf",
    ),
    Deviation(
        "EXEC-SIGNALS",
        spec="exec keeps the signal mask and what is ignored (POSIX exec)",
        lind="exec empties the mask and makes every action default",
        evidence="3i.md 4.4; vectors proc.exec.mask_reset, sig.mask.pending_exec",
    ),
    Deviation(
        "EXEC-UNCHECKED",
        spec="exec needs a regular file with execute permission, else EACCES",
        lind="neither is checked; a directory is ENOEXEC",
        evidence="vectors proc.exec.dir, proc.exec.noperm",
    ),
    Deviation(
        "EXIT-THREAD-CODE",
        spec="exit(60) of a cage's last thread gives the cage its status",
        lind="the status of a child is 0 then",
        evidence="vectors proc.exit.60_last_thread, proc.exit.60_main",
    ),
    Deviation(
        "HOST-CWD",
        spec="a relative path to exec begins at the cage's working directory",
        lind="it begins at the host process's, which any cage's chdir changes",
        evidence="vector proc.exec.relative_othercwd",
    ),
    Deviation(
        "NO-AUTO-REAP",
        spec="a child of a cage that ignores SIGCHLD, or has SA_NOCLDWAIT, leaves no zombie (POSIX)",
        lind="it does",
        evidence="vector sig.action.chld_ign",
    ),
    Deviation(
        "NO-REPARENT",
        spec="a child of a cage that ended has parent 1, and nobody waits for it",
        lind="getppid goes on giving the id of the cage that ended",
        evidence="vector proc.ids.orphan",
    ),
    Deviation(
        "WAIT-FIFO",
        spec="any of several zombies may be taken by a wait for any child",
        lind="the one that ended first is taken",
        evidence="3i.md 4.6",
    ),
    Deviation(
        "WAIT-OPTIONS",
        spec="wait options that do not exist are EINVAL; WUNTRACED and WCONTINUED are honoured",
        lind="only WNOHANG is looked at",
        evidence="vector proc.wait.options",
    ),
    Deviation(
        "WAIT-PID-BLOCKS",
        spec="WNOHANG never waits; a cage that is no child is ECHILD",
        lind="waiting for one id ignores WNOHANG (and then signals); cage 1 counts as its own child",
        evidence="vectors proc.wait.nohang_pid, proc.wait.not_child",
    ),
    Deviation(
        "SIG-QUEUE",
        spec="a signal that is pending already is not queued again; which of several is delivered first is open",
        lind="every signal is queued, and delivered first come first served",
        evidence="3i.md 5.2; vector sig.mask.queue",
    ),
    Deviation(
        "SIG-IGN-BLOCKS",
        spec="an ignored signal is as if never sent",
        lind="it is queued, interrupts waiting calls, and leaves its number blocked when it is delivered",
        evidence="vectors sig.action.ignored_then_handled, sig.eintr.ignored",
    ),
    Deviation(
        "SIG-DEFAULT-FAULT",
        spec="a signal whose action became default-ignore while it was pending is dropped",
        lind="delivering it ends the host process",
        evidence="3i.md 5.4",
    ),
    Deviation(
        "SIG-KILL-MASK",
        spec="SIGKILL and SIGSTOP cannot be blocked",
        lind="they can",
        evidence="3i.md 5.7, 10",
    ),
    Deviation(
        "SIG-NO-RESTART",
        spec="SA_RESTART starts interrupted calls again (POSIX sigaction)",
        lind="EINTR always comes back",
        evidence="vector sig.eintr.read_restart",
    ),
    Deviation(
        "SIG-NO-STOP",
        spec="stop signals stop a cage until SIGCONT; its parent can wait for both",
        lind="they do nothing",
        evidence="3i.md 5.4; vectors sig.stop.*",
    ),
    Deviation(
        "SIGACTION-UNCHECKED",
        spec="sigaction refuses numbers outside 1 to 64, and changes nothing when it fails",
        lind="any number is accepted, and the old action is written first",
        evidence="vectors sig.action.query_0, sig.action.query_m1, sig.action.set_9",
    ),
    Deviation(
        "SIGPROCMASK-OLD-FIRST",
        spec="sigprocmask changes nothing when it fails",
        lind="the old mask is written even then",
        evidence="vectors sig.mask.how_3, sig.mask.how_m1",
    ),
    Deviation(
        "SIGPIPE-WRITE",
        spec="every transfer that fails with EPIPE raises SIGPIPE",
        lind="only write(2) does",
        evidence="vectors pipe.basic.epipe_writev, net.socketpair.epipe_sig",
    ),
    Deviation(
        "KILL-STRICT",
        spec="kill with signal 0 asks whether the cage exists, a zombie counts; pid -1 means all others",
        lind="signal 0 and negative ids are EINVAL; a zombie is ESRCH",
        evidence="vectors sig.kill.*",
    ),
    Deviation(
        "ITIMER-UNITS",
        spec="interval timers count microseconds, report the time left, and know three timers",
        lind=(
            "microseconds are taken as ns, the clock ticks every 20 ms, what was programmed is reported for "
            "ever with its part of a second in ms; timers other than ITIMER_REAL do nothing"
        ),
        evidence="3i.md 5.10; vectors time.itimer.*",
    ),
    Deviation(
        "THREAD-ERRORS",
        spec=(
            "a thread with an impossible stack is EINVAL, with an unusable child_tid EFAULT; a null child_tid "
            "is not written"
        ),
        lind="all of these are -1",
        evidence="3i.md 4.8",
    ),
    Deviation(
        "MEM-STALE",
        spec="a mapping that was cut says what is left of it",
        lind=(
            "both parts go on saying the bounds of the whole: fork copies by them (and loses what lies behind "
            "a hole), range checks believe them"
        ),
        evidence="3i.md 6.7; vectors mem.munmap.middle, 3i-copy.munmapped.src",
    ),
    Deviation(
        "MMAP-ABORT",
        spec="mmap flags that only hint are accepted, MAP_FIXED_NOREPLACE works, PROT_EXEC and length 0 are EINVAL",
        lind="any of them ends the host process",
        evidence=(
            "vectors mem.mmap.arg_noreserve, mem.mmap.arg_stack, mem.mmap.arg_fixed_noreplace, "
            "mem.mmap.arg_prot_exec, mem.mmap.len0"
        ),
    ),
    Deviation(
        "MMAP-STRICT",
        spec=(
            "a hint need not be aligned, the offset of an anonymous mapping does not matter, a hint that "
            "cannot be had is dropped, a fixed mapping of length 0 is EINVAL"
        ),
        lind="the first two are EINVAL, the third ENOMEM, the last succeeds",
        evidence="vector mem.mmap.arg_addr_unaligned; 3i.md 6.2",
    ),
    Deviation(
        "MPROTECT-HOLES",
        spec="mprotect of a range that is not all mapped is ENOMEM",
        lind="it succeeds and makes the holes usable, which the map does not notice",
        evidence="rawposix.md 10; 3i.md 10",
    ),
    Deviation(
        "MUNMAP-WRAP",
        spec="munmap of more than the address space is EINVAL",
        lind="the length wraps round to nothing and the call succeeds",
        evidence="vector mem.munmap.neg",
    ),
    Deviation(
        "BRK-OVERLAP",
        spec="brk does not grow into another mapping",
        lind="it takes mappings over unless they cover all of the growth",
        evidence="3i.md 6.5",
    ),
    Deviation(
        "SHM-UNMAP",
        spec="munmap of an attached SysV segment unmaps it",
        lind="its memory stays, although the map forgets it",
        evidence="3i.md 6.3",
    ),
    Deviation(
        "PRLIMIT-ABORT",
        spec="limits that are not fixed have no bound; another cage's can be asked for; setting one is EPERM",
        lind="asking for others, another cage's, or setting one ends the host process",
        evidence="vectors misc.prlimit.*",
    ),
    # 3i, grates and exec with threads.
    Deviation(
        "3I-MISSING",
        spec="a call without a handler fails: ENOSYS without a row, ESRCH where the row's grate is gone",
        lind="the runtime panics",
        evidence="3i.md 2.3, 10",
    ),
    Deviation(
        "3I-FORKED-GRATE",
        spec="a call to a cage that was forked and has not exec'd fails with ESRCH",
        lind="the runtime aborts: such a cage has no workers",
        evidence="3i.md 3.1, 10",
    ),
    Deviation(
        "3I-DATA-NULL",
        spec="copying to a null destination is refused as every other bad address",
        lind="the runtime panics: allocation of a destination is not supported",
        evidence="3i.md 3.5, 10",
    ),
    Deviation(
        "GRATE-WORKER-TLS",
        spec="each worker of a grate has thread-local storage of its own",
        lind="the TLS base of all workers is 0",
        evidence="loader.md 5",
    ),
    Deviation(
        "EXEC-THREADS",
        spec="exec ends the other threads of its cage (POSIX exec)",
        lind="they are not addressed and go on",
        evidence="3i.md 4.4, 10",
    ),
    Deviation(
        "PATH-LEXICAL",
        spec=(
            "a path is walked as it is written: `..` is the parent of the directory reached (POSIX "
            "pathname resolution)"
        ),
        lind=(
            "a path is made absolute and loses `.`, `..` and empty components as text before it is "
            "walked; PATH_MAX counts what is left"
        ),
        evidence="rawposix.md 6; vectors fd.open.dotdot_missing, dir.mkdir.slash, path.long.*",
    ),
    Deviation(
        "PATH-EMPTY",
        spec="the empty path is ENOENT",
        lind="the empty path means the working directory",
        evidence="rawposix.md 6; vectors fd.open.empty, stat.stat.empty, path.*.empty",
    ),
    Deviation(
        "PATH-UTF8",
        spec="names are any bytes but NUL and slash",
        lind="a path that is not UTF-8 is EFAULT",
        evidence="rawposix.md 6; vectors fd.open.utf8bad, path.utf8.*",
    ),
    Deviation(
        "PATH-NULL-DIRFD",
        spec="a path that cannot be read is EFAULT in every call",
        lind=(
            "with a real directory descriptor it panics the host (unlinkat, fchmodat, faccessat, "
            "newfstatat, renameat, fchownat)"
        ),
        evidence="vectors path.*.null_dirfd, stat.at.null_dirfd",
    ),
    Deviation(
        "DIRFD-ALWAYS",
        spec="the directory descriptor of an *at call does not matter when the path is absolute",
        lind="it is looked up first: EBADF",
        evidence="vectors fd.openat.bad, stat.at.err",
    ),
    Deviation(
        "GETCWD-TEXT",
        spec=(
            "the working directory is a directory: getcwd says where it is now, counts the NUL, and "
            "ENOENT when it was removed"
        ),
        lind="it is a text: removing or renaming is not noticed, the NUL is not counted, size 0 is EINVAL",
        evidence="vectors dir.getcwd.*, dir.chdir.*",
    ),
    Deviation(
        "GETDENTS-EPERM",
        spec="getdents fails with ENOTDIR, ENOENT, EINVAL or EFAULT",
        lind="every failure but EBADF is EPERM",
        evidence="vectors dir.getdents.notdir, .removed, .null",
    ),
    Deviation(
        "UTIMENSAT-DIRFD",
        spec=(
            "utimensat takes relative paths from its directory descriptor, and AT_FDCWD without a path "
            "is EFAULT"
        ),
        lind="relative paths are taken from the working directory; AT_FDCWD without a path is EBADF",
        evidence="vectors stat.utimensat.dirfd, stat.utimensat.err",
    ),
    Deviation(
        "FCHMODAT-NOFOLLOW",
        spec="fchmodat that does not follow links changes what is no link",
        lind="it fails with EOPNOTSUPP for everything",
        evidence="vector path.fchmodat.nofollow",
    ),
    Deviation(
        "STATFS-FAKED",
        spec="statfs says what the file system is",
        lind="free inodes, the file system's id and the longest name are constants",
        evidence="rawposix.md 1a statfs",
    ),
    Deviation(
        "DEV-PLAIN",
        spec="every root has a folder tmp and the usual devices",
        lind="the root holds what it holds; /dev/null of the usual root is an ordinary file",
        evidence="rawposix.md 6",
    ),
    Deviation(
        "OFFSET-TRUNC",
        spec="an offset that the result cannot hold is EOVERFLOW (POSIX lseek)",
        lind="the result is the low 32 bits",
        evidence="vectors io.lseek.big, io.lseek.cur_2147483647",
    ),
    Deviation(
        "FD-FULL-PANIC",
        spec="a full descriptor table is EMFILE",
        lind="dup, socket, accept, socketpair and epoll_create panic the host",
        evidence="vectors fd.full.*",
    ),
    Deviation(
        "FD-FULL-LEAK",
        spec="pipe with one free descriptor fails and takes none",
        lind="it fails and keeps that one for ever",
        evidence="vector fd.alloc.exhaust_pipe",
    ),
    Deviation(
        "FD-FULL-AFTER",
        spec="open with a full table does nothing",
        lind="the file is opened, so made or emptied, before the full table is noticed",
        evidence="rawposix.md 1a open; vector fd.alloc.exhaust",
    ),
    Deviation(
        "FD-1024",
        spec="descriptor 1024 and above are EBADF (in poll POLLNVAL)",
        lind="some calls index the table with them unchecked: the host aborts",
        evidence=(
            "vectors fd.dup2.badtgt_n1024, fd.ioctl.fioclex_bad_*, poll.poll.fd1024, "
            "poll.epoll.wait_1024"
        ),
    ),
    Deviation(
        "DUP2-SAME",
        spec="dup2(x, x) of a closed x is EBADF",
        lind="it returns x",
        evidence="vectors fd.dup2.badsame_*",
    ),
    Deviation(
        "DUPFD-EBADF",
        spec="F_DUPFD is EINVAL for a minimum out of range and EMFILE when no number is left",
        lind="both are EBADF",
        evidence="vectors fd.fcntl.dupfd_from_1024, fd.full.fcntl",
    ),
    Deviation(
        "SETFD-ANY",
        spec="F_SETFD sets close-on-exec by bit 0 of its argument",
        lind="any bit sets it",
        evidence="vectors fd.fcntl.setfd_2, setfd_4, setfd_256",
    ),
    Deviation(
        "FCNTL-OWN",
        spec="F_GETOWN returns what F_SETOWN set",
        lind="F_GETOWN is 1000 and F_SETOWN does nothing, whatever the descriptor",
        evidence="vectors fd.fcntl.own, fd.fcntl.getown_bad_unopened",
    ),
    Deviation(
        "OFD-EFAULT",
        spec="locks of descriptions (F_OFD_*) work",
        lind="they are always EFAULT: their pointer is not passed on",
        evidence="rawposix.md 1a fcntl; vector fd.fcntl.cmd_36",
    ),
    Deviation(
        "LOCK-HOST",
        spec="record locks belong to the cage",
        lind="they belong to the one host process, so cages never conflict",
        evidence="vector fd.fcntl.setlk_conflict",
    ),
    Deviation(
        "FLOCK-FD-FIRST",
        spec="flock looks at the operation before the descriptor, and passes over LOCK_MAND",
        lind="the descriptor comes first, and LOCK_MAND is EINVAL",
        evidence="vectors fd.flock.badfd, fd.flock.op_32",
    ),
    Deviation(
        "IOCTL-ABORT",
        spec="a request that means nothing for the file is ENOTTY",
        lind="requests other than FIOCLEX, FIONBIO, FIOASYNC, FIONREAD and TIOCGWINSZ abort the host",
        evidence="vectors fd.ioctl.fionclex, fd.ioctl.tcgets",
    ),
    Deviation(
        "PIPE-NO-DIRECT",
        spec="pipe2 makes packet pipes (O_DIRECT)",
        lind="O_DIRECT is EINVAL",
        evidence="vectors pipe.pipe2.flags_40000, flags_2040000",
    ),
    Deviation(
        "POLL-QUIRKS",
        spec=(
            "poll waits also without descriptors, comes back at once for a bad one, and takes epoll "
            "descriptors"
        ),
        lind=(
            "it does not wait without descriptors, waits for the good ones beside a bad one, and is "
            "EBADFD with an epoll descriptor"
        ),
        evidence="rawposix.md 1a poll, 10; vectors poll.poll.epollfd",
    ),
    Deviation(
        "POLL-TWINS",
        spec="every entry of poll and every bit of select is answered",
        lind=(
            "entries with one descriptor, and descriptors that share a host descriptor, collapse into "
            "the last"
        ),
        evidence="vectors poll.poll.dupfd, poll.select.twins",
    ),
    Deviation(
        "SELECT-EINVAL",
        spec="select takes 1024 descriptors, and a closed one is EBADF",
        lind="both are EINVAL",
        evidence="vectors poll.select.badfd, poll.select.nfds_1024",
    ),
    Deviation(
        "SELECT-NEGATIVE",
        spec="a negative time limit of select is EINVAL",
        lind="it never ends; limits count whole milliseconds",
        evidence="vectors/SUMMARY.md 10; rawposix.md 1a select",
    ),
    Deviation(
        "EPOLL-KIND",
        spec="an epoll descriptor is one of its own kind",
        lind=(
            "its index is taken for a host descriptor: reading and writing reach a standard stream, "
            "watching it is EPERM"
        ),
        evidence="vectors poll.epoll.kind_read, poll.epoll.ctl_self; rawposix.md 2",
    ),
    Deviation(
        "EPOLL-DATA",
        spec="an event carries the data it was added with",
        lind="it carries the descriptor's number",
        evidence="vector poll.epoll.data_lost",
    ),
    Deviation(
        "EPOLL-PANIC",
        spec="a wrong epoll descriptor is EBADF or EINVAL",
        lind="epoll_ctl panics the host; in epoll_wait it is EBADF, and checked before the number of events",
        evidence="vectors poll.epoll.ctl_bad_epfd, ctl_not_epoll",
    ),
)

#: All entries by id.
DEVIATIONS: dict[str, Deviation] = {entry.id: entry for entry in _ENTRIES}

"""Making, replacing, ending and awaiting cages and threads."""

from __future__ import annotations

from lindref.profile.deviations.entry import Deviation

ENTRIES: tuple[Deviation, ...] = (
    Deviation(
        "FORK-MASK",
        spec="a forked child inherits the blocked signal mask (POSIX fork)",
        lind="the child's mask is empty",
        evidence="3i.md 4.3; rawposix.md 10",
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
        "FORK-SLOT",
        spec="fork returns the id of the child that it made",
        lind=(
            "the result waits in one place for a cage and all that were forked from it: one that forks meanwhile puts "
            "its own there, and the parent may see its grandchild's id, or one of two the other's (a choice point)"
        ),
        evidence="recorded: minimal script fork{ fork{ } }, cage 1's fork gave 3 in most runs; 3i.md 3.4",
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
        "EXEC-MISSING",
        spec="a path to exec that leads nowhere fails as any other does (ENOTDIR, ELOOP, ENAMETOOLONG, …)",
        lind="whatever bars the way is ENOENT",
        evidence="3i.md 4.4; seen of the program conformance/guests/exec",
    ),
    Deviation(
        "EXEC-THREADS",
        spec="exec ends the other threads of its cage (POSIX exec)",
        lind="they are not addressed and go on",
        evidence="3i.md 4.4, 10",
    ),
    Deviation(
        "TRAP-THREAD",
        spec="a trap in any thread ends its cage",
        lind="a trap in another thread than the main one ends that thread alone, and tells nobody: who joins it waits "
        "for ever",
        evidence="seen of conformance/guests/threads_mutex with the recorded C library",
    ),
    Deviation(
        "EXIT-THREAD-CODE",
        spec="exit(60) of a cage's last thread gives the cage its status",
        lind="the status of a child is 0 then",
        evidence="vectors proc.exit.60_last_thread, proc.exit.60_main",
    ),
    Deviation(
        "EXIT-UNMARKED",
        spec="a cage whose last thread ended by exit(60) is as gone as any other",
        lind=(
            "3i does not know of its end: rows that it serves stay, and calls there are ESRCH; registering and copying "
            "with it succeed; as a target it is a cage that never was"
        ),
        evidence="3i.md 2.6; seen of the real runtime, for a child and for a grate",
    ),
    Deviation(
        "GRATE-OWN-FATE",
        spec=(
            "a handler that forks, execs or ends its own grate does it for itself: the child is a copy of it, a new "
            "image ends it, exit ends it alone"
        ),
        lind=(
            "the handler goes on, with 0 for exec and exit; the grate's main thread execs or exits when its call comes "
            "back, and traps after exit_group and fork; the forked child never runs"
        ),
        evidence="3i.md 3.2; seen of the real runtime, with a main thread that waits for its child",
    ),
    Deviation(
        "GRATE-HOLDS-CALLER",
        spec="the threads of a cage that ends are gone, whoever serves their calls",
        lind=(
            "one whose call a grate serves is gone when the handler returns, and until then its cage has not ended; "
            "what the handler waits in comes back with EINTR"
        ),
        evidence="3i.md 3.2 (handlers run on the caller's thread); seen of the real runtime",
    ),
    Deviation(
        "EXIT-OTHER",
        spec="exit_group with another cage as target ends that cage",
        lind="the runtime aborts, unless the target waits for the grate that makes the call",
        evidence="vector 3i-meta.exit.other",
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
        "WAIT-GROUP",
        spec="waiting for an id below -1 is waiting for the child that is that process group",
        lind="any child is meant",
        evidence="vector proc.wait.pid_m999",
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
        "THREAD-ERRORS",
        spec=(
            "a thread with an impossible stack is EINVAL, with an unusable child_tid EFAULT; a null child_tid "
            "is not written"
        ),
        lind="all of these are -1",
        evidence="3i.md 4.8",
    ),
    Deviation(
        "PRLIMIT-ABORT",
        spec="limits that are not fixed have no bound; another cage's can be asked for; a limit that is set holds",
        lind="asking for others, another cage's, or setting one ends the host process",
        evidence="vectors misc.prlimit.*",
    ),
)

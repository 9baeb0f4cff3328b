"""What the facts say of processes, signals and memory, as far as it was seen by running (3i.md 4 to 6 and 10)."""

from __future__ import annotations

from facts import (
    CLONE,
    EXEC,
    EXIT,
    GETPID,
    GETPPID,
    GETUID,
    KILL,
    MMAP,
    SIGMASK,
    WAIT,
    WAITS,
    Case,
    Step,
    call,
    does,
    execs,
    fork,
    forward,
    register,
    returns,
    sleep,
)

WNOHANG = 1
STATUS = does("eval", value={"i32": [2, 0]})
REAPS = call(WAIT, -1, {"buf": [2, 0]}, 0)
ANON, PRIVATE_FIXED = 0x22, 0x32


def pause() -> Step:
    """A turn of the loop in which signals are taken."""
    return sleep(1)


def mask(how: int, *signals: int) -> list[Step]:
    """rt_sigprocmask."""
    word = sum(1 << n - 1 for n in signals)
    return [does("put", at={"buf": [3, 0]}, width=8, value=word), call(SIGMASK, how, {"buf": [3, 0]}, 0)]


#: What is blocked, as a number.
BLOCKED = [call(SIGMASK, 0, 0, {"buf": [3, 8]}), does("eval", value={"u64": [3, 8]})]


def caught(sig: int, slot: int | None = None, flags: int = 0, also: int = 0) -> Step:
    """A handler that writes down the signal."""
    return does("sigaction", sig=sig, handler="record", flags=flags, slot=slot, mask=also)


def handled(sig: str) -> Step:
    """An action that is no handler."""
    return does("sigaction", sig=10, handler=sig, flags=0, slot=None)


LOG = does("siglog")
ME = 1


def changed_late(cage: int) -> list[Step]:
    """SIGCHLD is blocked, sent, and made a signal without a handler; then it can be delivered."""
    default = does("sigaction", sig=17, handler="default", flags=0, slot=None)
    return [caught(17), *mask(0, 17), call(KILL, cage, 17), default, *mask(1, 17)]


def timer(seconds: int, micros: int, old: int = 0) -> list[Step]:
    """setitimer(ITIMER_REAL)."""
    words = [does("put", at={"buf": [4, 16 + 8 * i]}, width=8, value=n) for i, n in enumerate((seconds, micros))]
    return [*words, call(38, 0, {"buf": [4, 0]}, {"buf": [4, 64]} if old else 0)]


CASES = [
    # 4.3: fork.
    Case("4.3", "FORK-3", "the child's mask",
         [*mask(0, 10), fork(*BLOCKED), WAITS],
         "exit 0 | 1: 0 2 2 | 2: 0 512", "exit 0 | 1: 0 2 2 | 2: 0 0", "FORK-MASK"),
    Case("4.3", "FORK-5", "a fork by another thread than the main one",
         [does("thread", slot=0, steps=[fork(call(GETPID))]), does("join", slot=0), WAITS],
         "exit 0 | 1: 0 0 2 | 1t: 2 | 2: 2", "hang | 1: 0 0 | 1t: 2", "FORK-THREAD"),
    Case("4.3", "FORK-1", "of the flags only CLONE_VM is looked at",
         [does("put", at={"buf": [4, 0]}, width=8, value=0x4000 | 17), call(CLONE, {"buf": [4, 0]}), call(GETPID)],
         "exit 0 | 1: 2 1 | 2: 0 2"),
    Case("5.4", "SIG-11", "a handler that forks leaves its mask in the parent, and none in the child",
         {"main": {"steps": [*mask(0, 12), caught(10, slot=1, also=1), call(KILL, ME, 10), pause(), *BLOCKED,
                             WAITS], "sighandlers": {"1": [call(CLONE, {"buf": [4, 0]})]}}},
         "exit 0 | 1: 0 0 0 0 2048 2 | 1s: 2 | 2s: 0 | 2: 0 0 2048 -10",
         "exit 0 | 1: 0 0 0 0 2561 2 | 1s: 2 | 2s: 0 | 2: 0 0 0 -10", "FORK-IN-HANDLER FORK-MASK"),
    # 4.4: exec.
    Case("4.4", "EXEC-6", "argv[0]",
         {"main": {"steps": [does("put", at={"buf": [13, 0]}, width=8, value={"str": "me"}), EXEC]},
          "app": {"steps": [does("argv")]}},
         "exit 0 | 1: ['me']", "exit 0 | 1: ['/prog/app']", "EXEC-ARGV0"),
    Case("4.4", "EXEC-6", "an empty environment",
         {"main": {"steps": [does("put", at={"buf": [13, 16]}, width=8, value={"str": "FOO=bar"}), execs("two")]},
          "two": {"steps": [execs("app")]}, "app": {"steps": [does("argv", env=True)]}},
         "exit 0 | 1: ['']", "exit 0 | 1: ['/prog/app']", "EXEC-ENV EXEC-ARGV0"),
    Case("4.4", "EXEC-1", "a relative path is looked for where somebody else has gone",
         {"main": {"steps": [fork(call(80, {"str": "/prog"})), WAITS, call(59, {"str": "app"}, {"buf": [13, 0]},
                                                                           {"buf": [13, 16]}), call(GETPID)]},
          "app": {"steps": [call(GETPPID)]}},
         "exit 0 | 1: 2 2 -2 1 | 2: 0", "exit 0 | 1: 2 2 1 | 2: 0", "HOST-CWD"),
    Case("4.4", "EXEC-10", "exec with another thread that goes on",
         {"main": {"steps": [does("thread", slot=0, steps=[sleep(5)]), EXEC]}, "app": {"steps": [call(GETPID)]}},
         "exit 0 | 1: 0 1"),
    # 4.5: the end.
    Case("4.5", "EXIT-4", "exit(60, 9) of a child's only thread",
         [fork(by=EXIT, code=9), REAPS, STATUS],
         "exit 0 | 1: 2 2 2304", "exit 0 | 1: 2 2 0", "EXIT-THREAD-CODE"),
    Case("4.5", "EXIT-3", "SIGABRT by kill",
         [fork(call(KILL, 2, 6), pause()), REAPS, STATUS], "exit 0 | 1: 2 2 6"),
    Case("4.5", "EXIT-5", "a trap is an exit with 1; of cage 1 it ends the run with 70",
         [fork(does("peek", at=0xEFFF0000, width=1)), REAPS, STATUS, does("peek", at=0xEFFF0000, width=1)],
         "trap 70 | 1: 2 2 256"),
    Case("4.5", "EXIT-7", "a grandchild whose parent is gone",
         [fork(fork(sleep(9), call(GETPPID))), WAITS, WAITS],
         "exit 0 | 1: 2 2 -10 | 2: 3 | 3: 1", "exit 0 | 1: 2 2 -10 | 2: 3 | 3: 2", "NO-REPARENT"),
    Case("7.3", "RUN-1 RUN-2", "the run goes on until the last cage has ended; its status is the first one's",
         [fork(sleep(9), call(GETUID)), call(231, 7)], "exit 7 | 1: 2 | 2: 0"),
    # 4.6: wait.
    Case("4.6", "WAIT-7", "WNOHANG for one child",
         [fork(sleep(9), code=5), call(WAIT, 2, {"buf": [2, 0]}, WNOHANG), STATUS],
         "exit 0 | 1: 2 0 0", "exit 0 | 1: 2 2 1280", "WAIT-PID-BLOCKS"),
    Case("4.6", "WAIT-7", "WNOHANG for any",
         [fork(sleep(9)), call(WAIT, -1, 0, WNOHANG), WAITS], "exit 0 | 1: 2 0 2"),
    # 5: signals.
    Case("5.3", "SIG-18", "signal 0, everybody, nobody",
         [call(KILL, ME, 0), call(KILL, -1, 9), call(KILL, 1999, 9), call(KILL, ME, 32)],
         "exit 0 | 1: 0 -3 -3 -22", "exit 0 | 1: -22 -22 -3 -22", "KILL-STRICT"),
    Case("5.4", "SIG-3", "ignored, sent, and handled from then on",
         [handled("ignore"), call(KILL, ME, 10), pause(), caught(10), call(KILL, ME, 10), pause(), LOG, *BLOCKED],
         "exit 0 | 1: 0 0 0 0 [10,-10] 0 0", "exit 0 | 1: 0 0 0 0 [] 0 512", "SIG-IGN-BLOCKS SIG-QUEUE"),
    Case("5.4", "SIG-2 SIG-6 SIG-7", "10, 12, 1 and 10 again, queued while they were blocked",
         [*(caught(n) for n in (1, 10, 12)), *mask(0, 1, 10, 12), *(call(KILL, ME, n) for n in (10, 12, 1, 10)),
          *mask(1, 1, 10, 12), pause(), LOG],
         "exit 0 | 1: 0 0 0 0 0 0 0 0 0 [12,-12,10,-10,1,-1]",
         "exit 0 | 1: 0 0 0 0 0 0 0 0 0 [1,-1,12,-12,10,-10,10,-10]", "SIG-QUEUE"),
    Case("5.4", "SIG-3", "SIGCONT with an action that was set to the default",
         [does("sigaction", sig=18, handler="default", flags=0, slot=None), call(KILL, ME, 18), pause(), *BLOCKED],
         "exit 0 | 1: 0 0 0 0", "exit 0 | 1: 0 0 0 131072", "SIG-IGN-BLOCKS"),
    Case("5.4", "SIG-3", "a signal that came to be ignored by default while it was blocked",
         [*changed_late(ME), pause(), call(GETUID)], "exit 0 | 1: 0 0 0 0 0 0",
         "runtime-fault 101 | 1: 0 0 0 0", "SIG-DEFAULT-FAULT"),
    Case("5.4", "SIG-3", "and in a child: only its thread goes",
         [fork(*changed_late(2), pause()), sleep(9), call(GETUID)],
         "exit 0 | 1: 2 0 | 2: 0 0 0 0 0",
         "hang | 1: 2 0 | 2: 0 0 0 0", "SIG-DEFAULT-FAULT"),
    Case("5.7", "SIG-5", "SIGKILL while it is blocked",
         [*mask(0, 9), call(KILL, ME, 9), pause(), call(GETUID)],
         "exit 137 | 1: 0", "exit 0 | 1: 0 0 0", "SIG-KILL-MASK"),
    Case("5.7", "SIG-10 RUN-2", "SIGTERM in cage 1", [call(KILL, ME, 15), pause()], "exit 143"),
    Case("5.10", "TIME-5", "0.8 s are over after 0.03 s",
         [caught(14), *timer(0, 800_000), sleep(30), LOG],
         "exit 0 | 1: 0 0 []", "exit 0 | 1: 0 0 [14,-14]", "ITIMER-UNITS"),
    Case("5.10", "TIME-5", "5.25 s, a second later, and once more after it was set to nothing",
         [*timer(5, 250_000), sleep(1000), *timer(0, 0, old=1), does("eval", value={"u64": [4, 80]}),
          does("eval", value={"u64": [4, 88]}), *timer(0, 0, old=1), does("eval", value={"u64": [4, 80]})],
         "exit 0 | 1: 0 0 4 249998 0 0", "exit 0 | 1: 0 0 5 0 0 5", "ITIMER-UNITS"),
    # 6: memory.
    Case("6.1", "MEM-2", "where mappings go, and what a hint does",
         [call(MMAP, 0, 4096, 3, ANON, -1, 0), call(MMAP, 0, 8192, 3, ANON, -1, 0),
          call(MMAP, 0, 12288, 3, ANON, -1, 0), call(MMAP, 0x40000000, 4096, 3, ANON, -1, 0)],
         "exit 0 | 1: -8192 -20480 -36864 -45056"),
    Case("6.1", "MEM-1", "address 0 is mapped", [does("peek", at=0, width=1)], "exit 0 | 1: 0"),
    Case("6.2", "MEM-5", "a mapping of nothing",
         [call(MMAP, 0, 0, 3, ANON, -1, 0)], "exit 0 | 1: -22", "runtime-fault -6", "MMAP-ABORT"),
    Case("6.4", "MEM-11", "mprotect of what was never mapped",
         [call(10, {"guest": 0x50000000}, 4096, 3), does("poke", at=0x50000000, width=1, value=7)],
         "trap 70 | 1: -12", "exit 0 | 1: 0 0", "MPROTECT-HOLES"),
    Case("6.7", "MEM-15", "eight pages without the fourth, in a child",
         [call(MMAP, 0x60000000, 32768, 3, PRIVATE_FIXED, -1, 0),
          *(does("poke", at=0x60000000 + 4096 * n, width=1, value=n + 1) for n in (0, 7)),
          call(11, {"guest": 0x60003000}, 4096),
          fork(*(does("peek", at=0x60000000 + 4096 * n, width=1) for n in (0, 7))), WAITS],
         "exit 0 | 1: 1610612736 0 0 0 2 2 | 2: 1 8", "exit 0 | 1: 1610612736 0 0 0 2 2 | 2: 1 0", "MEM-STALE"),
    Case("6.6", "MEM-9", "what a child writes to shared memory, and to none",
         [call(MMAP, 0x60000000, 4096, 3, 0x31, -1, 0), call(MMAP, 0x60001000, 4096, 3, PRIVATE_FIXED, -1, 0),
          fork(*(does("poke", at=0x60000000 + at, width=1, value=5) for at in (0, 4096))), WAITS,
          *(does("peek", at=0x60000000 + at, width=1) for at in (0, 4096))],
         "exit 0 | 1: 1610612736 1610616832 2 2 5 0 | 2: 0 0"),
    # 3.4: exit through a grate.
    Case("10", "EXIT-1 EXIT-2 THREAD-4", "a thread's end comes as 60 with its id, the program's as 231 with 1",
         {"main": {"steps": [fork(register(2, EXIT, 1, 1), register(2, 231, 1, 2),
                                  does("thread", slot=0, steps=[]), does("join", slot=0), code=6), REAPS, STATUS],
                   "handlers": {"1": [does("eval", value={"harg": 2}), forward(EXIT), returns(0)],
                                "2": [does("eval", value={"harg": 2}), forward(231), returns(0)]}}},
         "exit 0 | 1: 2 2 1536 | 1h: 2 0 1 0 | 2: 0 0 0 0"),
]

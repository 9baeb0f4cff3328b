"""What the facts say of grates and of copying data (3i.md 3)."""

from __future__ import annotations

from typing import Any

from facts import (
    CLONE,
    EXEC,
    EXIT,
    EXIT_GROUP,
    GETEUID,
    GETPID,
    GETPPID,
    GETUID,
    KILL,
    PIPE,
    READ,
    WAIT,
    WAITS,
    WRITE,
    Case,
    Step,
    call,
    copy_data,
    does,
    execs,
    fork,
    forward,
    register,
    returns,
    sleep,
    to,
    under,
)

#: A place in memory that nobody has mapped.
NOWHERE = {"guest": 0xEFFF0000}
#: What comes to no end.
NEVER = [call(PIPE, {"buf": [0, 0]}), call(READ, {"i32": [0, 0]}, {"buf": [1, 0]}, 1)]


def copies(*steps: Step) -> dict[str, Any]:
    """Cage 1 serves a call whose first argument is "abc" in the caller's memory, and does ``steps`` about it."""
    return under(GETEUID, [*steps, returns(0)], call(GETEUID, {"str": "abc"}))


CASES = [
    # 3.1: who can serve.
    Case("3.1", "3I-GRATE-6 CAP-3", "a forked cage that has not exec'd cannot",
         {"main": {"steps": [call(PIPE, {"buf": [0, 0]}),
                             fork(register(1, GETEUID, 2, 1), call(WRITE, {"i32": [0, 4]}, {"str": "x"}, 1), sleep(9)),
                             call(READ, {"i32": [0, 0]}, {"buf": [1, 0]}, 1), call(GETEUID)],
                   "handlers": {"1": [returns(11)]}}},
         "exit 0 | 1: 0 2 1 0 | 2: -1 1", "runtime-fault -6 | 1: 0 2 1 | 2: 0 1", "3I-ANY-ROW 3I-FORKED-GRATE"),
    # 3.2: workers.
    Case("3.2", "3I-GRATE-3", "a trap is -536805379, and the grate goes on",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), register(2, GETUID, 1, 2), call(GETEUID), call(GETUID),
                                  call(GETEUID)), WAITS],
                   "handlers": {"1": [does("peek", at=0xEFFF0000, width=1)], "2": [returns(12)]}}},
         "exit 0 | 1: 2 2 | 2: 0 0 -536805379 12 -536805379"),
    Case("3.2", "3I-GRATE-4", "a handler that calls itself needs a worker each time, and there are four",
         under(GETEUID, [does("eval", value=7), to(GETEUID, self=2, target=2)], call(GETEUID)),
         "hang | 1: 2 | 1h: 7 7 7 7 | 2: 0"),
    Case("3.2", "3I-GRATE-4", "calls beyond the workers wait their turn, and none is lost",
         {"main": {"steps": [*[fork(register(n, GETEUID, 1, 1), call(GETEUID)) for n in (2, 3, 4)], *[WAITS] * 3],
                   "handlers": {"1": [sleep(3), does("eval", value=5), returns(11)]}}},
         "exit 0 | 1: 2 3 4 2 3 4 | 1h: 5 5 5 | 2: 0 11 | 3: 0 11 | 4: 0 11", tags=("LIND_GRATE_WORKERS=1",)),
    Case("3.2", "3I-GRATE-5", "memory is the grate's: its program sees what handlers counted",
         under(GETEUID, [does("add", at={"buf": [5, 0]}, value=1)], call(GETEUID), call(GETEUID),
               then=(does("eval", value={"u64": [5, 0]}),)),
         "exit 0 | 1: 2 2 2 | 2: 0 0 0"),
    Case("3.2", "EXEC-9", "a handler that execs its own grate",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID), call(GETEUID)), WAITS],
                   "handlers": {"1": [EXEC, returns(9)]}}, "app": {"steps": [call(GETUID), sleep(9)]}},
         "exit 0 | 1: 2 0 | 2: 0 -3 -536805379", "exit 0 | 1: 2 0 | 1h: 0 0 | 2: 0 9 9", "GRATE-OWN-FATE"),
    Case("3.2", "EXIT-1 3I-GRATE-3", "a handler that makes exit for its own grate",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID), call(GETEUID)), WAITS, call(GETUID)],
                   "handlers": {"1": [call(EXIT, 3), returns(9)]}}},
         "exit 0 | 1: 2 2 0 | 2: 0 -536805379 -536805379", "exit 3 | 1: 2 | 1h: 0 0 | 2: 0 9 9", "GRATE-OWN-FATE"),
    Case("3.2", "EXIT-2 3I-GRATE-3", "a handler that makes exit_group for its own grate",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID)), WAITS],
                   "handlers": {"1": [call(EXIT_GROUP, 6), returns(9)]}}},
         "exit 6 | 1: 2 | 2: 0 -536805379", "trap 70 | 1: 2 | 1h: 0 | 2: 0 9", "GRATE-OWN-FATE"),
    Case("3.2", "FORK-5", "a handler that forks its own grate: the copy serves nobody",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID)), WAITS, WAITS],
                   "handlers": {"1": [fork(call(GETPID), code=3), returns(9)]}}},
         "exit 0 | 1: 2 2 3 | 1h: 3 | 2: 0 9 | 3: 3", "trap 70 | 1: 2 | 1h: 3 | 2: 0 9", "GRATE-OWN-FATE"),
    Case("3.2", "EXIT-2 EXIT-3", "the status is the one given to exit_group all the same",
         {"main": {"steps": [fork(execs("grate")), call(WAIT, -1, {"buf": [2, 0]}, 0),
                             does("eval", value={"i32": [2, 0]})]},
          "grate": {"steps": [fork(register(3, GETEUID, 2, 1), call(GETEUID)), WAITS],
                    "handlers": {"1": [call(EXIT_GROUP, 6), returns(9)]}}},
         "exit 0 | 1: 2 2 1536 | 2: 3 | 3: 0 -536805379", "exit 0 | 1: 2 2 1536 | 2: 3 | 2h: 0 | 3: 0 9",
         "GRATE-OWN-FATE"),
    Case("3.2", "EXIT-9", "a grate that ends while it serves: that call is served to its end",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID)), sleep(3)],
                   "handlers": {"1": [sleep(9), returns(11)]}}},
         "exit 0 | 1: 2 | 2: 0 11"),
    Case("3.2", "SIG-8", "a signal to the caller ends the handler's wait, and is taken when the call is back",
         {"main": {"steps": [fork(does("sigaction", sig=10, handler="record", flags=0, slot=None),
                                  register(2, GETEUID, 1, 1), call(GETEUID), does("siglog")), sleep(5),
                             call(KILL, 2, 10), WAITS],
                   "handlers": {"1": [*NEVER, returns(11)]}}},
         "exit 0 | 1: 2 0 2 | 1h: 0 -4 | 2: 0 0 11 [10,-10]"),
    # 3.3: what a handler sees.
    Case("3.3", "3I-GRATE-1", "the grate's own id, and six pairs as sent; bit 63 of the owners does not cross",
         under(GETEUID, [does("hargs", ptr=[2]), returns(0)],
               to(GETEUID, (5, 2), ({"bufaddr": [0, 0]}, {"flag63": 2}), (7, 7), (8, {"flag63": 7}), (-1, 2))),
         "exit 0 | 1: 2 2 | 1h: (own 1: 5@2 PTR@2 7@7 8@7 -1@2 unused@unused) | 2: 0 0"),
    Case("3.3", "3I-GRATE-1", "what a call does not use is 0xdeadbeefdeadbeef, and owned by the caller",
         under(GETEUID, [does("hargs", ptr=[]), returns(0)], call(GETEUID)),
         "exit 0 | 1: 2 2 | 1h: (own 1: unused@2 unused@2 unused@2 unused@2 unused@2 unused@2) | 2: 0 0"),
    # 3.4: results, forwarding.
    *[
        Case("3.4", "3I-GRATE-2", f"the result {sent} arrives as {seen}",
             under(GETEUID, [returns(sent)], call(GETEUID)), f"exit 0 | 1: 2 2 | 2: 0 {seen}")
        for sent, seen in ((-1, -1), (-4, -4), (-5000, -5000), (1 << 31, -(1 << 31)), ((1 << 32) + 5, 5))
    ],
    *[
        Case("3.4", "3I-GRATE-7", f"fork passed on, and answered with {said}: the parent sees {seen}",
             under(CLONE, [forward(CLONE), returns(said)], fork(code=7), call(WAIT, 3, {"buf": [2, 0]}, 0)),
             f"exit 0 | 1: 2 2 | 1h: 3 | 2: 0 {seen} 3")
        for said, seen in ((500, 500), (0, 3), (-5, 3))
    ],
    *[
        Case("3.4", "3I-GRATE-7", f"fork not passed on, and answered with {said}",
             under(CLONE, [returns(said)], fork(call(GETPID), code=7), call(GETUID)), f"exit 0 | 1: 2 2 | 2: 0 {after}")
        for said, after in ((500, "500 0"), (-11, "-11 0"), (0, "2"))
    ],
    Case("3.4", "THREAD-4 EXIT-9", "exit_group passed on ends the caller, with its status",
         under(EXIT_GROUP, [forward(EXIT_GROUP), returns(0)], call(EXIT_GROUP, 6),
               then=(does("eval", value={"i32": [2, 0]}),)),
         "exit 0 | 1: 2 2 0 | 1h: 0 | 2: 0"),
    Case("3.4", "EXEC-9", "exec passed on replaces the caller's image when the call comes back",
         {"main": {"steps": [fork(register(2, 59, 1, 1), EXEC), WAITS],
                   "handlers": {"1": [forward(59), call(GETUID), returns(0)]}}, "app": {"steps": [call(GETPID)]}},
         "exit 0 | 1: 2 2 | 1h: 0 0 | 2: 0 2"),
    Case("3.4", "3I-ROUTE-2", "self is the grate: what is beneath it is its own table",
         {"main": {"steps": [register(1, GETUID, 1, 2), fork(register(2, GETEUID, 1, 1), call(GETEUID)), WAITS],
                   "handlers": {"1": [to(GETUID, target=2), returns(11)], "2": [returns(12)]}}},
         "exit 0 | 1: 0 2 2 | 1h: 12 | 2: 0 11"),
    Case("3.4", "3I-ROUTE-2 CAP-1", "a descriptor is looked up where its owner says; a handler lends its own memory",
         under(WRITE, [to(WRITE, ({"harg": 1}, {"hcage": 1}), ({"bufaddr": [5, 0]}, {"flag63": 1}), (3, 1),
                          target={"hcage": 1}), returns(33)], call(WRITE, 1, {"str": "abc"}, 3)),
         "exit 0 | 1: 2 2 | 1h: 3 | 2: 0 33"),
    # 3.5: copying data.
    Case("3.5", "3I-DATA-1", "equal cages, whatever else", copies(copy_data(0, 1, 0, 1, 4)),
         "exit 0 | 1: 2 2 | 1h: -536805375 | 2: 0 0"),
    Case("3.5", "3I-DATA-2", "then the length", copies(copy_data({"harg": 1}, 2, 0, 1, 1 << 32)),
         "exit 0 | 1: 2 2 | 1h: -536805375 | 2: 0 0"),
    Case("3.5", "3I-DATA-3", "then the null destination, before the kind",
         copies(copy_data({"harg": 1}, 2, 0, 1, 4, 7)),
         "exit 0 | 1: 2 2 | 1h: -536805375 | 2: 0 0", "runtime-fault -6 | 1: 2 | 2: 0", "3I-DATA-NULL"),
    *[
        Case("3.5", rule, what, copies(copy_data(source, owner, {"buf": [6, 0]}, 1, length, kind),
                                       does("dump", dump=[{"at": {"buf": [6, 0]}, "len": 5}])),
             f"exit 0 | 1: 2 2 | 1h: {seen} | 2: 0 0")
        for rule, what, source, owner, length, kind, seen in (
            ("3I-DATA-5", "four bytes", {"harg": 1}, 2, 4, 0, "DEST 0['6162630000']"),
            ("3I-DATA-4", "a string, up to its NUL", {"harg": 1}, 2, 100, 1, "DEST 0['6162630000']"),
            ("3I-DATA-4", "a string that does not end in time", {"harg": 1}, 2, 3, 1, "-536805375 0['0000000000']"),
            ("3I-DATA-4", "a string of no length", {"harg": 1}, 2, 0, 1, "-536805375 0['0000000000']"),
            ("3I-DATA-4", "a null string", 0, 2, 4, 1, "-536805375 0['0000000000']"),
            ("3I-DATA-4", "another kind", {"harg": 1}, 2, 4, 7, "-536805375 0['0000000000']"),
            ("3I-DATA-5", "a source that is not mapped", {"harg": 1}, 2, 1 << 31, 0, "-536805375 0['0000000000']"),
            ("3I-DATA-5", "an address of another cage", {"buf": [1, 0]}, 2, 4, 0, "-536805375 0['0000000000']"),
            ("3I-DATA-5", "a cage that is not there", {"harg": 1}, 77, 0, 0, "-536805375 0['0000000000']"),
            ("3I-DATA-5", "nothing, from anywhere", 12345, 2, 0, 0, "DEST 0['0000000000']"),
        )
    ],
    Case("3.5", "3I-DATA-5", "a destination that cannot be written", copies(copy_data({"harg": 1}, 2, NOWHERE, 1, 4)),
         "exit 0 | 1: 2 2 | 1h: -536805375 | 2: 0 0"),
    Case("3.5", "CAP-5", "who the call was made for plays no part",
         [fork(fork(copy_data({"buf": [0, 0]}, 1, {"buf": [1, 0]}, 3, 4)), WAITS), WAITS],
         "exit 0 | 1: 2 2 | 2: 3 3 | 3: -536805375"),
    # 2.6, 4.5: dying.
    Case("4.5", "3I-GRATE-4 EXIT-2", "a caller that is killed while it is served: the handler goes on",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID)), sleep(3), call(KILL, 2, 9), WAITS,
                             sleep(20)],
                   "handlers": {"1": [sleep(9), does("eval", value=7), returns(11)]}}},
         "exit 0 | 1: 2 0 2 | 1h: 7 | 2: 0"),
    Case("4.5", "EXIT-2", "a thread that is served while another ends its cage",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), does("thread", slot=0, steps=[call(GETEUID)]), sleep(3),
                                  code=5), WAITS, does("eval", value={"u64": [5, 0]})],
                   "handlers": {"1": [sleep(9), sleep(9), does("add", at={"buf": [5, 0]}, value=1), returns(11)]}}},
         "exit 0 | 1: 2 2 0 | 2: 0 0", "exit 0 | 1: 2 2 1 | 2: 0 0", "GRATE-HOLDS-CALLER"),
    Case("4.5", "EXIT-2 SIG-8", "what the handler waits in comes back, and it goes on",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), does("thread", slot=0, steps=[call(GETEUID)]), sleep(3),
                                  code=5), WAITS], "handlers": {"1": [*NEVER, call(GETUID), returns(11)]}}},
         "exit 0 | 1: 2 2 | 1h: 0 -4 0 | 2: 0 0"),
    Case("4.5", "SIG-8 EXIT-9", "a caller that is killed while a handler never answers",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID)), sleep(3), call(KILL, 2, 9), WAITS,
                             does("eval", value={"u64": [5, 0]})],
                   "handlers": {"1": [does("untilsig", count=1), does("add", at={"buf": [5, 0]}, value=1)]}}},
         "exit 0 | 1: 2 0 2 0 | 1h: 0 | 2: 0", "exit 0 | 1: 2 0 2 1 | 1h: 0 | 2: 0", "GRATE-HOLDS-CALLER"),
    Case("4.5", "SCHED-6", "a handler that never answers holds its caller for ever",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID)), WAITS],
                   "handlers": {"1": NEVER}}},
         "hang | 1: 2 | 1h: 0 | 2: 0"),
    Case("4.5", "EXIT-9", "a grate whose handlers never answer does not end",
         {"main": {"steps": [fork(register(2, GETEUID, 1, 1), call(GETEUID)), sleep(3), call(EXIT_GROUP, 5)],
                   "handlers": {"1": NEVER}}},
         "hang | 1: 2 | 1h: 0 | 2: 0"),
    Case("4.7", "3I-ROUTE-2", "getppid through a grate is the target's",
         under(GETPPID, [to(GETPPID, target=2), returns(0)], call(GETPPID)), "exit 0 | 1: 2 2 | 1h: 1 | 2: 0 0"),
]

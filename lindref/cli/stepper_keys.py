"""The keys of the stepper: lower case goes forwards, the same key in upper case goes back."""

from __future__ import annotations

HELP = """\
 forwards back  a step …                 b    a breakpoint (b? tells how)
 s        S     into, by line            B    forget all breakpoints
 n →      N ←   over, by line            :    to event N, or run to a call
 o        O     out of the call          ?    back to a call of that name
 i        I     one instruction          /    find text among the calls
 j        J     … over calls             e    evaluate, assign (new history)
 t        T     one turn of a thread     w    back to the last write of a value
 c ↓      C ↑   to a system call         m    memory at an address or value
 g        G     to a breakpoint          f    what if the last call had failed?
 End      Home  to the end, beginning    u    leave such a branch
 1-9 Tab  panes below                    F    what if another thread had gone?
 v        next thread                    x    source or disassembly
 h q      this help; quit                + -  a frame out, in

 A click on a line sets a breakpoint, on a call goes there, on a thread or a
 frame shows it. ▶ is where one stands, ● a breakpoint, · what is known of the
 future. Changes and branches leave the history before them as it was."""

#: key -> what a move is called; ``-`` before it: back.
MOVES = {
    "s": "in line",
    "n": "over line",
    "o": "out line",
    "i": "in instruction",
    "j": "over instruction",
    "t": "turn",
    "c": "call",
    "g": "run",
}
ALSO = {"right": "n", "left": "N", "down": "c", "up": "C"}

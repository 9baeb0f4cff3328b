"""Grates over a part of the calls: the group ``%{ … %}`` that follows one of these is reached through it alone.

While the group is put over the cage, each of its registrations comes by here (3i's call 1001 is interposed): the cage's
call is given to this grate, and the group's handler is kept under a number of its own. Rule PY-9.
"""

from __future__ import annotations

from typing import ClassVar

import lindref
from lindref.system.python.grate import NAMES

#: Number under which call N of the group can be called: this and N. As the fourth argument of a registration it says
#: that this is part of how a group is put together, so that nobody takes its place (``group.h`` does the same in C).
GROUP = 100_000

#: The calls by which a group is put together.
OWN = ("register_handler", "execve")
OWN_NUMBERS = tuple(NAMES[name] for name in OWN)


class Group(lindref.Grate):
    """Base of grates with a group; ``any_call`` says what goes into it (here: everything that it serves)."""

    registers: ClassVar[tuple[str, ...]] = OWN

    def register_handler(self, call: lindref.Served, cage: int, number: int, grate: int, address: int) -> int:
        """A grate of the group registers itself over ``cage``: take its place there, and remember it."""
        if self.state.get("complete"):
            return self.forward()
        if call.args[3].value == GROUP:
            return self.within(cage, number, grate, address)
        self.welcome(grate)
        if number in OWN_NUMBERS:
            return self.forward()  # it has a group of its own, whose registrations come by there first
        first = self.state.get(number)
        if first is not None and first[0] != grate:
            # What this one passes on goes to the one that was there before.
            for member in (grate, *self.state.get(("members", grate), ())):
                if number not in self.state.get(("set", member), ()):
                    self.register(member, number, first[0], first[1], mark=GROUP)
        result = self.register(self.id, GROUP + number, grate, address, mark=GROUP)
        if result == 0:
            result = self.register(cage, number)
        self.state[number] = (grate, address)
        return result

    def within(self, cage: int, number: int, grate: int, address: int) -> int:
        """A group in this one's group is put together: what this one imposed on its members may be replaced."""
        if number in OWN_NUMBERS:
            self.welcome(cage)
        elif number > GROUP:
            self.state["members", cage] = (*self.state.get(("members", cage), ()), grate)
        else:
            self.state["set", cage] = (*self.state.get(("set", cage), ()), number)
        return self.register(cage, number, grate, address, mark=GROUP)

    def welcome(self, grate: int) -> None:
        """Beneath a grate of the group is what is beneath this one, not this one again; its registrations come by here
        all the same.
        """
        known = self.state.get("known", ())
        if grate not in known:
            self.state["known"] = (*known, grate)
            self.register(grate, OWN[0], mark=GROUP)  # so that a group around this one lets go of it too
            self.copy_table(self.id, grate)
            for name in OWN:
                self.register(grate, name, mark=GROUP)

    def execve(self, call: lindref.Served, path: int, argv: int) -> int:
        """``%}`` in the place of a program: the group is complete, and the next word is what is run."""
        if self.state.get("complete"):
            return self.any_call(call)
        if self.read_string(path) != "%}":
            return self.forward()
        self.state["complete"] = True
        return self.forward(self.read_int(argv + 8, 8, signed=False), argv + 8)

    def group_ended(self, cage: int) -> None:
        """The same, where the group consists of grates in Python over a program not yet run."""
        self.state["complete"] = True

    def any_call(self, call: lindref.Served) -> int:
        """Where a call goes."""
        return self.into_group(call)

    def into_group(self, call: lindref.Served) -> int:
        """Give the call to the group, if a grate of it serves such calls."""
        return self.forward(number=GROUP + call.number) if call.number in self.state else self.forward()

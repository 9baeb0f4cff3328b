"""A cage and all that descend from it may open three files, together."""

import lindref

EMFILE = 24


class Budget(lindref.Grate):
    """The fourth open, whoever makes it, fails with EMFILE."""

    def open(self, call, path):
        """Serve open: count it."""
        mine = self.cage_state(call.caller)
        if mine.get("opens", 0) >= 3:
            return -EMFILE
        mine["opens"] = mine.get("opens", 0) + 1
        return self.forward()

"""A cage and all that descend from it may open three files, together."""

import lindref

EMFILE = 24


class Budget(lindref.Grate):
    """The fourth open, whoever makes it, fails with EMFILE."""

    def open(self, call, path):
        """Serve open: count it, for the whole family."""
        if self.state.get("opens", 0) >= 3:
            return -EMFILE
        self.state["opens"] = self.state.get("opens", 0) + 1
        return self.forward()

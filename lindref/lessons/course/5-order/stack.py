"""Three small grates that all look at open."""

import lindref

EACCES = 13


class Redirect(lindref.Grate):
    """Leads what is below /etc to what is below /sandbox/etc."""

    def open(self, call, path):
        """Serve open."""
        name = self.read_string(path)
        return self.forward("/sandbox" + name) if name.startswith("/etc/") else self.forward()


class Deny(lindref.Grate):
    """Nobody opens the passwords of the sandbox."""

    def open(self, call, path):
        """Serve open."""
        return -EACCES if self.read_string(path) == "/sandbox/etc/shadow" else self.forward()


class Log(lindref.Grate):
    """Writes down what was opened."""

    def open(self, call, path):
        """Serve open."""
        self.state["names"] = (*self.state.get("names", ()), self.read_string(path))
        return self.forward()

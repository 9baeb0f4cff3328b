"""Whoever opens something below /etc gets what lies below /sandbox/etc."""

import lindref


class Redirect(lindref.Grate):
    """Rewrites the paths of open."""

    def open(self, call, path):
        """Serve an open of a cage beneath this grate."""
        name = self.read_string(path)
        if name.startswith("/etc/"):
            return self.forward("/sandbox" + name)
        return self.forward()

"""For the cages beneath this grate there shall be no /secret."""

import lindref

ENOENT = 2


class Hide(lindref.Grate):
    """What the cage gets must be what it would get if the file did not exist."""

    def open(self, call, path):
        """Serve open: the first of the calls that take a path."""
        if self.read_string(path) == "/secret":
            return -ENOENT
        return self.forward()

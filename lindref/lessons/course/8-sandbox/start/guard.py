"""Nobody beneath this grate reads /secret."""

import lindref

EACCES = 13


class Guard(lindref.Grate):
    """Refuses to open the file."""

    @lindref.serves("open")
    def look(self, call, path):
        """Serve open: is it the file?"""
        if self.read_string(path) == "/secret":
            return -EACCES
        return self.forward()

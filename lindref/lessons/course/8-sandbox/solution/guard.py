"""Nobody beneath this grate reads /secret: what is opened is looked at, not what it is called."""

import lindref

EACCES = 13
ST_INO = 8


class Guard(lindref.Grate):
    """Refuses to open the file, by whatever name."""

    def secret(self):
        """The number of the file's inode, asked for once, before anybody can have moved it."""
        if "inode" not in self.state:
            place = self.buffer(144)
            self.call("stat", self.place("/secret"), place)
            self.state["inode"] = self.read_int(place + ST_INO, 8)
        return self.state["inode"]

    def any_call(self, call):
        """Serve every call: be the first to ask."""
        self.secret()
        return self.forward()

    @lindref.serves("open", "openat")
    def look(self, call):
        """Serve an opening: let it happen, then see which file it was."""
        secret = self.secret()
        fd = self.forward()
        if fd < 0:
            return fd
        place = self.buffer(144)
        self.call("fstat", fd, place, target=call.caller)
        if self.read_int(place + ST_INO, 8) != secret:
            return fd
        self.call("close", fd, target=call.caller)
        return -EACCES

"""For the cages beneath this grate there shall be no /secret."""

import lindref
from lindref.grates.paths import absolute, slots

ENOENT = 2


class Hide(lindref.Grate):
    """What the cage gets must be what it would get if the file did not exist."""

    def any_call(self, call):
        """Serve every call: one of its paths may be the file, however it is written."""
        named = [absolute(self, call, slot) for slot in slots(call.number)]
        return -ENOENT if "/secret" in named[:1] else self.forward()

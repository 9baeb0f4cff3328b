"""The body of the frames that stand for a call by the host: it makes the call, then hands the results over."""

from __future__ import annotations

from typing import Final

from lindref.vm.ops_call import host_enter, host_finish
from lindref.vm.program import Body

HOST: Final = Body.host([(host_enter, None), (host_finish, None)])

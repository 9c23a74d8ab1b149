"""Memory for pixels that is used again: fresh pages of the system cost a fifth of a decode.

Runs in the worker, which decodes one picture after the other.
"""

import sys
import threading

import numpy as np
from numpy.typing import NDArray

#: Bytes; a larger picture gets memory of its own. About 33 megapixels in colour.
MOST = 100_000_000


class _Spare(threading.local):
    def __init__(self) -> None:
        self.room = np.empty(0, np.uint8)


_spare = _Spare()
#: References to the spare memory when nobody has an array of it.
_NOBODY = sys.getrefcount(_spare.room)


def room_for(size: int) -> NDArray[np.uint8]:
    """Return ``size`` bytes, their content whatever it was, that nothing else refers to.

    They are those of an earlier call of this thread, once no array of them is left.
    """
    if size > MOST:
        return np.empty(size, np.uint8)
    if _spare.room.size < size or sys.getrefcount(_spare.room) > _NOBODY:
        _spare.room = np.empty(size, np.uint8)
    return _spare.room[:size]

"""Python's garbage collector, told what a server of ours is like."""

import gc
from typing import Final

YOUNG: Final = 10_000  # objects made and not freed until the young ones are looked through


def settle() -> None:
    """Call it when all is loaded: what is there stays for good, and need not be looked through again and again.

    Loading leaves some 200,000 objects, and a stream of events makes many that live shortly: with Python's own setting (700) a
    tenth of an appending worker's time was spent on looking for cycles. `gc.freeze` is Instagram's idea.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)

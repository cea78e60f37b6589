"""Python's search for reference cycles, in processes that make many short-lived objects."""

from __future__ import annotations

import gc

_NEW_OBJECTS = 50_000


def collect_seldom() -> None:
    """Take what there is already for lasting, and look for cycles after 50,000 new objects instead of 700.

    A batch of fixes makes some thousands, which go as soon as it is done: looking through them meanwhile took a fifth
    of the processor time of web and positions.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)

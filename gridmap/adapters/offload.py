"""Slow work beside an event loop that must not stand still."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Found = TypeVar("Found")


def apart(work: Callable[Given, Found], *args: Given.args, **kwargs: Given.kwargs) -> Found:
    """The result of `work`, which touches nothing but its arguments.

    Under gevent it runs in a native thread, so that hashing a password or re-encoding a photo (tens of ms in C) does
    not hold up ten thousand streams; elsewhere it simply runs.
    """
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        return work(*args, **kwargs)
    pool = sys.modules["gevent"].get_hub().threadpool
    found: Found = pool.apply(work, args, kwargs)
    return found

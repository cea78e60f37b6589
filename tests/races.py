"""Calls that start at the same instant, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from gridmap.errors import GridmapError


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Run the calls in threads that start together; results or the GridmapError of each, in order."""
    results: list[object] = [None] * len(calls)
    gate = threading.Barrier(len(calls))

    def run(index: int) -> None:
        gate.wait(timeout=10)
        try:
            results[index] = calls[index]()
        except GridmapError as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results

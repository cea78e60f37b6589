"""Processor time of a process, of all it started, and of those of them that ended, as /proc tells it."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/<pid>/stat behind the name in brackets: parent; user and system time; the same of reaped children.
_PARENT, _TIMES = 1, slice(11, 15)


def processor_s(root: int) -> float:
    """Seconds used by `root` and everything below it; 0 for a process that is gone."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            told = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)] = int(told[_PARENT])
        used[int(folder.name)] = sum(map(int, told[_TIMES])) / _TICKS
    return sum(used[pid] for pid in used if _is_below(pid, root, parents))


def _is_below(pid: int, root: int, parents: dict[int, int]) -> bool:
    while pid and pid != root:
        pid = parents.get(pid, 0)
    return pid == root

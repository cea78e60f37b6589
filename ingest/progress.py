"""How far an import has come: a bar on a terminal, a plain line now and then elsewhere, silence for a machine."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import click
from tqdm import tqdm

_EVERY_S = 5.0


class TerminalProgress:
    """One bar per phase on a terminal; else a line per phase every five seconds. Everything goes to stderr."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: tqdm[None] | None = None
        self._phase = ""
        self._spoken_at = 0.0

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, phase: str, done: int, total: int | None) -> None:
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._draw(phase, done, total)
        else:
            self._say(phase, done, total)

    def _draw(self, phase: str, done: int, total: int | None) -> None:
        if self._bar is None or phase != self._phase:
            if self._bar is not None:
                self._bar.close()
            self._bar = tqdm(total=total, desc=phase, unit="row", file=sys.stderr)
            self._phase = phase
        self._bar.update(done - self._bar.n)

    def _say(self, phase: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if phase == self._phase and now - self._spoken_at < _EVERY_S:
            return
        self._phase, self._spoken_at = phase, now
        click.echo(f"{phase} {done}" + (f" of {total}" if total else ""), err=True)

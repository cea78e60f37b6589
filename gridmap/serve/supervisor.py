"""One process that starts the others, starts them again when they die, and stops them in order."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridmap.adapters.children import Child, start_child
from gridmap.adapters.processes import Account
from gridmap.errors import GridmapError

_TICK_S = 0.2
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_SOUND_AFTER_S = 60.0
_CHECK_EVERY_S = 1.0


def _always() -> bool:
    return True


def _unchanging() -> object:
    return None


@dataclass(frozen=True)
class ChildSpec:
    """What to run and when.

    `command` is asked at every start. `wanted` turns a child on and off; when what `version` gives changes,
    the child is started anew. `is_ready` is asked until it is true.
    """

    name: str
    command: Callable[[], Sequence[str | Path]]
    extra_env: dict[str, str] = field(default_factory=dict)
    wanted: Callable[[], bool] = _always
    version: Callable[[], object] = _unchanging
    is_ready: Callable[[], bool] = _always
    patience_s: float = 10.0
    log: Path | None = None


@dataclass
class _Managed:
    spec: ChildSpec
    child: Child | None = None
    version: object = None
    started_at: float = 0.0
    since: str = ""
    ready: bool = False
    failures: int = 0
    restarts: int = 0
    not_before: float = 0.0
    checked_at: float = 0.0


class Supervisor:
    """Runs children under `account` in the order given and stops them in the reverse one.

    `say` takes one plain line a time. `state_file` always tells what runs and `facts`, for `gridmap health`.
    `keep` is called about once a second for what is no child of ours (the database).
    """

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        account: Account,
        state_file: Path,
        say: Callable[[str], object],
        facts: Mapping[str, str] | None = None,
        reads: Sequence[Path] = (),
        keep: Callable[[], object] = _unchanging,
    ) -> None:
        self._managed = [_Managed(spec) for spec in specs]
        self._account = account
        self._state_file = state_file
        self._say = say
        self._facts = dict(facts or {})
        self._reads = reads
        self._keep = keep
        self._kept_at = 0.0

    def is_ready(self, name: str) -> bool:
        """True once the child runs and its own check has passed."""
        return any(managed.ready for managed in self._managed if managed.spec.name == name)

    def run(self, stop: threading.Event) -> None:
        """Supervise until `stop` is set. Call from the main thread: the children's lives hang on it."""
        try:
            while not stop.is_set():
                for managed in self._managed:
                    self._tend(managed)
                self._keep_going()
                stop.wait(_TICK_S)
        finally:
            for managed in reversed(self._managed):
                self._stop(managed)
            self._state_file.unlink(missing_ok=True)

    def _keep_going(self) -> None:
        if time.monotonic() - self._kept_at >= _CHECK_EVERY_S:
            self._kept_at = time.monotonic()
            self._keep()

    def _tend(self, managed: _Managed) -> None:
        now = time.monotonic()
        status = managed.child.find_status() if managed.child else None
        if managed.child and status is not None:
            self._bury(managed, status, now)
        if now - managed.checked_at >= _CHECK_EVERY_S:
            managed.checked_at = now
            self._adjust(managed)
        if managed.child is None and now >= managed.not_before and managed.spec.wanted():
            self._start(managed, now)
        elif managed.child and not managed.ready and managed.spec.is_ready():
            managed.ready = True
            self._say(f"{managed.spec.name}: ready after {now - managed.started_at:.1f} s")
            self._write_state()

    def _adjust(self, managed: _Managed) -> None:
        if managed.child is None:
            return
        if not managed.spec.wanted():
            self._stop(managed)
        elif managed.spec.version() != managed.version:
            self._say(f"{managed.spec.name}: something it has loaded is new, starting it again")
            self._stop(managed)
        elif time.monotonic() - managed.started_at > _SOUND_AFTER_S:
            managed.failures = 0

    def _start(self, managed: _Managed, now: float) -> None:
        managed.version = managed.spec.version()
        managed.started_at = now
        managed.since = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            managed.child = start_child(
                managed.spec.command(),
                account=self._account,
                extra_env=managed.spec.extra_env,
                log=managed.spec.log,
                reads=self._reads,
            )
        except (GridmapError, OSError) as error:
            self._wait_longer(managed, f"cannot be started: {error}", now)
        else:
            self._say(f"{managed.spec.name}: started (process {managed.child.pid})")
        self._write_state()

    def _bury(self, managed: _Managed, status: int, now: float) -> None:
        assert managed.child is not None
        # Takes whatever it left behind in its session with it.
        managed.child.stop(patience_s=0)
        managed.child = None
        managed.ready = False
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        self._wait_longer(managed, how + (f", see {managed.spec.log}" if managed.spec.log else ""), now)
        self._write_state()

    def _wait_longer(self, managed: _Managed, reason: str, now: float) -> None:
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**managed.failures)
        managed.failures += 1
        managed.restarts += 1
        managed.not_before = now + pause_s
        self._say(f"{managed.spec.name}: {reason}; starting it again in {pause_s:g} s")

    def _stop(self, managed: _Managed) -> None:
        if managed.child is None:
            return
        managed.child.stop(patience_s=managed.spec.patience_s)
        managed.child = None
        managed.ready = False
        self._say(f"{managed.spec.name}: stopped")
        self._write_state()

    def _write_state(self) -> None:
        children: list[dict[str, Any]] = [
            {
                "name": managed.spec.name,
                "pid": managed.child.pid if managed.child else None,
                "ready": managed.ready,
                "restarts": managed.restarts,
                "since": managed.since or None,
            }
            for managed in self._managed
            if managed.child or managed.restarts
        ]
        fresh = self._state_file.with_suffix(".new")
        fresh.write_text(
            json.dumps({"pid": os.getpid(), **self._facts, "children": children}), encoding="utf-8"
        )
        fresh.replace(self._state_file)

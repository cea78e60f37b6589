"""Devices at the door: whose key it is, and how often somebody may knock."""

from __future__ import annotations

import hmac
import time
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from flask import Flask, current_app, request

from gridmap.errors import NotAuthenticated, TooMany
from gridmap.services.devices import KnownDevice, find_device
from gridmap.services.logging_in import digest
from web.site import site

_EXTENSION = "gridmap_device_door"
# A withdrawn key is refused this much later at the most.
_MEMORY_S = 5.0
_MEMORY_MOST = 20_000
_LONGEST_SECRET = 200
# An hour at one fix a second, sent one by one after a dead spot, takes three minutes.
REQUESTS_PER_S = 20.0
REQUESTS_AT_ONCE = 600.0
# Wrong keys from one address; a site behind one address has more phones than typing errors.
WRONG_MOST = 60
WRONG_WINDOW_S = 60.0


@dataclass
class _Bucket:
    left: float
    at_s: float


@dataclass
class DeviceDoor:
    """What one process remembers of devices and of addresses that try keys."""

    _seen: dict[bytes, tuple[float, KnownDevice]] = field(default_factory=dict)
    _buckets: dict[bytes, _Bucket] = field(default_factory=dict)
    _wrong: dict[str, deque[float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def enter(self, secret: str, address: str) -> KnownDevice | None:
        """The device of a key, or None. Raises TooMany("too_many_attempts", retry_after_s)."""
        if not 0 < len(secret) <= _LONGEST_SECRET:
            return None
        key, now = digest(secret), time.monotonic()
        known = self._seen.get(key)
        if known is None or known[0] <= now:
            self._refuse_guessing(address, now)
            here = site()
            found = find_device(here.database, here.clock.now(), secret)
            if found is None:
                self._note_wrong(address, now)
                return None
            self._keep(key, found, now)
        else:
            found = known[1]
        self._spend(key, now)
        return found

    def _keep(self, key: bytes, found: KnownDevice, now: float) -> None:
        with self._lock:
            if len(self._seen) >= _MEMORY_MOST:
                self._seen.clear()
                self._buckets.clear()
            self._seen[key] = (now + _MEMORY_S, found)

    def _spend(self, key: bytes, now: float) -> None:
        with self._lock:
            bucket = self._buckets.setdefault(key, _Bucket(REQUESTS_AT_ONCE, now))
            bucket.left = min(REQUESTS_AT_ONCE, bucket.left + (now - bucket.at_s) * REQUESTS_PER_S)
            bucket.at_s = now
            if bucket.left < 1:
                raise TooMany(retry_after_s=5)
            bucket.left -= 1

    def _refuse_guessing(self, address: str, now: float) -> None:
        with self._lock:
            tries = self._wrong.get(address)
            while tries and tries[0] <= now - WRONG_WINDOW_S:
                tries.popleft()
            if tries and len(tries) >= WRONG_MOST:
                raise TooMany(retry_after_s=max(1, round(tries[0] + WRONG_WINDOW_S - now)))

    def _note_wrong(self, address: str, now: float) -> None:
        with self._lock:
            if len(self._wrong) >= _MEMORY_MOST:
                self._wrong.clear()
            self._wrong.setdefault(address, deque()).append(now)


def register_device_door(app: Flask) -> None:
    app.extensions[_EXTENSION] = DeviceDoor()


def device_of_basic() -> KnownDevice:
    """The device that this request's HTTP Basic names. Raises NotAuthenticated, TooMany."""
    given = request.authorization
    if given is None or given.type != "basic" or not given.password:
        raise NotAuthenticated()
    found = _door().enter(given.password, request.remote_addr or "-")
    if found is None or not hmac.compare_digest((given.username or "").encode(), found.key_name.encode()):
        raise NotAuthenticated()
    return found


def find_device_of_key(secret: str) -> KnownDevice | None:
    """The device that calls itself by this secret. Raises TooMany."""
    return _door().enter(secret, request.remote_addr or "-")


def _door() -> DeviceDoor:
    found: DeviceDoor = current_app.extensions[_EXTENSION]
    return found

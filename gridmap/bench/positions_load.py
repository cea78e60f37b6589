"""The load of `gridmap bench positions`: units that wander, and a sender that keeps its pace."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from uuid import UUID

import httpx
import numpy as np

from gridmap.bench.lattice import Lattice

FIXES_A_REQUEST = 20
CONNECTIONS = 16
_METRES_A_DEGREE = 111_320.0
_ANSWER_S = 30.0
_TOP_SPEED_MPS = 14.0


class Wanderers:
    """Units on random ways through the lattice, each with its own speed; coordinates WGS84, noise of a few metres."""

    def __init__(self, lattice: Lattice, unit_ids: list[UUID], rng: np.random.Generator) -> None:
        self.unit_ids = unit_ids
        self._names = [str(unit_id) for unit_id in unit_ids]
        size = len(unit_ids)
        self._west, self._south, self._east, self._north = lattice.bounds()
        self._lon = rng.uniform(self._west, self._east, size)
        self._lat = rng.uniform(self._south, self._north, size)
        self._heading = rng.uniform(0, 2 * np.pi, size)
        self._speed_mps = rng.uniform(1, _TOP_SPEED_MPS, size)
        self._at_s = np.full(size, time.time())
        self._rng = rng

    def body(self, turn: int) -> tuple[bytes, list[tuple[UUID, datetime]]]:
        """The JSON of a gateway's next request, stamped now, and the (unit, time) of each fix in it."""
        size, now = len(self.unit_ids), time.time()
        which = (np.arange(FIXES_A_REQUEST) + turn * FIXES_A_REQUEST) % size
        way_m = self._speed_mps[which] * (now - self._at_s[which])
        self._at_s[which] = now
        self._heading[which] += self._rng.normal(0, 0.2, FIXES_A_REQUEST)
        self._lon[which] = np.clip(
            self._lon[which] + way_m * np.sin(self._heading[which]) / (_METRES_A_DEGREE * 0.86),
            self._west,
            self._east,
        )
        self._lat[which] = np.clip(
            self._lat[which] + way_m * np.cos(self._heading[which]) / _METRES_A_DEGREE,
            self._south,
            self._north,
        )
        noise = self._rng.normal(0, 5 / _METRES_A_DEGREE, (2, FIXES_A_REQUEST))
        lon, lat = (self._lon[which] + noise[0]).tolist(), (self._lat[which] + noise[1]).tolist()
        at = datetime.fromtimestamp(now, UTC)
        told = at.isoformat()
        fixes = [
            {"unit_id": self._names[unit], "lon": x, "lat": y, "fixed_at": told, "accuracy_m": 8.0}
            for unit, x, y in zip(which.tolist(), lon, lat, strict=True)
        ]
        return json.dumps({"fixes": fixes}).encode(), [(self.unit_ids[unit], at) for unit in which.tolist()]


@dataclass
class Sent:
    """What became of a run of requests. `acknowledged` is kept only where somebody asked for it."""

    answers: int = 0
    taken: int = 0
    failed: int = 0
    answer_ms: list[float] = field(default_factory=list)
    acknowledged: list[tuple[UUID, datetime]] = field(default_factory=list)


Next = Callable[[int], tuple[bytes, list[tuple[UUID, datetime]]]]


def send_steadily(
    port: int,
    request_of: Next,
    *,
    per_second: float,
    stop: threading.Event,
    keep: bool = False,
) -> Sent:
    """Send requests at a steady pace until `stop` is set; behind the pace, as fast as the answers come.

    A request without an answer (the server was killed) is counted as failed and not sent again.
    """
    return asyncio.run(_send_steadily(port, request_of, per_second, stop, keep))


async def _send_steadily(
    port: int, request_of: Next, per_second: float, stop: threading.Event, keep: bool
) -> Sent:
    sent = Sent()
    turns = count()
    began = time.monotonic()

    async def one_connection() -> None:
        link = _Link(port)
        while not stop.is_set():
            turn = next(turns)
            await asyncio.sleep(max(0.0, began + turn / per_second - time.monotonic()))
            request, told = request_of(turn)
            started = time.perf_counter()
            try:
                status, answer = await link.ask(request)
            except (OSError, EOFError, ValueError, TimeoutError):
                sent.failed += 1
                link.drop()
                await asyncio.sleep(0.1)
                continue
            if status != 200:
                sent.failed += 1
                continue
            sent.answers += 1
            sent.answer_ms.append((time.perf_counter() - started) * 1000)
            taken = json.loads(answer)["accepted"] if answer else 1
            sent.taken += taken
            if keep and taken == len(told):
                sent.acknowledged += told
        link.drop()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))
    return sent


class _Link:
    """One lasting HTTP/1.1 connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(request)
        async with asyncio.timeout(_ANSWER_S):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            fields = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
            }
            body = await reader.readexactly(int(fields.get("content-length", "0")))
        if fields.get("connection", "").lower() == "close":
            self.drop()
        return int(head[0].split(" ", 2)[1]), body

    def drop(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def gateway_requests(wanderers: Wanderers, port: int, token: str) -> Next:
    """POST /api/positions of a gateway, 20 fixes of 20 units each."""

    def make(turn: int) -> tuple[bytes, list[tuple[UUID, datetime]]]:
        body, told = wanderers.body(turn)
        head = (
            f"POST /api/positions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body, told

    return make


def single_requests(lattice: Lattice, port: int, keys: list[str], rng: np.random.Generator) -> Next:
    """One OsmAnd GET a fix, of each device in turn: the shape of Traccar's own test."""
    west, south, east, north = lattice.bounds()
    lon, lat = rng.uniform(west, east, len(keys)), rng.uniform(south, north, len(keys))

    def make(turn: int) -> tuple[bytes, list[tuple[UUID, datetime]]]:
        which = turn % len(keys)
        place = f"lat={lat[which]:.6f}&lon={lon[which]:.6f}"
        query = f"id={keys[which]}&{place}&timestamp={int(time.time() * 1000)}&speed=0"
        return f"GET /api/trackers/osmand?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode(), []

    return make


@contextlib.contextmanager
def screen(port: int, cookie: str, waited_ms: list[float]) -> Iterator[None]:
    """A console that listens to the live feed meanwhile: from each fix's own time to its arrival on the screen."""
    stop = threading.Event()

    def listen() -> None:
        # Ends with the server; what it heard until then counts.
        with contextlib.suppress(httpx.HTTPError), httpx.Client(trust_env=False, timeout=30) as client:
            address = f"http://127.0.0.1:{port}/api/live"
            with client.stream("GET", address, headers={"Cookie": cookie}) as stream:
                topic = ""
                for line in stream.iter_lines():
                    if stop.is_set():
                        return
                    if line.startswith("event:"):
                        topic = line[6:].strip()
                    elif line.startswith("data:") and topic == "units":
                        now = time.time()
                        waited_ms.extend(
                            (now - datetime.fromisoformat(unit[-1]).timestamp()) * 1000
                            for unit in json.loads(line[5:])["items"]
                        )

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=20)

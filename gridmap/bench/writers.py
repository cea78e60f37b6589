"""Who writes during the feed bench: a hotline over the API, and transactions that commit late and out of order."""

from __future__ import annotations

import math
import random
import threading
import time
from dataclasses import dataclass, field

import httpx
from sqlalchemy import text

from gridmap.bench.site import BenchSite
from gridmap.domain.vocab import vocabulary

_RETRY_S = 0.3
# The house lets no writing transaction last longer while it serves.
_HELD_S = (0.02, 0.25)
_PAUSE_S = 1.0
_INCIDENTS_OF_LATE_WRITERS = 8


@dataclass
class Hotline:
    """POSTs reports at a steady rate from a few threads; a report that met a restart is sent again, as it was."""

    site: BenchSite
    port: int
    token: str
    per_second: float
    stop: threading.Event
    sent: int = 0
    retried: int = 0
    answer_ms: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next_at: float = 0.0
    _number: int = 0

    def run(self) -> None:
        """One thread's work; several share the clock that spaces the reports."""
        dice = random.Random(threading.get_ident())
        classes = [one.key for one in vocabulary().classes.values() if one.parent and not one.restricted]
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=30) as client:
            client.headers["Authorization"] = f"Bearer {self.token}"
            while not self.stop.is_set():
                number = self._take_turn()
                west, south, east, north = self.site.lattice.bounds()
                report = {
                    "channel": "call_12345",
                    "source": "bench-hotline",
                    "source_ref": str(number),
                    "class_key": dice.choice(classes),
                    "text": f"bench {number}",
                    "lon": dice.uniform(west + 0.01, east - 0.01),
                    "lat": dice.uniform(south + 0.01, north - 0.01),
                }
                self._send(client, report)

    def _take_turn(self) -> int:
        with self._lock:
            now = time.monotonic()
            at = max(self._next_at, now - 1)
            self._next_at = at + 1 / self.per_second
            self._number += 1
            number = self._number
        self.stop.wait(max(0.0, at - now))
        return number

    def _send(self, client: httpx.Client, report: dict[str, object]) -> None:
        while not self.stop.is_set():
            started = time.perf_counter()
            try:
                answer = client.post("/api/reports", json=report)
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.is_success:
                with self._lock:
                    self.sent += 1
                    self.answer_ms.append((time.perf_counter() - started) * 1000)
                return
            if answer is not None and answer.status_code < 500:
                answer.raise_for_status()
            with self._lock:
                self.retried += 1
            self.stop.wait(_RETRY_S)


@dataclass
class LateWriters:
    """Transactions that lock an incident as a service does, note it in the outbox, and commit 20 to 250 ms later."""

    site: BenchSite
    path: str
    area_id: int
    stop: threading.Event
    committed: int = 0
    incident_ids: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        with self.site.database.system.begin() as connection:
            for number in range(_INCIDENTS_OF_LATE_WRITERS):
                self.incident_ids.append(
                    str(
                        connection.scalar(
                            text(
                                "insert into incident (id, number, class_key, severity, title, location_method,"
                                " occurred_from, reported_at, recorded_at, channel, area_id, scope_path) values"
                                " (gen_random_uuid(), :number, 'S1.01', 2, 'bench', 'none', now(), now(), now(),"
                                " 'operator', :area, cast(:path as ltree)) returning id"
                            ),
                            {"number": f"LATE-{number}", "area": self.area_id, "path": self.path},
                        )
                    )
                )

    def run(self) -> None:
        dice = random.Random(threading.get_ident())
        while not self.stop.wait(dice.uniform(0.2, 2 * _PAUSE_S - 0.2)):
            held_s = math.exp(dice.uniform(*(math.log(edge) for edge in _HELD_S)))
            incident = dice.choice(self.incident_ids)
            with self.site.database.system.begin() as connection:
                version = connection.scalar(
                    text("select version from incident where id = :id for update"), {"id": incident}
                )
                connection.execute(
                    text("update incident set version = version + 1 where id = :id"), {"id": incident}
                )
                connection.execute(
                    text(
                        "insert into outbox (topic, body, path, incident_id) values ('incident',"
                        " jsonb_build_object('id', cast(:id as text), 'kind', 'note', 'version', cast(:v as int)),"
                        " cast(:path as ltree), cast(:id as uuid))"
                    ),
                    {"id": incident, "v": version, "path": self.path},
                )
                time.sleep(held_s)
            self.committed += 1

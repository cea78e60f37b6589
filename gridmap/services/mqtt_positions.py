"""OwnTracks over MQTT: the broker's messages go through the same door as HTTP, and are acknowledged behind it.

The topic is owntracks/<key name>/<anything>. The broker lets a device publish under its own name alone, as
docs/positions.md sets it up, so the name in the topic is proved by the log-in at the broker.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection

from sqlalchemy import text

from gridmap.adapters.mqtt import Arrival, Inbox
from gridmap.db.engine import Database
from gridmap.db.faults import translated
from gridmap.errors import GridmapError, Invalid
from gridmap.positions.decoders import owntracks
from gridmap.services.devices import KnownDevice
from gridmap.services.fix_intake import FixIntake
from gridmap.services.positions import Sent, receive_many

log = logging.getLogger(__name__)

TOPIC = "owntracks/#"
CLIENT_ID = "gridmap-positions"
_MOST = 1_000
_WAIT_S = 0.2
_PAUSE_AFTER_FAULT_S = 2.0
_MEMORY_S = 5.0

_BY_NAME = text(
    "select d.id, d.unit_id, d.kind, d.crs, k.name from device_key k join device d on d.id = k.device_id"
    " where k.name = any(cast(:names as text[])) and k.revoked_at is null and d.revoked_at is null"
    " and d.unit_id is not null and (k.expires_at is null or k.expires_at > :at)"
)


class MqttPositions:
    """Moves messages from the broker into the raw batches."""

    def __init__(self, database: Database, intake: FixIntake, inbox: Inbox) -> None:
        self._database = database
        self._intake = intake
        self._inbox = inbox
        self._known: dict[str, KnownDevice | None] = {}
        self._known_until_s = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what could not be written is asked for again."""
        while not stop.is_set():
            try:
                self.turn()
            except GridmapError:
                log.exception("positions of the broker not written")
                stop.wait(_PAUSE_AFTER_FAULT_S)
                self._inbox.ask_again()

    def turn(self, wait_s: float = _WAIT_S) -> int:
        """Write what has arrived, then acknowledge it; how many messages that were."""
        arrivals = self._inbox.take(_MOST, wait_s)
        if arrivals:
            receive_many(self._intake, self._read(arrivals))
            self._inbox.acknowledge(arrivals)
        return len(arrivals)

    def _read(self, arrivals: Collection[Arrival]) -> list[Sent]:
        names = {name for one in arrivals if (name := name_in(one.topic)) is not None}
        self._look_up(names)
        found = []
        for one in arrivals:
            device = self._known.get(name_in(one.topic) or "")
            if device is None:
                # Not ours, or withdrawn: nobody is there to be told, and it must not come again for ever.
                continue
            try:
                message = owntracks.decode(one.payload)
            except Invalid:
                message = owntracks.Message("unknown", fault="malformed")
            if message is not None and (message.reading or message.fault):
                readings = (message.reading,) if message.reading else ()
                found.append(Sent(device, readings, (message.fault,) if message.fault else ()))
        return found

    def _look_up(self, names: Collection[str]) -> None:
        if time.monotonic() >= self._known_until_s:
            self._known.clear()
            self._known_until_s = time.monotonic() + _MEMORY_S
        missing = [name for name in names if name not in self._known]
        if not missing:
            return
        at = self._intake.clock.now()
        with translated(), self._database.system.connect() as connection:
            rows = connection.execute(_BY_NAME, {"names": missing, "at": at}).all()
        self._known.update(dict.fromkeys(missing))
        self._known.update({row.name: KnownDevice(*row) for row in rows})


def name_in(topic: str) -> str | None:
    """The key's name in owntracks/<name>/<device>[/...]; None for other topics."""
    parts = topic.split("/")
    return parts[1] if len(parts) >= 3 and parts[0] == "owntracks" else None

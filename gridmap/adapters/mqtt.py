"""A broker's messages, each acknowledged only when the caller says that it is safe.

The session lasts: while nobody is connected the broker keeps what comes, and what was taken and not acknowledged comes
again after the next connection (MQTT 3.1.1, QoS 1).
"""

from __future__ import annotations

import logging
import queue
import ssl
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from gridmap.errors import Misconfigured

log = logging.getLogger(__name__)

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_KEEP_ALIVE_S = 30
_LONGEST_PAUSE_S = 30


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message. `connection` tells to which connection its number belongs: after a break the numbers begin anew."""

    topic: str
    payload: bytes
    number: int
    qos: int
    connection: int


class Inbox:
    """Connected in the background and connected again whenever the broker was away.

    Args:
        url: mqtt://user:password@host:1883 or mqtts://...; the password never reaches a log.
        client_id: names the lasting session at the broker; one process at a time may use it.

    Raises Misconfigured("mqtt_url_malformed").
    """

    def __init__(self, url: str, topic: str, client_id: str, *, ca_file: Path | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise Misconfigured("mqtt_url_malformed")
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._tls = (
            ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
            if parts.scheme == "mqtts"
            else None
        )
        self._topic = topic
        self._client_id = client_id
        self._arrived: queue.Queue[Arrival] = queue.Queue()
        self._connection = 0
        self._connected = threading.Event()
        self._client = self._make_client()

    def _make_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        if self._login is not None:
            client.username_pw_set(*self._login)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.reconnect_delay_set(1, _LONGEST_PAUSE_S)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        return client

    def __enter__(self) -> Inbox:
        self._start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop()

    def wait_connected(self, timeout_s: float) -> bool:
        """True once the broker has let us in."""
        return self._connected.wait(timeout_s)

    def take(self, most: int, timeout_s: float) -> list[Arrival]:
        """What has arrived, in order; waits for the first message for `timeout_s` at most."""
        found: list[Arrival] = []
        try:
            found.append(self._arrived.get(timeout=timeout_s))
            while len(found) < most:
                found.append(self._arrived.get_nowait())
        except queue.Empty:
            pass
        return found

    def acknowledge(self, arrivals: Iterable[Arrival]) -> None:
        """Tell the broker that these are safe. Those of an earlier connection are left: they come again."""
        for one in arrivals:
            if one.qos > 0 and one.connection == self._connection:
                self._client.ack(one.number, one.qos)

    def ask_again(self) -> None:
        """Have everything that was not acknowledged sent once more, by connecting anew."""
        self._stop()
        self._connected.clear()
        while not self._arrived.empty():
            self._arrived.get_nowait()
        # The library leaks two sockets when one client is started twice.
        self._client = self._make_client()
        self._start()

    def _start(self) -> None:
        self._client.connect_async(self._host, self._port, _KEEP_ALIVE_S)
        self._client.loop_start()

    def _stop(self) -> None:
        # The farewell queues behind the acknowledgements; `reconnect` would throw those away that are not yet sent.
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            log.error("broker refuses us: %s", reason)
            return
        self._connection += 1
        client.subscribe(self._topic, qos=1)
        self._connected.set()

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._connected.clear()
        log.info("broker left: %s", reason)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._arrived.put(
            Arrival(message.topic, bytes(message.payload), message.mid, message.qos, self._connection)
        )

"""The far end of the feed bench: many event streams in one process of their own, which only notes what comes when.

Run as `python -m gridmap.bench.listeners PORT OUT`; reads one `name=value` cookie a line, `streams` lines, then an
empty line. Streams resume with Last-Event-ID after `retry`, as a browser does. Ends when its input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
import time
from array import array
from pathlib import Path

import numpy as np

_CONNECT_S = 30.0
_RETRY_S = 2.0
# A frame begins a line, and its data is one line: chunk headers of the transfer stand between frames only.
_FRAME = re.compile(rb"^(?:id: (\w+-(\d+)-(\d+))\n)?event: (\w+)\n", re.MULTILINE)
_CASE_EVENTS = frozenset({b"incident", b"dispatch", b"alarm"})


class Listeners:
    """What all streams heard: one entry a frame, in the order each stream received them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.stream = array("i")
        self.xid = array("q")
        self.id = array("q")
        self.at_s = array("d")
        self.reconnects = 0
        self.resyncs = 0
        self.open = 0

    async def listen(self, number: int, cookie: str) -> None:
        last_id = ""
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                last_id = await self._one_connection(number, cookie, last_id)
            self.reconnects += 1
            await asyncio.sleep(_RETRY_S)

    async def _one_connection(self, number: int, cookie: str, last_id: str) -> str:
        loop = asyncio.get_running_loop()
        stream = _Stream(self, number, last_id)
        async with asyncio.timeout(_CONNECT_S):
            transport, _ = await loop.create_connection(lambda: stream, "127.0.0.1", self._port)
            resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
            transport.write(
                f"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nCookie: {cookie}\r\n{resume}"
                "Accept: text/event-stream\r\n\r\n".encode()
            )
        try:
            await stream.ended
        finally:
            transport.close()
        return stream.last_id

    def note(self, number: int, event: bytes, xid: bytes | None, row: bytes | None) -> None:
        """One frame that has just come in on stream `number`."""
        if event == b"resync":
            self.resyncs += 1
        if event not in _CASE_EVENTS or xid is None or row is None:
            return
        self.stream.append(number)
        self.xid.append(int(xid))
        self.id.append(int(row))
        self.at_s.append(time.time())

    def save(self, path: Path) -> None:
        np.savez(
            path,
            stream=np.asarray(self.stream, dtype=np.int32),
            id=np.asarray(self.id, dtype=np.int64),
            at_s=np.asarray(self.at_s),
            reconnects=self.reconnects,
            resyncs=self.resyncs,
        )


class _Stream(asyncio.Protocol):
    """One connection: its head, then frames until it breaks; `ended` is done when it has."""

    def __init__(self, listeners: Listeners, number: int, last_id: str) -> None:
        self.last_id = last_id
        self.ended = asyncio.get_running_loop().create_future()
        self._listeners = listeners
        self._number = number
        self._rest = b""
        self._is_open = False

    def data_received(self, data: bytes) -> None:
        self._rest += data
        if not self._is_open:
            self._read_head()
        whole = self._rest.rfind(b"\n\n") + 2
        if not self._is_open or whole < 2:
            return
        for event_id, xid, row, event in _FRAME.findall(self._rest, 0, whole):
            if event_id:
                self.last_id = event_id.decode()
            self._listeners.note(self._number, event, xid or None, row or None)
        self._rest = self._rest[whole:]

    def _read_head(self) -> None:
        head, found, rest = self._rest.partition(b"\r\n\r\n")
        if not found:
            return
        if head.startswith(b"HTTP/1.1 200"):
            self._is_open = True
            self._listeners.open += 1
            self._rest = rest
        elif not self.ended.done():
            self.ended.set_exception(OSError(head[:40].decode("latin-1")))

    def connection_lost(self, _error: Exception | None) -> None:
        if self._is_open:
            self._listeners.open -= 1
        if not self.ended.done():
            self.ended.set_result(None)


async def _main(port: int, out: Path) -> None:
    cookies = []
    while line := sys.stdin.readline().strip():
        cookies.append(line)
    listeners = Listeners(port)
    tasks = [asyncio.create_task(listeners.listen(number, cookie)) for number, cookie in enumerate(cookies)]
    told = -1
    closed = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not closed.done():
        await asyncio.wait([closed], timeout=0.2)
        if listeners.open != told:
            told = listeners.open
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()
    for task in tasks:
        task.cancel()
    listeners.save(out)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), Path(sys.argv[2])))

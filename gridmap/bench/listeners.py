"""The far end of the feed bench: many event streams in one process of their own, which only notes what comes when.

Run as `python -m gridmap.bench.listeners PORT OUT`; reads one `name=value` cookie a line, `streams` lines, then an
empty line. Streams resume with Last-Event-ID after `retry`, as a browser does. Ends when its input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from array import array
from pathlib import Path

import numpy as np

_CONNECT_S = 30.0
_RETRY_S = 2.0
_LINE_LIMIT_BYTES = 1_048_576
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
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
                last_id = await self._one_connection(number, cookie, last_id)
            self.reconnects += 1
            await asyncio.sleep(_RETRY_S)

    async def _one_connection(self, number: int, cookie: str, last_id: str) -> str:
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=_LINE_LIMIT_BYTES)
            resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
            writer.write(
                f"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nCookie: {cookie}\r\n{resume}"
                "Accept: text/event-stream\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            writer.close()
            raise ValueError(head[:40])
        self.open += 1
        event, event_id = b"", b""
        try:
            # Chunk headers of the transfer are lines of hexadecimal digits: no field name, so they are passed over.
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    event_id = line[4:].strip()
                elif line.startswith(b"event: "):
                    event = line[7:].strip()
                elif line.startswith(b"data: "):
                    if event_id:
                        last_id = event_id.decode()
                    self._note(number, event, event_id)
                    event, event_id = b"", b""
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()
        return last_id

    def _note(self, number: int, event: bytes, event_id: bytes) -> None:
        if event == b"resync":
            self.resyncs += 1
        if event not in _CASE_EVENTS or not event_id:
            return
        _, xid, row = event_id.rsplit(b"-", 2)
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

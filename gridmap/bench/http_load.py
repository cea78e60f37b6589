"""A plain HTTP/1.1 client that keeps its connections: it must cost little beside what it measures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from gridmap.errors import Unavailable

_ANSWER_S = 60.0
_LINE_LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: `size_bytes` as sent, so after compression; `count` is the tile's own tally, -1 without one."""

    status: int
    ms: float
    size_bytes: int
    count: int


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of requests took; answers in the order of the paths."""

    seconds: float
    answers: list[Answer]

    @property
    def per_second(self) -> float:
        return len(self.answers) / self.seconds


def fetch_all(port: int, paths: Sequence[str], *, connections: int, headers: dict[str, str]) -> Load:
    """GET every path once from 127.0.0.1 over so many lasting connections, each taking the next free path.

    Raises Unavailable("bench_answer") when an answer is not 200 or 204: a figure over errors means nothing.
    """
    return asyncio.run(_fetch_all(port, paths, connections, headers))


async def _fetch_all(port: int, paths: Sequence[str], connections: int, headers: dict[str, str]) -> Load:
    answers: list[Answer | None] = [None] * len(paths)
    waiting = iter(enumerate(paths))
    fixed = "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LINE_LIMIT_BYTES)
        try:
            for number, path in waiting:
                started = time.perf_counter()
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{fixed}\r\n".encode())
                async with asyncio.timeout(_ANSWER_S):
                    status, size_bytes, count = await _read_answer(reader)
                if status not in (200, 204):
                    raise Unavailable("bench_answer", path=path, status=status)
                answers[number] = Answer(status, (time.perf_counter() - started) * 1000, size_bytes, count)
        finally:
            writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(min(connections, len(paths))):
            group.create_task(one_connection())
    return Load(time.perf_counter() - started, [answer for answer in answers if answer is not None])


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, int, int]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if fields.get("transfer-encoding", "").lower() == "chunked":
        size_bytes = await _read_chunks(reader)
    else:
        size_bytes = int(fields.get("content-length", "0"))
        await reader.readexactly(size_bytes)
    return status, size_bytes, int(fields.get("x-tile-count", "-1"))


async def _read_chunks(reader: asyncio.StreamReader) -> int:
    total = 0
    while size := int((await reader.readline()).split(b";")[0], 16):
        await reader.readexactly(size + 2)
        total += size
    await reader.readline()
    return total

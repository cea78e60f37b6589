"""One listener's end of the feed: a bounded queue, and the bytes that go down the wire."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from uuid import UUID

from gridmap.domain.actor import Actor
from web.live_audience import Notice, Position, Reach, chunk_for, frame, reach_of

QUEUE_MOST = 2_000
HEARTBEAT_S = 15.0
RETRY_MS = 2_000
_WRITE_MOST = 64


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What a stream is sent before it goes live. `is_gap`: more may have happened than is kept."""

    notices: tuple[Notice, ...] = ()
    is_gap: bool = False


class LiveStream:
    """An iterator of chunks for a response; `close` is called by the server when the listener is gone."""

    def __init__(
        self,
        actor: Actor,
        *,
        epoch: str,
        base: Position,
        floor: Position,
        position: Callable[[], Position],
        catch_up: Callable[[], CatchUp],
        detach: Callable[[LiveStream], None],
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self.reach: Reach = reach_of(actor)
        self.session_id: UUID | None = actor.session_id
        self.token_id: UUID | None = actor.token_id
        self.reach_digest: str | None = None
        self._epoch = epoch
        self._base = base
        self._floor = floor
        self._position = position
        self._catch_up = catch_up
        self._detach = detach
        self._heartbeat_s = heartbeat_s
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._is_over = False
        self._needs_resync = False
        self._chunks = self._run()

    @property
    def caller_id(self) -> UUID | None:
        return self.session_id or self.token_id

    def put(self, chunk: bytes, position: Position | None = None) -> None:
        """Queue an event. A listener that does not keep up is cut off and told to load everything anew."""
        if self._is_over or (position is not None and position <= self._floor):
            return
        if self._queue.qsize() >= QUEUE_MOST:
            self.end(resync=True)
        else:
            self._queue.put(chunk)

    def end(self, *, resync: bool) -> None:
        """Stop after what is being written now; with `resync` the page loads everything anew when it is back."""
        self._needs_resync = resync
        self._is_over = True
        self._queue.put(None)

    def event_id(self, position: Position) -> str:
        return f"{self._epoch}-{position.xid}-{position.id}"

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        self._is_over = True
        self._detach(self)
        self._chunks.close()

    def _run(self) -> Generator[bytes, None, None]:
        yield f"retry: {RETRY_MS}\n\n".encode()
        yield from self._past()
        while True:
            mark = self._position()
            try:
                chunk = self._queue.get(timeout=self._heartbeat_s)
            except Empty:
                # Everything up to `mark` had been queued before `mark` was read, and nothing was there.
                yield self._beat(max(mark, self._base, self._floor))
                continue
            chunks = [chunk]
            while len(chunks) < _WRITE_MOST and not self._queue.empty():
                chunks.append(self._queue.get())
            if self._is_over:
                break
            yield b"".join(part for part in chunks if part is not None)
        if self._needs_resync:
            yield frame("resync", {}, self.event_id(self._position()))
        self._detach(self)

    def _past(self) -> Iterator[bytes]:
        past = self._catch_up()
        if past.is_gap:
            yield frame("resync", {})
        for notice in past.notices:
            chunk = chunk_for(notice, self.reach, self.event_id(notice.position))
            if chunk is not None and notice.position > self._floor:
                yield chunk
        yield self._beat(max(self._base, self._floor))

    def _beat(self, position: Position) -> bytes:
        """A sign of life that also moves the place from which a lost line resumes."""
        return frame("beat", {}, self.event_id(position))

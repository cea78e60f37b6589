"""Vector tiles: one statement a tile, and a cache that can never hand one scope's tile to another.

A key holds the layer, the version its rows had when they were read, the scope's digest, the filter's digest and the
tile. The version is read by the statement that reads the rows, so a fill that is under way while rows change is kept
under the version it saw, and nobody who asks for the new one meets it.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from threading import BoundedSemaphore, Lock

from cachetools import TTLCache
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.domain.actor import Actor
from gridmap.services.transaction import transaction
from layers.base import NO_FILTER, Layer, TileFilter

MIME = "application/vnd.mapbox-vector-tile"
CACHE_BYTES = 256 * 1024 * 1024
# A share that runs out bumps no version; nothing older than this is served.
CACHE_S = 60
# More readers at once than this only queue inside the database, each in a session that has yet to plan.
MOST_READS_AT_ONCE = 8
_GZIP_LEVEL = 1
_WORTH_ZIPPING_BYTES = 300
_OVERHEAD_BYTES = 400

_ARGUMENTS = (
    "cast(:z as int), cast(:x as int), cast(:y as int), cast(:classes as text[]), cast(:statuses as text[]),"
    " cast(:since as timestamptz), cast(:until as timestamptz)"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile's bytes (Mapbox Vector Tile, empty when nothing is there) and what they stand for.

    `count`: rows that the tile tells of, by points or by counts. `thinned`: points are cells with a count `n`.
    `version`: the one its rows had. `etag` changes whenever anything that could change the bytes does.
    """

    data: bytes
    gzipped: bytes | None
    etag: str
    version: str
    shown: int
    count: int
    thinned: bool

    @property
    def size_bytes(self) -> int:
        return len(self.data) + len(self.gzipped or b"") + _OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class TileKey:
    """Everything a tile's bytes depend on."""

    layer: str
    version: str
    scope: str
    filters: str
    z: int
    x: int
    y: int

    def etag(self) -> str:
        return f"{self.layer}-{self.version}-{self.scope}-{self.filters}-{self.z}-{self.x}-{self.y}"


def tile(
    connection: Connection | Session,
    layer: Layer,
    actor: Actor,
    z: int,
    x: int,
    y: int,
    filters: TileFilter = NO_FILTER,
) -> Tile:
    """Read one tile in a transaction that was opened as `actor`.

    Raises Invalid when the layer has no such tile or filter.
    """
    layer.check(z, x, y, filters)
    row = connection.execute(
        text(_statement(layer)),
        {
            "layer": layer.key,
            "z": z,
            "x": x,
            "y": y,
            "classes": sorted(set(filters.classes)) or None,
            "statuses": sorted(set(filters.statuses)) or None,
            "since": filters.since,
            "until": filters.until,
        },
    ).one()
    key = TileKey(layer.key, row.version, layer.scope_digest(actor), filters.digest(), z, x, y)
    data = bytes(row.mvt)
    return Tile(
        data=data,
        gzipped=gzip.compress(data, _GZIP_LEVEL, mtime=0) if len(data) >= _WORTH_ZIPPING_BYTES else None,
        etag=key.etag(),
        version=row.version,
        shown=row.shown,
        count=row.total,
        thinned=row.thinned,
    )


def current_version(connection: Connection | Session, layer: Layer) -> str:
    """The version that stands in the layer's tile addresses now."""
    return str(connection.scalar(text("select tile_version(:layer)"), {"layer": layer.key}))


@dataclass(frozen=True)
class TileReader:
    """Tiles of one web process, kept in memory while their version is asked for."""

    database: Database
    clock: Clock
    cache_bytes: int = CACHE_BYTES
    _lock: Lock = field(default_factory=Lock, repr=False)
    _turns: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MOST_READS_AT_ONCE), repr=False)
    _cache: TTLCache[TileKey, Tile] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        cache: TTLCache[TileKey, Tile] = TTLCache(
            self.cache_bytes, CACHE_S, getsizeof=lambda kept: kept.size_bytes
        )
        object.__setattr__(self, "_cache", cache)

    def read(
        self,
        actor: Actor,
        layer: Layer,
        version: str,
        z: int,
        x: int,
        y: int,
        filters: TileFilter = NO_FILTER,
    ) -> Tile:
        """The tile as of `version` or newer. Raises Invalid as `tile` does; checks no right to the layer."""
        layer.check(z, x, y, filters)
        asked = TileKey(layer.key, version, layer.scope_digest(actor), filters.digest(), z, x, y)
        with self._lock:
            kept = self._cache.get(asked)
        if kept is not None:
            return kept
        with self._turns, transaction(self.database, actor, self.clock) as tx:
            made = tile(tx.session, layer, actor, z, x, y, filters)
        if self.cache_bytes >= made.size_bytes:
            read = TileKey(layer.key, made.version, asked.scope, asked.filters, z, x, y)
            with self._lock:
                self._cache[read] = made
        return made


def _statement(layer: Layer) -> str:
    """`layer.function` comes from a file of the catalogue, never from a request."""
    first = "cast(:layer as text), " if layer.function == "feature" else ""
    return (
        "select tile_version(:layer) as version, t.mvt, t.shown, t.total, t.thinned"
        f" from tile_{layer.function}({first}{_ARGUMENTS}) as t"
    )

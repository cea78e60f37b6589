"""Vector tiles: one statement a tile, and a cache that can never hand one scope's tile to another.

A key holds the layer, the version its rows had when they were read, the scope's digest, the filter's digest and the
tile. The version is read by the statement that reads the rows, so a fill that is under way while rows change is kept
under the version it saw, and nobody who asks for the new one meets it.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from functools import cache
from threading import Lock
from typing import Any, cast

import psycopg
from cachetools import TTLCache
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.faults import translated
from gridmap.domain.actor import Actor
from gridmap.errors import Unavailable
from gridmap.services.transaction import scope_settings
from layers.base import NO_FILTER, Layer, TileFilter

MIME = "application/vnd.mapbox-vector-tile"
CACHE_BYTES = 256 * 1024 * 1024
# A share that runs out bumps no version; nothing older than this is served.
CACHE_S = 60
_GZIP_LEVEL = 1
_WORTH_ZIPPING_BYTES = 300
_OVERHEAD_BYTES = 400

_ARGUMENTS = (
    "%(z)s::int, %(x)s::int, %(y)s::int, %(classes)s::text[], %(statuses)s::text[],"
    " %(since)s::timestamptz, %(until)s::timestamptz"
)
_SCOPE_NAMES = ("now", "actor", "account", "units", "verbs", "case_paths", "map_paths", "write_paths")
_SET_SCOPE = "select " + ", ".join(f"set_config('gridmap.{name}', %({name})s, true)" for name in _SCOPE_NAMES)


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
    if isinstance(connection, Session):
        connection = connection.connection()
    row = connection.exec_driver_sql(_statement(layer.function), _parameters(layer, z, x, y, filters)).one()
    return _made(layer, actor, (z, x, y), filters, tuple(row))


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
        made = self._fill(actor, layer, z, x, y, filters)
        if self.cache_bytes >= made.size_bytes:
            read = TileKey(layer.key, made.version, asked.scope, asked.filters, z, x, y)
            with self._lock:
                self._cache[read] = made
        return made

    def _fill(self, actor: Actor, layer: Layer, z: int, x: int, y: int, filters: TileFilter) -> Tile:
        parameters = _parameters(layer, z, x, y, filters)
        scope = scope_settings(actor, self.clock.now())
        try:
            row = self._ask(layer, scope, parameters)
        except psycopg.errors.QueryCanceled as error:
            raise Unavailable("took_too_long") from error
        except psycopg.OperationalError:
            # The session had died while it rested in the pool, as all do when the database restarts.
            self.database.tiles.dispose()
            with translated():
                row = self._ask(layer, scope, parameters)
        return _made(layer, actor, (z, x, y), filters, row)

    def _ask(self, layer: Layer, scope: dict[str, str], parameters: dict[str, Any]) -> tuple[Any, ...]:
        """The whole transaction in one round trip: begin, scope, tile, end."""
        pooled = self.database.tiles.raw_connection()
        try:
            connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
            with connection.pipeline():
                connection.execute(_SET_SCOPE, scope)
                cursor = connection.cursor(binary=True).execute(
                    _statement(layer.function).encode(), parameters
                )
                connection.commit()
            row = cursor.fetchone()
            assert row is not None
            return tuple(row)
        except psycopg.OperationalError:
            pooled.invalidate()
            raise
        finally:
            pooled.close()


@cache
def _statement(function: str) -> str:
    """`function` comes from a file of the catalogue, never from a request."""
    first = "%(layer)s::text, " if function == "feature" else ""
    return (
        "select tile_version(%(layer)s) as version, t.mvt, t.shown, t.total, t.thinned"
        f" from tile_{function}({first}{_ARGUMENTS}) as t"
    )


def _parameters(layer: Layer, z: int, x: int, y: int, filters: TileFilter) -> dict[str, Any]:
    return {
        "layer": layer.key,
        "z": z,
        "x": x,
        "y": y,
        "classes": sorted(set(filters.classes)) or None,
        "statuses": sorted(set(filters.statuses)) or None,
        "since": filters.since,
        "until": filters.until,
    }


def _made(
    layer: Layer, actor: Actor, at: tuple[int, int, int], filters: TileFilter, row: tuple[Any, ...]
) -> Tile:
    version, mvt, shown, total, thinned = row
    key = TileKey(layer.key, version, layer.scope_digest(actor), filters.digest(), *at)
    data = bytes(mvt)
    return Tile(
        data=data,
        gzipped=gzip.compress(data, _GZIP_LEVEL, mtime=0) if len(data) >= _WORTH_ZIPPING_BYTES else None,
        etag=key.etag(),
        version=version,
        shown=shown,
        count=total,
        thinned=thinned,
    )

"""The bench's own deployment: a private cluster under the data folder, filled once a scale and kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, LiteralString

import numpy as np
import psycopg
import shapely
from psycopg import sql
from sqlalchemy import text

from gridmap.bench.lattice import LEVELS, BenchArea, Lattice, build_lattice
from gridmap.bench.points import PointSource
from gridmap.clock import SystemClock
from gridmap.db.cluster import ensure_running, stop, superuser_conninfo
from gridmap.db.engine import Database
from gridmap.db.migrate import upgrade
from gridmap.db.roles import DATABASE, SCHEMA
from gridmap.db.tables import Base
from gridmap.domain.ids import new_id
from gridmap.services.tile_counts import refresh
from gridmap.settings import Settings, load_settings

SEED = 5
# Raise it when what is generated changes: an older folder is then filled anew.
DATA_VERSION = 3
AREAS_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
Say = Callable[[str], None]

_CAMERA_COLUMNS = (
    "id, source, ref, code, name, kind, status, geom, area_id, scope_path, heading_deg, fov_deg, range_m"
)
_INCIDENT_COLUMNS = (
    "id, source, ref, number, class_key, severity, status, outcome, title, geom, location_method, area_id,"
    " scope_path, occurred_from, reported_at, recorded_at, channel, restricted, closed_at"
)


@dataclass(frozen=True)
class BenchSite:
    """A running, filled database."""

    settings: Settings
    database: Database
    lattice: Lattice
    scale: float

    def admin(self) -> psycopg.Connection[Any]:
        """A connection as the cluster's superuser, for what only a bench may do."""
        return psycopg.connect(
            superuser_conninfo(self.settings, DATABASE),
            autocommit=True,
            options=f"-c search_path={SCHEMA},public",
        )


@contextmanager
def bench_site(
    base: Settings, scale: float, say: Say, *, purpose: Literal["map", "feed", "positions"] = "map"
) -> Iterator[BenchSite]:
    """Start the bench's cluster, fill it when it is not, stop it at the end. The site's own is not touched.

    `feed` and `positions` have the areas only, and tell when each transaction was committed.
    """
    folder = base.data_dir / "bench" / f"{purpose}-{scale:g}"
    key = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
    settings = load_settings(
        name="gridmap bench",
        data_dir=folder,
        runtime_dir=Path(f"/tmp/gridmap-bench-{os.geteuid()}-{key}"),
        database_url_app=None,
        database_url_system=None,
        database_url_owner=None,
        tls_mode="off",
        public_url=None,
        host="127.0.0.1",
    )
    ensure_running(settings)
    if purpose != "map":
        _tell_commit_times(settings)
    database = Database.from_settings(settings)
    try:
        upgrade(database.owner)
        lattice = build_lattice(scale, np.random.default_rng(SEED))
        site = BenchSite(settings, database, lattice, scale)
        if not _is_filled(site):
            fill(site, say, with_points=purpose == "map")
        yield site
    finally:
        database.dispose()
        stop(settings)


def _tell_commit_times(settings: Settings) -> None:
    """Let the server keep the time of each commit; it reads the setting at its start only."""
    with psycopg.connect(superuser_conninfo(settings), autocommit=True) as connection:
        found = connection.execute("show track_commit_timestamp").fetchone()
        if found == ("on",):
            return
        connection.execute("alter system set track_commit_timestamp = on")
    stop(settings)
    ensure_running(settings)


def _mark(site: BenchSite) -> str:
    return json.dumps({"version": DATA_VERSION, "scale": float(site.scale), "seed": SEED})


def _is_filled(site: BenchSite) -> bool:
    with site.admin() as connection:
        found = connection.execute("select obj_description('gridmap.camera'::regclass)").fetchone()
    return found is not None and found[0] == _mark(site)


def fill(site: BenchSite, say: Say, *, with_points: bool) -> None:
    """Areas, cameras and incidents by COPY, indexes after, then the tile counts."""
    source = PointSource(site.lattice, site.scale, SEED)
    with site.admin() as connection:
        connection.execute(
            "truncate area, area_set, camera, incident, tile_count, tile_delta, tile_layer, layer_version, outbox"
            " cascade"
        )
        # Triggers would note each row; everything is counted at the end instead.
        connection.execute("set session_replication_role = replica")
        say("areas")
        _copy_areas(connection, site.lattice)
        points = (
            ("camera", _CAMERA_COLUMNS, source.camera_lines()),
            ("incident", _INCIDENT_COLUMNS, source.incident_lines()),
        )
        for table, columns, lines in points if with_points else ():
            say(f"{table} rows")
            with _without_indexes(site, table):
                _copy(connection, f"{table} ({columns})", lines)
        connection.execute("set session_replication_role = origin")
        say("vacuum")
        connection.execute("vacuum (analyze) camera")
        connection.execute("vacuum (analyze) incident")
        connection.execute("vacuum (analyze) area_version")
    for layer in ("cameras", "incidents") if with_points else ():
        say(f"counts of {layer}")
        refresh(site.database, SystemClock(), layer)
    with site.admin() as connection:
        connection.execute("vacuum (analyze) tile_count")
        connection.execute(sql.SQL("comment on table gridmap.camera is {}").format(_mark(site)))


def _copy(connection: psycopg.Connection[Any], target: str, blocks: Iterable[str]) -> None:
    # `target` is a constant of this module, never input.
    statement = sql.SQL("COPY {schema}.").format(schema=sql.Identifier(SCHEMA)) + _trusted(
        f"{target} FROM STDIN"
    )
    with connection.cursor().copy(statement) as copy:
        for block in blocks:
            copy.write(block)


def _trusted(statement: str) -> sql.SQL:
    trusted: LiteralString = statement
    return sql.SQL(trusted)


def _copy_areas(connection: psycopg.Connection[Any], lattice: Lattice) -> None:
    set_id = new_id()
    connection.execute(
        "insert into area_set (id, tree, name, status, created_at) values (%s, 'admin', 'bench', 'verified', now())",
        (set_id,),
    )
    leaf = LEVELS[-1]
    _copy(
        connection,
        "area (id, tree, level, scheme, code)",
        (f"{one.area_id}\tadmin\t{one.level}\tbench\t{one.code}\n" for one in lattice.areas),
    )
    _copy(
        connection,
        "area_version (id, area_id, parent_id, area_set_id, path, name, is_leaf, geom, valid)",
        (_area_line(one, str(set_id), one.level == leaf) for one in lattice.areas),
    )
    connection.execute("select setval(pg_get_serial_sequence('area', 'id'), (select max(id) from area))")


def _area_line(one: BenchArea, set_id: str, is_leaf: bool) -> str:
    shape = one.geometry
    if shape.geom_type == "Polygon":
        shape = shapely.MultiPolygon([shape])
    wkb = shapely.to_wkb(shapely.set_srid(shape, 4326), hex=True, include_srid=True)
    parent = "\\N" if one.parent_id is None else str(one.parent_id)
    return (
        f"{new_id()}\t{one.area_id}\t{parent}\t{set_id}\t{one.path}\t{one.level} {one.code[-6:]}"
        f"\t{'t' if is_leaf else 'f'}\t{wkb}\t[{AREAS_SINCE.isoformat()},)\n"
    )


@contextmanager
def _without_indexes(site: BenchSite, table: str) -> Iterator[None]:
    """Drop the table's plain indexes and build them again after: ten times quicker for a bulk load.

    They are made from the table's definition, so that a run that was killed half-way does no lasting harm.
    """
    indexes = Base.metadata.tables[table].indexes
    with site.database.owner.begin() as connection:
        for index in indexes:
            index.drop(connection, checkfirst=True)
    yield
    with site.database.owner.begin() as connection:
        connection.execute(text("set local maintenance_work_mem = '512MB'"))
        for index in indexes:
            index.create(connection, checkfirst=True)

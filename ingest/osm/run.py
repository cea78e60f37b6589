"""One OSM extract from file to tables, base map and road graph.

    check    the whole file is read; a broken one changes nothing
    stage    rows are copied beside the tables
    switch   each table takes over the rows of this extract
    basemap  the tiles of this extract
    routing  one road graph of all extracts that were ever imported
    tell     one notice to the screens

Any step may be killed; running it again makes everything whole.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from gridmap.adapters.tilemaker import build_basemap
from gridmap.adapters.valhalla_tiles import build_graph
from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.faults import translated
from gridmap.errors import Conflict, Invalid
from gridmap.services.importing.batches import announce_layers
from gridmap.settings import Settings
from ingest.osm.features import Reader
from ingest.osm.pbf import ExtractFacts, Progress, inspect_extract
from ingest.osm.stage import TABLES, Stage
from ingest.osm.streets import add_streets

OSM_ATTRIBUTION = "© OpenStreetMap contributors"
_LAYER = "basemap"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_LOCK = 0x6F736D


@dataclass(frozen=True, kw_only=True)
class OsmOutcome:
    """What an import did. `rows` and `skipped` count by table; a skipped thing had no usable geometry."""

    extract: str
    demo: bool
    nodes: int
    ways: int
    relations: int
    bounds: tuple[float, float, float, float]
    rows: dict[str, int]
    streets: int
    skipped: dict[str, int]
    basemap_bytes: int
    routing_version: str | None
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def extract_name(path: Path, given: str | None) -> str:
    """The extract's key: given, or the file's name. Raises Invalid("extract_name_invalid")."""
    name = given if given is not None else path.name.removesuffix(".pbf").removesuffix(".osm").lower()
    if not _NAME.fullmatch(name):
        raise Invalid("extract_name_invalid", name=name[:60], form="a-z 0-9 _ -, at most 40")
    return name


def import_extract(
    path: Path,
    name: str,
    database: Database,
    settings: Settings,
    clock: Clock,
    progress: Progress,
    *,
    demo: bool | None = None,
) -> OsmOutcome:
    """Import an .osm.pbf as the extract `name`, replacing what that extract held before.

    Args:
        demo: mark it as invented; by default it is when no id in it is one of OpenStreetMap's.

    Raises:
        Invalid: see `inspect_extract`; nothing has changed.
        Conflict: "import_running".
        Unavailable: the base map's or the graph's builder is missing or failed; the tables are imported, the
            old map and graph stand, and running again finishes the work.
    """
    clock_s = _Laps()
    facts = inspect_extract(path, progress)
    clock_s.lap("check")
    with _only_one(database, settings) as connection:
        stage = Stage(connection)
        reader = Reader(stage)
        reader.read(path, facts.objects, progress)
        stage.finish()
        streets = add_streets(stage, reader.street_names)
        stage.flush()
        clock_s.lap("stage")
        for number, table in enumerate(TABLES, 1):
            stage.switch(table, name)
            progress("switch", number, len(TABLES))
        stage.drop()
        invented = facts.demo if demo is None else demo
        _remember(connection, name, facts, invented, clock)
        kept = _keep(path, name, settings)
        clock_s.lap("switch")
        progress("basemap", 0, 1)
        bounds = (facts.west, facts.south, facts.east, facts.north)
        tiles = build_basemap(kept, name, settings.basemap_dir, bounds)
        progress("basemap", 1, 1)
        clock_s.lap("basemap")
        progress("routing", 0, 1)
        version = _route_over_all(connection, settings)
        progress("routing", 1, 1)
        clock_s.lap("routing")
        with translated(), connection.begin():
            announce_layers(connection, [_LAYER], clock.now())
    return OsmOutcome(
        extract=name,
        demo=invented,
        nodes=facts.nodes,
        ways=facts.ways,
        relations=facts.relations,
        bounds=bounds,
        rows=dict(stage.counts),
        streets=streets,
        skipped=dict(reader.skipped),
        basemap_bytes=tiles.stat().st_size,
        routing_version=version,
        seconds=clock_s.laps,
    )


class _Laps:
    """Seconds each step took."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._since, 3)
        self._since = now


@contextmanager
def _only_one(database: Database, settings: Settings) -> Iterator[Connection]:
    """The tables are guarded by a lock in the database, the files by one beside them; a kill frees both."""
    settings.routing_dir.mkdir(parents=True, exist_ok=True)
    with (
        database.system.connect() as connection,
        (settings.routing_dir / ".lock").open("a") as guard,
    ):
        with connection.begin():
            free = connection.execute(text("select pg_try_advisory_lock(:key)"), {"key": _LOCK}).scalar_one()
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            free = False
        if not free:
            connection.invalidate()
            raise Conflict("import_running", noun="osm")
        try:
            yield connection
        finally:
            # The lock and the stages belong to the session: closing it is what never fails to free them.
            connection.invalidate()


def _remember(connection: Connection, name: str, facts: ExtractFacts, demo: bool, clock: Clock) -> None:
    with translated(), connection.begin():
        connection.execute(
            text(
                "insert into osm_extract (name, file_sha256, imported_at, west, south, east, north,"
                " attribution, demo) values (:name, :sha, :now, :west, :south, :east, :north, :credit, :demo)"
                " on conflict (name) do update set file_sha256 = excluded.file_sha256,"
                " imported_at = excluded.imported_at, west = excluded.west, south = excluded.south,"
                " east = excluded.east, north = excluded.north, attribution = excluded.attribution,"
                " demo = excluded.demo"
            ),
            {
                "name": name,
                "sha": facts.sha256,
                "now": clock.now(),
                "west": facts.west,
                "south": facts.south,
                "east": facts.east,
                "north": facts.north,
                "credit": "" if demo else OSM_ATTRIBUTION,
                "demo": demo,
            },
        )


def _keep(path: Path, name: str, settings: Settings) -> Path:
    """A copy of the file: the road graph is always built of all extracts together."""
    folder = settings.routing_dir / "extracts"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{name}.osm.pbf"
    scratch = folder / f".{name}.{os.getpid()}"
    shutil.copyfile(path, scratch)
    return scratch.replace(kept)


def _route_over_all(connection: Connection, settings: Settings) -> str | None:
    """Build the graph of every stored extract that has roads; None when none has."""
    with connection.begin():
        with_roads = set(connection.execute(text("select distinct extract from road")).scalars())
    folder = settings.routing_dir / "extracts"
    files = [path for path in sorted(folder.glob("*.osm.pbf")) if _key(path) in with_roads]
    if not files:
        return None
    return build_graph(
        files, settings.routing_dir, socket_dir=settings.runtime_dir, port=settings.valhalla_port
    )


def _key(path: Path) -> str:
    return path.name.removesuffix(".osm.pbf")

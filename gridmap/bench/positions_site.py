"""What `gridmap bench positions` runs against: units on duty, drawn zones, devices, and a whole `gridmap serve`."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import shapely

from gridmap.adapters.processes import wait_until
from gridmap.bench.lattice import Lattice
from gridmap.bench.site import BenchSite
from gridmap.clock import SystemClock
from gridmap.db.cluster import ensure_running
from gridmap.domain.ids import new_id
from gridmap.errors import Unavailable
from gridmap.serve import children
from gridmap.serve.addresses import find_free_port
from gridmap.serve.deployment import state_file
from gridmap.services.accounts import create_token
from gridmap.services.logging_in import digest
from gridmap.services.transaction import SYSTEM_ACTOR, system_transaction
from gridmap.settings import Settings

_START_S = 120.0
_METRES_A_DEGREE = 111_320.0
_HOLE_SHARE = 0.1


@dataclass
class Serving:
    """A running `gridmap serve` of the bench's own site."""

    settings: Settings
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return self.settings.port

    def pids(self) -> dict[str, int]:
        """Its children by name, as the supervisor last wrote them down."""
        state = json.loads(state_file(self.settings).read_text(encoding="utf-8"))
        return {child["name"]: int(child["pid"]) for child in state["children"] if child["pid"]}

    def answers(self) -> bool:
        return children.answers(f"http://127.0.0.1:{self.port}/healthz")


@contextmanager
def serving(site: BenchSite) -> Iterator[Serving]:
    """The deployment as a site runs it: one web process, one positions process, the worker."""
    settings = site.settings.model_copy(update={"port": find_free_port(), "web_workers": 1})
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRIDMAP_")}
    log = settings.data_dir / "serve.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*_tied(), sys.executable, "-m", "gridmap", "serve", "--port", str(settings.port)],
            env=environment | children.settings_environment(settings),
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    running = Serving(settings, process)
    try:
        wait_until(lambda: process.poll() is not None or running.answers(), timeout_s=_START_S)
        if process.poll() is not None or not running.answers():
            raise Unavailable("bench_server_did_not_start", log=str(log))
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # It stops the database with itself when nobody else is in it; the figures are read after.
        ensure_running(settings)


def _tied() -> list[str]:
    """Let it end with us, also when we are killed (util-linux)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []


def empty(site: BenchSite) -> None:
    """Nothing of an earlier run is left: no unit, device, fence, fix or token."""
    with site.admin() as connection:
        connection.execute(
            "truncate unit, duty, device, device_key, device_state, device_refusal, fix, fix_batch, unit_latest, fence,"
            " fence_state, fence_checkpoint, fence_event, api_token, outbox cascade"
        )
        connection.execute("vacuum (analyze) fix_batch")


def forget_positions(site: BenchSite) -> None:
    """The same units and devices, without where they were."""
    with site.admin() as connection:
        connection.execute(
            "truncate device_state, device_refusal, fix, fix_batch, unit_latest, fence, fence_state, fence_checkpoint,"
            " fence_event cascade"
        )
        for table in ("fix_batch", "unit_latest", "device_state", "fence_state", "fence_event"):
            connection.execute(f"vacuum (analyze) {table}")


def add_units(site: BenchSite, count: int) -> list[UUID]:
    """Units on duty since an hour, all in the lattice's city."""
    ids = [new_id() for _ in range(count)]
    city = next(area for area in site.lattice.areas if area.level == "city")
    with site.admin() as connection:
        connection.execute(
            "insert into unit (id, call_sign, kind, mode, status, scope_path)"
            " select i, 'B' || n, 'patrol', 'car', 'free', %s::ltree from unnest(%s::uuid[]) with ordinality x(i, n)",
            (city.path, ids),
        )
        connection.execute(
            "insert into duty (id, unit_id, started_at) select gen_random_uuid(), i, now() - interval '1 hour'"
            " from unnest(%s::uuid[]) i",
            (ids,),
        )
        connection.execute("vacuum (analyze) unit")
        connection.execute("vacuum (analyze) duty")
    return ids


def add_gateway(site: BenchSite) -> str:
    """A gateway's token for the whole city."""
    city = next(area for area in site.lattice.areas if area.level == "city")
    with system_transaction(site.database, SystemClock(), SYSTEM_ACTOR) as tx:
        made = create_token(
            tx, name=f"bench {secrets.token_hex(4)}", role="position_gateway", area_id=city.area_id
        )
    return made.secret


def add_devices(site: BenchSite, units: list[UUID]) -> list[str]:
    """An OsmAnd device for each unit; their secrets."""
    keys = ["gmd_" + secrets.token_urlsafe(32) for _ in units]
    devices = [new_id() for _ in units]
    with site.admin() as connection:
        connection.execute(
            "insert into device (id, label, kind, unit_id) select d, 'bench', 'osmand', u"
            " from unnest(%s::uuid[], %s::uuid[]) x(d, u)",
            (devices, units),
        )
        connection.execute(
            "insert into device_key (id, device_id, name, secret_hash, created_at)"
            " select gen_random_uuid(), d, d::text, h, now() from unnest(%s::uuid[], %s::bytea[]) x(d, h)",
            (devices, [digest(key) for key in keys]),
        )
    return keys


def add_zones(site: BenchSite, count: int, rng: np.random.Generator) -> None:
    """Drawn zones: ragged polygons of 12 to 40 corners and 150 to 500 m, a tenth of them with a hole."""
    if not count:
        return
    shapes = shapely.set_srid(np.array(list(_zones(site.lattice, count, rng)), dtype=object), 4326)
    wkb = [bytes(one) for one in shapely.to_wkb(shapes, include_srid=True)]
    ids = [new_id() for _ in wkb]
    with site.admin() as connection:
        connection.execute(
            "insert into fence (id, name, kind, source, geom, exit_s, since, created_at)"
            " select i, 'bench', 'polygon', '{}', st_multi(g::geometry), 300, now() - interval '1 day', now()"
            " from unnest(%s::uuid[], %s::bytea[]) x(i, g)",
            (ids, wkb),
        )
        connection.execute("vacuum (analyze) fence")


def _zones(lattice: Lattice, count: int, rng: np.random.Generator) -> Iterator[Any]:
    west, south, east, north = lattice.bounds()
    for _ in range(count):
        corners = int(rng.integers(12, 41))
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        radius_m = rng.uniform(150, 500) * rng.uniform(0.75, 1.0, corners)
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)

        def ring(
            share: float, lon: float = lon, lat: float = lat, angle: Any = angle, r: Any = radius_m
        ) -> Any:
            return np.column_stack(
                [
                    lon + share * r * np.cos(angle) / (_METRES_A_DEGREE * 0.86),
                    lat + share * r * np.sin(angle) / _METRES_A_DEGREE,
                ]
            )

        hole = [ring(0.3)] if rng.random() < _HOLE_SHARE else []
        yield shapely.make_valid(shapely.Polygon(ring(1.0), hole)).buffer(0)


def waiting(site: BenchSite) -> int:
    """Raw batches that are not placed yet."""
    with site.admin() as connection:
        found = connection.execute("select count(*) from fix_batch where set_aside_at is null").fetchone()
    return int(found[0]) if found else 0


def wait_placed(site: BenchSite, timeout_s: float) -> bool:
    """Until every batch is placed; False when it takes longer."""
    until = time.monotonic() + timeout_s
    while waiting(site):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True

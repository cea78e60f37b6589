"""`gridmap bench map`: tile times, sizes and counts through the real web, and tipg beside it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from gridmap.bench import servers
from gridmap.bench.http_load import Answer, Load, fetch_all
from gridmap.bench.site import BenchSite, Say, bench_site
from gridmap.bench.tile_walk import FIRST_ZOOM, TileAddress, cover, walk
from gridmap.clock import SystemClock
from gridmap.db.roles import SCHEMA
from gridmap.errors import Unavailable
from gridmap.services.accounts import create_account, grant_role
from gridmap.services.transaction import SYSTEM_ACTOR, system_transaction
from gridmap.settings import Settings

# A browser opens six connections to one server over HTTP/1.1.
BROWSER_CONNECTIONS = 6
CROWD_CONNECTIONS = 32
LAYERS = ("cameras", "incidents", "areas")
COUNTED_LAYERS = ("cameras", "incidents")
LAST_COUNTED_ZOOM = 14
_CITY_LEVEL = "city"
# Elsewhere on the globe: opens sessions and plans statements without touching a tile of the walk.
_WARM_UP = [TileAddress(z, 0, 0) for z in (3, 9, 13, 14, 16)] * 6
_TIPG_TABLES = {
    "cameras": ("camera", "id,kind,status,heading_deg,fov_deg,range_m"),
    "incidents": ("incident", "id,class_key,severity,status,reported_at"),
    "areas": ("area_version", "area_id,name,path"),
}


@dataclass(frozen=True)
class Quantiles:
    """Milliseconds."""

    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, values_ms: Sequence[float] | NDArray[np.float64]) -> Quantiles:
        p50, p95 = np.percentile(values_ms, [50, 95])
        return cls(round(float(p50), 2), round(float(p95), 2), round(float(np.max(values_ms)), 2))


def run_map_bench(base: Settings, scale: float, say: Say, *, with_tipg: bool = True) -> dict[str, Any]:
    """Measure everything the live map promises. Returns the report; see docs/bench.md for its keys."""
    with bench_site(base, scale, say) as site:
        return _measure(base, site, say, with_tipg)


def _measure(base: Settings, site: BenchSite, say: Say, with_tipg: bool) -> dict[str, Any]:
    city = next(area for area in site.lattice.areas if area.level == _CITY_LEVEL)
    tiles = walk(_densest(site), site.lattice.bounds())
    say(f"{len(tiles) * len(LAYERS)} distinct tiles of {len(LAYERS)} layers, z{tiles[0].z} to z{tiles[-1].z}")
    headers = {"Accept-Encoding": "gzip"}
    login, password = make_operator(site, city.area_id)

    with servers.our_web(site) as port:
        logged_in = headers | {"Cookie": log_in(port, login, password)}
        addresses = _addresses(port, logged_in)
        paths = _paths(addresses, tiles)
        _warm_up(port, addresses, logged_in)
        say("cold, one browser")
        cold = fetch_all(port, paths, connections=BROWSER_CONNECTIONS, headers=logged_in)
        say("warm, one browser")
        _twice(port, paths, logged_in)
        warm = fetch_all(port, paths, connections=BROWSER_CONNECTIONS, headers=logged_in)
        say("sizes and counts")
        plain = {name: value for name, value in logged_in.items() if name != "Accept-Encoding"}
        sizes = fetch_all(port, paths, connections=BROWSER_CONNECTIONS, headers=plain)
        counted = {layer: _zoom_counts(site, port, addresses[layer], logged_in) for layer in COUNTED_LAYERS}
    with servers.our_web(site) as port:
        logged_in = headers | {"Cookie": log_in(port, login, password)}
        _warm_up(port, addresses, logged_in)
        say("cold, a crowd, ours")
        ours = fetch_all(port, paths, connections=CROWD_CONNECTIONS, headers=logged_in)
    with servers.our_web_without_login(site, city.path) as port:
        _warm_up(port, addresses, headers)
        say("cold, a crowd, ours without log-in")
        anonymous = fetch_all(port, paths, connections=CROWD_CONNECTIONS, headers=headers)
    rival = _measure_tipg(base, site, tiles, headers, say) if with_tipg else None
    rows = _rows(site, city.path)
    return {
        "rows": {name: rows[name] for name in ("cameras", "grids", "incidents")},
        "tile_cold_ms": asdict(Quantiles.of(_times(cold))),
        "tile_warm_ms": asdict(Quantiles.of(_times(warm))),
        "tile_max_bytes": max(answer.size_bytes for answer in sizes.answers),
        "counts_equal": all(
            set(zooms.values()) == {rows[f"{layer}_in_scope"]} for layer, zooms in counted.items()
        ),
        "cold_rps": {
            "ours": round(ours.per_second, 1),
            "ours_anonymous": round(anonymous.per_second, 1),
            "tipg": None if rival is None else round(rival.per_second, 1),
        },
        "conditions": {
            "tiles": len(cold.answers),
            "cores": os.cpu_count(),
            "load_1m": round(os.getloadavg()[0], 2),
            "processes": servers.PROCESSES,
            "database_connections_a_process": servers.CONNECTIONS_A_PROCESS,
            "client_connections": {"times": BROWSER_CONNECTIONS, "rps": CROWD_CONNECTIONS},
            "gzip": True,
            "tile_median_bytes": int(np.median([answer.size_bytes for answer in sizes.answers])),
            "tiles_empty": sum(answer.size_bytes == 0 for answer in sizes.answers),
            "cold_ms_a_crowd": {
                "ours": asdict(Quantiles.of(_times(ours))),
                "ours_anonymous": asdict(Quantiles.of(_times(anonymous))),
                "tipg": None if rival is None else asdict(Quantiles.of(_times(rival))),
            },
            "cold_ms_by_layer": _by_layer(cold.answers),
            "warm_rps": round(warm.per_second, 1),
            "counts": {layer: {str(z): n for z, n in zooms.items()} for layer, zooms in counted.items()},
            "rows_in_scope": {layer: rows[f"{layer}_in_scope"] for layer in COUNTED_LAYERS},
        },
    }


def _addresses(port: int, headers: dict[str, str]) -> dict[str, str]:
    """Where each layer's tiles are now, version and all, as the console learns it."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        answer = client.get("/api/layers", headers=headers)
        if not answer.is_success:
            raise Unavailable("bench_layers", status=answer.status_code)
        return {item["key"]: item["url"] for item in answer.json()["items"]}


def _paths(addresses: dict[str, str], tiles: Sequence[TileAddress]) -> list[str]:
    return [_path(addresses[layer], at) for at in tiles for layer in LAYERS]


def _path(address: str, at: TileAddress) -> str:
    return address.format(z=at.z, x=at.x, y=at.y)


def _by_layer(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    return {
        layer: asdict(Quantiles.of([answer.ms for answer in answers[number :: len(LAYERS)]]))
        for number, layer in enumerate(LAYERS)
    }


def _times(load: Load) -> list[float]:
    return [answer.ms for answer in load.answers]


def _densest(site: BenchSite) -> tuple[float, float]:
    """Middle (lon, lat) of the grid with the most cameras: the hardest place to look at."""
    with site.admin() as connection:
        found = connection.execute(
            "select st_x(c), st_y(c) from (select st_centroid(v.geom) as c from area_version v"
            " join (select area_id, count(*) as n from camera group by 1 order by n desc limit 1) k"
            " on k.area_id = v.area_id) as middle"
        ).fetchone()
    assert found is not None
    return found[0], found[1]


def make_operator(site: BenchSite, area_id: int) -> tuple[str, str]:
    """An operator of the whole city with a fresh password, made for this run."""
    login, password = f"bench-{secrets.token_hex(4)}", secrets.token_urlsafe(18)
    with system_transaction(site.database, SystemClock(), SYSTEM_ACTOR) as tx:
        account_id = create_account(
            tx, login=login, display_name="bench", password=password, must_change_password=False
        )
        grant_role(tx, account_id=account_id, role="operator", area_id=area_id)
    return login, password


def log_in(port: int, login: str, password: str) -> str:
    """The session's cookie, as a header's value."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        answer = client.post("/api/login", json={"login": login, "password": password})
        if not answer.is_success:
            raise Unavailable("bench_login", status=answer.status_code)
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def _warm_up(port: int, addresses: dict[str, str], headers: dict[str, str]) -> None:
    """Open every process's sessions and let them plan, as a server that has run for a minute has."""
    paths = _paths(addresses, _WARM_UP)
    # Each connection of the crowd, so that both processes come to their turn.
    fetch_all(port, paths, connections=CROWD_CONNECTIONS, headers=headers)


def _twice(port: int, paths: Sequence[str], headers: dict[str, str]) -> None:
    """Ask again until both processes hold every tile: which one answers is the kernel's choice."""
    for _ in range(3):
        fetch_all(port, paths, connections=CROWD_CONNECTIONS, headers=headers)


def _zoom_counts(site: BenchSite, port: int, address: str, headers: dict[str, str]) -> dict[int, int]:
    """What the tiles of each zoom say they hold, over the whole city."""
    found = {}
    for zoom in range(FIRST_ZOOM, LAST_COUNTED_ZOOM + 1):
        paths = [_path(address, at) for at in cover(site.lattice.bounds(), zoom)]
        load = fetch_all(port, paths, connections=BROWSER_CONNECTIONS, headers=headers)
        found[zoom] = sum(answer.count for answer in load.answers)
    return found


def _rows(site: BenchSite, path: str) -> dict[str, int]:
    """Rows in the tables, and how many of them a tile may tell of to somebody with `path`."""
    with site.admin() as connection:
        found = connection.execute(
            "select (select count(*) from camera), (select count(*) from area_version where is_leaf),"
            " (select count(*) from incident),"
            " (select count(*) from camera where withdrawn_at is null and scope_path <@ %(path)s::ltree),"
            " (select count(*) from incident where geom is not null and not restricted and not drill"
            "  and scope_path <@ %(path)s::ltree)",
            {"path": path},
        ).fetchone()
    assert found is not None
    names = ("cameras", "grids", "incidents", "cameras_in_scope", "incidents_in_scope")
    return dict(zip(names, found, strict=True))


def _measure_tipg(
    base: Settings, site: BenchSite, tiles: Sequence[TileAddress], headers: dict[str, str], say: Say
) -> Load:
    with servers.tipg(site, base) as port:
        say("cold, a crowd, tipg")
        fetch_all(port, _tipg_paths(_WARM_UP), connections=CROWD_CONNECTIONS, headers=headers)
        return fetch_all(port, _tipg_paths(tiles), connections=CROWD_CONNECTIONS, headers=headers)


def _tipg_paths(tiles: Sequence[TileAddress]) -> list[str]:
    """The same tiles of the same tables, from the same stored Web Mercator column, with the same properties."""
    found = []
    for at in tiles:
        for layer in LAYERS:
            table, properties = _TIPG_TABLES[layer]
            found.append(
                f"/collections/{SCHEMA}.{table}/tiles/WebMercatorQuad/{at.z}/{at.x}/{at.y}"
                f"?geom-column=geom_3857&properties={properties}"
            )
    return found

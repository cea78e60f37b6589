"""`gridmap bench dispatch`: is who we name the fastest by road, what does naming another cost, and how long do we take.

The truth is the routing engine asked about every single unit. Units and incidents are drawn from a fixed seed along the
roads of the extract; the engine runs as a child of ours on 127.0.0.1.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gridmap.adapters.children import start_child
from gridmap.adapters.processes import current_account, wait_until
from gridmap.adapters.valhalla import Valhalla
from gridmap.adapters.valhalla_bin import valhalla_bin
from gridmap.adapters.valhalla_tiles import build_graph, current_version, graph_dir
from gridmap.demo.district.generate import generate
from gridmap.demo.district.scale import SMALL
from gridmap.demo.load import USUAL_SEED, DemoFolder
from gridmap.domain.metric import distance_m
from gridmap.domain.road_bounds import FILE_NAME, RoadLines
from gridmap.domain.travel import LonLat, Mode, Trip
from gridmap.errors import Unavailable
from gridmap.serve.addresses import find_free_port
from gridmap.services.routing import Candidate, rank_by_road
from gridmap.settings import Settings

SEED = 11
EXTRACT = "district.osm.pbf"
UNITS = 2_000
# As a county has them: grid workers on foot and by e-bike, patrols and stations by car.
MIX = ((Mode.FOOT, 0.25), (Mode.EBIKE, 0.50), (Mode.CAR, 0.17), (Mode.EMERGENCY_CAR, 0.08))
OFF_THE_ROAD_M = 25.0
_TOP = 5
_AT_ONCE = 200
_START_S = 30.0
_WARM_UP = 3
Say = Callable[[str], None]


def demo_extract(settings: Settings, say: Say) -> Path:
    """The streets of the demo district: those of the demo that is here, else drawn once with the usual seed."""
    for folder in (DemoFolder.of(settings).district, settings.data_dir / "bench" / "district"):
        if (folder / EXTRACT).is_file():
            return folder / EXTRACT
    say("drawing the demo district")
    generate(folder, USUAL_SEED, SMALL)
    return folder / EXTRACT


@dataclass
class Tally:
    """One way of choosing, over all incidents."""

    fastest: list[bool] = field(default_factory=list)
    regret_s: list[float] = field(default_factory=list)

    def add(self, chosen_s: float, best_s: float) -> None:
        """A choice without a way counts as wrong; its regret is unbounded and told apart."""
        self.fastest.append(chosen_s <= best_s)
        if np.isfinite(chosen_s):
            self.regret_s.append(chosen_s - best_s)

    def share(self) -> float:
        return round(float(np.mean(self.fastest)), 4)

    def regret(self) -> float:
        return round(float(np.mean(self.regret_s)), 2) if self.regret_s else 0.0

    def without_way(self) -> int:
        return len(self.fastest) - len(self.regret_s)


def run_dispatch_bench(extract: Path, incidents: int, say: Say, *, units: int = UNITS) -> dict[str, Any]:
    """The report, see docs/bench.md."""
    with tempfile.TemporaryDirectory(prefix="gmb-", dir="/tmp") as folder:
        say("road graph")
        began = time.perf_counter()
        with _engine(extract, Path(folder)) as (router, pid):
            build_s = time.perf_counter() - began
            lines = RoadLines.load(_bounds_file(Path(folder)))
            report = _measure(router, pid, lines, incidents, units, say)
            return report | {"conditions": _conditions(extract, lines, incidents, build_s)}


def _measure(
    router: Valhalla, pid: int, lines: RoadLines, incidents: int, units: int, say: Say
) -> dict[str, Any]:
    chance = np.random.default_rng(SEED)
    modes = chance.choice(len(MIX), size=units, p=[share for _, share in MIX])
    crowd = [
        Candidate(index, place, MIX[modes[index]][0])
        for index, place in enumerate(places_along(lines, units, chance))
    ]
    targets = places_along(lines, incidents + _WARM_UP, chance)
    tallies = {name: Tally() for name in ("ours", "straight_line", "top5_eta")}
    latency_ms: list[float] = []
    asked: list[int] = []
    equal = reached = 0
    engine_s = 0.0
    for target in targets[:_WARM_UP]:
        rank_by_road(router, crowd, target)
    for number, target in enumerate(targets[_WARM_UP:], start=1):
        before, began = _processor_s(pid), time.perf_counter()
        ranking = rank_by_road(router, crowd, target)
        latency_ms.append((time.perf_counter() - began) * 1000)
        engine_s += _processor_s(pid) - before
        if ranking.method != "road":
            raise Unavailable("bench_server_did_not_start", reason=ranking.reason)
        asked.append(ranking.asked)
        true_s = true_seconds(router, crowd, target)
        best_s = float(true_s.min())
        if not np.isfinite(best_s):
            continue
        reached += 1
        first = [float(true_s[one.candidate.key]) for one in ranking.fastest]
        equal += first == np.sort(true_s[np.isfinite(true_s)])[:_TOP].tolist()
        tallies["ours"].add(first[0], best_s)
        near = nearest(crowd, target)
        tallies["straight_line"].add(float(true_s[near[0]]), best_s)
        tallies["top5_eta"].add(float(true_s[near[:_TOP]].min()), best_s)
        if number % 10 == 0:
            say(f"{number} of {incidents} incidents")
    return {
        "true_fastest": {name: tally.share() for name, tally in tallies.items()},
        "regret_s": {name: tally.regret() for name, tally in tallies.items()},
        "latency_ms": {"p50": _percentile(latency_ms, 50), "p95": _percentile(latency_ms, 95)},
        "units": units,
        "incidents": reached,
        "five_equal_brute_force": round(equal / max(reached, 1), 4),
        "asked": {"p50": _percentile(asked, 50), "p95": _percentile(asked, 95)},
        "engine_cpu_ms": round(engine_s * 1000 / max(len(latency_ms), 1), 1),
        "without_way": {name: tally.without_way() for name, tally in tallies.items()},
    }


def places_along(lines: RoadLines, count: int, chance: np.random.Generator) -> list[LonLat]:
    """Places near roads that people on foot may use, drawn by length."""
    row = list(Mode).index(Mode.FOOT)
    usable = np.flatnonzero(lines.sure[row][lines.way])
    weight = lines.length_m[usable] / lines.length_m[usable].sum()
    pieces = usable[chance.choice(len(usable), size=count, p=weight)]
    along = chance.random(count)
    start, end = lines.start[pieces], lines.end[pieces]
    lon = lines.lon[start] + along * (lines.lon[end] - lines.lon[start])
    lat = lines.lat[start] + along * (lines.lat[end] - lines.lat[start])
    north = chance.normal(0, OFF_THE_ROAD_M, count) / 111_320
    east = chance.normal(0, OFF_THE_ROAD_M, count) / (111_320 * np.cos(np.radians(lat)))
    return [LonLat(float(x), float(y)) for x, y in zip(lon + east, lat + north, strict=True)]


def true_seconds(router: Valhalla, crowd: Sequence[Candidate[int]], target: LonLat) -> Any:
    """(n,) what the engine says of every unit; infinite without a way."""
    seconds = np.full(len(crowd), np.inf)
    for mode, _ in MIX:
        own = [one for one in crowd if one.mode == mode]
        trips: list[Trip] = []
        for start in range(0, len(own), _AT_ONCE):
            places = [one.place for one in own[start : start + _AT_ONCE]]
            trips += router.matrix(places, target, mode)
        for one, trip in zip(own, trips, strict=True):
            if trip.seconds is not None:
                seconds[one.key] = trip.seconds
    return seconds


def nearest(crowd: Sequence[Candidate[int]], target: LonLat) -> Any:
    """Indices by straight line."""
    lon, lat = [one.place.lon for one in crowd], [one.place.lat for one in crowd]
    return np.argsort(distance_m(lon, lat, *target), kind="stable")


@contextmanager
def _engine(extract: Path, folder: Path) -> Iterator[tuple[Valhalla, int]]:
    port = find_free_port()
    build_graph([extract], folder, socket_dir=folder, port=port)
    child = start_child(
        [valhalla_bin("valhalla_service"), folder / "valhalla.json", "1"],
        account=current_account(),
        extra_env={},
        log=folder / "engine.log",
    )
    router = Valhalla(f"http://127.0.0.1:{port}", timeout_s=120, routing_dir=folder)
    try:
        wait_until(lambda: _is_up(router), timeout_s=_START_S, pause_s=0.1)
        yield router, child.pid
    finally:
        router.close()
        child.stop(patience_s=1)


def _is_up(router: Valhalla) -> bool:
    try:
        return router.graph_built_at() > 0
    except Unavailable:
        return False


def _bounds_file(folder: Path) -> Path:
    version = current_version(folder)
    if version is None:
        raise Unavailable("routing_graph_missing")
    return graph_dir(folder, version) / FILE_NAME


def _processor_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _percentile(values: Sequence[float], share: float) -> float:
    return round(float(np.percentile(values, share)), 1)


def _conditions(extract: Path, lines: RoadLines, incidents: int, build_s: float) -> dict[str, Any]:
    return {
        "extract": extract.name,
        "seed": SEED,
        "asked_incidents": incidents,
        "mix": {mode.value: share for mode, share in MIX},
        "road_points": len(lines.lon),
        "graph_build_s": round(build_s, 1),
        "load_1m": round(os.getloadavg()[0], 2),
        "cores": os.cpu_count(),
    }

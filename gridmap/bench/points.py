"""Cameras and incidents of the bench, drawn from a seed: dense in a few centres, thin elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gridmap.bench.lattice import BenchArea, Lattice
from gridmap.domain.vocab import EventClass, vocabulary

CAMERAS = 420_000
INCIDENTS = 2_000_000
HISTORY_END = datetime(2026, 6, 1, tzinfo=UTC)
HISTORY_DAYS = 730
_CHANNELS = ("call_12345", "call_110", "grid_worker", "patrol", "public")
_CENTRES = 14
_RESTRICTED_SHARE = 0.003
_EWKB_POINT_4326 = "0101000020E6100000"
_ROWS_A_BLOCK = 20_000


@dataclass(frozen=True)
class PointSource:
    """Makes the lines of PostgreSQL's text COPY, block by block."""

    lattice: Lattice
    scale: float
    seed: int = 5

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """How likely each grid is: centres of different weight and spread over a thin ground."""
        rng = np.random.default_rng(self.seed)
        row, column = np.divmod(np.arange(self.lattice.columns * self.lattice.rows), self.lattice.columns)
        weight = np.full(len(row), 0.15)
        for _ in range(_CENTRES):
            at_row, at_column = rng.uniform(0, self.lattice.rows), rng.uniform(0, self.lattice.columns)
            spread = rng.uniform(2.5, 9.0)
            distance = ((row - at_row) ** 2 + (column - at_column) ** 2) / (2 * spread**2)
            weight += rng.uniform(0.6, 3.0) * np.exp(-distance)
        return np.asarray(weight / weight.sum())

    def camera_lines(self) -> Iterator[str]:
        """id, source, ref, code, name, kind, status, geom, area_id, scope_path, heading_deg, fov_deg, range_m."""
        rng = np.random.default_rng(self.seed + 1)
        total = round(CAMERAS * self.scale)
        for start in range(0, total, _ROWS_A_BLOCK):
            size = min(_ROWS_A_BLOCK, total - start)
            grid = rng.choice(len(self.weights), size, p=self.weights)
            geometry = _hex(self.lattice.inside(grid, rng))
            ids = _random_ids(size, rng)
            status = rng.choice(["online", "offline", "fault", "unknown"], size, p=[0.93, 0.04, 0.02, 0.01])
            kind = rng.choice(["fixed", "dome", "bullet"], size)
            heading = rng.integers(0, 360, size)
            grids = [self.lattice.grids[at] for at in grid.tolist()]
            yield "".join(
                f"{ids[i]}\tbench\t{start + i}\t99{start + i:018d}\t{grids[i].code[-6:]}路 {start + i} 号探头"
                f"\t{kind[i]}\t{status[i]}\t{geometry[i]}\t{grids[i].area_id}\t{grids[i].path}"
                f"\t{heading[i]}\t60\t80\n"
                for i in range(size)
            )

    def incident_lines(self) -> Iterator[str]:
        """id, source, ref, number, class_key, severity, status, outcome, title, geom, location_method, area_id,
        scope_path, occurred_from, reported_at, recorded_at, channel, restricted, closed_at."""
        rng = np.random.default_rng(self.seed + 3)
        for block in self._incidents():
            geometry = _hex(block.lon_lat)
            ids = _timed_ids(block.reported_at, rng)
            yield "".join(
                _incident_line(one, ids[i], geometry[i], self.lattice.grids[one.grid])
                for i, one in enumerate(block.rows)
            )

    def incident_rows(self) -> Iterator[list[tuple[object, ...]]]:
        """The same as a file of another system: ref, class, severity, channel, text, lon, lat, reported, outcome,
        closed_at; without restricted classes."""
        for block in self._incidents():
            yield [
                (
                    one.number,
                    one.event_class.key,
                    one.event_class.severity,
                    one.channel,
                    one.event_class.zh,
                    f"{lon:.7f}",
                    f"{lat:.7f}",
                    one.reported_at.isoformat(),
                    "solved" if one.closed else "",
                    one.reported_at.isoformat() if one.closed else "",
                )
                for one, (lon, lat) in zip(block.rows, block.lon_lat, strict=True)
                if not one.event_class.restricted
            ]

    def _incidents(self) -> Iterator[_IncidentBlock]:
        rng = np.random.default_rng(self.seed + 2)
        total = round(INCIDENTS * self.scale)
        offsets_s = np.sort(rng.uniform(0, HISTORY_DAYS * 86_400, total))
        open_classes, restricted_classes = _classes()
        popularity = 1 / np.arange(2, len(open_classes) + 2)
        for start in range(0, total, _ROWS_A_BLOCK):
            size = min(_ROWS_A_BLOCK, total - start)
            grid = rng.choice(len(self.weights), size, p=self.weights)
            which = rng.choice(len(open_classes), size, p=popularity / popularity.sum()).tolist()
            restricted = (rng.random(size) < (_RESTRICTED_SHARE if restricted_classes else 0)).tolist()
            closed = (rng.random(size) < 0.97).tolist()
            channel = rng.choice(_CHANNELS, size).tolist()
            begin = HISTORY_END - timedelta(days=HISTORY_DAYS)
            times = [begin + timedelta(seconds=s) for s in offsets_s[start : start + size].tolist()]
            yield _IncidentBlock(
                lon_lat=self.lattice.inside(grid, rng),
                reported_at=times,
                rows=[
                    _Incident(
                        number=start + i,
                        grid=at,
                        event_class=restricted_classes[0] if restricted[i] else open_classes[which[i]],
                        closed=closed[i],
                        channel=channel[i],
                        reported_at=times[i],
                    )
                    for i, at in enumerate(grid.tolist())
                ],
            )


@dataclass(frozen=True, slots=True)
class _Incident:
    number: int
    grid: int
    event_class: EventClass
    closed: bool
    channel: str
    reported_at: datetime


@dataclass(frozen=True)
class _IncidentBlock:
    lon_lat: NDArray[np.float64]
    reported_at: list[datetime]
    rows: list[_Incident]


def _incident_line(one: _Incident, incident_id: str, geometry: str, grid: BenchArea) -> str:
    at = one.reported_at.isoformat()
    status, outcome, closed_at = ("closed", "solved", at) if one.closed else ("open", "\\N", "\\N")
    restricted = "t" if one.event_class.restricted else "f"
    return (
        f"{incident_id}\tbench\t{one.number}\tBENCH-{one.number:08d}\t{one.event_class.key}"
        f"\t{one.event_class.severity}\t{status}\t{outcome}\t{one.event_class.zh}\t{geometry}\tpoint"
        f"\t{grid.area_id}\t{grid.path}\t{at}\t{at}\t{at}\t{one.channel}\t{restricted}\t{closed_at}\n"
    )


def _classes() -> tuple[list[EventClass], list[EventClass]]:
    known = [one for one in vocabulary().classes.values() if one.parent is not None]
    return [one for one in known if not one.restricted], [one for one in known if one.restricted]


def _hex(lon_lat: NDArray[np.float64]) -> list[str]:
    """EWKB of points in EPSG:4326, as hexadecimal text."""
    digits = np.ascontiguousarray(lon_lat, dtype="<f8").tobytes().hex()
    return [_EWKB_POINT_4326 + digits[at : at + 32] for at in range(0, len(digits), 32)]


def _random_ids(size: int, rng: np.random.Generator) -> list[str]:
    digits = rng.bytes(16 * size).hex()
    return [digits[at : at + 32] for at in range(0, len(digits), 32)]


def _timed_ids(times: list[datetime], rng: np.random.Generator) -> list[str]:
    """Ids that sort by time, as our own do (RFC 9562, version 7)."""
    digits = rng.bytes(10 * len(times)).hex()
    return [
        f"{int(at.timestamp() * 1000):012x}7{digits[i * 20 + 1 : i * 20 + 4]}8{digits[i * 20 + 5 : i * 20 + 20]}"
        for i, at in enumerate(times)
    ]

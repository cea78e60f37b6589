"""The two sources of a study: a generated district's folder, and a site's own database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from sqlalchemy import text

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.demo.district.manifest import load_manifest
from gridmap.errors import NotFound
from gridmap.services.transaction import Tx, system_transaction
from gridmap.settings import Settings
from gridmap.simulate import district
from gridmap.simulate.call_file import read_calls
from gridmap.simulate.demand import NO_HISTORY, Durations, Reports, in_order
from gridmap.simulate.ground import Crew, Ground, assumptions, make_ground
from gridmap.simulate.scene import Period
from gridmap.simulate.streets import Floats, Streets, read_streets


@dataclass(frozen=True)
class DistrictSource:
    """Files of `gridmap demo generate`; needs no database."""

    folder: Path
    zone: ZoneInfo
    calls_file: Path | None
    generate: bool
    seed: int

    def newest_report(self) -> datetime:
        return datetime.fromisoformat(load_manifest(self.folder).until)

    def ground(self) -> Ground:
        return self._ground

    @cached_property
    def _ground(self) -> Ground:
        return district.read_ground(self.folder)

    def crews(self) -> list[Crew]:
        return district.read_crews(self.folder)

    def streets(self) -> Streets:
        return read_streets([self.folder / "district.osm.pbf"])

    def reports(self, period: Period) -> Reports:
        if self.generate:
            rng = np.random.default_rng([self.seed, 5, int(period.start.timestamp())])
            return district.draw_calls(self.folder, period, rng)
        reports, _ = read_calls(self.calls_file or self.folder / "incidents.csv", period, self.zone)
        return reports

    def durations(self, period: Period) -> Durations:
        return NO_HISTORY


@dataclass(frozen=True)
class DatabaseSource:
    """A site's incidents (no drills, no duplicates), units, grids and houses; its extracts for the roads."""

    database: Database
    settings: Settings
    clock: Clock
    calls_file: Path | None

    def newest_report(self) -> datetime:
        with system_transaction(self.database, self.clock) as tx:
            found: datetime | None = tx.session.scalar(
                text("select max(reported_at) from incident where not drill and reported_at <= :now"),
                {"now": tx.now},
            )
            return found or tx.now

    def ground(self) -> Ground:
        return self._ground

    @cached_property
    def _ground(self) -> Ground:
        """Raises NotFound("simulate_no_areas")."""
        with system_transaction(self.database, self.clock) as tx:
            areas = tx.session.execute(
                text(
                    "select a.code, st_asbinary(v.geom) as shape from area_version v join area a on a.id = v.area_id"
                    " where v.is_leaf and a.tree = 'admin' and v.valid @> cast(:now as timestamptz)"
                ),
                {"now": tx.now},
            ).all()
            houses = tx.session.execute(
                text(
                    "select st_x(p) as lon, st_y(p) as lat, greatest(coalesce(households, 1), 1) as weight"
                    " from (select st_centroid(geom) as p, households from building where withdrawn_at is null) b"
                )
            ).all()
        if not areas:
            raise NotFound("simulate_no_areas")
        shapes = shapely.from_wkb([bytes(row.shape) for row in areas])
        house = np.array([(row.lon, row.lat) for row in houses], dtype=float).reshape(-1, 2)
        weight = np.array([row.weight for row in houses], dtype=float)
        return make_ground([row.code for row in areas], shapes, house, weight)

    def crews(self) -> list[Crew]:
        """Units that are bound to an area; raises NotFound("simulate_no_units")."""
        with system_transaction(self.database, self.clock) as tx:
            rows = tx.session.execute(
                text(
                    "select u.call_sign, u.kind, u.mode, u.capabilities, u.shift, a.code from unit u"
                    " join area a on a.id = u.home_area_id where u.withdrawn_at is null order by u.call_sign, u.id"
                )
            ).all()
        if not rows:
            raise NotFound("simulate_no_units")
        hours = assumptions().hours
        return [
            Crew(row.call_sign, row.kind, row.mode, tuple(row.capabilities), row.code, hours(row.shift))
            for row in rows
        ]

    def streets(self) -> Streets:
        """Raises NotFound("simulate_no_extract")."""
        extracts = sorted((self.settings.routing_dir / "extracts").glob("*.osm.pbf"))
        if not extracts:
            raise NotFound("simulate_no_extract")
        return read_streets(extracts)

    def reports(self, period: Period) -> Reports:
        if self.calls_file is not None:
            reports, _ = read_calls(self.calls_file, period, self.database.zone)
            return reports
        with system_transaction(self.database, self.clock) as tx:
            rows = tx.session.execute(
                text(
                    "select reported_at, st_x(geom) as lon, st_y(geom) as lat, severity, class_key from incident"
                    " where geom is not null and not drill and outcome is distinct from 'duplicate'"
                    " and reported_at >= :start and reported_at < :end"
                ),
                _ends(period),
            ).all()
        places = np.array([(row.lon, row.lat) for row in rows], dtype=float)
        return in_order(
            [row.reported_at for row in rows],
            places,
            [row.severity for row in rows],
            [row.class_key for row in rows],
            period,
        )

    def durations(self, period: Period) -> Durations:
        """What finished jobs of the 90 days before the period's end took."""
        with system_transaction(self.database, self.clock) as tx:
            end = _ends(period)["end"]
            return Durations(
                _column(tx, "en_route_at - offered_at", "true", end),
                (
                    _column(tx, "done_at - on_scene_at", "i.severity = 1", end),
                    _column(tx, "done_at - on_scene_at", "i.severity = 2", end),
                    _column(tx, "done_at - on_scene_at", "i.severity = 3", end),
                    _column(tx, "done_at - on_scene_at", "i.severity = 4", end),
                ),
            )


def _column(tx: Tx, span: str, where: str, end: datetime) -> Floats:
    """Seconds of a span of finished real jobs; `span` and `where` are this module's own words."""
    rows = tx.session.execute(
        text(
            f"select extract(epoch from {span}) from dispatch d join incident i on i.id = d.incident_id"
            f" where d.status = 'done' and not d.drill and {where} and d.done_at between :since and :end"
            f" and {span} > interval '0'"
        ),
        {"since": end - timedelta(days=90), "end": end},
    ).scalars()
    return np.array([float(seconds) for seconds in rows])


def _ends(period: Period) -> dict[str, Any]:
    return {"start": period.start, "end": period.start + timedelta(days=period.days)}

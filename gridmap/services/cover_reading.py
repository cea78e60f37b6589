"""What screens read of cover: the state of each area, and the rings of minutes around a unit or an area."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gridmap.adapters.valhalla import Valhalla
from gridmap.domain.closures import Closures
from gridmap.domain.cover import cover_rules
from gridmap.domain.travel import LonLat, Mode
from gridmap.errors import NotFound
from gridmap.services import closures as closing
from gridmap.services.cover_ground import place_of
from gridmap.services.queries.places import area_path
from gridmap.services.routing import Isochrone, reached_within
from gridmap.services.transaction import Tx


@dataclass(frozen=True, slots=True)
class MoveUp:
    """Who could shift where: `why` is given instead when nobody can. `call_sign` is None out of the reader's sight."""

    unit_id: UUID | None
    call_sign: str | None
    seconds: float | None
    lon: float | None
    lat: float | None
    why: str | None


@dataclass(frozen=True, slots=True)
class CoverLine:
    """An area under a requirement. `kind` names the unit kinds, or the capability, that count."""

    area_id: int
    area_code: str
    area_name: str
    requirement: str
    name: dict[str, str]
    kind: tuple[str, ...]
    capability: str | None
    minutes: float
    asked_share: float
    share: float
    free_units: int
    gap: bool
    gap_since: datetime | None
    alarmed_at: datetime | None
    move_up: MoveUp | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """When cover was last judged; `rough_units` by the straight line only: the roads were not asked about them yet."""

    judged_at: datetime
    units: int
    rough_units: int
    oldest_s: float
    engine_s: float


_LINES = text(
    """
    select s.area_id, a.code, v.name, s.requirement, s.free_units, s.share, s.gap, s.gap_since, s.alarmed_at, s.move_up,
           u.call_sign
    from cover_state s
    join area a on a.id = s.area_id
    join area_version v on v.area_id = s.area_id and (v.valid @> cast(:now as timestamptz)) is true
    left join unit u on u.id = cast(s.move_up->>'unit_id' as uuid)
    where (not :gaps or s.gap)
    order by s.gap desc, a.code, s.requirement
    """
)


def list_cover(tx: Tx, *, gaps_only: bool = False) -> list[CoverLine]:
    """Cover of the areas in the actor's sight, gaps first. Rules that do not hold at this hour have no line."""
    rules = {rule.key: rule for rule in cover_rules().requirements}
    rows = tx.session.execute(_LINES, {"now": tx.now, "gaps": gaps_only})
    return [_line(row, rules[row.requirement]) for row in rows if row.requirement in rules]


def _line(row: Any, rule: Any) -> CoverLine:
    return CoverLine(
        area_id=row.area_id,
        area_code=row.code,
        area_name=row.name,
        requirement=row.requirement,
        name={"zh": rule.zh, "en": rule.en},
        kind=rule.kinds,
        capability=rule.capability,
        minutes=rule.minutes,
        asked_share=rule.share,
        share=row.share,
        free_units=row.free_units,
        gap=row.gap,
        gap_since=row.gap_since,
        alarmed_at=row.alarmed_at,
        move_up=None if row.move_up is None else _move(row.move_up, row.call_sign),
    )


def _move(body: dict[str, Any], call_sign: str | None) -> MoveUp:
    unit_id = UUID(body["unit_id"]) if "unit_id" in body else None
    return MoveUp(unit_id, call_sign, body.get("seconds"), body.get("lon"), body.get("lat"), body.get("why"))


def find_judgement(tx: Tx) -> Judgement | None:
    """The last one; None while none was made."""
    row = tx.session.execute(
        text("select judged_at, units, rough_units, oldest_s, engine_s from cover_run where id = 1")
    ).first()
    return None if row is None else Judgement(*row)


@dataclass(frozen=True, slots=True)
class Centre:
    """Where rings are drawn around. `inward`: from where the place is reached, instead of what is reached from it."""

    place: LonLat
    mode: Mode
    inward: bool
    closures: Closures


def centre_of_unit(tx: Tx, unit_id: UUID) -> Centre:
    """A unit where it is. Raises NotFound("unit_not_found") without a position in the actor's sight."""
    row = tx.session.execute(
        text(
            "select st_x(l.geom) as lon, st_y(l.geom) as lat, u.mode from unit u join unit_latest l on l.unit_id = u.id"
            " where u.id = :id"
        ),
        {"id": unit_id},
    ).first()
    if row is None:
        raise NotFound("unit_not_found")
    return Centre(LonLat(row.lon, row.lat), Mode(row.mode), False, closing.active(tx))


def centre_of_area(tx: Tx, area_id: int, mode: Mode) -> Centre:
    """The house that stands for an area, seen from those who would come. Raises NotFound("area_not_found")."""
    return Centre(place_of(tx, area_path(tx, area_id)), mode, True, closing.active(tx))


def rings(router: Valhalla, centre: Centre) -> list[Isochrone]:
    """One for each of the minutes of cover.toml, the smallest first. Holds no transaction.

    Raises NotFound("route_not_found") where no road is near.
    """
    minutes = sorted(cover_rules().rings_min)
    return reached_within(router, centre.place, centre.mode, minutes, centre.closures, reverse=centre.inward)

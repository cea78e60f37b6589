"""What happened in an area, for the engine: allowed classes only, and an account of every row that was left out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import text

from gridmap.domain.risk_rules import RiskRules, check_classes
from gridmap.domain.vocab import vocabulary
from gridmap.risk.arrays import Bools, Floats
from gridmap.risk.calendar import day_number
from gridmap.risk.events import Events, Precision
from gridmap.risk.quality import find_default_places, find_repeats
from gridmap.services.risk.ground import RunGround
from gridmap.services.transaction import Tx

_PRECISIONS = {
    "minute": Precision.MINUTE,
    "hour": Precision.HOUR,
    "day": Precision.DAY,
    "month": Precision.MONTH,
}
# A point that many rows of many classes share is a desk or a town's centre, not an address where much happens.
_DEFAULT_CLASSES = 4

# The local wall clock as days since 1970. What an import brought was known to its source when that took it in: the
# moment of the import itself would hide the whole past from every backtest.
_COLUMNS = """
    st_x(i.geom) as lon, st_y(i.geom) as lat,
    extract(epoch from i.occurred_from at time zone :zone)::float8 / 86400 as occurred_d,
    coalesce(extract(epoch from i.occurred_to at time zone :zone)::float8 / 86400, 'nan') as occurred_to_d,
    extract(epoch from (case when i.batch_id is null then i.recorded_at else i.reported_at end) at time zone :zone)
      ::float8 / 86400 as recorded_d,
    i.occurred_precision as precision, i.class_key, i.channel,
    (i.channel = any(:found) or i.found_on_task_id is not null) as found, i.severity
"""
_FROM = """
    from incident i
    join area_version v on v.area_id = :area and v.valid @> cast(:now as timestamptz)
    where i.geom && v.geom and st_intersects(i.geom, v.geom)
"""
_RIGHT = """
    and not i.restricted and not i.drill and i.withdrawn_at is null and i.duplicate_of is null
    and coalesce(i.outcome, '') not in ('void', 'duplicate')
    and (i.batch_id is null or i.batch_id <> all ((select hidden_batches())::uuid[]))
    and i.class_key = any(:classes)
"""
_ROWS = text(
    f"select {_COLUMNS} {_FROM} {_RIGHT} and i.occurred_from >= :since and i.occurred_from < :until"
    " order by i.occurred_from, i.id"
)
_LEFT_OUT = text(
    f"""select count(*) filter (where i.restricted or i.class_key <> all(:classes)) as barred_class,
    count(*) filter (where i.drill) as drill,
    count(*) filter (where i.duplicate_of is not null or i.outcome in ('duplicate', 'void')) as void_or_duplicate,
    count(*) filter (where i.occurred_from >= :now) as in_the_future
    {_FROM} and i.occurred_from >= :since"""
)


@dataclass(frozen=True)
class Snapshot:
    """What went into a run: how many rows, the newest recording, a digest of their content, and what stayed out."""

    rows: int
    newest_recorded_at: str | None
    digest: str
    found_share: float
    default_places: tuple[dict[str, Any], ...]
    left_out: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "newest_recorded_at": self.newest_recorded_at,
            "digest": self.digest,
            "found_share": self.found_share,
            "default_places": list(self.default_places),
            "left_out": self.left_out,
        }


@dataclass(frozen=True)
class ReadEvents:
    """`events` are in metres of the ground and hold what patrols found too, marked; `snapshot` tells the rest."""

    events: Events
    snapshot: Snapshot


def origin_d(origin_on: date) -> int:
    """The engine's day number of a local day."""
    return day_number(origin_on)


def read_events(tx: Tx, ground: RunGround, rules: RiskRules, origin_on: date) -> ReadEvents:
    """Rows known before local midnight of `origin_on`, of every allowed class, repeats and default places taken out."""
    events = read_window(tx, ground, rules, None, origin_on).known_at(float(day_number(origin_on)))
    since = datetime.combine(origin_on, datetime.min.time(), tx.zone) - timedelta(days=365.25 * rules.years)
    left_out = (
        tx.session.execute(_LEFT_OUT, {**_parameters(tx, ground, rules), "since": since}).one()._asdict()
    )
    places = [one for one in find_default_places(events) if one.classes >= _DEFAULT_CLASSES]
    at_default = np.zeros(len(events), dtype=bool)
    for place in places:
        at_default[place.rows] = True
    repeats = find_repeats(events)
    kept: Bools = repeats.keep & ~at_default
    found_share = float(events.found.mean()) if len(events) else 0.0
    snapshot = Snapshot(
        rows=int(kept.sum()),
        newest_recorded_at=_newest(events, tx),
        digest=_digest(events.take(kept)),
        found_share=found_share,
        default_places=tuple(
            _place(ground, one.x_m, one.y_m, len(one.rows), one.share) for one in places[:20]
        ),
        left_out={
            **{name: int(value) for name, value in left_out.items()},
            "default_place": int(at_default.sum()),
            "repeat_other_channel": repeats.across_channels,
            "repeat_same_channel": repeats.within_channel,
        },
    )
    return ReadEvents(events.take(kept), snapshot)


def read_window(tx: Tx, ground: RunGround, rules: RiskRules, first: date | None, end: date) -> Events:
    """Every right row that happened from `first` (else `rules.years` before `end`) up to local midnight of `end`.

    `weight` is by severity, as risk.toml says.
    Classes that may not be forecast are refused here, whatever the rules say. Raises Invalid("risk_class_refused").
    """
    until = datetime.combine(end, datetime.min.time(), tx.zone)
    since = (
        until - timedelta(days=365.25 * rules.years)
        if first is None
        else datetime.combine(first, datetime.min.time(), tx.zone)
    )
    parameters = _parameters(tx, ground, rules)
    check_classes(parameters["classes"], vocabulary())
    rows = tx.session.execute(_ROWS, {**parameters, "since": since, "until": min(until, tx.now)}).all()
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 10
    lon, lat, occurred, occurred_to, recorded, precision, classes, channels, found, severity = columns
    x_m, y_m = ground.metric.forward(np.array(lon, dtype=float), np.array(lat, dtype=float))
    class_names, class_index = _indexed(classes, parameters["classes"])
    channel_names, channel_index = _indexed(channels, vocabulary().keys("channel"))
    start = np.array(occurred, dtype=float)
    # An end before its start is a slip of the entry form: the start stands.
    return Events.of(
        x_m, y_m, start, occurred_to_d=np.fmax(np.array(occurred_to, dtype=float), start),
        recorded_d=np.array(recorded, dtype=float),
        precision=np.array([_PRECISIONS[one] for one in precision], dtype=np.int64),
        class_index=class_index, channel_index=channel_index, found=np.array(found, dtype=bool),
        weight=np.array([rules.severity_weights.get(one, 1.0) for one in severity], dtype=float),
        classes=class_names, channels=channel_names,
    )  # fmt: skip


def _parameters(tx: Tx, ground: RunGround, rules: RiskRules) -> dict[str, Any]:
    return {
        "zone": tx.zone.key,
        "area": ground.area.id,
        "now": tx.now,
        "found": list(rules.found_channels),
        "classes": list(rules.groups[0].classes),
    }


def _indexed(values: Any, names: Any) -> tuple[tuple[str, ...], Any]:
    """The names, in a fixed order, and the index of each value; what is not among them comes behind."""
    known = tuple(dict.fromkeys([*names, *sorted(set(values))]))
    place = {name: number for number, name in enumerate(known)}
    return known, np.array([place[value] for value in values], dtype=np.int64)


def _newest(events: Events, tx: Tx) -> str | None:
    if not len(events):
        return None
    moment = datetime(1970, 1, 1) + timedelta(days=float(np.nanmax(events.recorded_d)))  # noqa: DTZ001 - wall clock
    return moment.replace(tzinfo=tx.zone).isoformat(timespec="seconds")


def _digest(events: Events) -> str:
    digest = hashlib.sha256()
    columns: tuple[Floats | Any, ...] = (
        np.round(events.x_m, 2), np.round(events.y_m, 2), events.occurred_d, events.recorded_d, events.class_index,
    )  # fmt: skip
    for column in columns:
        digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()[:32]


def _place(ground: RunGround, x_m: float, y_m: float, rows: int, share: float) -> dict[str, Any]:
    lon, lat = ground.metric.inverse(x_m, y_m)
    return {"lon": round(float(lon), 5), "lat": round(float(lat), 5), "rows": rows, "share": round(share, 4)}

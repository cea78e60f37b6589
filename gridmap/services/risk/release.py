"""What files may tell of how many incidents there were: fixed periods, decided once.

A count of thirty days today and one of thirty days tomorrow differ by two single days, however well each hides its
small numbers. So files tell counts of fixed periods only: four weeks each, end to end, from one Monday on. Two periods
share no day, so no difference of two files is the count of some other span. Of each period one table over all areas
and class groups is decided once, with complementary suppression, and kept: what is entered late changes no later
file, for the difference would be the late entry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy import insert, text

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import RiskRelease
from gridmap.domain.risk_rules import ALL, ClassGroup, RiskRules
from gridmap.risk.arrays import Ints
from gridmap.risk.suppress import suppress, table_of_levels
from gridmap.services.transaction import Tx, system_transaction

LEVELS_OUT = ("township", "community")
"""Finer than these nothing is listed outside: a grid of some hundred homes has too few incidents to be told."""
ANCHOR = date(2024, 1, 1)
PERIOD_D = 28
# A period is decided when most of what is entered late is there; what comes later is never told.
SETTLED_D = 2

Cell = tuple[int, str]
"""An area's id and the key of a class group."""


@dataclass(frozen=True, slots=True)
class Period:
    """`PERIOD_D` local days from `first_on`, which lies a whole number of periods from `ANCHOR`."""

    first_on: date

    @property
    def last_on(self) -> date:
        return self.first_on + timedelta(days=PERIOD_D - 1)


@dataclass(frozen=True, slots=True)
class Place:
    """An area with its path of ids."""

    area_id: int
    path: str


def last_period(before: date) -> Period:
    """The last one that is over before the day `before`."""
    return Period(ANCHOR + timedelta(days=((before - ANCHOR).days // PERIOD_D - 1) * PERIOD_D))


def period_of(first_on: date, days: int) -> Period | None:
    """The period that is just this span; None for every other span."""
    if days != PERIOD_D or (first_on - ANCHOR).days % PERIOD_D:
        return None
    return Period(first_on)


def decide(
    counts: Mapping[Cell, int], places: Sequence[Place], groups: Sequence[ClassGroup]
) -> dict[Cell, int | None]:
    """What may be told of each area and group, None where it is kept back; all of it is one table.

    Args:
        counts: of the lowest areas and of every group but "all"; sums above are made here, so that they hold.
    """
    keys = [group.key for group in groups if group.key != ALL]
    ranked = sorted(places, key=lambda one: (one.path.count("."), one.path))
    number = {one.area_id: at for at, one in enumerate(ranked)}
    parents = [_parent(one.path, number) for one in ranked]
    table: Ints = np.array(
        [[counts.get((one.area_id, key), 0) for key in keys] for one in ranked], dtype=np.int64
    ).reshape(len(ranked), len(keys))
    # Below comes before above: a point on a shared border lies in one area only, and the sums must hold.
    for at in range(len(ranked) - 1, -1, -1):
        rows = [child for child, above in enumerate(parents) if above == at]
        if rows:
            table[at] = table[rows].sum(axis=0)
    shown = suppress(table_of_levels(table, parents)).reshape(len(ranked), len(keys) + 1)
    full = np.hstack([table, table.sum(axis=1, keepdims=True)])
    return {
        (one.area_id, key): int(full[at, column]) if shown[at, column] else None
        for at, one in enumerate(ranked)
        for column, key in enumerate([*keys, ALL])
    }


def _parent(path: str, number: Mapping[int, int]) -> int:
    """The nearest area above that is of the table; -1 at the top."""
    for label in reversed(path.split(".")[:-1]):
        if int(label) in number:
            return number[int(label)]
    return -1


# The whole that runs are split into: the first area from above that has no county below it.
_UNIT = text(
    """
    select v.path::text as path from area_version v
    where v.path @> cast(:path as ltree) and v.valid @> cast(:now as timestamptz) and not exists (
      select from area_version c join area a on a.id = c.area_id
      where a.tree = 'admin' and a.level = 'county' and c.path <@ v.path and c.area_id <> v.area_id
        and c.valid @> cast(:now as timestamptz))
    order by nlevel(v.path) limit 1
    """
)
_PLACES = text(
    "select a.id, v.path::text as path from area_version v join area a on a.id = v.area_id"
    " where a.tree = 'admin' and v.path <@ cast(:path as ltree) and a.level = any(:levels)"
    " and v.valid @> cast(:now as timestamptz)"
)
_COUNTS = text(
    """
    select place.area_id, i.class_key, count(*) as n
    from incident i
    join lateral (
      select v.area_id from area_version v
      where v.area_id = any(:areas) and v.valid @> cast(:now as timestamptz) and st_intersects(i.geom, v.geom)
      order by nlevel(v.path) desc, v.area_id limit 1) place on true
    where i.occurred_from >= :since and i.occurred_from < :until and i.class_key = any(:classes)
      and not i.restricted and not i.drill and i.withdrawn_at is null and i.duplicate_of is null
      and coalesce(i.outcome, '') not in ('void', 'duplicate')
      and (i.batch_id is null or i.batch_id <> all ((select hidden_batches())::uuid[]))
    group by 1, 2
    """
)


def release(database: Database, clock: Clock, path: str, period: Period, rules: RiskRules) -> bool:
    """Decide what may be told of a period around an area, unless that was done, or the period is not settled.

    Runs as the system: a table over a county takes a sight of all of it. Returns whether it was decided now. Where only
    some of the areas were decided (borders moved since), the others stay kept back.
    """
    with system_transaction(database, clock) as tx:
        if tx.now.astimezone(tx.zone).date() < period.last_on + timedelta(days=1 + SETTLED_D):
            return False
        unit = tx.session.scalar(_UNIT, {"path": path, "now": tx.now}) or path
        rows = tx.session.execute(_PLACES, {"path": unit, "levels": list(LEVELS_OUT), "now": tx.now}).all()
        places = [Place(row.id, row.path) for row in rows]
        if not places or _decided(tx, period, places):
            return False
        counts = _count(tx, period, places, rules)
    told = decide(counts, places, rules.groups)
    paths = {one.area_id: one.path for one in places}
    with system_transaction(database, clock) as tx:
        # Two workers may decide at once, and not alike where something was entered between them: the first stands.
        tx.session.execute(text("select pg_advisory_xact_lock(hashtext('risk_release'))"))
        if _decided(tx, period, places):
            return False
        lines = [
            {
                "first_on": period.first_on, "area_id": area_id, "class_group": group, "told": value,
                "scope_path": paths[area_id], "decided_at": tx.now,
            }
            for (area_id, group), value in told.items()
        ]  # fmt: skip
        tx.session.execute(insert(RiskRelease), lines)
    return True


def _count(tx: Tx, period: Period, places: Sequence[Place], rules: RiskRules) -> dict[Cell, int]:
    """Incidents of the period by the lowest area that holds them, and group."""
    groups = {key: group.key for group in rules.groups if group.key != ALL for key in group.classes}
    start = datetime.combine(period.first_on, datetime.min.time(), tx.zone)
    end = datetime.combine(period.last_on + timedelta(days=1), datetime.min.time(), tx.zone)
    rows = tx.session.execute(
        _COUNTS,
        {
            "areas": [one.area_id for one in places], "now": tx.now, "since": start, "until": end,
            "classes": list(groups),
        },
    )  # fmt: skip
    counts: dict[Cell, int] = {}
    for row in rows:
        cell = (row.area_id, groups[row.class_key])
        counts[cell] = counts.get(cell, 0) + row.n
    return counts


def _decided(tx: Tx, period: Period, places: Sequence[Place]) -> bool:
    return bool(
        tx.session.scalar(
            text(
                "select exists (select from risk_release where first_on = :first and area_id = any(:areas))"
            ),
            {"first": period.first_on, "areas": [one.area_id for one in places]},
        )
    )


def read_released(tx: Tx, period: Period | None, group: str) -> dict[int, int]:
    """What may be told of a period, by area; areas whose count is kept back, or was never decided, are not in it."""
    if period is None:
        return {}
    rows = tx.session.execute(
        text(
            "select area_id, told from risk_release"
            " where first_on = :first and class_group = :group and told is not null"
        ),
        {"first": period.first_on, "group": group},
    )
    return {row.area_id: row.told for row in rows}

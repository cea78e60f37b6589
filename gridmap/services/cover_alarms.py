"""One alarm a cause: the gaps of a county with the same cause are one standing alarm that names their areas."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select, text

from gridmap.db.tables import Alarm, CoverState
from gridmap.domain.cover import Requirement
from gridmap.domain.vocab import vocabulary
from gridmap.services.alarms import raise_alarm, resolve_alarms
from gridmap.services.cover_ground import CoverArea
from gridmap.services.gates import MAX_FIX_AGE
from gridmap.services.outbox import publish
from gridmap.services.transaction import Tx

ALARM_KIND = "cover_gap"
# So many areas an alarm names; it counts them all.
MOST_NAMED = 12
_NAMESPACE = UUID("6d0f7c9e-5a3b-4c61-8f0a-3b1f5f2c7a10")

# Why an area lies bare, the strongest first: what its own people do, or those of its county where it has none.
_CAUSES = ("out_of_reach", "busy", "silent", "off_duty")
NOBODY_SET = "nobody_set"
# Causes that ask for the same remedy share an alarm: somebody must come on duty, or somebody must come near.
_REMEDY = {
    "out_of_reach": "away",
    "busy": "away",
    "silent": "away",
    "off_duty": "unstaffed",
    NOBODY_SET: "unstaffed",
}


@dataclass(frozen=True, slots=True)
class Gap:
    """An area without cover under a requirement. `share` of its houses is reached; `rough` by the straight line."""

    rule: Requirement
    area: CoverArea
    share: float
    move_up: Mapping[str, Any] | None
    rough: bool


@dataclass(frozen=True, slots=True)
class Staff:
    """What the units that count for one requirement do, by the path of the area that they belong to."""

    at: Mapping[str, frozenset[str]]
    below: Mapping[str, frozenset[str]]

    def cause(self, area: CoverArea) -> str:
        """Why `area` lies bare: one of out_of_reach, busy, silent, off_duty, nobody_set."""
        states = self.below.get(area.path) or self._of_county(area.jurisdiction)
        return next((cause for cause in _CAUSES if cause in states), NOBODY_SET)

    def _of_county(self, county: str) -> frozenset[str]:
        above = [self.at.get(path, frozenset()) for path in _prefixes(county)]
        return frozenset().union(self.below.get(county, frozenset()), *above)


@dataclass(frozen=True, slots=True)
class _Told:
    """One alarm that should stand: `anchor` is the path whose desks are told, `causes` one for each of `gaps`."""

    anchor: str
    remedy: str
    gaps: Sequence[Gap]
    causes: Sequence[str]

    @property
    def subject(self) -> UUID:
        return uuid5(_NAMESPACE, f"{self.anchor}:{self.gaps[0].rule.key}:{self.remedy}")


def tell(tx: Tx, gaps: Sequence[Gap], rules: Iterable[Requirement], stands_s: float) -> None:
    """Raise, change and resolve alarms so that they say what has stood for `stands_s`, and mark whose gap was told.

    An alarm rings anew when an area joins it that was not told of, after somebody took note of it; areas that leave it
    or come from another cause change it in silence.
    """
    since = {
        (row.area_id, row.requirement): row
        for row in tx.session.execute(
            select(
                CoverState.area_id, CoverState.requirement, CoverState.gap_since, CoverState.alarmed_at
            ).where(CoverState.gap)
        )
    }
    long_ago = tx.now - timedelta(seconds=stands_s)
    standing = [
        gap
        for gap in gaps
        if (row := since.get((gap.area.id, gap.rule.key))) is not None and row.gap_since <= long_ago
    ]
    fresh = {
        (gap.area.id, gap.rule.key) for gap in standing if since[gap.area.id, gap.rule.key].alarmed_at is None
    }
    now_standing = {
        alarm.subject_id: alarm
        for alarm in tx.session.scalars(
            select(Alarm)
            .where(Alarm.kind == ALARM_KIND, Alarm.status.in_(("raised", "acknowledged")))
            .with_for_update()
        )
    }
    wanted = {one.subject: one for one in _group(tx, standing, rules)}
    for subject in now_standing.keys() - wanted.keys():
        if subject is not None:
            resolve_alarms(tx, ALARM_KIND, "cover", subject)
    names = _names(tx, {one.anchor for one in wanted.values()})
    for subject, one in wanted.items():
        alarm = now_standing.get(subject)
        news = any((gap.area.id, gap.rule.key) in fresh for gap in one.gaps)
        if alarm is None or (news and alarm.status == "acknowledged"):
            if alarm is not None:
                resolve_alarms(tx, ALARM_KIND, "cover", subject)
            _raise(tx, one, names)
        elif alarm.params.get("area_ids") != _area_ids(one):
            alarm.params = _params(one, names)
            publish(
                tx,
                "alarm",
                {"id": str(alarm.id), "kind": alarm.kind, "status": alarm.status},
                path=one.anchor,
            )
    _mark(tx, [(gap.area.id, gap.rule.key) for gap in standing])


def _group(tx: Tx, gaps: Sequence[Gap], rules: Iterable[Requirement]) -> list[_Told]:
    """Gaps of one requirement with one cause, told at the county, or at the lowest desk that answers for the area."""
    if not gaps:
        return []
    staff = _staff(tx, rules)
    desks = _desks(tx)
    groups: dict[tuple[str, str, str], list[tuple[Gap, str]]] = defaultdict(list)
    for gap in gaps:
        below = [path for path in _prefixes(gap.area.path) if path in desks]
        lowest = max([gap.area.jurisdiction, *below], key=len)
        cause = staff[gap.rule.key].cause(gap.area)
        groups[lowest, gap.rule.key, _REMEDY[cause]].append((gap, cause))
    return [
        _Told(anchor, remedy, [gap for gap, _ in found], [cause for _, cause in found])
        for (anchor, _, remedy), found in groups.items()
    ]


def _desks(tx: Tx) -> frozenset[str]:
    """Paths of areas whose own seats take note of alarms: who was given no more than a township sees no county's."""
    roles = [role.key for role in vocabulary().roles.values() if "alarm.acknowledge" in role.verbs]
    rows = tx.session.scalars(
        text(
            "select distinct v.path::text from access_grant g join area_version v on v.area_id = g.area_id"
            " and (v.valid @> cast(:now as timestamptz)) is true where g.role = any(:roles)"
            " and g.valid_from <= :now and (g.valid_to is null or g.valid_to > :now)"
        ),
        {"now": tx.now, "roles": roles},
    )
    return frozenset(rows)


def _staff(tx: Tx, rules: Iterable[Requirement]) -> dict[str, Staff]:
    units = tx.session.execute(
        text(
            "select u.kind, u.capabilities, u.scope_path::text as path,"
            " case when u.status in ('busy', 'break') then 'busy' when u.status <> 'free' then 'off_duty'"
            " when l.fixed_at >= :since then 'out_of_reach' else 'silent' end"
            " as state from unit u left join unit_latest l on l.unit_id = u.id where u.withdrawn_at is null"
        ),
        {"since": tx.now - MAX_FIX_AGE},
    ).all()
    found: dict[str, Staff] = {}
    for rule in rules:
        at: dict[str, set[str]] = defaultdict(set)
        below: dict[str, set[str]] = defaultdict(set)
        for unit in units:
            if rule.counts(unit.kind, unit.capabilities):
                at[unit.path].add(unit.state)
                for path in _prefixes(unit.path):
                    below[path].add(unit.state)
        found[rule.key] = Staff(_frozen(at), _frozen(below))
    return found


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {path: frozenset(states) for path, states in sets.items()}


def _prefixes(path: str) -> list[str]:
    """A path and every path above it, the highest first."""
    labels = path.split(".") if path else []
    return [".".join(labels[: depth + 1]) for depth in range(len(labels))]


def _names(tx: Tx, paths: Iterable[str]) -> dict[str, tuple[int, str, str]]:
    """Id, code and name of the area that each path leads to."""
    ids = {int(path.rsplit(".", 1)[-1]): path for path in paths if path}
    rows = tx.session.execute(
        text(
            "select a.id, a.code, v.name from area a join area_version v on v.area_id = a.id"
            " and (v.valid @> cast(:now as timestamptz)) is true where a.id = any(:ids)"
        ),
        {"now": tx.now, "ids": list(ids)},
    )
    return {ids[row.id]: (row.id, row.code, row.name) for row in rows}


def _area_ids(told: _Told) -> list[int]:
    return sorted(gap.area.id for gap in told.gaps)


def _params(told: _Told, names: Mapping[str, tuple[int, str, str]]) -> dict[str, Any]:
    """A single area is told as itself; several as the area whose desk is told, with the first few by name."""
    first = told.gaps[0]
    alone = len(told.gaps) == 1 or told.anchor not in names
    own = (first.area.id, first.area.code, first.area.name)
    area_id, code, name = own if alone else names[told.anchor]
    return {
        "area_id": area_id,
        "code": code,
        "name": name,
        "cause": told.remedy,
        "count": len(told.gaps),
        "area_ids": _area_ids(told),
        "areas": [
            {
                "area_id": gap.area.id,
                "code": gap.area.code,
                "name": gap.area.name,
                "share": gap.share,
                "cause": cause,
            }
            for gap, cause in list(zip(told.gaps, told.causes, strict=True))[:MOST_NAMED]
        ],
        "requirement": first.rule.key,
        "kinds": list(first.rule.kinds),
        "capability": first.rule.capability,
        "minutes": first.rule.minutes,
        "share": min(gap.share for gap in told.gaps),
        "move_up": first.move_up if alone else None,
        "method": "straight_line" if any(gap.rough for gap in told.gaps) else "road",
    }


def _raise(tx: Tx, told: _Told, names: Mapping[str, tuple[int, str, str]]) -> None:
    raise_alarm(
        tx,
        ALARM_KIND,
        severity=told.gaps[0].rule.severity,
        path=told.anchor,
        subject_kind="cover",
        subject_id=told.subject,
        **_params(told, names),
    )


def _mark(tx: Tx, told: Sequence[tuple[int, str]]) -> None:
    """`alarmed_at` of every area: since when its present gap is told of."""
    tx.session.execute(
        text(
            "update cover_state s set alarmed_at = case when t.told then :now end"
            " from (select c.area_id, c.requirement, w.area_id is not null as told from cover_state c"
            "       left join unnest(cast(:areas as int[]), cast(:rules as text[])) as w (area_id, requirement)"
            "         using (area_id, requirement)) t"
            " where t.area_id = s.area_id and t.requirement = s.requirement"
            " and (s.alarmed_at is not null) <> t.told"
        ),
        {"now": tx.now, "areas": [area for area, _ in told], "rules": [rule for _, rule in told]},
    )

"""Who may be sent: gates on duty, skill, powers, crew, load, rest, fix age and jurisdiction, each with its reason.

What a class asks for (skills, legal powers, a crew, nobody alone) is past overruling by a drag: only a shift lead's
written reason opens it, and that stays on the timeline and in the audit trail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from gridmap.db.tables import Incident, Unit
from gridmap.domain.diverting import DivertedBy, Leaving, divert_rules, find_rule
from gridmap.domain.vocab import vocabulary
from gridmap.errors import Conflict, Invalid
from gridmap.services.auditing import audit
from gridmap.services.dispatching.aid import Reach, reach_of
from gridmap.services.timeline import note_event
from gridmap.services.transaction import Tx

MAX_FIX_AGE = timedelta(minutes=15)
MAX_REASON = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Gates:
    """What a unit must pass to be recommended.

    Attributes:
        capabilities, powers: all of them.
        min_crew, lone_ok: fewest people; whether one alone may go.
        max_fix_age: an older position says nothing of where the unit is.
        rest_min_s: seconds since the end of its last job.
        max_open_jobs: jobs at the same time, offers not counted.
        jurisdiction: whose units may come; None asks nobody.
        divert: units that a rule lets be called away from something lesser are candidates too.
    """

    capabilities: frozenset[str] = frozenset()
    powers: frozenset[str] = frozenset()
    min_crew: int = 1
    lone_ok: bool = True
    max_fix_age: timedelta = MAX_FIX_AGE
    rest_min_s: int = 0
    max_open_jobs: int = 1
    jurisdiction: Reach | None = None
    divert: bool = False


@dataclass(frozen=True, slots=True)
class Barred:
    """One gate that a unit does not pass: a code and what it is about."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """What a unit is at, or on its way to; `eta_at` is when it should be there, as far as that is known."""

    dispatch_id: UUID
    incident_id: UUID
    number: str
    class_key: str
    severity: int
    status: str
    eta_at: datetime | None = None

    def called_by(self, severity: int, now: datetime) -> DivertedBy | None:
        """The rule by which a case of `severity` may call the unit away from here, if any."""
        left_s = None if self.eta_at is None else max(0.0, (self.eta_at - now).total_seconds())
        leaving = Leaving(
            status=self.status, class_key=self.class_key, severity=self.severity, remaining_s=left_s
        )
        rule = find_rule(divert_rules(), severity, leaving)
        if rule is None:
            return None
        return DivertedBy(
            rule=rule.key,
            left_number=self.number,
            left_class_key=self.class_key,
            left_severity=self.severity,
            grades=self.severity - severity,
            remaining_s=None if left_s is None else round(left_s),
        )


@dataclass(frozen=True, slots=True)
class Away:
    """The job that a unit may be called away from, and by which rule."""

    job: Job
    by: DivertedBy


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """What the gates look at."""

    kind: str
    status: str
    capabilities: frozenset[str]
    crew_size: int
    scope_path: str
    fixed_at: datetime | None
    jobs: tuple[Job, ...] = ()
    last_job_ended_at: datetime | None = None


def gates_of(tx: Tx, incident: Incident, *, divert: bool = False) -> Gates:
    """What the incident's class and severity ask for."""
    row = vocabulary().event_class(incident.class_key)
    severity = vocabulary().term("severity", str(incident.severity)).extra
    return Gates(
        capabilities=frozenset(row.capabilities),
        powers=frozenset(row.powers),
        min_crew=row.min_crew,
        lone_ok=row.lone_ok,
        rest_min_s=int(severity.get("rest_min_s", 0)),
        jurisdiction=reach_of(tx, incident, mutual_aid=True),
        divert=divert,
    )


def for_places(gates: Gates) -> Gates:
    """The same without what the class asks for: each place of a plan says itself whom it wants."""
    return replace(
        gates, capabilities=frozenset(), powers=frozenset(), min_crew=1, lone_ok=True, jurisdiction=None
    )


def class_bars(gates: Gates, capabilities: Iterable[str], crew_size: int) -> list[Barred]:
    """Which of the class's own demands a unit does not meet."""
    own = frozenset(capabilities)
    found: list[Barred] = []
    if missing := sorted(gates.powers - own):
        found.append(Barred("lacks_powers", {"keys": missing}))
    if missing := sorted(gates.capabilities - own):
        found.append(Barred("lacks_capability", {"keys": missing}))
    if not gates.lone_ok and crew_size < 2:
        found.append(Barred("lone", {"crew": crew_size}))
    elif crew_size < gates.min_crew:
        found.append(Barred("crew_too_small", {"crew": crew_size, "least": gates.min_crew}))
    return found


def bars(gates: Gates, unit: UnitFacts, now: datetime, severity: int) -> list[Barred]:
    """Every gate that a unit does not pass, the one that says most first."""
    found: list[Barred] = []
    if not (unit.status == "free" or (unit.status == "busy" and diverted_from(gates, unit, now, severity))):
        found.append(Barred(unit.status))
    if unit.fixed_at is None:
        found.append(Barred("no_fix"))
    elif now - unit.fixed_at > gates.max_fix_age:
        found.append(Barred("fix_too_old", {"age_s": int((now - unit.fixed_at).total_seconds())}))
    if gates.jurisdiction is not None and not gates.jurisdiction.holds(unit.kind, unit.scope_path):
        found.append(Barred("other_jurisdiction"))
    found += class_bars(gates, unit.capabilities, unit.crew_size)
    if unit.status == "free" and len(unit.jobs) >= gates.max_open_jobs:
        found.append(Barred("loaded", {"jobs": len(unit.jobs)}))
    ended = unit.last_job_ended_at
    if ended is not None and now - ended < timedelta(seconds=gates.rest_min_s):
        found.append(Barred("resting", {"rested_s": int((now - ended).total_seconds())}))
    return found


def diverted_from(gates: Gates, unit: UnitFacts, now: datetime, severity: int) -> Away | None:
    """The one lesser job that a unit is still on its way to, if a rule lets it be called away."""
    if not gates.divert or len(unit.jobs) != 1:
        return None
    [job] = unit.jobs
    by = job.called_by(severity, now)
    return None if by is None else Away(job, by)


def check(tx: Tx, incident: Incident, unit: Unit) -> list[Barred]:
    """Which demands of the incident's class the unit does not meet; for a place of a plan the plan speaks instead."""
    return class_bars(gates_of(tx, incident), unit.capabilities, unit.crew_size)


def require_passed(tx: Tx, incident: Incident, unit: Unit, override_reason: str | None = None) -> None:
    """Let a unit through that meets the class's demands, any other only with a shift lead's reason.

    Raises Conflict("unit_barred", gates=[codes]), Forbidden without the verb case.override.
    """
    found = check(tx, incident, unit)
    if not found:
        return
    codes = [bar.code for bar in found]
    reason = (override_reason or "").strip()
    if not reason:
        raise Conflict("unit_barred", call_sign=unit.call_sign, gates=codes)
    tx.actor.require("case.override")
    if len(reason) > MAX_REASON:
        raise Invalid("reason_too_long", max_length=MAX_REASON)
    note_event(tx, incident.id, "gates_overridden", call_sign=unit.call_sign, gates=codes, reason=reason)
    audit(tx, "gates.override", "incident", incident.id, reason=reason, unit_id=str(unit.id), gates=codes)


def list_jobs(tx: Tx) -> dict[UUID, tuple[Job, ...]]:
    """What each unit is at, as far as the actor sees the incidents."""
    rows = tx.session.execute(
        text(
            "select d.unit_id, d.id, i.id as incident_id, i.number, i.class_key, i.severity, d.status,"
            " d.eta_at"
            " from dispatch d join incident i on i.id = d.incident_id"
            " where d.status in ('accepted', 'en_route', 'on_scene')"
            " order by d.accepted_at, d.id"
        )
    )
    found: dict[UUID, tuple[Job, ...]] = {}
    for row in rows:
        found[row.unit_id] = (*found.get(row.unit_id, ()), Job(*row[1:]))
    return found


def list_last_ends(tx: Tx, rest_min_s: int) -> dict[UUID, datetime]:
    """When the last job of each unit ended, of those that ended within the rest that is asked for."""
    if rest_min_s <= 0:
        return {}
    rows = tx.session.execute(
        text(
            "select unit_id, max(coalesce(done_at, ended_at)) from dispatch"
            " where accepted_at is not null and offered_at > :day and coalesce(done_at, ended_at) > :since"
            " group by unit_id"
        ),
        {"since": tx.now - timedelta(seconds=rest_min_s), "day": tx.now - timedelta(days=2)},
    )
    return {row[0]: row[1] for row in rows}

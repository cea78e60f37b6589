"""Response plans (预案): their versions, which one fits, starting one, and what is offered after a change of class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, tuple_

from gridmap.db.tables import Callout, Incident, IncidentEvent, PlanRun, PlanVersion
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import is_active
from gridmap.domain.plan_check import check_plan, shipped_plans
from gridmap.domain.response import Plan, best_match, digest_of, plan_from
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.auditing import audit
from gridmap.services.dispatching.callouts import end_callout
from gridmap.services.dispatching.escalation import open_level
from gridmap.services.dispatching.needs import LIVE_CALLOUTS, lock_callout
from gridmap.services.incidents import lock_incident, touch
from gridmap.services.notices import tell_areas
from gridmap.services.tasks import cancel_steps, step_task
from gridmap.services.transaction import Tx

SHIPPED, SITE = "shipped", "site"
_LOADING = 0x706C616E


@dataclass(frozen=True)
class CurrentPlan:
    """A plan in its newest version."""

    version_id: UUID
    version: int
    plan: Plan


def load_shipped(tx: Tx) -> int:
    """Bring the shipped plans in: a plan whose shipped text changed gets a new version, unless the site has its own.

    Returns how many versions were added. A plan that a site changed stays as the site wants it.
    """
    # Two processes that start at once bring them in one after the other, and no version is given out twice.
    tx.session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOADING})
    newest = _newest(tx)
    added = 0
    for body in shipped_plans():
        known = newest.get(body["key"])
        if known is not None and (known.source != SHIPPED or known.digest == digest_of(body)):
            continue
        _add(tx, body, known.version + 1 if known else 1, SHIPPED)
        added += 1
    return added


def change_plan(tx: Tx, key: str, body: dict[str, Any], *, based_on: int | None = None) -> CurrentPlan:
    """The site's own next version of a plan, or a new plan. What runs goes on by its version.

    `based_on` is the version that was looked at while it was written, 0 for a new plan. Raises Invalid, and
    Conflict("plan_changed_meanwhile") when another one is in use by now.
    """
    tx.actor.require("response.edit")
    plan = read_plan(key, body)
    tx.session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOADING})
    known = _newest(tx).get(key)
    in_use = known.version if known else 0
    if based_on is not None and based_on != in_use:
        raise Conflict("plan_changed_meanwhile", key=key, version=in_use)
    if known is not None and known.digest == digest_of(body):
        return CurrentPlan(known.id, known.version, plan)
    row = _add(tx, body, in_use + 1, SITE)
    audit(tx, "plan.change", "plan_version", row.id, key=key, version=row.version, retired=plan.retired)
    return CurrentPlan(row.id, row.version, plan)


def read_plan(key: str, body: dict[str, Any]) -> Plan:
    """A plan as somebody wrote it, gone through as a publication would. Raises Invalid that names every fault."""
    plan = check_plan(body)
    if plan.key != key:
        raise Invalid("plan_broken", faults=[{"field": "key", "code": "key_other", "params": {"key": key}}])
    return plan


def list_versions(tx: Tx, key: str) -> list[PlanVersion]:
    """Every version of a plan, the newest first. Raises NotFound("plan_not_found")."""
    rows = list(
        tx.session.scalars(
            select(PlanVersion).where(PlanVersion.key == key).order_by(PlanVersion.version.desc())
        )
    )
    if not rows:
        raise NotFound("plan_not_found", plan_key=key)
    return rows


def current_plans(tx: Tx) -> list[CurrentPlan]:
    """Every plan in its newest version, by key."""
    return [CurrentPlan(row.id, row.version, plan_from(row.body)) for _, row in sorted(_newest(tx).items())]


def matching_plan(tx: Tx, incident: Incident) -> CurrentPlan | None:
    """The plan that fits the incident's class and severity best."""
    current = {found.plan.key: found for found in current_plans(tx)}
    best = best_match((found.plan for found in current.values()), incident.class_key, incident.severity)
    return None if best is None else current[best.key]


def running_plans(tx: Tx, incident_id: UUID) -> list[PlanRun]:
    """The plans that run for an incident, the first started first."""
    return list(
        tx.session.scalars(
            select(PlanRun)
            .where(PlanRun.incident_id == incident_id, PlanRun.ended_at.is_(None))
            .order_by(PlanRun.started_at, PlanRun.id)
        )
    )


def start_plan(tx: Tx, incident_id: UUID, *, plan_key: str | None = None) -> PlanRun:
    """Start a plan by click: the one that fits, or the one named.

    Raises NotFound("plan_not_found"), Conflict("plan_already_started"), and what opening a call-out raises.
    """
    tx.actor.require("case.dispatch")
    incident = lock_incident(tx, incident_id)
    if not tx.actor.writes_in(incident.scope_path):
        raise Forbidden("out_of_write_scope")
    if plan_key is None:
        wanted = matching_plan(tx, incident)
    else:
        wanted = next(
            (found for found in current_plans(tx) if found.plan.key == plan_key and not found.plan.retired),
            None,
        )
    if wanted is None:
        raise NotFound("plan_not_found", plan_key=plan_key)
    return _start(tx, incident, wanted, "click")


def look_at_plan(tx: Tx, incident_id: UUID) -> None:
    """Start the plan that fits by itself where it says so; beside a running one it is offered, and stops nothing."""
    incident = tx.session.get(Incident, incident_id)
    if incident is None:
        return
    incident = lock_incident(tx, incident_id)
    fitting = matching_plan(tx, incident)
    if fitting is None or incident.geom is None or not is_active("incident", incident.status):
        return
    running = {run.plan_key for run in running_plans(tx, incident_id)}
    if fitting.plan.key in running:
        return
    if not running:
        if incident.severity in fitting.plan.auto:
            _start(tx, incident, fitting, "auto")
    elif not _was_suggested(tx, incident_id, fitting.plan.key):
        touch(
            tx,
            incident,
            "plan_suggested",
            plan_key=fitting.plan.key,
            plan_version=fitting.version,
            running=sorted(running),
        )


def end_plan(tx: Tx, incident_id: UUID, *, plan_key: str, reason: str | None) -> PlanRun:
    """End a running plan by hand: its call-outs stop and its open steps are cancelled, each with the reason."""
    tx.actor.require("case.dispatch")
    words = (reason or "").strip()
    if not words:
        raise Invalid("reason_needed", verb="end_plan")
    incident = lock_incident(tx, incident_id)
    run = next((found for found in running_plans(tx, incident_id) if found.plan_key == plan_key), None)
    if run is None:
        raise NotFound("plan_not_found", plan_key=plan_key)
    run.ended_at = tx.now
    tx.session.flush()
    for callout_id in tx.session.scalars(
        select(Callout.id).where(Callout.plan_run_id == run.id, Callout.status.in_(LIVE_CALLOUTS))
    ).all():
        # One that is met ends too, or it would ask again as soon as somebody gives a place back.
        end_callout(tx, incident, lock_callout(tx, callout_id), "stopped", "stopped", reason=words)
    cancelled = cancel_steps(tx, incident_id, plan_key, reason=words)
    audit(tx, "plan.end", "plan_run", run.id, reason=words)
    touch(tx, incident, "plan_ended", plan_key=plan_key, reason=words, steps_cancelled=cancelled)
    return run


def _start(tx: Tx, incident: Incident, wanted: CurrentPlan, how: str) -> PlanRun:
    if any(run.plan_key == wanted.plan.key for run in running_plans(tx, incident.id)):
        raise Conflict("plan_already_started", plan_key=wanted.plan.key)
    run = PlanRun(
        id=new_id(),
        incident_id=incident.id,
        plan_version_id=wanted.version_id,
        plan_key=wanted.plan.key,
        plan_version=wanted.version,
        started_at=tx.now,
        started_by=tx.actor.account_id,
        how=how,
        drill=incident.drill,
    )
    tx.session.add(run)
    tx.session.flush()
    for step in wanted.plan.steps:
        step_task(tx, incident, run, step)
    audit(tx, "plan.start", "plan_run", run.id, how=how, plan=run.plan_key, version=run.plan_version)
    touch(tx, incident, "plan_started", plan_key=run.plan_key, plan_version=run.plan_version, how=how)
    tell_areas(tx, incident, wanted.plan.tell, "plan")
    open_level(tx, incident, run, wanted.plan.levels[0], 1)
    return run


def _was_suggested(tx: Tx, incident_id: UUID, plan_key: str) -> bool:
    return bool(
        tx.session.scalar(
            select(IncidentEvent.id)
            .where(
                IncidentEvent.incident_id == incident_id,
                IncidentEvent.kind == "plan_suggested",
                IncidentEvent.params["plan_key"].astext == plan_key,
            )
            .limit(1)
        )
    )


def _newest(tx: Tx) -> dict[str, PlanVersion]:
    newest = select(PlanVersion.key, func.max(PlanVersion.version)).group_by(PlanVersion.key)
    rows = tx.session.scalars(
        select(PlanVersion).where(tuple_(PlanVersion.key, PlanVersion.version).in_(newest))
    )
    return {row.key: row for row in rows}


def _add(tx: Tx, body: dict[str, Any], version: int, source: str) -> PlanVersion:
    row = PlanVersion(
        id=new_id(),
        key=body["key"],
        version=version,
        body=body,
        digest=digest_of(body),
        source=source,
        created_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    return row

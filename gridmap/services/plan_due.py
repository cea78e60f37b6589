"""Asking the worker to see whether a response plan fits an incident: after the report, a move, another class."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import PlanVersion
from gridmap.services.timers import set_timer
from gridmap.services.transaction import Tx

PLAN_DUE = "incident.plan_due"


def deployment_has_plans(tx: Tx) -> bool:
    """A deployment without plans is asked nothing."""
    return tx.session.scalar(select(PlanVersion.id).limit(1)) is not None


def look_for_plan(tx: Tx, incident_id: UUID) -> None:
    """As soon as this is committed."""
    if deployment_has_plans(tx):
        set_timer(tx, PLAN_DUE, incident_id, tx.now)

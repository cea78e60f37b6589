"""Opening a reporter's contact: only with the verb and a reason, and it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import Contact, Incident, Report
from gridmap.errors import Invalid, NotFound
from gridmap.services.auditing import audit
from gridmap.services.timeline import note_event
from gridmap.services.transaction import Tx
from gridmap.services.vault import Vault


@dataclass(frozen=True)
class ContactCard:
    """Whom to call back."""

    report_id: UUID
    name: str
    phone: str


def open_contact(tx: Tx, report_id: UUID, *, reason: str, vault: Vault) -> ContactCard:
    """Raises Forbidden without the verb, Invalid("reason_needed"), NotFound when there is none in sight."""
    tx.actor.require("contact.read")
    if not reason.strip():
        raise Invalid("reason_needed")
    row = tx.session.execute(
        select(Contact.sealed, Incident.id, Incident.number)
        .join(Report, Report.id == Contact.report_id)
        .join(Incident, Incident.id == Report.incident_id)
        .where(Contact.report_id == report_id)
    ).first()
    if row is None:
        raise NotFound("contact_not_found")
    sealed, incident_id, number = row
    record = vault.open(sealed)
    audit(tx, "contact.view", "incident", incident_id, reason=reason.strip()[:500], number=number)
    note_event(tx, incident_id, "contact_viewed", reason=reason.strip()[:500])
    return ContactCard(report_id, record.get("name", ""), record.get("phone", ""))

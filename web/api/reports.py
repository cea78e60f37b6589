"""Taking a report, and opening whom to call back."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from typing_extensions import TypedDict

from gridmap.errors import Conflict, NotFound
from gridmap.services.case_queries import get_case_row
from gridmap.services.contacts import open_contact
from gridmap.services.reports import Taken, TakeReport, take_report
from gridmap.services.transaction import Tx
from web import shapes
from web.guards import requires
from web.outputs import returns
from web.schemas import Abscissa, Body, Key, Moment, OptionalText, Ordinate, Severity, ShortText, WithReason
from web.site import as_caller, site

reports = APIBlueprint("reports", __name__, url_prefix="/api/reports", tag="reports")


class Caller(Body):
    """Whom to call back; kept encrypted, apart from the report."""

    name: OptionalText = ""
    phone: OptionalText = ""


class NewReport(Body):
    """One message, as it came. The same source and source_ref again answer with what the first one made."""

    channel: Key
    class_key: Key
    text: OptionalText = ""
    source: ShortText | None = None
    source_ref: ShortText | None = None
    severity: Severity | None = None
    lon: Abscissa | None = None
    lat: Ordinate | None = None
    crs: ShortText = "WGS84"
    address: ShortText | None = None
    occurred_from: Moment | None = None
    occurred_to: Moment | None = None
    occurred_precision: Key = "minute"
    contact: Caller | None = None
    drill: bool = False
    join_incident_id: UUID | None = None


class KnownBy(TypedDict):
    """All that a channel which may not read incidents is told of one."""

    id: UUID
    number: str


class Receipt(TypedDict):
    """`created` is False when the same message had come before."""

    report_id: UUID
    incident: shapes.IncidentSummary | KnownBy
    created: bool


class ContactCard(TypedDict):
    name: str
    phone: str


@reports.post("")
@reports.input(NewReport, arg_name="body")
@returns(Receipt, status=201)
@requires("case.report")
def create(body: NewReport) -> tuple[Receipt, int]:
    """Record a report: 201 with its new or joined incident, 200 when the same message had come before."""
    contact = body.contact or Caller()
    command = TakeReport(
        **body.model_dump(exclude={"contact"}),
        contact_name=contact.name or None,
        contact_phone=contact.phone or None,
    )
    with as_caller() as tx:
        taken = take_report(tx, command, site().vault)
        tx.session.flush()
        answer: Receipt = {
            "report_id": taken.report_id,
            "incident": _incident(tx, taken),
            "created": taken.created,
        }
    return answer, 201 if taken.created else 200


@reports.post("/<uuid:report_id>/contact")
@reports.input(WithReason, arg_name="body")
@returns(ContactCard)
@requires("contact.read")
def show_contact(report_id: UUID, body: WithReason) -> ContactCard:
    """Whom to call back. The look and its reason are recorded."""
    with as_caller() as tx:
        card = open_contact(tx, report_id, reason=body.reason, vault=site().vault)
    return {"name": card.name, "phone": card.phone}


def _incident(tx: Tx, taken: Taken) -> shapes.IncidentSummary | KnownBy:
    """The incident; for a channel, which may not read incidents, its id and number."""
    if tx.actor.token_id is not None and not tx.actor.can("case.read"):
        return {"id": taken.incident_id, "number": taken.number}
    try:
        return shapes.summary(get_case_row(tx, taken.incident_id))
    except NotFound:
        # Somebody else's message, out of this person's sight, bears the same reference.
        raise Conflict("report_known") from None

"""Taking a report: one message becomes a new incident, or joins one that is open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, text

from gridmap.db.tables import INCIDENT_NUMBER, Contact, Incident, Report, Share
from gridmap.domain.crs import to_wgs84
from gridmap.domain.ids import new_id
from gridmap.domain.lifecycle import is_active
from gridmap.domain.masking import mask_numbers
from gridmap.domain.vocab import EventClass, vocabulary
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.areas import OUTSIDE, Located, locate
from gridmap.services.geocoding import geocode
from gridmap.services.plan_due import PLAN_DUE, deployment_has_plans
from gridmap.services.timeline import note_event, tell_incident
from gridmap.services.timers import set_timers
from gridmap.services.transaction import Tx
from gridmap.services.vault import Vault

MAX_TEXT = 5_000
MAX_ADDRESS = 300
MAX_FUTURE = timedelta(minutes=5)
OWN_REPORT_SEEN = timedelta(days=30)
DISPATCH_DUE = "incident.dispatch_due"


@dataclass(frozen=True, kw_only=True)
class TakeReport:
    """One message, as it came. `lon`, `lat` are degrees in `crs`; `severity` None takes the class's default."""

    channel: str
    class_key: str
    text: str
    source: str | None = None
    source_ref: str | None = None
    severity: int | None = None
    lon: float | None = None
    lat: float | None = None
    crs: str = "WGS84"
    address: str | None = None
    occurred_from: datetime | None = None
    occurred_to: datetime | None = None
    occurred_precision: str = "minute"
    received_at: datetime | None = None
    contact_name: str | None = None
    contact_phone: str | None = None
    drill: bool = False
    join_incident_id: UUID | None = None


@dataclass(frozen=True)
class Taken:
    """The report and its incident; `created` is False when the same message had come before."""

    report_id: UUID
    incident_id: UUID
    number: str
    created: bool


@dataclass(frozen=True)
class Place:
    """Where a report says it is, and how sure that is. Longitude and latitude are WGS84 or both None."""

    lon: float | None
    lat: float | None
    method: str
    radius_m: float | None
    located: Located

    @property
    def wkt(self) -> str | None:
        return None if self.lon is None else f"SRID=4326;POINT({self.lon!r} {self.lat!r})"


def take_report(tx: Tx, command: TakeReport, vault: Vault) -> Taken:
    """Record a message.

    The same (source, source_ref) again returns what the first one made. Raises Invalid for an unknown class,
    channel, system or time, NotFound or Conflict for an incident that cannot be joined, Forbidden without the verb.
    """
    tx.actor.require("case.report")
    event_class = _check(tx, command)
    source = tx.actor.token_source or command.source
    if source and command.source_ref:
        known = _known(tx, source, command.source_ref)
        if known is not None:
            return known
    place = _place(tx, command)
    joined = _joinable(tx, command) if command.join_incident_id else None
    incident = joined or _new_incident(tx, command, event_class, place)
    report = _add_report(tx, command, incident.id, source, place)
    if command.contact_name or command.contact_phone:
        record = {"name": command.contact_name or "", "phone": command.contact_phone or ""}
        tx.session.add(Contact(report_id=report.id, sealed=vault.seal(record)))
    if joined is None:
        note_event(tx, incident.id, "reported", channel=command.channel, report_id=str(report.id))
        tell_incident(tx, incident, "reported")
    else:
        incident.version += 1
        note_event(tx, incident.id, "report_joined", channel=command.channel, report_id=str(report.id))
        tell_incident(tx, incident, "report_joined")
    return Taken(report.id, incident.id, incident.number, created=True)


def _check(tx: Tx, command: TakeReport) -> EventClass:
    words = vocabulary()
    event_class = words.event_class(command.class_key)
    words.term("channel", command.channel)
    words.term("precision", command.occurred_precision)
    if command.severity is not None and str(command.severity) not in words.keys("severity"):
        raise Invalid("severity_unknown", given=command.severity)
    if not command.text.strip() and not (command.address or "").strip():
        raise Invalid("text_needed")
    if len(command.text) > MAX_TEXT:
        raise Invalid("text_too_long", max_length=MAX_TEXT, length=len(command.text))
    if len(command.address or "") > MAX_ADDRESS:
        raise Invalid("address_too_long", max_length=MAX_ADDRESS)
    for moment in (command.occurred_from, command.occurred_to, command.received_at):
        if moment is not None and moment > tx.now + MAX_FUTURE:
            raise Invalid("time_in_the_future", given=moment.isoformat())
    if command.occurred_to and command.occurred_to < (command.occurred_from or command.occurred_to):
        raise Invalid("occurred_ends_before_it_starts")
    if tx.actor.token_source and command.source not in (None, tx.actor.token_source):
        raise Forbidden("source_is_not_yours", source=command.source)
    return event_class


def _known(tx: Tx, source: str, ref: str) -> Taken | None:
    """What an earlier delivery of the same message made; a second one in flight waits here for the first."""
    tx.session.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:key, 1))"), {"key": f"{source}\n{ref}"}
    )
    row = tx.session.execute(
        text("select report_id, incident_id, number from report_known(:source, :ref)"),
        {"source": source, "ref": ref},
    ).first()
    return None if row is None else Taken(row.report_id, row.incident_id, row.number, created=False)


def _place(tx: Tx, command: TakeReport) -> Place:
    if command.lon is not None and command.lat is not None:
        lon, lat = checked_lonlat(command.lon, command.lat, command.crs)
        return Place(lon, lat, "given", None, locate(tx.session, lon, lat, tx.now))
    if (command.lon is None) != (command.lat is None):
        raise Invalid("coordinates_incomplete")
    found = geocode(tx.session, command.address) if command.address else None
    if found is None:
        return Place(None, None, "none", None, OUTSIDE)
    where = locate(tx.session, found.lon, found.lat, tx.now)
    return Place(found.lon, found.lat, found.method, found.radius_m, where)


def checked_lonlat(lon: float, lat: float, crs: str) -> tuple[float, float]:
    """WGS84 degrees from a position in a named system. Raises Invalid; 0/0 is a broken sender, not a place."""
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise Invalid("coordinates_not_finite")
    x, y = to_wgs84(lon, lat, crs)
    found_lon, found_lat = float(x), float(y)
    if not (-180 <= found_lon <= 180 and -90 <= found_lat <= 90):
        raise Invalid("coordinates_out_of_range", lon=lon, lat=lat)
    if lon == 0 and lat == 0:
        raise Invalid("coordinates_null_island")
    return found_lon, found_lat


def _joinable(tx: Tx, command: TakeReport) -> Incident:
    incident = tx.session.scalars(
        select(Incident).where(Incident.id == command.join_incident_id).with_for_update(key_share=True)
    ).first()
    if incident is None:
        raise NotFound("incident_not_found")
    if not is_active("incident", incident.status):
        raise Conflict("incident_closed", number=incident.number)
    if incident.drill != command.drill:
        raise Conflict("drill_and_real_do_not_mix")
    return incident


def _new_incident(tx: Tx, command: TakeReport, event_class: EventClass, place: Place) -> Incident:
    severity = command.severity or event_class.severity
    clocks = vocabulary().term("severity", str(severity)).extra
    reported_at = command.received_at or tx.now
    # The feed stands still behind the oldest open write: whatever only reads is asked before the first row is written.
    has_plans = deployment_has_plans(tx)
    number = incident_number(tx, reported_at)
    incident = Incident(
        id=new_id(),
        number=number,
        class_key=event_class.key,
        severity=severity,
        status="open",
        title=_title(tx, command),
        address=command.address,
        geom=place.wkt,
        location_method=place.method,
        location_radius_m=place.radius_m,
        area_id=place.located.area_id,
        area_version_id=place.located.area_version_id,
        scope_path=place.located.path or _fallback_path(tx),
        occurred_from=command.occurred_from or reported_at,
        occurred_to=command.occurred_to,
        occurred_precision=command.occurred_precision,
        reported_at=reported_at,
        recorded_at=tx.now,
        channel=command.channel,
        drill=command.drill,
        restricted=event_class.restricted,
        dispatch_due_at=reported_at + timedelta(minutes=clocks["dispatch_min"]),
        finish_due_at=reported_at + timedelta(minutes=clocks["finish_min"]),
        version=1,
    )
    tx.session.add(incident)
    tx.session.flush()
    _share_with_reporter(tx, incident)
    timers = {DISPATCH_DUE: max(incident.dispatch_due_at or tx.now, tx.now)}
    if has_plans:
        timers[PLAN_DUE] = tx.now
    set_timers(tx, incident.id, timers)
    return incident


def incident_number(tx: Tx, at: datetime) -> str:
    """What people say on the radio: the day and a running number, unique for ever."""
    serial: int = tx.session.scalar(select(func.nextval(INCIDENT_NUMBER.name))) or 0
    return f"{at.astimezone(tx.zone):%Y%m%d}-{serial:05d}"


def _title(tx: Tx, command: TakeReport) -> str:
    words = command.text if command.channel == "operator" else mask_numbers(command.text)
    return (words.strip() or (command.address or "").strip()).splitlines()[0][:80]


def _fallback_path(tx: Tx) -> str:
    """A report that lies nowhere yet is answered for by the seat that took it."""
    paths = tx.actor.write_paths or tx.actor.map_paths
    return paths[0] if paths else ""


def _share_with_reporter(tx: Tx, incident: Incident) -> None:
    """Who reports may follow what becomes of it; a restricted case stays with who takes it."""
    account_id = tx.actor.account_id
    if account_id is None:
        return
    tx.session.add(
        Share(
            incident_id=incident.id,
            account_id=account_id,
            reason="reported",
            created_at=tx.now,
            created_by=account_id,
            expires_at=tx.now + OWN_REPORT_SEEN,
        )
    )


def _add_report(tx: Tx, command: TakeReport, incident_id: UUID, source: str | None, place: Place) -> Report:
    received_at = command.received_at or tx.now
    report = Report(
        id=new_id(),
        incident_id=incident_id,
        source=source if command.source_ref else None,
        ref=command.source_ref if source else None,
        channel=command.channel,
        class_key=command.class_key,
        body=command.text if command.channel == "operator" else mask_numbers(command.text),
        address=command.address,
        geom=place.wkt,
        occurred_from=command.occurred_from or received_at,
        occurred_to=command.occurred_to,
        occurred_precision=command.occurred_precision,
        received_at=received_at,
        recorded_at=tx.now,
        recorded_by=tx.actor.account_id,
        has_contact=bool(command.contact_name or command.contact_phone),
        drill=command.drill,
    )
    tx.session.add(report)
    tx.session.flush()
    return report

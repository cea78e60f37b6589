"""Devices that send positions: bound to a unit, in a declared coordinate system, each with a key of its own.

A key has a public name and a secret of 256 random bits that is shown once; a digest of it is kept.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import delete, or_, select, text, update

from gridmap.db.engine import Database
from gridmap.db.faults import translated
from gridmap.db.tables import Device, DeviceKey, DeviceRefusal, DeviceState, Unit
from gridmap.domain.crs import parse_crs
from gridmap.domain.ids import new_id
from gridmap.errors import Conflict, Forbidden, Invalid, NotFound
from gridmap.services.auditing import audit
from gridmap.services.logging_in import digest
from gridmap.services.transaction import Tx

Kind = Literal["owntracks", "osmand"]
MAX_LABEL = 100
MOST_OF_A_UNIT = 8
# Long enough to carry the new key to a phone on the next shift.
DEFAULT_OVERLAP = timedelta(days=2)
MAX_OVERLAP = timedelta(days=30)
# What mosquitto_passwd writes: PBKDF2 of SHA-512, which its password file marks with 7.
_MOSQUITTO_ROUNDS = 101


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """The device behind a key that is good now."""

    device_id: UUID
    unit_id: UUID
    kind: str
    crs: str
    key_name: str


@dataclass(frozen=True)
class NewKey:
    """What is typed into the app, shown once. `broker_line` is the same for the password file of a Mosquitto."""

    device_id: UUID
    kind: Kind
    name: str
    secret: str
    broker_line: str


@dataclass(frozen=True)
class KeyLine:
    """A key without its secret."""

    name: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True)
class RefusalCount:
    """How many fixes of a device were not believed on a day, by reason: for its upkeep, never about its carrier."""

    day: date
    reason: str
    count: int


@dataclass(frozen=True)
class DeviceLine:
    """A device with its good keys and the refusals of the days that are still kept."""

    id: UUID
    label: str
    kind: str
    crs: str
    unit_id: UUID | None
    call_sign: str | None
    priority: int
    revoked_at: datetime | None
    keys: tuple[KeyLine, ...]
    refusals: tuple[RefusalCount, ...]


@dataclass(frozen=True)
class UnitChoice:
    """A unit by name."""

    id: UUID
    call_sign: str
    kind: str


def find_device(database: Database, at: datetime, secret: str) -> KnownDevice | None:
    """Whose key this is; None for an unknown, withdrawn or run-out one, or a device without a unit."""
    statement = text("select * from device_by_key(:digest, :at)")
    with translated(), database.app.begin() as connection:
        row = connection.execute(statement, {"digest": digest(secret), "at": at}).first()
    return None if row is None else KnownDevice(*row)


def create_device(
    tx: Tx, *, label: str, kind: Kind, unit_id: UUID, crs: str = "WGS84", priority: int = 50
) -> NewKey:
    """Bind a new device to a unit and make its first key. An administrator for any unit, a crew for its own.

    Raises Invalid("crs_unknown"), Invalid("device_label_malformed"), Conflict("too_many_devices"), Forbidden.
    """
    _require_for(tx, unit_id)
    if not 1 <= len(label.strip()) <= MAX_LABEL:
        raise Invalid("device_label_malformed", max_length=MAX_LABEL)
    bound = tx.session.scalars(
        select(Device.id).where(
            Device.unit_id == unit_id, Device.revoked_at.is_(None), Device.kind.in_(("owntracks", "osmand"))
        )
    ).all()
    if len(bound) >= MOST_OF_A_UNIT:
        raise Conflict("too_many_devices", most=MOST_OF_A_UNIT)
    device = Device(
        id=new_id(),
        label=label.strip(),
        kind=kind,
        crs=parse_crs(crs).key,
        unit_id=unit_id,
        priority=priority,
        created_at=tx.now,
        created_by=tx.actor.account_id,
    )
    tx.session.add(device)
    tx.session.flush()
    audit(tx, "device.create", "device", device.id, kind=kind, unit_id=str(unit_id))
    return _new_key(tx, device.id, kind)


def rotate_key(tx: Tx, device_id: UUID, overlap: timedelta = DEFAULT_OVERLAP) -> NewKey:
    """A new key; the ones before stay good for `overlap`, so that no fix is lost while the phone is changed over."""
    device = _locked(tx, device_id)
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise Invalid("overlap_out_of_range", most_s=int(MAX_OVERLAP.total_seconds()))
    ends = tx.now + overlap
    for key in _good_keys(tx, [device_id]):
        key.expires_at = min(key.expires_at or ends, ends)
    audit(tx, "device.rotate", "device", device_id, overlap_s=int(overlap.total_seconds()))
    return _new_key(tx, device_id, _app_kind(device))


def revoke_device(tx: Tx, device_id: UUID) -> None:
    """Nothing more is taken from it, within seconds (`web` remembers a good key for five)."""
    device = _locked(tx, device_id)
    device.revoked_at = device.revoked_at or tx.now
    tx.session.execute(
        update(DeviceKey)
        .where(DeviceKey.device_id == device_id, DeviceKey.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )
    audit(tx, "device.revoke", "device", device_id)


def bind_device(tx: Tx, device_id: UUID, unit_id: UUID | None) -> None:
    """Give it to another unit, or to none. An administrator's act; what it sent before stays with the unit before."""
    tx.actor.require("token.manage")
    device = _locked(tx, device_id)
    device.unit_id = unit_id
    tx.session.flush()
    audit(tx, "device.bind", "device", device_id, unit_id=str(unit_id) if unit_id else None)


def change_device(
    tx: Tx, device_id: UUID, *, label: str | None = None, crs: str | None = None, priority: int | None = None
) -> None:
    """Rename it, or correct the system its coordinates are in or its rank among the unit's devices."""
    device = _locked(tx, device_id)
    if label is not None:
        if not 1 <= len(label.strip()) <= MAX_LABEL:
            raise Invalid("device_label_malformed", max_length=MAX_LABEL)
        device.label = label.strip()
    if crs is not None:
        device.crs = parse_crs(crs).key
    if priority is not None:
        device.priority = priority
    audit(tx, "device.change", "device", device_id, crs=crs, priority=priority)


def list_devices(tx: Tx, *, unit_id: UUID | None = None) -> list[DeviceLine]:
    """Devices that are in use, by label: an administrator sees all, a crew its own."""
    chosen = select(Device).where(Device.revoked_at.is_(None)).order_by(Device.label, Device.id)
    if not tx.actor.can("token.manage"):
        chosen = chosen.where(Device.unit_id.in_(tx.actor.unit_ids))
    if unit_id is not None:
        chosen = chosen.where(Device.unit_id == unit_id)
    found = tx.session.scalars(chosen).all()
    ids = [device.id for device in found]
    names = _call_signs(tx)
    keys: dict[UUID, list[KeyLine]] = {}
    for key in _good_keys(tx, ids):
        line = KeyLine(key.name, key.created_at, key.expires_at, key.last_used_at)
        keys.setdefault(key.device_id, []).append(line)
    refusals: dict[UUID, list[RefusalCount]] = {}
    counted = select(DeviceRefusal).where(DeviceRefusal.device_id.in_(ids))
    for row in tx.session.scalars(counted.order_by(DeviceRefusal.day.desc(), DeviceRefusal.reason)):
        refusals.setdefault(row.device_id, []).append(RefusalCount(row.day, row.reason, row.count))
    return [
        DeviceLine(
            device.id,
            device.label,
            device.kind,
            device.crs,
            device.unit_id,
            names.get(device.unit_id) if device.unit_id else None,
            device.priority,
            device.revoked_at,
            tuple(keys.get(device.id, ())),
            tuple(refusals.get(device.id, ())),
        )
        for device in found
    ]


def list_units(tx: Tx) -> list[UnitChoice]:
    """Units that a device can be bound to, by call sign; without status and place, not an administrator's to see."""
    tx.actor.require("token.manage")
    return [
        UnitChoice(*row) for row in tx.session.execute(text("select id, call_sign, kind from device_units()"))
    ]


def forget_device_places(tx: Tx, unit_id: UUID) -> None:
    """What the filters remember of a unit's devices goes when its duty ends or breaks."""
    tx.session.execute(delete(DeviceState).where(DeviceState.unit_id == unit_id))


def _call_signs(tx: Tx) -> dict[UUID, str]:
    if tx.actor.can("token.manage"):
        return {unit.id: unit.call_sign for unit in list_units(tx)}
    own = select(Unit.id, Unit.call_sign).where(Unit.id.in_(tx.actor.unit_ids))
    return {row.id: row.call_sign for row in tx.session.execute(own)}


def _require_for(tx: Tx, unit_id: UUID | None) -> None:
    if unit_id is None or unit_id not in tx.actor.unit_ids:
        tx.actor.require("token.manage")


def _locked(tx: Tx, device_id: UUID) -> Device:
    device = tx.session.scalars(
        select(Device).where(Device.id == device_id).with_for_update(key_share=True)
    ).first()
    if device is None:
        raise NotFound("device_not_found")
    _require_for(tx, device.unit_id)
    return device


def _app_kind(device: Device) -> Kind:
    if device.kind == "owntracks":
        return "owntracks"
    if device.kind == "osmand":
        return "osmand"
    raise Forbidden("device_has_no_key")


def _good_keys(tx: Tx, device_ids: Sequence[UUID]) -> Sequence[DeviceKey]:
    return tx.session.scalars(
        select(DeviceKey)
        .where(
            DeviceKey.device_id.in_(device_ids),
            DeviceKey.revoked_at.is_(None),
            or_(DeviceKey.expires_at.is_(None), DeviceKey.expires_at > tx.now),
        )
        .order_by(DeviceKey.created_at)
    ).all()


def _new_key(tx: Tx, device_id: UUID, kind: Kind) -> NewKey:
    # The name is a user name in the app and a level of the MQTT topic, so it is short and plain.
    name, secret = "d" + secrets.token_hex(5), "gmd_" + secrets.token_urlsafe(32)
    tx.session.add(
        DeviceKey(
            id=new_id(),
            device_id=device_id,
            name=name,
            secret_hash=digest(secret),
            created_at=tx.now,
            created_by=tx.actor.account_id,
        )
    )
    tx.session.flush()
    return NewKey(device_id, kind, name, secret, _broker_line(name, secret))


def _broker_line(name: str, secret: str) -> str:
    salt = secrets.token_bytes(12)
    key = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _MOSQUITTO_ROUNDS)
    coded = (base64.b64encode(part).decode() for part in (salt, key))
    return f"{name}:$7${_MOSQUITTO_ROUNDS}$" + "$".join(coded)

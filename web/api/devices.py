"""Devices that send positions: an administrator binds them to units, a crew binds an app to its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from pydantic import Field

from gridmap.positions.app_settings import app_settings
from gridmap.services import devices as service
from gridmap.services.patrol import own_unit
from gridmap.services.transaction import Tx
from web.guards import requires
from web.outputs import returns
from web.schemas import Body, Empty, Key, Query, ShortText
from web.shapes_devices import Changed, NewDevice
from web.site import as_caller, site

devices = APIBlueprint("devices", __name__, url_prefix="/api", tag="devices")
Json = dict[str, Any]
App = Literal["owntracks", "osmand"]
Priority = Annotated[int, Field(ge=1, le=99)]
CrsName = Annotated[str, Field(min_length=1, max_length=64)]


class UnitQuery(Query):
    unit_id: UUID | None = None


class MakeDevice(Body):
    """`crs` is the system that the app or tracker sends its coordinates in, not the one of the map."""

    label: ShortText
    kind: App
    unit_id: UUID
    crs: CrsName = "WGS84"
    priority: Priority = 50


class ChangeDevice(Body):
    label: ShortText | None = None
    crs: CrsName | None = None
    priority: Priority | None = None


class Bind(Body):
    """No unit takes it out of service without withdrawing its key."""

    unit_id: UUID | None = None


class Rotate(Body):
    """For how long the keys before stay good."""

    overlap_h: Annotated[int, Field(ge=0, le=720)] = 48


class OwnDevice(Body):
    app: App
    label: Key | None = None


@devices.get("/devices")
@devices.input(UnitQuery, location="query", arg_name="query")
@returns(service.DeviceLine, many=True)
@requires("token.manage")
def list_devices(query: UnitQuery) -> Json:
    """Devices in use, their keys without the secrets, and what was refused of each by reason and day."""
    with as_caller() as tx:
        return {"items": service.list_devices(tx, unit_id=query.unit_id)}


@devices.get("/devices/units")
@returns(service.UnitChoice, many=True)
@requires("token.manage")
def list_units() -> Json:
    """Units that a device can be bound to, by name."""
    with as_caller() as tx:
        return {"items": service.list_units(tx)}


@devices.post("/devices")
@devices.input(MakeDevice, arg_name="body")
@returns(NewDevice, status=201)
@requires("token.manage")
def create_device(body: MakeDevice) -> tuple[Json, int]:
    """Bind a new device to a unit. The secret in the answer is shown this once."""
    with as_caller() as tx:
        made = service.create_device(
            tx, label=body.label, kind=body.kind, unit_id=body.unit_id, crs=body.crs, priority=body.priority
        )
    return _shown(made), 201


@devices.patch("/devices/<uuid:device_id>")
@devices.input(ChangeDevice, arg_name="body")
@returns(Changed)
@requires("token.manage")
def change_device(device_id: UUID, body: ChangeDevice) -> Json:
    """Rename it, correct its coordinate system, or its rank among the unit's devices (1 leads)."""
    with as_caller() as tx:
        service.change_device(tx, device_id, label=body.label, crs=body.crs, priority=body.priority)
    return {"id": device_id}


@devices.post("/devices/<uuid:device_id>/bind")
@devices.input(Bind, arg_name="body")
@returns(Changed)
@requires("token.manage")
def bind_device(device_id: UUID, body: Bind) -> Json:
    """Give the device to another unit, or to none."""
    with as_caller() as tx:
        service.bind_device(tx, device_id, body.unit_id)
    return {"id": device_id}


@devices.post("/devices/<uuid:device_id>/rotate")
@devices.input(Rotate, arg_name="body")
@returns(NewDevice)
@requires("token.manage")
def rotate_key(device_id: UUID, body: Rotate) -> Json:
    """A new key, shown this once; the ones before stay good for a while, so that nothing is lost in between."""
    with as_caller() as tx:
        return _shown(service.rotate_key(tx, device_id, timedelta(hours=body.overlap_h)))


@devices.post("/devices/<uuid:device_id>/revoke")
@devices.input(Empty, arg_name="body")
@returns(Changed)
@requires("token.manage")
def revoke_device(device_id: UUID, body: Empty) -> Json:
    """Withdraw it: nothing more is taken from it, within five seconds."""
    with as_caller() as tx:
        service.revoke_device(tx, device_id)
    return {"id": device_id}


@devices.get("/patrol/devices")
@returns(service.DeviceLine, many=True)
@requires("job.work")
def list_own_devices() -> Json:
    """The devices that speak for the caller's own unit."""
    with as_caller() as tx:
        return {"items": service.list_devices(tx, unit_id=own_unit(tx).id)}


@devices.post("/patrol/devices")
@devices.input(OwnDevice, arg_name="body")
@returns(NewDevice, status=201)
@requires("job.work")
def create_own_device(body: OwnDevice) -> tuple[Json, int]:
    """Bind OwnTracks or Traccar Client to the caller's own unit, for fixes while the phone is locked.

    The answer holds what to type, and `settings.text` for a QR code; it is shown this once.
    """
    with as_caller() as tx:
        made = service.create_device(
            tx, label=body.label or _label(tx, body.app), kind=body.app, unit_id=own_unit(tx).id
        )
    return _shown(made), 201


@devices.post("/patrol/devices/<uuid:device_id>/revoke")
@devices.input(Empty, arg_name="body")
@returns(Changed)
@requires("job.work")
def revoke_own_device(device_id: UUID, body: Empty) -> Json:
    """Withdraw one of the own unit's apps, as when a phone is lost or handed back."""
    with as_caller() as tx:
        service.revoke_device(tx, device_id)
    return {"id": device_id}


def _label(tx: Tx, app: App) -> str:
    return f"{own_unit(tx).call_sign} {app}"


def _shown(made: service.NewKey) -> Json:
    site_url = (site().settings.public_url or request.host_url).rstrip("/")
    return {
        "device_id": made.device_id,
        "kind": made.kind,
        "name": made.name,
        "secret": made.secret,
        "settings": app_settings(made.kind, site_url, made.name, made.secret),
        "broker_line": made.broker_line,
    }

"""A small world of scoped rows in every state that a policy tells apart, made from a seed."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from gridmap.clock import FixedClock
from gridmap.db.engine import Database
from gridmap.db.tables import Account, Camera, Feature, ImportBatch, Incident, Share, Unit, UnitLatest
from gridmap.services.tile_counts import refresh_dirty
from gridmap.services.transaction import system_transaction

WEST, SOUTH, SIZE_DEG = 113.0, 30.0, 0.12
CLASSES = ("S1.01", "S1.02", "S2.01")
STATUSES = ("open", "assigned", "closed")
KINDS = ("fixed", "dome")
CAMERA_STATUSES = ("online", "offline")
PATHS = (
    "",
    *("1", "1.2", "1.2.3"),
    *(f"1.2.3.{town}" for town in (4, 5)),
    *(f"1.2.3.{town}.{town}{grid}" for town in (4, 5) for grid in (1, 2, 3)),
    *(f"1.2.3.{town}.{town}{grid}.{town}{grid}7" for town in (4, 5) for grid in (1, 2, 3)),
    "1.2.8",
    "1.2.8.9",
)
ROWS = 400


@dataclass
class World:
    """The ids a test needs to make actors; the rows themselves are read back under row-level security."""

    database: Database
    clock: FixedClock
    accounts: list[uuid.UUID] = field(default_factory=list)
    units: list[uuid.UUID] = field(default_factory=list)
    hidden_batch: uuid.UUID = field(default_factory=uuid.uuid4)
    shown_batch: uuid.UUID = field(default_factory=uuid.uuid4)


def build_world(database: Database, clock: FixedClock, seed: int = 11) -> World:
    world = World(database, clock)
    dice = random.Random(seed)
    with system_transaction(database, clock) as tx:
        _people(tx.session, world, clock.now(), dice)
        _points(tx.session, world, clock.now(), dice)
    with system_transaction(database, clock) as tx:
        _shares(tx.session, world, clock.now(), dice)
    while refresh_dirty(database, clock):
        pass
    return world


def place(dice: random.Random) -> str:
    lon = WEST + dice.random() * SIZE_DEG
    lat = SOUTH + dice.random() * SIZE_DEG
    return f"SRID=4326;POINT({lon} {lat})"


def incident_row(dice: random.Random, world: World, now: datetime, number: int) -> dict[str, Any]:
    located = dice.random() < 0.95
    closed = dice.random() < 0.5
    reported = now - timedelta(days=dice.randrange(0, 400), minutes=dice.randrange(1440))
    return {
        "id": uuid.UUID(int=dice.getrandbits(128), version=4),
        "number": f"GM{number:08d}",
        "class_key": dice.choice(CLASSES),
        "severity": dice.randint(1, 4),
        "status": "closed" if closed else dice.choice(STATUSES[:2]),
        "outcome": "solved" if closed else None,
        "title": f"标题 {number}",
        "geom": place(dice) if located else None,
        "location_method": "point" if located else "none",
        "scope_path": dice.choice(PATHS),
        "occurred_from": reported,
        "reported_at": reported,
        "recorded_at": reported,
        "channel": "patrol",
        "drill": dice.random() < 0.05,
        "restricted": dice.random() < 0.15,
        "batch_id": dice.choice((None, None, world.shown_batch, world.hidden_batch)),
    }


def camera_row(dice: random.Random, world: World, now: datetime, number: int) -> dict[str, Any]:
    return {
        "id": uuid.UUID(int=dice.getrandbits(128), version=4),
        "code": f"3402{number:016d}",
        "name": f"探头 {number} 号",
        "kind": dice.choice(KINDS),
        "status": dice.choice(CAMERA_STATUSES),
        "geom": place(dice),
        "scope_path": dice.choice(PATHS),
        "withdrawn_at": now if dice.random() < 0.1 else None,
        "batch_id": dice.choice((None, None, world.shown_batch, world.hidden_batch)),
    }


def feature_row(dice: random.Random, world: World, now: datetime, number: int) -> dict[str, Any]:
    return {
        "id": uuid.UUID(int=dice.getrandbits(128), version=4),
        "layer": "resources",
        "name": f"资源 {number}",
        "geom": place(dice),
        "scope_path": dice.choice(PATHS),
        "withdrawn_at": now if dice.random() < 0.1 else None,
        "batch_id": dice.choice((None, None, world.shown_batch, world.hidden_batch)),
    }


def _people(session: Session, world: World, now: datetime, dice: random.Random) -> None:
    for number in range(3):
        world.accounts.append(uuid.uuid4())
        session.execute(
            insert(Account).values(
                id=world.accounts[-1], login=f"a{number}", display_name=f"A{number}", created_at=now
            )
        )
    for batch_id, visible_at in ((world.hidden_batch, None), (world.shown_batch, now)):
        session.execute(
            insert(ImportBatch).values(
                id=batch_id,
                noun="cameras",
                source="s",
                file_name="f",
                file_sha256=b"",
                started_at=now,
                visible_at=visible_at,
            )
        )
    for number in range(40):
        unit_id = uuid.uuid4()
        world.units.append(unit_id)
        session.execute(
            insert(Unit).values(
                id=unit_id,
                call_sign=f"U{number}",
                kind="patrol",
                mode="foot",
                scope_path=dice.choice(PATHS),
                status=dice.choice(("free", "busy")),
            )
        )
        session.execute(
            insert(UnitLatest).values(
                unit_id=unit_id, geom=place(dice), fixed_at=now, received_at=now, updated_at=now
            )
        )


def _points(session: Session, world: World, now: datetime, dice: random.Random) -> None:
    for table, make in ((Incident, incident_row), (Camera, camera_row), (Feature, feature_row)):
        session.execute(insert(table), [make(dice, world, now, number) for number in range(ROWS)])


def _shares(session: Session, world: World, now: datetime, dice: random.Random) -> None:
    incidents = session.scalars(text("select id from incident order by number")).all()
    for incident_id in dice.sample(list(incidents), 60):
        grantee = dice.choice(
            (
                {"account_id": dice.choice(world.accounts)},
                {"unit_id": dice.choice(world.units)},
                {"area_path": dice.choice(PATHS[1:])},
            )
        )
        expires_at = dice.choice((None, now + timedelta(hours=1), now - timedelta(hours=1)))
        session.execute(
            insert(Share).values(
                incident_id=incident_id, reason="offer", created_at=now, expires_at=expires_at, **grantee
            )
        )

"""A small made-up world for tests: two counties side by side, people with roles in each, units on duty."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from shapely.geometry import MultiPolygon, box
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import (
    AccessGrant,
    Account,
    Area,
    AreaSet,
    AreaVersion,
    Duty,
    Person,
    Unit,
    UnitLatest,
    UnitMember,
)
from gridmap.domain.actor import Actor
from gridmap.domain.ids import new_id
from gridmap.services.logging_in import actor_from
from gridmap.services.passwords import hash_password
from gridmap.services.transaction import system_transaction

WEST, SOUTH = 113.0, 28.2
SIDE = 0.01
PASSWORD = "correct-horse-battery"
PASSWORD_HASH = hash_password(PASSWORD)


@dataclass
class World:
    """Two counties, each with one township, one community and four grids in a row; county 0 west of county 1."""

    database: Database
    clock: Clock
    county_ids: list[int] = field(default_factory=list)
    county_paths: list[str] = field(default_factory=list)
    grid_ids: list[list[int]] = field(default_factory=list)

    def point_in(self, county: int, grid: int = 0) -> tuple[float, float]:
        """A point (lon, lat) well inside a grid."""
        return WEST + (county * 4 + grid + 0.5) * SIDE, SOUTH + 0.5 * SIDE

    def account(self, login: str, role: str, county: int | None, *, person_id: UUID | None = None) -> Actor:
        """An account with one grant, and its actor. All accounts share the test's password."""
        account_id = new_id()
        with system_transaction(self.database, self.clock) as tx:
            tx.session.add(
                Account(
                    id=account_id,
                    login=login,
                    display_name=login.title(),
                    password_hash=PASSWORD_HASH,
                    created_at=tx.now,
                    person_id=person_id,
                )
            )
            tx.session.flush()
            tx.session.add(
                AccessGrant(
                    account_id=account_id,
                    role=role,
                    area_id=None if county is None else self.county_ids[county],
                    valid_from=tx.now - timedelta(days=1),
                )
            )
        return self.actor(account_id)

    def actor(self, account_id: UUID) -> Actor:
        """The actor as the database would tell it for a session."""
        with system_transaction(self.database, self.clock) as tx:
            found = tx.session.execute(
                text(
                    "select jsonb_build_object('account_id', a.id, 'login', a.login, 'display_name', a.display_name,"
                    " 'person_id', a.person_id, 'grants', auth_grants(a.id, :at),"
                    " 'units', auth_units(a.person_id, :at))"
                    " from account a where a.id = :id"
                ),
                {"id": account_id, "at": tx.now},
            ).scalar_one()
        return actor_from(found)

    def officer(
        self,
        login: str,
        county: int,
        *,
        grid: int = 0,
        mode: str = "ebike",
        on_duty: bool = True,
        capabilities: Iterable[str] = (),
        at: tuple[float, float] | None = None,
    ) -> tuple[Actor, UUID]:
        """A unit of one on duty with a fresh fix, its person and account. Returns the actor and the unit's id."""
        unit_id, person_id = new_id(), new_id()
        lon, lat = at or self.point_in(county, grid)
        path = self.county_paths[county]
        with system_transaction(self.database, self.clock) as tx:
            tx.session.add(Person(id=person_id, name=login, scope_path=path))
            tx.session.add(
                Unit(
                    id=unit_id,
                    call_sign=login.upper(),
                    kind="grid_worker",
                    mode=mode,
                    capabilities=list(capabilities),
                    scope_path=path,
                    status="free" if on_duty else "off_duty",
                    home_area_id=self.grid_ids[county][grid],
                )
            )
            tx.session.flush()
            tx.session.add(
                UnitMember(
                    unit_id=unit_id, person_id=person_id, valid=Range(tx.now - timedelta(days=30), None)
                )
            )
            if on_duty:
                tx.session.add(Duty(unit_id=unit_id, started_at=tx.now - timedelta(hours=1)))
                tx.session.add(
                    UnitLatest(
                        unit_id=unit_id,
                        geom=f"SRID=4326;POINT({lon} {lat})",
                        fixed_at=tx.now,
                        received_at=tx.now,
                        updated_at=tx.now,
                        accuracy_m=8.0,
                    )
                )
        return self.account(login, "grid_worker", county, person_id=person_id), unit_id


def make_world(database: Database, clock: Clock) -> World:
    """Write the areas."""
    world = World(database, clock)
    with system_transaction(database, clock) as tx:
        area_set = AreaSet(id=new_id(), tree="admin", name="test", status="verified", created_at=tx.now)
        tx.session.add(area_set)
        tx.session.flush()
        since = tx.now - timedelta(days=365)

        def add(
            level: str, code: str, parent: tuple[int, str] | None, west: float, east: float
        ) -> tuple[int, str]:
            return _add_area(tx.session, area_set.id, since, level, code, parent, west, east)

        whole_east = WEST + 8 * SIDE
        province = add("province", "99", None, WEST, whole_east)
        city = add("city", "9901", province, WEST, whole_east)
        for number in (0, 1):
            west, east = WEST + number * 4 * SIDE, WEST + (number + 1) * 4 * SIDE
            code = f"99010{number + 1}"
            county = add("county", code, city, west, east)
            township = add("township", f"{code}001", county, west, east)
            community = add("community", f"{code}001001", township, west, east)
            grids = [
                add(
                    "grid",
                    f"{code}001001{grid + 1:03d}",
                    community,
                    west + grid * SIDE,
                    west + (grid + 1) * SIDE,
                )[0]
                for grid in range(4)
            ]
            world.county_ids.append(county[0])
            world.county_paths.append(county[1])
            world.grid_ids.append(grids)
    return world


def _add_area(
    session: Session,
    area_set_id: UUID,
    since: datetime,
    level: str,
    code: str,
    parent: tuple[int, str] | None,
    west: float,
    east: float,
) -> tuple[int, str]:
    area = Area(tree="admin", level=level, scheme="gb", code=code)
    session.add(area)
    session.flush()
    path = str(area.id) if parent is None else f"{parent[1]}.{area.id}"
    shape = MultiPolygon([box(round(west, 9), SOUTH, round(east, 9), SOUTH + SIDE)])
    session.add(
        AreaVersion(
            area_id=area.id,
            parent_id=parent[0] if parent else None,
            area_set_id=area_set_id,
            path=path,
            name=f"{level}-{code}",
            is_leaf=level == "grid",
            geom=f"SRID=4326;{shape.wkt}",
            valid=Range(since, None),
        )
    )
    session.flush()
    return area.id, path

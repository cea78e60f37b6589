"""The demo's people: staff, one account per unit, tokens of the channels. Passwords are drawn, never built in."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range, insert

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import Account, AreaVersion, Person, Unit, UnitMember
from gridmap.demo.check import LogIns
from gridmap.errors import Misconfigured
from gridmap.services.accounts import create_account, create_token, grant_role
from gridmap.services.passwords import hash_password
from gridmap.services.transaction import Tx, system_transaction

STAFF = (
    ("operator", "operator", "李坐席"),
    ("operator2", "operator", "王坐席"),
    ("lead", "shift_lead", "陈值班长"),
    ("planner", "planner", "赵规划"),
    ("approver", "approver", "钱审批"),
    ("analyst", "analyst", "孙分析"),
    ("admin", "administrator", "周管理"),
    ("auditor", "auditor", "吴审计"),
    ("wall", "wall", "指挥大屏"),
)
INTAKES = ("call_12345", "call_110", "sensor", "public")
POSITIONS = "positions"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class StaffLogIn:
    """One member of the centre's staff."""

    login: str
    password: str
    role: str
    display_name: str


@dataclass(frozen=True)
class OfficerLogIn:
    """The account on the phone of a unit; all of them share one drawn password."""

    login: str
    unit_id: str
    unit_ref: str
    call_sign: str
    kind: str
    shift: str | None


@dataclass(frozen=True)
class DemoLogIns:
    """Everything one needs to act in the demo; kept in a file for its owner only."""

    staff: list[StaffLogIn]
    officers: list[OfficerLogIn]
    officer_password: str
    tokens: dict[str, str]

    def of_role(self, role: str) -> StaffLogIn:
        return next(person for person in self.staff if person.role == role)

    def for_walk(self) -> LogIns:
        """The three people of the check. The officer is of a patrol, if there is one."""
        if not self.officers:
            raise Misconfigured("demo_has_no_unit")
        officer = next((one for one in self.officers if one.kind == "patrol"), self.officers[0])
        operator, lead = self.of_role("operator"), self.of_role("shift_lead")
        return LogIns(
            (operator.login, operator.password),
            (lead.login, lead.password),
            (officer.login, self.officer_password),
        )


def make_accounts(database: Database, clock: Clock, crews: Path) -> DemoLogIns:
    """Make all accounts and tokens over the whole district, in one transaction."""
    with system_transaction(database, clock) as tx:
        top = _find_top_area(tx)
        staff = [_make_staff(tx, top, *row) for row in STAFF]
        _fill_crews(tx, crews)
        password = _draw_password()
        officers = _make_officers(tx, top, password)
        tokens = {
            name: create_token(tx, name=f"demo {name}", role="intake", area_id=top, source=name).secret
            for name in INTAKES
        }
        tokens[POSITIONS] = create_token(
            tx, name="demo positions", role="position_gateway", area_id=top
        ).secret
    return DemoLogIns(staff, officers, password, tokens)


def write_log_ins(log_ins: DemoLogIns, path: Path) -> None:
    """For the owner's eyes only."""
    path.unlink(missing_ok=True)
    path.touch(0o600)
    path.write_text(json.dumps(asdict(log_ins), ensure_ascii=False, indent=1), encoding="utf-8")


def read_log_ins(path: Path) -> DemoLogIns:
    content = json.loads(path.read_text(encoding="utf-8"))
    return DemoLogIns(
        [StaffLogIn(**row) for row in content["staff"]],
        [OfficerLogIn(**row) for row in content["officers"]],
        content["officer_password"],
        content["tokens"],
    )


def _find_top_area(tx: Tx) -> int | None:
    """The area without a parent, which holds the whole demo."""
    return tx.session.scalars(
        select(AreaVersion.area_id).where(AreaVersion.parent_id.is_(None), AreaVersion.valid.contains(tx.now))
    ).first()


def _make_staff(tx: Tx, top: int | None, login: str, role: str, name: str) -> StaffLogIn:
    password = _draw_password()
    account_id = create_account(
        tx, login=login, display_name=name, password=password, must_change_password=False
    )
    grant_role(tx, account_id=account_id, role=role, area_id=top)
    return StaffLogIn(login, password, role, name)


def _fill_crews(tx: Tx, crews: Path) -> None:
    """Who is on which unit, from the district's own list; no importer knows crews yet."""
    with crews.open(encoding="utf-8", newline="") as handle:
        rows = [(row["unit_ref"], row["person_ref"]) for row in csv.DictReader(handle)]
    units = dict(tx.session.execute(select(Unit.ref, Unit.id)).tuples().all())
    people = dict(tx.session.execute(select(Person.ref, Person.id)).tuples().all())
    always = Range(tx.now, None)
    members = [
        {"unit_id": units[unit], "person_id": people[person], "valid": always}
        for unit, person in rows
        if unit in units and person in people
    ]
    if members:
        tx.session.execute(insert(UnitMember).on_conflict_do_nothing(), members)


def _make_officers(tx: Tx, top: int | None, password: str) -> list[OfficerLogIn]:
    crews = tx.session.execute(
        select(Unit, Person)
        .join(UnitMember, UnitMember.unit_id == Unit.id)
        .join(Person, Person.id == UnitMember.person_id)
        .where(Unit.withdrawn_at.is_(None))
        .order_by(Unit.ref, Person.ref)
    ).tuples()
    # One hash for all: argon2 is slow by design, and this is a demo's shared password.
    hashed = hash_password(password)
    made: dict[UUID, OfficerLogIn] = {}
    accounts: list[UUID] = []
    for unit, person in crews:
        if unit.id in made:
            continue
        login = f"p-{unit.ref}".lower()
        account_id = create_account(
            tx, login=login, display_name=person.name, must_change_password=False, person_id=person.id
        )
        role = "grid_worker" if unit.kind == "grid_worker" else "patrol"
        grant_role(tx, account_id=account_id, role=role, area_id=unit.home_area_id or top)
        accounts.append(account_id)
        made[unit.id] = OfficerLogIn(
            login, str(unit.id), str(unit.ref), unit.call_sign, unit.kind, unit.shift
        )
    _set_password(tx, accounts, hashed)
    return list(made.values())


def _set_password(tx: Tx, accounts: Sequence[UUID], hashed: str) -> None:
    tx.session.flush()
    tx.session.execute(
        update(Account)
        .where(Account.id.in_(accounts))
        .values(password_hash=hashed, must_change_password=False)
    )


def _draw_password() -> str:
    """Four groups of four, easy to read from one screen and type on another: 79 bits."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))

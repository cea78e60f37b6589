"""The audit trail can be added to by everybody and changed by nobody without being seen."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gridmap.clock import FixedClock
from gridmap.errors import Forbidden
from gridmap.services.auditing import audit, seal, verify_chain
from gridmap.services.transaction import system_transaction, transaction
from tests.world import World


def _record(world: World, count: int) -> None:
    operator = world.account(f"op{count}", "operator", 0)
    for number in range(count):
        with transaction(world.database, operator, world.clock) as tx:
            audit(tx, "contact.view", "incident", number, reason="20260601-00001")
    with system_transaction(world.database, world.clock) as tx:
        seal(tx)


def test_the_chain_holds_over_several_seals(world: World, clock: FixedClock) -> None:
    _record(world, 3)
    _record(world, 2)
    with system_transaction(world.database, clock) as tx:
        state = verify_chain(tx)
    assert (state.sealed, state.broken_at) == (5, None)


@pytest.mark.parametrize(
    "tampering",
    [
        "update audit set reason = 'x' where seal_no = 2",
        "delete from audit where seal_no = 2",
        "update audit set at = at + interval '1 hour' where seal_no = 2",
    ],
)
def test_tampering_is_found(world: World, clock: FixedClock, tampering: str) -> None:
    _record(world, 4)
    with system_transaction(world.database, clock) as tx:
        tx.session.execute(text(tampering))
    with system_transaction(world.database, clock) as tx:
        assert verify_chain(tx).broken_at == 2


@pytest.mark.parametrize("statement", ["update audit set reason = 'x'", "delete from audit"])
def test_the_webs_role_cannot_change_it(world: World, clock: FixedClock, statement: str) -> None:
    auditor = world.account("audrey", "auditor", None)
    with pytest.raises((Forbidden, ProgrammingError)), transaction(world.database, auditor, clock) as tx:
        tx.session.execute(text(statement))


def test_only_an_auditor_reads_it(world: World, clock: FixedClock) -> None:
    _record(world, 1)
    counts = {}
    for login, role in (("audrey", "auditor"), ("olivia", "operator")):
        with transaction(world.database, world.account(login, role, None), clock) as tx:
            counts[role] = tx.session.scalar(text("select count(*) from audit"))
    assert counts == {"auditor": 1, "operator": 0}

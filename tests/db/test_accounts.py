"""Logging in, granting and tokens, under the web's own role."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from gridmap.clock import FixedClock
from gridmap.db.tables import AccessGrant
from gridmap.errors import Conflict, Forbidden, GridmapError, Invalid, NotAuthenticated, TooMany
from gridmap.services import accounts
from gridmap.services.logging_in import LoggedIn, actor_of_session, actor_of_token, log_in, log_out, use_reset
from gridmap.services.transaction import transaction
from tests.world import PASSWORD, World

NEW_PASSWORD = "another-long-phrase"


def enter(world: World, login: str, password: str = PASSWORD, address: str = "10.0.0.1") -> LoggedIn:
    return log_in(
        world.database,
        world.clock,
        login=login,
        password=password,
        hours=12,
        address=address,
        user_agent="test",
    )


def test_a_session_knows_roles_verbs_and_scope(world: World, clock: FixedClock) -> None:
    world.account("olivia", "operator", 0)
    actor = actor_of_session(world.database, clock, enter(world, "OLIVIA").token)
    assert actor is not None
    assert actor.roles == ("operator",)
    assert actor.case_paths == (world.county_paths[0],)
    assert actor.can("case.dispatch")
    assert not actor.can("account.manage")


def test_a_session_ends_by_time_by_log_out_and_with_the_account(world: World, clock: FixedClock) -> None:
    admin = world.account("adam", "administrator", None)
    operator = world.account("olivia", "operator", 0)
    by_time, by_exit, by_disabling = (enter(world, "olivia").token for _ in range(3))
    log_out(world.database, clock, by_exit)
    assert actor_of_session(world.database, clock, by_exit) is None
    assert operator.account_id is not None
    with transaction(world.database, admin, clock) as tx:
        accounts.set_account_status(tx, operator.account_id, "disabled")
    assert actor_of_session(world.database, clock, by_disabling) is None
    with transaction(world.database, admin, clock) as tx:
        accounts.set_account_status(tx, operator.account_id, "active")
    clock.at += timedelta(hours=13)
    assert actor_of_session(world.database, clock, by_time) is None


def test_wrong_passwords_are_counted_and_then_made_to_wait(world: World, clock: FixedClock) -> None:
    world.account("olivia", "operator", 0)
    for _ in range(6):
        with pytest.raises(NotAuthenticated, match="login_failed"):
            enter(world, "olivia", "wrong-password")
    with pytest.raises(TooMany) as caught:
        enter(world, "olivia")
    assert 0 < caught.value.params["retry_after_s"] <= 900
    assert enter(world, "olivia", address="10.0.0.2").actor.login == "olivia", (
        "a stranger does not lock out others"
    )
    clock.at += timedelta(minutes=16)
    assert enter(world, "olivia").actor.login == "olivia"


def test_an_unknown_name_reads_like_a_wrong_password(world: World) -> None:
    world.account("olivia", "operator", 0)
    codes = []
    for login in ("olivia", "nobody"):
        with pytest.raises(GridmapError) as caught:
            enter(world, login, "wrong-password")
        codes.append((caught.value.code, caught.value.params))
    assert codes[0] == codes[1]


def test_changing_the_password_ends_the_other_sessions(world: World, clock: FixedClock) -> None:
    world.account("olivia", "operator", 0)
    here, elsewhere = enter(world, "olivia"), enter(world, "olivia")
    with transaction(world.database, here.actor, clock) as tx:
        accounts.change_password(tx, current=PASSWORD, new=NEW_PASSWORD)
    assert actor_of_session(world.database, clock, here.token) is not None
    assert actor_of_session(world.database, clock, elsewhere.token) is None
    assert enter(world, "olivia", NEW_PASSWORD).actor.login == "olivia"


def test_a_reset_works_once_for_its_own_account(world: World, clock: FixedClock) -> None:
    admin = world.account("adam", "administrator", None)
    olivia = world.account("olivia", "operator", 0)
    assert olivia.account_id is not None
    with transaction(world.database, admin, clock) as tx:
        code = accounts.start_reset(tx, olivia.account_id).secret
    with pytest.raises(Invalid, match="reset_not_valid"):
        use_reset(world.database, clock, token="made-up", new=NEW_PASSWORD)
    use_reset(world.database, clock, token=code, new=NEW_PASSWORD)
    assert enter(world, "olivia", NEW_PASSWORD).actor.login == "olivia"
    with pytest.raises(Invalid, match="reset_not_valid"):
        use_reset(world.database, clock, token=code, new="yet-another-phrase")


def test_nobody_grants_to_themselves_nor_beyond_their_area(world: World, clock: FixedClock) -> None:
    local = world.account("lola", "administrator", 0)
    other = world.account("olivia", "operator", 0)
    assert local.account_id is not None
    assert other.account_id is not None
    wanted = {"role": "operator", "department": None}
    with (
        pytest.raises(Conflict, match="no_grant_to_yourself"),
        transaction(world.database, local, clock) as tx,
    ):
        accounts.grant_role(tx, account_id=local.account_id, area_id=world.county_ids[0], **wanted)
    for area_id in (world.county_ids[1], None):
        with (
            pytest.raises(Forbidden, match="area_out_of_reach"),
            transaction(world.database, local, clock) as tx,
        ):
            accounts.grant_role(tx, account_id=other.account_id, area_id=area_id, **wanted)
    with transaction(world.database, local, clock) as tx:
        accounts.grant_role(tx, account_id=other.account_id, area_id=world.grid_ids[0][0], **wanted)


def test_an_operator_does_not_administer(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    with pytest.raises(Forbidden), transaction(world.database, operator, clock) as tx:
        accounts.create_account(tx, login="mallory", display_name="Mallory", password=NEW_PASSWORD)


def test_a_revoked_or_expired_token_is_nobody(world: World, clock: FixedClock) -> None:
    admin = world.account("adam", "administrator", None)
    with transaction(world.database, admin, clock) as tx:
        kept = accounts.create_token(tx, name="12345", role="intake", source="12345")
        gone = accounts.create_token(tx, name="old", role="intake")
        brief = accounts.create_token(
            tx, name="brief", role="intake", expires_at=clock.at + timedelta(hours=1)
        )
    with transaction(world.database, admin, clock) as tx:
        accounts.revoke_token(tx, gone.id)
    clock.at += timedelta(hours=2)
    found = actor_of_token(world.database, clock, kept.secret)
    assert found is not None
    assert (found.token_source, found.can("case.report"), found.can("case.read")) == ("12345", True, False)
    assert actor_of_token(world.database, clock, gone.secret) is None
    assert actor_of_token(world.database, clock, brief.secret) is None


def test_a_lapsed_grant_gives_nothing(world: World, clock: FixedClock) -> None:
    admin = world.account("adam", "administrator", None)
    olivia = world.account("olivia", "operator", 0)
    with transaction(world.database, admin, clock) as tx:
        grant_id = tx.session.scalars(
            select(AccessGrant.id).where(AccessGrant.account_id == olivia.account_id)
        ).one()
        accounts.revoke_grant(tx, grant_id)
    assert enter(world, "olivia").actor.verbs == frozenset()

"""Two people at once: one signs, one diverts first, and nothing is done twice or stands still."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

from sqlalchemy import func, select

from gridmap.clock import FixedClock
from gridmap.db.tables import Dispatch, Incident, IncidentEvent, ShiftHandover
from gridmap.domain.actor import Actor
from gridmap.errors import GridmapError
from gridmap.services import incidents, shifts
from gridmap.services.dispatching import offers, radio, steps
from gridmap.services.transaction import Tx, system_transaction, transaction
from tests.db.test_walk import report, send
from tests.world import World


def at_once(world: World, *acts: tuple[Actor, Callable[[Tx], object]]) -> list[str]:
    """Run each in a thread and a transaction of its own; "done" or the code of what refused it."""
    gate = threading.Barrier(len(acts))
    said: list[str] = [""] * len(acts)

    def run(number: int, actor: Actor, act: Callable[[Tx], object]) -> None:
        gate.wait()
        try:
            with transaction(world.database, actor, world.clock) as tx:
                act(tx)
            said[number] = "done"
        except GridmapError as error:
            said[number] = error.code

    threads = [threading.Thread(target=run, args=(n, *act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return said


def test_of_two_who_sign_one_owns_everything(world: World, clock: FixedClock) -> None:
    olivia = world.account("olivia", "operator", 0)
    seats = [world.account(name, "operator", 0) for name in ("omar", "otto", "odile")]
    for _ in range(4):
        case = report(world, olivia)
        with transaction(world.database, olivia, clock) as tx:
            incidents.take_handling(tx, case)
    with transaction(world.database, olivia, clock) as tx:
        handover_id = shifts.start(tx).row.id
    said = at_once(world, *((seat, lambda tx: shifts.sign(tx, handover_id)) for seat in seats))
    assert sorted(said) == ["done", "not_allowed_in_status", "not_allowed_in_status"]
    with system_transaction(world.database, clock) as tx:
        signer = tx.session.get_one(ShiftHandover, handover_id).signed_by
        assert tx.session.scalars(select(Incident.handler_account_id).distinct()).all() == [signer]
        handed = select(func.count()).where(IncidentEvent.kind == "handed_on")
        assert tx.session.scalar(handed) == 4


def test_diversions_across_each_other_do_not_stand_still(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    cases = [report(world, operator), report(world, operator)]
    jobs: list[UUID] = []
    for name, case in zip(("paul", "petra"), cases, strict=True):
        officer, unit_id = world.officer(name, 0)
        dispatch_id = send(world, operator, case, unit_id)
        with transaction(world.database, officer, clock) as tx:
            offers.accept(tx, dispatch_id)
            steps.depart(tx, dispatch_id)
        jobs.append(dispatch_id)

    def over(job: UUID, to: UUID) -> Callable[[Tx], object]:
        return lambda tx: radio.divert(tx, job, radio.Divert(to_incident_id=to, reason="换", assign=True))

    said = at_once(world, (operator, over(jobs[0], cases[1])), (operator, over(jobs[1], cases[0])))
    assert said == ["done", "done"]
    with system_transaction(world.database, clock) as tx:
        live = tx.session.scalars(select(Dispatch.incident_id).where(Dispatch.status == "accepted")).all()
        assert set(live) == set(cases)


def test_phone_and_radio_at_once_make_one_step(world: World, clock: FixedClock) -> None:
    operator = world.account("olivia", "operator", 0)
    officer, unit_id = world.officer("paul", 0)
    dispatch_id = send(world, operator, report(world, operator), unit_id)
    said = at_once(
        world,
        (officer, lambda tx: offers.accept(tx, dispatch_id)),
        (operator, lambda tx: radio.say_step(tx, dispatch_id, radio.Said(step="accept"))),
    )
    assert sorted(said) == ["done", "not_allowed_in_status"]
    with system_transaction(world.database, clock) as tx:
        accepted = select(func.count()).where(IncidentEvent.kind == "accepted")
        assert tx.session.scalar(accepted) == 1

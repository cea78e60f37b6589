"""The offer machine under random interleavings, on real rows: answers, silence, leaving, recalls, changes, crashes.

Held at every step: a place has one winner, a unit has one job, an offer has one end and one clock, and a need is being
asked for, met, carried to the next level, stopped by somebody, or an alarm.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from gridmap.db.tables import Alarm, Callout, Dispatch, Incident, IncidentEvent, Timer, Unit
from gridmap.domain.ids import new_id
from gridmap.domain.response import FenceRule, Place
from gridmap.errors import Conflict, GridmapError
from gridmap.positions.fence_model import FenceEvent
from gridmap.services import plans
from gridmap.services.dispatching import callouts, filling, needs, steps
from gridmap.services.dispatching.escalation import WORK_GOES_ON
from gridmap.services.dispatching.handlers import OFFER_TIMERS
from gridmap.services.dispatching.offers import OFFER_EXPIRES
from gridmap.services.timers import fire_due
from gridmap.services.transaction import Tx, system_transaction, transaction
from tests.callouts import Centre
from tests.races import at_once
from tests.world import World

CREWS = ("a", "b", "c", "d", "e")
PLAN = {
    "key": "machine",
    "name": {"zh": "试验", "en": "Trial"},
    "classes": ["S5.02"],
    "level": [
        {"mode": "next_in_line", "need": [{"count": 2}], "offer_s": 30, "deliver_s": 15, "level_s": 90},
        {"mode": "broadcast", "fence": "neighbours", "offer_s": 40, "deliver_s": 20, "level_s": 80},
    ],
}
crew = st.sampled_from(CREWS)
modes = st.sampled_from(["broadcast", "next_in_line", "named"])


class Machine(RuleBasedStateMachine):
    """One incident and five officers; what happened before in the same database is over and apart."""

    def __init__(self, centre: Centre) -> None:
        super().__init__()
        self.centre = centre
        self.database, self.clock = centre.world.database, centre.clock
        self.incident: UUID

    @initialize(mode=modes, count=st.integers(1, 3), by_plan=st.booleans())
    def report(self, mode: str, count: int, by_plan: bool) -> None:
        """Every run begins with people who are asked, or it would mostly be about nothing."""
        with system_transaction(self.database, self.clock) as tx:
            tx.session.execute(text("delete from timer"))
            tx.session.execute(
                text(
                    "update dispatch set status = 'cancelled' where status in"
                    " ('offered', 'accepted', 'en_route', 'on_scene')"
                )
            )
            tx.session.execute(
                text(
                    "update callout set status = 'stopped', ended_at = now(), fill_at = null"
                    " where status in ('open', 'met')"
                )
            )
            tx.session.execute(text("update unit set status = 'free'"))
            tx.session.execute(text("update unit_latest set fixed_at = :now"), {"now": tx.now})
        self.incident = self.centre.report()
        if by_plan:
            self.start_plan()
        else:
            self.call_out(mode, count)
        self.centre.work()

    @rule(mode=modes, count=st.integers(1, 3))
    @precondition(lambda self: len(self.centre.callouts(self.incident)) < 3)
    def call_out(self, mode: str, count: int) -> None:
        more: dict[str, Any] = {"offer_s": 30, "deliver_s": 15, "level_s": 120}
        if mode == "broadcast":
            more["fence"] = FenceRule("neighbours")
        if mode == "named":
            more["units"] = CREWS[:count]
        self.tolerate(lambda: self.centre.call_out(self.incident, mode, [Place("any", count)], **more))

    @rule()
    @precondition(lambda self: not self.centre.callouts(self.incident))
    def start_plan(self) -> None:
        def start() -> None:
            with transaction(self.database, self.centre.operator, self.clock) as tx:
                plans.start_plan(tx, self.incident)

        self.tolerate(start)

    @rule(name=crew)
    def accept(self, name: str) -> None:
        if self.has_job(name) and self.tolerate(lambda: self.centre.accept(name, self.incident)):
            self.check_winners(name)

    @rule()
    def all_accept_at_once(self) -> None:
        """Everybody who is asked taps at the same instant."""
        ready = self.centre.offered(self.incident)
        results = at_once([partial(self.centre.accept, name, self.incident) for name in ready])
        for name, result in zip(ready, results, strict=True):
            assert isinstance(result, Dispatch | Conflict), result
            if isinstance(result, Dispatch):
                self.check_winners(name)

    @rule(name=crew)
    def decline(self, name: str) -> None:
        if self.has_job(name):
            self.tolerate(lambda: self.centre.decline(name, self.incident))

    @rule(seconds=st.sampled_from([5, 16, 31, 95]))
    def wait(self, seconds: int) -> None:
        self.clock.at += timedelta(seconds=seconds)
        with system_transaction(self.database, self.clock) as tx:
            tx.session.execute(text("update unit_latest set fixed_at = :now"), {"now": tx.now})

    @rule()
    def work(self) -> None:
        self.centre.work()

    @rule(after_effect=st.booleans())
    def crash(self, after_effect: bool) -> None:
        """The worker dies in the middle of whatever falls due, and between looking for people and asking them."""

        def dying(handler: Any) -> Any:
            def run(tx: Tx, subject_id: UUID) -> None:
                if after_effect:
                    handler(tx, subject_id)
                    tx.session.flush()
                raise RuntimeError("the worker died")

            return run

        fire_due(self.database, self.clock, {kind: dying(OFFER_TIMERS[kind]) for kind in OFFER_TIMERS})
        with system_transaction(self.database, self.clock) as tx:
            for callout in tx.session.scalars(select(Callout).where(Callout.status == "open")).all():
                filling.look(tx, callout.id)
            tx.session.rollback()
        # The put-off timers come back in seconds; here at once.
        with system_transaction(self.database, self.clock) as tx:
            tx.session.execute(text("update timer set due_at = :now where attempts > 0"), {"now": tx.now})

    @rule(name=crew, kind=st.sampled_from(["enter", "exit"]))
    def cross_the_fence(self, name: str, kind: str) -> None:
        unit_id = self.centre.crews[name][1]
        with system_transaction(self.database, self.clock) as tx:
            fences = tx.session.scalars(
                select(Callout.fence_id).where(
                    Callout.incident_id == self.incident, Callout.fence_id.is_not(None)
                )
            ).all()
            events = [
                FenceEvent(unit_id, fence, kind, tx.now, new_id(), tx.now)  # type: ignore[arg-type]
                for fence in fences
                if fence is not None
            ]
            callouts.on_fence_events(tx, events)

    @rule(name=crew)
    def recall(self, name: str) -> None:
        def cancel() -> None:
            with transaction(self.database, self.centre.operator, self.clock) as tx:
                steps.cancel(tx, self.centre.job_of(name, self.incident).id, reason="改派")

        if self.has_job(name):
            self.tolerate(cancel)

    @rule(name=crew)
    def finish(self, name: str) -> None:
        def report_done() -> None:
            job = self.centre.job_of(name, self.incident).id
            with transaction(self.database, self.centre.crews[name][0], self.clock) as tx:
                steps.arrive(tx, job)
                steps.report_done(tx, job, code="solved", note="", photo_ids=[])

        if self.has_job(name):
            self.tolerate(report_done)

    @rule(name=crew, status=st.sampled_from(["free", "off_duty"]))
    def duty(self, name: str, status: str) -> None:
        with system_transaction(self.database, self.clock) as tx:
            tx.session.execute(
                text("update unit set status = :status where id = :id and status <> 'busy'"),
                {"status": status, "id": self.centre.crews[name][1]},
            )

    @rule(count=st.integers(1, 3))
    def change_need(self, count: int) -> None:
        def change(callout_id: UUID) -> None:
            with transaction(self.database, self.centre.operator, self.clock) as tx:
                callouts.change_need(tx, callout_id, need=(Place("any", count),), reason="变化")

        for callout in self.centre.callouts(self.incident):
            self.tolerate(partial(change, callout.id))

    @rule()
    def stop_one(self) -> None:
        def stop(callout_id: UUID) -> None:
            with transaction(self.database, self.centre.operator, self.clock) as tx:
                callouts.stop_callout(tx, callout_id, reason="不再需要")

        for callout in self.centre.callouts(self.incident)[:1]:
            self.tolerate(partial(stop, callout.id))

    @invariant()
    def nobody_has_two_jobs_and_every_offer_one_clock(self) -> None:
        if not hasattr(self, "incident"):
            return
        with system_transaction(self.database, self.clock) as tx:
            taken = Counter(
                tx.session.scalars(
                    select(Dispatch.unit_id).where(Dispatch.status.in_(("accepted", "en_route", "on_scene")))
                )
            )
            busy = set(tx.session.scalars(select(Unit.id).where(Unit.status == "busy")))
            offered = set(tx.session.scalars(select(Dispatch.id).where(Dispatch.status == "offered")))
            clocks = list(tx.session.scalars(select(Timer.subject_id).where(Timer.kind == OFFER_EXPIRES)))
            ends = Counter(
                tx.session.execute(
                    select(IncidentEvent.params["dispatch_id"].astext).where(
                        IncidentEvent.incident_id == self.incident,
                        IncidentEvent.kind.in_(("declined", "expired", "withdrawn", "cancelled", "done")),
                    )
                ).all()
            )
        assert all(count == 1 for count in taken.values())
        assert set(taken) == busy
        assert offered == set(clocks)
        assert len(clocks) == len(offered)
        assert all(count == 1 for count in ends.values()), "an offer ends once"

    @invariant()
    def no_need_is_silently_unmet(self) -> None:
        if not hasattr(self, "incident"):
            return
        with system_transaction(self.database, self.clock) as tx:
            incident = tx.session.get_one(Incident, self.incident)
            reviews = set(
                tx.session.scalars(select(Timer.subject_id).where(Timer.kind == needs.CALLOUT_REVIEW))
            )
            ends = set(
                tx.session.scalars(select(Timer.subject_id).where(Timer.kind == callouts.CALLOUT_EXPIRES))
            )
            alarms = set(
                tx.session.scalars(
                    select(Alarm.subject_id).where(Alarm.kind == "callout_unmet", Alarm.status == "raised")
                )
            )
            for callout in tx.session.scalars(
                select(Callout).where(Callout.incident_id == self.incident)
            ).all():
                left = needs.places_left(tx, callout)
                if callout.id in reviews or incident.status not in WORK_GOES_ON:
                    continue
                match callout.status:
                    case "open":
                        assert callout.id in ends
                        asking = needs.offers_out(tx, callout.id)
                        assert asking or callout.fill_at or callout.id in alarms, "open, and nobody looks"
                    case "met":
                        assert not left
                    case "unmet":
                        assert not left, "what was given up is carried or alarmed, not forgotten"
                        assert callout.next_id or callout.id in alarms
                    case "stopped":
                        assert callout.end_reason
                        assert not needs.offers_out(tx, callout.id)

    def teardown(self) -> None:
        """Whatever happened, in the end everything is met, stopped, carried on, or an alarm."""
        if not hasattr(self, "incident"):
            return
        for _ in range(4):
            self.wait(95)
            self.centre.work()
        self.no_need_is_silently_unmet()
        for callout in self.centre.callouts(self.incident):
            assert callout.status != "open" or callout.nobody_since or callout.fill_at
        assert self.centre.offered(self.incident) == [] or self.centre.callouts(self.incident)

    def has_job(self, name: str) -> bool:
        with system_transaction(self.database, self.clock) as tx:
            return bool(
                tx.session.scalar(
                    select(Dispatch.id)
                    .where(
                        Dispatch.incident_id == self.incident,
                        Dispatch.unit_id == self.centre.crews[name][1],
                    )
                    .limit(1)
                )
            )

    def check_winners(self, name: str) -> None:
        job = self.centre.job_of(name, self.incident)
        if job.callout_id is None:
            return
        with system_transaction(self.database, self.clock) as tx:
            callout = tx.session.get_one(Callout, job.callout_id)
            places = {place["key"]: place["count"] for place in callout.need}
            for key, taken in needs.taken_places(tx, callout.id).items():
                assert taken <= places.get(key, 0), "two winners for one place"

    def tolerate(self, call: Any) -> bool:
        """True when it was allowed; a refusal with a code is an answer, anything else a fault."""
        try:
            call()
        except GridmapError:
            return False
        return True


def run(world: World, examples: int, steps_each: int, **more: Any) -> None:
    centre = Centre(world)
    for number, name in enumerate(CREWS):
        centre.officer(name, number % 3)
    with system_transaction(world.database, world.clock) as tx:
        plans._add(tx, PLAN, 1, "site")
        tx.session.execute(text("update duty set ends_at = null"))
    run_state_machine_as_test(
        partial(Machine, centre),  # type: ignore[arg-type]
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps_each,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )


@pytest.mark.usefixtures("caplog")
def test_no_interleaving_makes_two_winners_or_a_silent_need(world: World) -> None:
    run(world, examples=10, steps_each=10, derandomize=True)


@pytest.mark.slow
def test_no_long_interleaving_does(world: World) -> None:
    run(world, examples=150, steps_each=60)

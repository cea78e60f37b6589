"""A centre and its people for tests of call-outs: report, call out, answer, let time go by, look at the rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import FixedClock
from gridmap.db.tables import Alarm, Callout, Dispatch, Incident, IncidentEvent, Unit
from gridmap.domain.actor import Actor
from gridmap.domain.response import Place, Rules
from gridmap.services.dispatching import callouts, filling, offers
from gridmap.services.dispatching.handlers import OFFER_TIMERS
from gridmap.services.reports import TakeReport, take_report
from gridmap.services.timers import fire_due
from gridmap.services.transaction import system_transaction, transaction
from gridmap.services.vault import Vault
from tests.world import World

VAULT = Vault(b"k" * 48)
# Nothing listens there: ranked by the straight line, as on a site without a road graph.
NO_ROADS = Valhalla("http://127.0.0.1:9")


class Centre:
    """County 0 of a world, with an operator, and officers by call sign."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock: FixedClock = world.clock  # type: ignore[assignment]
        self.operator = world.account("olivia", "operator", 0)
        self.crews: dict[str, tuple[Actor, UUID]] = {}

    def officer(self, name: str, grid: int = 0, county: int = 0, **more: Any) -> UUID:
        self.crews[name] = self.world.officer(name, county, grid=grid, **more)
        return self.crews[name][1]

    def report(self, class_key: str = "S5.02", grid: int = 0, **more: Any) -> UUID:
        lon, lat = self.world.point_in(0, grid)
        command = TakeReport(channel="operator", class_key=class_key, text="噪音", lon=lon, lat=lat, **more)
        with transaction(self.world.database, self.operator, self.clock) as tx:
            return take_report(tx, command, VAULT).incident_id

    def call_out(
        self,
        incident_id: UUID,
        mode: str = "next_in_line",
        need: Sequence[Place] = (Place("any", 1),),
        units: Sequence[str] = (),
        **rules: Any,
    ) -> UUID:
        command = callouts.OpenCallout(
            incident_id=incident_id,
            mode=mode,
            need=tuple(need),
            rules=Rules(**rules),
            unit_ids=tuple(self.crews[name][1] for name in units),
        )
        with transaction(self.world.database, self.operator, self.clock) as tx:
            return callouts.open_callout(tx, command).id

    def work(self) -> None:
        """The worker's loops, until nothing is left to do now."""
        for _ in range(20):
            done = fire_due(self.world.database, self.clock, OFFER_TIMERS)
            if done + filling.fill_due(self.world.database, self.clock, NO_ROADS) == 0:
                return
        raise AssertionError("the worker never comes to rest")

    def wait(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)
        self.work()

    def offered(self, incident_id: UUID) -> list[str]:
        """The call signs with an unanswered offer, by when they were asked."""
        return [name for name, status in self.jobs(incident_id) if status == "offered"]

    def jobs(self, incident_id: UUID) -> list[tuple[str, str]]:
        with system_transaction(self.world.database, self.clock) as tx:
            rows = tx.session.execute(
                select(Unit.call_sign, Dispatch.status)
                .join(Dispatch, Dispatch.unit_id == Unit.id)
                .where(Dispatch.incident_id == incident_id)
                .order_by(Dispatch.offered_at, Dispatch.id)
            ).all()
        return [(call_sign.lower(), status) for call_sign, status in rows]

    def job_of(self, name: str, incident_id: UUID) -> Dispatch:
        """The newest job of an officer on an incident."""
        with system_transaction(self.world.database, self.clock) as tx:
            return tx.session.scalars(
                select(Dispatch)
                .where(Dispatch.unit_id == self.crews[name][1], Dispatch.incident_id == incident_id)
                .order_by(Dispatch.id.desc())
                .limit(1)
            ).one()

    def accept(self, name: str, incident_id: UUID) -> Dispatch:
        with transaction(self.world.database, self.crews[name][0], self.clock) as tx:
            return offers.accept(tx, self.job_of(name, incident_id).id)

    def decline(self, name: str, incident_id: UUID) -> Dispatch:
        with transaction(self.world.database, self.crews[name][0], self.clock) as tx:
            return offers.decline(tx, self.job_of(name, incident_id).id, reason="busy")

    def callout(self, callout_id: UUID) -> Callout:
        with system_transaction(self.world.database, self.clock) as tx:
            return tx.session.get_one(Callout, callout_id)

    def callouts(self, incident_id: UUID) -> list[Callout]:
        with system_transaction(self.world.database, self.clock) as tx:
            return list(
                tx.session.scalars(
                    select(Callout).where(Callout.incident_id == incident_id).order_by(Callout.id)
                )
            )

    def alarms(self, kind: str) -> list[Alarm]:
        with system_transaction(self.world.database, self.clock) as tx:
            return list(tx.session.scalars(select(Alarm).where(Alarm.kind == kind, Alarm.status == "raised")))

    def events(self, incident_id: UUID) -> list[str]:
        with system_transaction(self.world.database, self.clock) as tx:
            return list(
                tx.session.scalars(
                    select(IncidentEvent.kind)
                    .where(IncidentEvent.incident_id == incident_id)
                    .order_by(IncidentEvent.at, IncidentEvent.id)
                )
            )

    def incident(self, incident_id: UUID) -> Incident:
        with system_transaction(self.world.database, self.clock) as tx:
            return tx.session.get_one(Incident, incident_id)

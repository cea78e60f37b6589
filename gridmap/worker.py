"""The background processes: positions by themselves; in one worker timers, counts, sealing the audit trail, ageing."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import text

from gridmap.adapters.children import Child, start_child
from gridmap.adapters.messages import MessageHook
from gridmap.adapters.mqtt import Inbox
from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import Clock, SystemClock
from gridmap.db.cluster_layout import layout_of
from gridmap.db.engine import Database
from gridmap.domain.cover import cover_rules
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import risk_rules
from gridmap.errors import Misconfigured
from gridmap.serve.children import settings_environment
from gridmap.services import (
    alarms,
    closures,
    fence_events,
    mqtt_positions,
    patrol,
    patrol_routes,
    plans,
    shifts,
)
from gridmap.services import cover as covering
from gridmap.services.auditing import seal
from gridmap.services.dispatching import arrivals, clocks, delivery, filling, reinforcing, sos, watching
from gridmap.services.dispatching import help as helping
from gridmap.services.dispatching.handlers import OFFER_TIMERS
from gridmap.services.fix_intake import FixIntake
from gridmap.services.fix_placing import FixPlacer
from gridmap.services.risk import nightly
from gridmap.services.risk.early_warning import watch as early_warning
from gridmap.services.tile_counts import refresh_dirty
from gridmap.services.timers import Handler, fire_due
from gridmap.services.transaction import system_transaction
from gridmap.settings import Settings

log = logging.getLogger(__name__)

OUTBOX_KEPT = timedelta(hours=24)
LOGIN_ATTEMPTS_KEPT = timedelta(days=1)
FIX_PARTITIONS_AHEAD_DAYS = 3
_PAUSE_AFTER_FAULT_S = 2.0
# A fix waits half of this on average before it is looked at; what a turn costs by itself is shared by all it finds.
POSITIONS_EVERY_S = 0.15

TIMER_HANDLERS: dict[str, Handler] = {
    **OFFER_TIMERS,
    clocks.STEP_DUE: watching.step_due,
    watching.QUESTION_DUE: watching.unanswered,
    helping.HELP_WANTED: reinforcing.reinforce,
    sos.SOS_UNHEARD: sos.unheard,
    alarms.COPIES_SETTLE: alarms.settle_copies,
    patrol.DUTY_ENDS: patrol.duty_is_over,
    shifts.HANDOVER_UNSIGNED: shifts.unsigned,
    closures.CLOSURE_STARTS: closures.closure_starts,
    closures.CLOSURE_ENDS: closures.closure_ends,
    nightly.NIGHTLY: nightly.run_tonight,
}


@dataclass(frozen=True)
class Loop:
    """Something done again and again; `turn` returns True when there may be more to do at once."""

    name: str
    every_s: float
    turn: Callable[[], bool]


def run_worker(settings: Settings, stop: threading.Event) -> None:
    """Run every loop, each in its own thread, until `stop` is set. A loop that fails logs, waits and goes on."""
    database = Database.from_settings(settings)
    with system_transaction(database, SystemClock()) as tx:
        plans.load_shipped(tx)
    threads = [
        threading.Thread(target=_run, args=(loop, stop), name=loop.name, daemon=True)
        for loop in loops(database, SystemClock(), settings)
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    for thread in threads:
        thread.join(timeout=10)
    database.dispose()


def run_positions(settings: Settings, shard: int, stop: threading.Event) -> None:
    """Place the positions of one shard of units until `stop` is set."""
    database = Database.from_settings(settings)
    metric = LocalMetric(settings.local_crs)
    placer = FixPlacer(database, SystemClock(), metric, shard=shard, shards=settings.positions_shards)

    def turn() -> bool:
        placer.turn()
        return placer.has_more

    _run(Loop("positions", POSITIONS_EVERY_S, turn), stop)
    database.dispose()


def run_mqtt(settings: Settings, stop: threading.Event) -> None:
    """Take positions from the broker until `stop` is set. Raises Misconfigured("mqtt_url_missing")."""
    if settings.mqtt_url is None:
        raise Misconfigured("mqtt_url_missing")
    database = Database.from_settings(settings)
    intake = FixIntake(database, SystemClock(), settings.positions_shards)
    url = settings.mqtt_url.get_secret_value()
    with Inbox(url, mqtt_positions.TOPIC, mqtt_positions.CLIENT_ID, ca_file=settings.mqtt_ca) as inbox:
        mqtt_positions.MqttPositions(database, intake, inbox).run(stop)
    database.dispose()


def loops(database: Database, clock: Clock, settings: Settings) -> list[Loop]:
    """What the worker does, and how often."""

    router = Valhalla(settings.routing_url)
    secret = settings.message_hook_secret
    hook = (
        MessageHook(settings.message_hook, secret.get_secret_value() if secret else None)
        if settings.message_hook
        else None
    )

    def timers() -> bool:
        return fire_due(database, clock, TIMER_HANDLERS) > 0

    def call_outs() -> bool:
        return filling.fill_due(database, clock, router) > 0

    def messages() -> bool:
        return delivery.send_due(database, clock, hook) > 0

    def tile_counts() -> bool:
        refresh_dirty(database, clock)
        # Never at once: a layer's version grows once a second at most.
        return False

    def audit_seal() -> bool:
        with system_transaction(database, clock) as tx:
            return seal(tx) > 0

    arrivals_ahead = arrivals.ArrivalTimes(database, clock, Valhalla(settings.routing_url))

    def arrival_times() -> bool:
        arrivals_ahead.refresh()
        return False

    keeper = covering.CoverKeeper(database, clock, router, cover_rules())

    def cover() -> bool:
        keeper.turn()
        return False

    routes_watched = patrol_routes.RouteWatch(database, clock, LocalMetric(settings.local_crs))

    def routes_passed() -> bool:
        routes_watched.turn()
        return False

    watch = early_warning.Watch(database, clock, LocalMetric(settings.local_crs), risk_rules())

    def warnings() -> bool:
        watch.turn()
        return False

    def look_after() -> bool:
        with system_transaction(database, clock) as tx:
            watching.look_after(tx)
        return False

    def ageing() -> bool:
        age_out(database, clock, settings)
        return False

    return [
        Loop("timers", 0.5, timers),
        Loop("call-outs", 0.5, call_outs),
        Loop("messages", 1.0, messages),
        Loop("tile-counts", 1.0, tile_counts),
        Loop("audit-seal", 2.0, audit_seal),
        Loop("look-after", 10.0, look_after),
        Loop("patrol-routes", 60.0, routes_passed),
        Loop("arrival-times", 5.0, arrival_times),
        Loop("cover", covering.EVERY_S, cover),
        Loop("risk", 5.0, RiskChild(database, clock, settings).turn),
        Loop("early-warning", early_warning.EVERY_S, warnings),
        Loop("ageing", 600.0, ageing),
    ]


@dataclass
class RiskChild:
    """Starts `gridmap risk work` while runs wait: forecasting takes minutes of a whole core, and timers must not."""

    database: Database
    clock: Clock
    settings: Settings
    child: Child | None = None

    def turn(self) -> bool:
        if self.child is not None:
            status = self.child.find_status()
            if status is None:
                return False
            if status != 0:
                log.error("risk work ended badly", extra={"status": status})
            self.child = None
        with system_transaction(self.database, self.clock) as tx:
            nightly.ensure_timer(tx)
            waits = nightly.has_work(tx)
        if waits:
            layout = layout_of(self.settings)
            self.child = start_child(
                [sys.executable, "-m", "gridmap", "risk", "work"],
                account=layout.account,
                extra_env=settings_environment(self.settings),
                log=layout.log_dir / "risk.log",
                reads=[Path(__file__)],
            )
        return False


def age_out(database: Database, clock: Clock, settings: Settings) -> None:
    """Drop what has outlived its purpose: days of positions, told notices, expired pictures and contacts."""
    with system_transaction(database, clock) as tx:
        today = tx.now.date()
        for ahead in range(FIX_PARTITIONS_AHEAD_DAYS + 1):
            tx.session.execute(
                text("select make_fix_partition(:day)"), {"day": today + timedelta(days=ahead)}
            )
        tx.session.execute(
            text("select drop_fix_partitions(:day)"),
            {"day": today - timedelta(days=settings.positions_kept_days)},
        )
    with system_transaction(database, clock) as tx:
        fence_events.drop_old(tx, timedelta(days=settings.positions_kept_days))
    with system_transaction(database, clock) as tx:
        watching.forget_old(tx)
        sos.forget_places(tx)
    for statement, before in (
        ("delete from outbox where at < :before", OUTBOX_KEPT),
        ("delete from login_attempt where at < :before", LOGIN_ATTEMPTS_KEPT),
        ("delete from blob where expires_at < :before", timedelta(0)),
        ("delete from contact where expires_at < :before", timedelta(0)),
        (
            "delete from device_refusal where day < cast(:before as date)",
            timedelta(days=settings.positions_kept_days),
        ),
        ("delete from fix_batch where set_aside_at < :before", timedelta(days=settings.positions_kept_days)),
    ):
        with system_transaction(database, clock) as tx:
            tx.session.execute(text(statement), {"before": tx.now - before})


def _run(loop: Loop, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            more = loop.turn()
        except Exception:
            log.exception("worker loop failed", extra={"loop": loop.name})
            stop.wait(_PAUSE_AFTER_FAULT_S)
            continue
        if not more:
            stop.wait(loop.every_s)

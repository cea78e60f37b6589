"""The nightly run: a timer asks for one run of every county and horizon, and counts what came of the ended ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text

from gridmap.db.tables import RiskJob, RiskRun, Timer
from gridmap.domain.risk_rules import RiskRules, risk_rules
from gridmap.services.risk.jobs import SILENT_AFTER, ask, top_areas
from gridmap.services.risk.outcomes import SETTLED_AFTER_DAYS
from gridmap.services.risk.store import Author
from gridmap.services.timers import set_timer
from gridmap.services.transaction import Tx

NIGHTLY = "risk.nightly"
SUBJECT = UUID("6b1f3f0e-6a2d-4f57-9d3b-0c5a8f4e2d11")
AUTHOR = Author(None, "system", "nightly")


_HAS_WORK = text(
    "select exists (select from risk_job where status = 'waiting' or (status = 'running' and alive_at < :silent))"
    " or exists (select from risk_run where made_at is not null and outcome_at is null"
    " and origin_on + horizon_days + :settle <= :today)"
)


def run_tonight(tx: Tx, _subject: UUID) -> None:
    """Ask for tonight's runs, and set the timer for the next night."""
    rules = risk_rules()
    for code in top_areas(tx):
        ask(tx, code, rules.horizons, AUTHOR)
    set_timer(tx, NIGHTLY, SUBJECT, next_night(tx, rules))


def ensure_timer(tx: Tx) -> None:
    """Set the nightly timer where none stands."""
    if tx.session.scalar(select(Timer.id).where(Timer.kind == NIGHTLY)) is None:
        set_timer(tx, NIGHTLY, SUBJECT, next_night(tx, risk_rules()))


def next_night(tx: Tx, rules: RiskRules) -> datetime:
    """The next moment at which the local clock shows the hour of the run."""
    local = tx.now.astimezone(tx.zone)
    at = local.replace(hour=rules.nightly_hour, minute=0, second=0, microsecond=0)
    return at if at > local else at + timedelta(days=1)


def has_work(tx: Tx) -> bool:
    """Whether some run waits to be made, a horizon that is over waits to be counted, or a worker fell silent."""
    return bool(
        tx.session.scalar(
            _HAS_WORK,
            {
                "silent": tx.now - SILENT_AFTER,
                "today": tx.now.astimezone(tx.zone).date(),
                "settle": SETTLED_AFTER_DAYS,
            },
        )
    )


def ask_first(tx: Tx) -> int:
    """Where nothing was ever run or asked for: the next four weeks, the four before them, and the next week.

    The one that looks back lets a page show at once what such a forecast was worth. Returns how many jobs now wait.
    """
    seen = tx.session.scalar(select(RiskRun.id).limit(1)) or tx.session.scalar(select(RiskJob.id).limit(1))
    if seen is not None:
        return 0
    rules = risk_rules()
    longest = max(rules.horizons, key=lambda one: one.days)
    others = [one for one in rules.horizons if 1 < one.days < longest.days]
    before = tx.now.astimezone(tx.zone).date() - timedelta(days=longest.days + 2)
    asked = 0
    for code in top_areas(tx):
        # What is there soon comes first; the replay of the past follows.
        asked += len(ask(tx, code, [longest], AUTHOR, checked=False))
        asked += len(ask(tx, code, [longest], AUTHOR, origin_on=before, checked=False))
        asked += len(ask(tx, code, [*others, longest], AUTHOR))
    return asked

"""Runs that are to be made: asked for in a transaction, taken one at a time by workers of any host (SKIP LOCKED).

A worker that falls silent gives its job back after a while. A run depends on the data and the origin alone, so it does
not matter which worker makes it, or how many share the counties of a province.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.db.tables import RiskJob
from gridmap.domain.actor import is_below
from gridmap.domain.ids import new_id
from gridmap.domain.metric import LocalMetric
from gridmap.domain.risk_rules import Horizon, RiskRules
from gridmap.errors import GridmapError, Invalid, NotFound
from gridmap.services.risk.beside import read_beside
from gridmap.services.risk.compute import compute_run
from gridmap.services.risk.events import read_events
from gridmap.services.risk.ground import find_area, read_ground, split
from gridmap.services.risk.release import last_period, release
from gridmap.services.risk.store import Author, drop_unfinished, write_run
from gridmap.services.transaction import Tx, system_transaction

log = logging.getLogger(__name__)

SILENT_AFTER = timedelta(minutes=15)
MOST_ATTEMPTS = 3
_SAYS_ALIVE_S = 20.0
EARLIEST = date(2000, 1, 1)

_CLAIM = text(
    "update risk_job set status = 'running', claimed_by = :who, alive_at = :now, attempts = attempts + 1"
    " where id = (select id from risk_job where (status = 'waiting'"
    " or (status = 'running' and alive_at < :silent)) and (cast(:only as uuid[]) is null or id = any(:only))"
    " order by asked_at, id limit 1 for update skip locked)"
    " returning id, area_id, horizon, origin_on, checked, author_account_id, author_name, purpose, attempts,"
    " (select code from area where area.id = area_id) as code"
)


_TOPS = text(
    "select a.code from area_version v join area a on a.id = v.area_id"
    " where a.tree = 'admin' and v.parent_id is null and v.valid @> cast(:now as timestamptz) order by a.code"
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that is ours."""

    id: UUID
    code: str
    horizon: str
    origin_on: date
    author: Author
    attempts: int
    checked: bool = True


def top_areas(tx: Tx) -> list[str]:
    """The codes of the areas that nothing lies above."""
    return list(tx.session.scalars(_TOPS, {"now": tx.now}))


def ask_area(tx: Tx, area_id: int) -> str:
    """The code of an area in whose incidents the actor may look. Raises NotFound("area_unknown")."""
    row = tx.session.execute(
        text(
            "select a.code, v.path::text as path from area_version v join area a on a.id = v.area_id"
            " where a.id = :id and v.valid @> cast(:now as timestamptz)"
        ),
        {"id": area_id, "now": tx.now},
    ).one_or_none()
    if row is None or not any(is_below(row.path, root) for root in tx.actor.case_paths):
        raise NotFound("area_unknown", area_id=area_id)
    return str(row.code)


def worker_name() -> str:
    """This process, told apart from those of other hosts."""
    return f"{socket.gethostname()}:{os.getpid()}"


def ask(
    tx: Tx,
    code: str,
    horizons: Sequence[Horizon],
    author: Author,
    *,
    origin_on: date | None = None,
    checked: bool = True,
) -> list[UUID]:
    """Ask for runs of an area, county by county where it has counties. Returns the ids of the jobs that now wait.

    A job of the same kind that waits already stands for this one. `checked`: replay the past too.
    `origin_on`: the first local day to forecast, today unless given; a past one makes the run that could have been
    made then.
    Raises NotFound("area_unknown"), Invalid("risk_origin") for a day to come.
    """
    today = tx.now.astimezone(tx.zone).date()
    first = origin_on or today
    if not EARLIEST <= first <= today:
        raise Invalid("risk_origin", origin_on=first.isoformat(), latest=today.isoformat())
    asked: list[UUID] = []
    for part in split(tx, code):
        area = find_area(tx, part)
        for horizon in horizons:
            made = new_id()
            tx.session.execute(
                insert(RiskJob)
                .values(
                    id=made, area_id=area.id, scope_path=area.path, horizon=horizon.key, origin_on=first,
                    checked=checked, asked_at=tx.now, author_account_id=author.account_id, author_name=author.name,
                    purpose=author.purpose,
                )
                .on_conflict_do_nothing()
            )  # fmt: skip
            asked += tx.session.scalars(
                select(RiskJob.id).where(
                    RiskJob.area_id == area.id,
                    RiskJob.horizon == horizon.key,
                    RiskJob.origin_on == first,
                    RiskJob.checked == checked,
                    RiskJob.status.in_(("waiting", "running")),
                )
            ).all()
    return asked


def claim(database: Database, clock: Clock, who: str, only: Collection[UUID] | None = None) -> Claimed | None:
    """Take the oldest job that waits, or whose worker fell silent; None when there is none."""
    with system_transaction(database, clock) as tx:
        row = tx.session.execute(
            _CLAIM,
            {
                "who": who,
                "now": tx.now,
                "silent": tx.now - SILENT_AFTER,
                "only": None if only is None else list(only),
            },
        ).one_or_none()
    if row is None:
        return None
    author = Author(row.author_account_id, row.author_name, row.purpose)
    return Claimed(row.id, row.code, row.horizon, row.origin_on, author, row.attempts, row.checked)


def work(
    database: Database,
    clock: Clock,
    metric: LocalMetric,
    rules: RiskRules,
    *,
    who: str | None = None,
    only: Collection[UUID] | None = None,
    stopped: Callable[[], bool] = lambda: False,
    most: int | None = None,
) -> list[UUID]:
    """Make runs until no job waits (of `only`, if given), `stopped`, or `most` are made. Returns the ids
    of those made here."""
    name = who or worker_name()
    made: list[UUID] = []
    while (
        not stopped()
        and (most is None or len(made) < most)
        and (job := claim(database, clock, name, only)) is not None
    ):
        if job.attempts > 1:
            drop_unfinished(database, clock, job.id)
        try:
            run_id = make(database, clock, metric, rules, job)
        except GridmapError as error:
            _end(database, clock, job, error={"code": error.code, "params": error.params})
        except Exception as error:
            log.exception("risk run failed", extra={"job": str(job.id)})
            if job.attempts >= MOST_ATTEMPTS:
                _end(
                    database,
                    clock,
                    job,
                    error={"code": "internal_error", "params": {"kind": type(error).__name__}},
                )
            else:
                _give_back(database, clock, job)
        else:
            made.append(run_id)
            _end(database, clock, job, run_id=run_id)
    return made


def make(
    database: Database,
    clock: Clock,
    metric: LocalMetric,
    rules: RiskRules,
    job: Claimed,
) -> UUID:
    """Read, compute and keep one run. No transaction is open while it computes.

    Raises what the engine refuses as a whole: NotFound("area_unknown"), Invalid("risk_no_areas").
    """
    begun = time.monotonic()
    horizon = rules.horizon(job.horizon)
    with system_transaction(database, clock) as tx:
        ground = read_ground(tx, job.code, rules, metric)
        read = read_events(tx, ground, rules, job.origin_on)
        beside = read_beside(tx, ground, rules)

    told = begun

    def alive() -> None:
        nonlocal told
        if time.monotonic() - told < _SAYS_ALIVE_S:
            return
        told = time.monotonic()
        with system_transaction(database, clock) as tx:
            tx.session.execute(update(RiskJob).where(RiskJob.id == job.id).values(alive_at=tx.now))

    # Files may tell counts of the last whole period; it is decided where the whole county is in sight.
    release(database, clock, ground.area.path, last_period(job.origin_on), rules)
    results = compute_run(ground, read.events, job.origin_on, horizon, rules, check=job.checked, tell=alive)
    return write_run(
        database, clock, ground, results, read.snapshot, beside,
        origin_on=job.origin_on, horizon=horizon, author=job.author, seconds=time.monotonic() - begun, rules=rules,
        job_id=job.id,
    )  # fmt: skip


def _end(
    database: Database,
    clock: Clock,
    job: Claimed,
    *,
    run_id: UUID | None = None,
    error: dict[str, object] | None = None,
) -> None:
    with system_transaction(database, clock) as tx:
        tx.session.execute(
            update(RiskJob)
            .where(RiskJob.id == job.id)
            .values(status="failed" if error else "done", ended_at=tx.now, run_id=run_id, error=error)
        )


def _give_back(database: Database, clock: Clock, job: Claimed) -> None:
    with system_transaction(database, clock) as tx:
        tx.session.execute(
            update(RiskJob).where(RiskJob.id == job.id).values(status="waiting", claimed_by=None)
        )

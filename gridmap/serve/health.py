"""How a deployment is: its processes, its queues, the delay of the live feed and who causes it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from gridmap.adapters.processes import is_alive
from gridmap.db import cluster
from gridmap.db.engine import Database
from gridmap.serve.addresses import local_url
from gridmap.serve.deployment import state_file
from gridmap.settings import Settings

_WEB_TIMEOUT_S = 3.0
# A feed that lags longer than this, or a queue whose head waits longer, makes the answer "not well".
_FEED_LIMIT_S = 5.0
_QUEUE_LIMIT_S = 60.0

# Rows that are committed and may not be shown yet, since an older transaction is still open.
_FEED = text("""
SELECT count(*) AS waiting, coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)::float8 AS delay_s
FROM outbox WHERE xid >= pg_snapshot_xmin(pg_current_snapshot())
""")
_BLOCKER = text("""
SELECT pid, usename AS role, application_name AS program, state, wait_event_type AS waits_for,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS open_s
FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND datname = current_database()
ORDER BY xact_start LIMIT 1
""")
_QUEUES = {
    "timers": """
        SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(due_at)), 0)::float8
        FROM timer WHERE due_at <= clock_timestamp()""",
    "positions": """
        SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(received_at)), 0)::float8
        FROM fix_batch WHERE set_aside_at IS NULL""",
}
_JOBS = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(scheduled_at)), 0)::float8
FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, '-infinity') <= clock_timestamp()"""


@dataclass(frozen=True)
class Process:
    """One process of the deployment, as its supervisor last wrote it down."""

    name: str
    pid: int | None
    alive: bool
    ready: bool
    restarts: int
    since: str | None


@dataclass(frozen=True)
class Queue:
    """Work that is due and not done; `oldest_s` is the age of its head in seconds."""

    name: str
    waiting: int
    oldest_s: float


@dataclass(frozen=True)
class Blocker:
    """The oldest open transaction that writes: the feed cannot pass it."""

    pid: int
    role: str | None
    program: str | None
    state: str | None
    waits_for: str | None
    open_s: float


@dataclass(frozen=True)
class Health:
    """The whole answer. `faults` holds a code for each thing that is wrong; empty means well."""

    database: str
    processes: list[Process]
    web_ms: float | None
    feed_waiting: int | None = None
    feed_delay_s: float | None = None
    feed_blocker: Blocker | None = None
    queues: list[Queue] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return not self.faults

    def to_dict(self) -> dict[str, Any]:
        return {"well": self.well, **asdict(self)}


def look(settings: Settings) -> Health:
    """Look at everything once; never raises for a part that is down."""
    database = Database.from_settings(settings)
    try:
        state: str = cluster.status(settings).state if settings.embedded else "external"
        inside = _look_inside(database) if state in ("running", "external") else None
    finally:
        database.dispose()
    if state == "external":
        state = "running" if inside else "unreachable"
    serving = _read_state(settings)
    web_ms = _time_web(str(serving.get("local_url") or local_url(settings)))
    found = Health(state, _list_processes(serving), web_ms, **(inside or {}))
    return Health(**{**found.__dict__, "faults": _list_faults(found)})


def _read_state(settings: Settings) -> dict[str, Any]:
    """What the supervisor last wrote; empty when nothing serves from this data folder."""
    try:
        state: dict[str, Any] = json.loads(state_file(settings).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state


def _list_processes(state: dict[str, Any]) -> list[Process]:
    """The supervisor and its children."""
    if not state:
        return []
    alive = is_alive(state["pid"])
    supervisor = Process("supervisor", state["pid"], alive, alive, 0, None)
    children = [
        Process(
            child["name"],
            child["pid"],
            child["pid"] is not None and is_alive(child["pid"]),
            child["ready"],
            child["restarts"],
            child["since"],
        )
        for child in state["children"]
    ]
    return [supervisor, *children]


def _look_inside(database: Database) -> dict[str, Any] | None:
    try:
        with database.system.connect() as connection:
            feed = connection.execute(_FEED).one()
            blocker = connection.execute(_BLOCKER).mappings().one_or_none()
            return {
                "feed_waiting": feed.waiting,
                "feed_delay_s": round(feed.delay_s, 3),
                "feed_blocker": Blocker(**blocker) if blocker else None,
                "queues": _list_queues(connection),
            }
    except OperationalError:
        return None


def _list_queues(connection: Connection) -> list[Queue]:
    queries = dict(_QUEUES)
    if connection.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is not None:
        queries["jobs"] = _JOBS
    rows = ((name, connection.execute(text(query)).one()) for name, query in queries.items())
    return [Queue(name, row[0], round(max(0.0, row[1]), 3)) for name, row in rows]


def _time_web(url: str) -> float | None:
    try:
        with httpx.Client(verify=False, trust_env=False, timeout=_WEB_TIMEOUT_S) as client:
            answer = client.get(f"{url}/healthz")
    except httpx.HTTPError:
        return None
    return round(answer.elapsed.total_seconds() * 1000, 1) if answer.is_success else None


def _list_faults(found: Health) -> list[str]:
    faults = []
    if found.database != "running" or found.feed_delay_s is None:
        faults.append("database_down")
    if found.web_ms is None:
        faults.append("web_does_not_answer")
    if not found.processes:
        faults.append("nothing_serves")
    faults += [f"{process.name}_down" for process in found.processes if not process.alive]
    if found.feed_delay_s is not None and found.feed_delay_s > _FEED_LIMIT_S:
        faults.append("feed_delayed")
    faults += [f"{queue.name}_delayed" for queue in found.queues if queue.oldest_s > _QUEUE_LIMIT_S]
    return faults

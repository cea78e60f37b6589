"""The embedded PostgreSQL cluster: private to one checkout, on a Unix socket, used when no URL is set."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL

from gridmap.db.cluster_binaries import Binaries, find_binaries
from gridmap.db.cluster_config import SUPERUSER
from gridmap.db.cluster_layout import (
    LAYOUT,
    Layout,
    cluster_lock,
    layout_of,
    prepare_folders,
    read_mark,
    write_mark,
)
from gridmap.db.cluster_server import is_ready, make_cluster, postmaster_pid, start_server, stop_server
from gridmap.db.roles import (
    APP,
    DATABASE,
    OWNER,
    SYSTEM,
    create_database_sql,
    database_sql,
    roles_sql,
    setup_digest,
)
from gridmap.settings import Settings


@dataclass(frozen=True)
class Urls:
    """SQLAlchemy URLs (psycopg 3), one per role."""

    app: str
    system: str
    owner: str


@dataclass(frozen=True)
class EmbeddedCluster:
    """A cluster that takes connections, and what this call had to do for it."""

    urls: Urls
    data_dir: Path
    socket_dir: Path
    pid: int
    made: bool
    started: bool


@dataclass(frozen=True)
class ClusterStatus:
    """How the cluster stands, without changing it. `size_bytes` counts files, not the space between."""

    state: Literal["absent", "stopped", "starting", "running"]
    data_dir: Path
    socket_dir: Path
    account: str
    layout: int
    postgres_version: str | None
    pid: int | None
    size_bytes: int
    free_bytes: int


def embedded_urls(settings: Settings, database: str = DATABASE) -> Urls:
    """The URLs of the embedded cluster; starts nothing."""
    return Urls(*(_url(settings, role, database) for role in (APP, SYSTEM, OWNER)))


def superuser_url(settings: Settings, database: str = "postgres") -> str:
    """For set-up, restore and test databases; the servers never use it."""
    return _url(settings, SUPERUSER, database)


def superuser_conninfo(settings: Settings, database: str = "postgres") -> str:
    """The same for psycopg itself."""
    return make_conninfo(host=str(settings.runtime_dir.absolute()), user=SUPERUSER, dbname=database)


def _url(settings: Settings, role: str, database: str) -> str:
    host = str(settings.runtime_dir.absolute())
    url = URL.create("postgresql+psycopg", username=role, database=database, query={"host": host})
    return url.render_as_string()


def ensure_running(settings: Settings) -> EmbeddedCluster:
    """Make the cluster if it is not there, start it if it does not run, set it up if it is not complete.

    Safe to call from several processes at once and after any crash; a few file reads when nothing is to do.
    As root the server runs under an unprivileged account, in a session of its own, and outlives the caller.

    Raises Misconfigured or Unavailable, see `prepare_folders`, `find_binaries` and `start_server`.
    """
    layout = layout_of(settings)
    pid = postmaster_pid(layout)
    if pid is not None and is_ready(layout) and _is_complete(layout):
        return _running(settings, layout, pid, made=False, started=False)
    prepare_folders(layout)
    with cluster_lock(layout):
        return _ensure_locked(settings, layout)


def _ensure_locked(settings: Settings, layout: Layout) -> EmbeddedCluster:
    made = not (layout.pgdata / "PG_VERSION").exists()
    complete = _is_complete(layout)
    binaries = find_binaries(layout.pgdata)
    if made:
        make_cluster(binaries, layout, fast=settings.embedded_fast)
    if postmaster_pid(layout) is not None and not is_ready(layout):
        # Alive without its socket: the runtime folder was cleaned or moved, and nobody can reach the server.
        stop_server(binaries, layout)
    started = postmaster_pid(layout) is None
    if started:
        start_server(binaries, layout, fast=settings.embedded_fast)
    if made or not complete:
        set_up(settings)
        write_mark(layout, setup_digest())
    pid = postmaster_pid(layout)
    assert pid is not None
    return _running(settings, layout, pid, made=made, started=started)


def _is_complete(layout: Layout) -> bool:
    mark = read_mark(layout)
    return mark.layout == LAYOUT and mark.setup == setup_digest()


def _running(settings: Settings, layout: Layout, pid: int, *, made: bool, started: bool) -> EmbeddedCluster:
    return EmbeddedCluster(embedded_urls(settings), layout.data_dir, layout.socket_dir, pid, made, started)


def set_up(settings: Settings, database: str = DATABASE) -> None:
    """Roles, database, extensions and schema on the running cluster; idempotent."""
    with psycopg.connect(superuser_conninfo(settings), autocommit=True) as connection:
        connection.execute(sql.SQL(roles_sql()))
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
        if found is None:
            connection.execute(sql.SQL(create_database_sql(database)))
    with psycopg.connect(superuser_conninfo(settings, database)) as connection:
        connection.execute(sql.SQL(database_sql(database)))


def stop(settings: Settings) -> bool:
    """Stop the cluster in order; False when it did not run."""
    layout = layout_of(settings)
    if postmaster_pid(layout) is None:
        return False
    with cluster_lock(layout):
        if postmaster_pid(layout) is None:
            return False
        stop_server(find_binaries(layout.pgdata), layout)
    return True


def count_sessions(settings: Settings) -> int:
    """How many clients are connected now; 0 when the cluster does not run."""
    try:
        with psycopg.connect(superuser_conninfo(settings)) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchone()
    except psycopg.OperationalError:
        return 0
    return int(row[0]) if row else 0


def status(settings: Settings) -> ClusterStatus:
    """How the cluster stands; changes nothing and needs no connection."""
    layout = layout_of(settings)
    pid = postmaster_pid(layout)
    made = (layout.pgdata / "PG_VERSION").exists()
    if not made:
        state: Literal["absent", "stopped", "starting", "running"] = "absent"
    elif pid is None:
        state = "stopped"
    else:
        state = "running" if is_ready(layout) else "starting"
    return ClusterStatus(
        state=state,
        data_dir=layout.data_dir,
        socket_dir=layout.socket_dir,
        account=layout.account.name,
        layout=read_mark(layout).layout,
        postgres_version=(layout.pgdata / "PG_VERSION").read_text().strip() if made else None,
        pid=pid,
        size_bytes=_size_bytes(layout.pgdata) if made else 0,
        free_bytes=shutil.disk_usage(_nearest_existing(layout.data_dir)).free,
    )


def binaries_for(settings: Settings) -> Binaries:
    """The PostgreSQL programs that match this cluster, for backup and restore."""
    return find_binaries(layout_of(settings).pgdata)


def _size_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except FileNotFoundError:
            continue
    return total


def _nearest_existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())

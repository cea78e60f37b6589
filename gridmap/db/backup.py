"""Backup and restore of the whole database with its roles: one file out, one file in."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psycopg
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gridmap.adapters.processes import Finished, pipe
from gridmap.clock import Clock
from gridmap.db.backup_file import BackupReader, BackupWriter, Manifest
from gridmap.db.cluster_binaries import Binaries
from gridmap.db.migrate import MIGRATIONS
from gridmap.db.roles import DATABASE, SCHEMA, create_database_sql, database_sql, roles_sql
from gridmap.errors import Conflict, Invalid, Unavailable

DUMP = "database.dump"
ROLES = "roles.sql"
_RESTORING = "gridmap_restoring"
_REPLACED = "gridmap_replaced"
# The feed's rows go by transaction ids of the cluster they were written in; in another they mean nothing.
_LEFT_OUT = f"{SCHEMA}.outbox"
# Written by set-up itself; their rows do not make a database worth protecting.
_BOOKKEEPING = ("alembic_version", "layer_version", "outbox")

_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
"""

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server seen by its superuser: how to connect (database left open) and its programs."""

    conninfo: str
    binaries: Binaries

    def connect(self, database: str) -> Connection:
        try:
            return psycopg.connect(make_conninfo(self.conninfo, dbname=database), autocommit=True)
        except psycopg.OperationalError as error:
            # The message names host, port and role, never the password.
            raise Unavailable("database_unreachable", reason=str(error).strip().splitlines()[0]) from None

    def command(self, program: str, database: str, *arguments: str) -> list[str]:
        """A command line without the password, which goes through the environment."""
        parts = {name: str(value) for name, value in conninfo_to_dict(self.conninfo).items()}
        parts.pop("password", None)
        parts["dbname"] = database
        target = make_conninfo("", **parts)
        return [str(self.binaries.program(program)), "--no-password", *arguments, f"--dbname={target}"]

    def secrets(self) -> dict[str, str]:
        password = conninfo_to_dict(self.conninfo).get("password")
        return {"PGPASSWORD": str(password)} if password else {}


def back_up(
    server: Server, path: Path, clock: Clock, *, secret_key: bytes | None, on_bytes: Callable[[int], object]
) -> Manifest:
    """Write the database as it stands at one moment, while it is in use, to a new file.

    `on_bytes` hears the size of each block. The secret key is not in the file, only its fingerprint. Raises
    Conflict("file_exists"), Unavailable("backup_failed").
    """
    with server.connect(DATABASE) as connection, BackupWriter(path) as writer:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = str(_one(connection, "SELECT pg_export_snapshot()"))
        dump = server.command(
            "pg_dump",
            DATABASE,
            "--format=custom",
            f"--snapshot={snapshot}",
            f"--exclude-table-data={_LEFT_OUT}",
        )
        writer.add(DUMP, lambda take: _run_out(server, dump, take, on_bytes))
        roles = server.command("pg_dumpall", DATABASE, "--roles-only")
        writer.add(ROLES, lambda take: _run_out(server, roles, take, on_bytes))
        manifest = Manifest(
            created_at=clock.now().isoformat(),
            gridmap_version=version("gridmap"),
            postgres_version=str(_one(connection, "SHOW server_version")),
            revision=_revision(connection),
            secret_key_fingerprint=fingerprint(secret_key) if secret_key else None,
            rows=_count_rows(connection),
        )
        return writer.finish(manifest)


def restore(server: Server, path: Path, *, replace: bool, on_bytes: Callable[[int], object]) -> Manifest:
    """Put a backup in the place of the database, in one step and only after every row count was found right.

    Nothing changes when the file is broken or the restore fails. Raises Invalid("backup_broken"),
    Conflict("database_not_empty") unless `replace`, Unavailable("restore_failed").
    """
    with contextlib.closing(BackupReader(path)) as reader:
        _require_known(reader.manifest.revision)
        with server.connect("postgres") as connection:
            if not replace and not is_empty(server, connection):
                raise Conflict("database_not_empty", database=DATABASE)
            connection.execute(sql.SQL(roles_sql()))
            _restore_roles(server, reader)
            _recreate(connection, _RESTORING)
            try:
                _restore_aside(server, reader, on_bytes)
            except BaseException:
                _drop(connection, _RESTORING)
                raise
            _switch(connection)
        return reader.manifest


def is_empty(server: Server, connection: Connection) -> bool:
    """True when there is no database yet, or none of its tables holds a row that set-up did not write."""
    if not _exists(connection, DATABASE):
        return True
    with server.connect(DATABASE) as inside:
        for schema, table in _list_tables(inside):
            query = sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(schema, table))
            if schema == SCHEMA and table not in _BOOKKEEPING and _one(inside, query):
                return False
    return True


def fingerprint(secret_key: bytes) -> str:
    """Tells two keys apart without giving either away."""
    return hashlib.sha256(b"gridmap backup:" + secret_key).hexdigest()[:16]


def _run_out(
    server: Server, command: list[str], take: Callable[[bytes], object], on_bytes: Callable[[int], object]
) -> None:
    def both(block: bytes) -> None:
        take(block)
        on_bytes(len(block))

    _require_done(pipe(command, take=both, extra_env=server.secrets()), "backup_failed")


def _run_in(server: Server, command: list[str], feed: Iterator[bytes]) -> None:
    _require_done(pipe(command, feed=feed, extra_env=server.secrets()), "restore_failed")


def _require_done(done: Finished, code: str) -> None:
    if done.status != 0:
        lines = [line for line in done.output.splitlines() if line.strip()]
        raise Unavailable(code, reason=lines[0] if lines else f"exit status {done.status}")


def _restore_roles(server: Server, reader: BackupReader) -> None:
    """Roles belong to the whole server and may be there already; attributes and memberships are set again."""
    guarded = re.sub(
        r"^CREATE ROLE (.+);$",
        r"DO $do$ BEGIN CREATE ROLE \1; EXCEPTION WHEN duplicate_object THEN NULL; END $do$;",
        reader.text(ROLES),
        flags=re.MULTILINE,
    )
    command = server.command(
        "psql", "postgres", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"
    )
    _run_in(server, command, iter([guarded.encode()]))


def _restore_aside(server: Server, reader: BackupReader, on_bytes: Callable[[int], object]) -> None:
    def feed() -> Iterator[bytes]:
        for block in reader.blocks(DUMP):
            on_bytes(len(block))
            yield block

    _run_in(server, server.command("pg_restore", _RESTORING, "--exit-on-error"), feed())
    with server.connect(_RESTORING) as inside:
        inside.execute(sql.SQL(database_sql(_RESTORING)))
        found = _count_rows(inside)
        if found != reader.manifest.rows:
            wrong = sorted(set(found.items()) ^ set(reader.manifest.rows.items()))
            raise Unavailable("restore_incomplete", tables=sorted({name for name, _ in wrong}))
        inside.execute("ANALYZE")


def _switch(connection: Connection) -> None:
    """Both renames in one transaction: at no moment is there no database of the right name."""
    old_exists = _exists(connection, DATABASE)
    _drop(connection, _REPLACED)
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)"
    if old_exists:
        connection.execute(f'ALTER DATABASE "{DATABASE}" ALLOW_CONNECTIONS false')
    connection.execute(ends, ([DATABASE, _RESTORING],))
    with connection.transaction():
        if old_exists:
            connection.execute(f'ALTER DATABASE "{DATABASE}" RENAME TO "{_REPLACED}"')
        connection.execute(f'ALTER DATABASE "{_RESTORING}" RENAME TO "{DATABASE}"')
    _drop(connection, _REPLACED)


def _recreate(connection: Connection, database: str) -> None:
    _drop(connection, database)
    connection.execute(sql.SQL(create_database_sql(database)))


def _drop(connection: Connection, database: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))


def _exists(connection: Connection, database: str) -> bool:
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
    return found is not None


def _list_tables(connection: Connection) -> list[tuple[str, str]]:
    return [(str(schema), str(table)) for schema, table in connection.execute(_TABLES).fetchall()]


def _count_rows(connection: Connection) -> dict[str, int]:
    counts = {}
    for schema, table in _list_tables(connection):
        if f"{schema}.{table}" != _LEFT_OUT:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
            counts[f"{schema}.{table}"] = int(str(_one(connection, query)))
    return counts


def _revision(connection: Connection) -> str | None:
    if _one(connection, f"SELECT to_regclass('{SCHEMA}.alembic_version')") is None:
        return None
    return str(_one(connection, f"SELECT version_num FROM {SCHEMA}.alembic_version"))


def _require_known(revision: str | None) -> None:
    """A backup of a newer gridmap cannot be brought down to this one."""
    if revision is None:
        return
    try:
        ScriptDirectory(str(MIGRATIONS)).get_revision(revision)
    except CommandError:
        raise Invalid("backup_newer", revision=revision) from None


def _one(connection: Connection, query: sql.Composed | str) -> object:
    row = connection.execute(query).fetchone()
    return row[0] if row else None

"""Bringing a database up to date: Alembic revisions for tables, then the repeatable SQL beside them.

Functions and policies stand in `gridmap/db/sql/*.sql` and are laid down anew, in the order of their names, at every
upgrade: they have one text, and no history to replay.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, Engine, text

from gridmap.db.tables import Base

MIGRATIONS = Path(__file__).parent / "migrations"
SQL = Path(__file__).parent / "sql"
_ADVISORY_LOCK = 0x67726964
_PARTITION_DAYS_AHEAD = 3
_PARTITION_DAYS_BEHIND = 8


def upgrade(owner: Engine) -> list[str]:
    """Apply what is missing, in one transaction. Returns the revisions applied, oldest first.

    Two upgrades at once wait for each other. Raises whatever the database says; nothing is then half-applied.
    """
    with owner.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        before = set(MigrationContext.configure(connection).get_current_heads())
        command.upgrade(_config(connection), "head")
        _lay_down_sql(connection)
        _make_partitions(connection)
        after = MigrationContext.configure(connection).get_current_heads()
        script = ScriptDirectory(str(MIGRATIONS))
        if set(after) == before:
            return []
        steps = script.iterate_revisions(after, tuple(before) or "base")
        return [step.revision for step in reversed(list(steps))]


def is_current(engine: Engine) -> bool:
    """True when the database stands at the newest revision."""
    with engine.connect() as connection:
        heads = set(MigrationContext.configure(connection).get_current_heads())
    return heads == set(ScriptDirectory(str(MIGRATIONS)).get_heads())


def differences(connection: Connection) -> list[object]:
    """How the database differs from the table definitions; empty when the migrations are true to them."""
    context = MigrationContext.configure(
        connection,
        opts={"include_object": include_object, "compare_type": True, "compare_server_default": True},
    )
    return list(compare_metadata(context, Base.metadata))


def include_object(item: object, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:
    """What Alembic compares: not PostGIS's own tables, not the daily partitions."""
    if type_ == "table" and name is not None and (name.startswith("fix_2") or name == "alembic_version"):
        return False
    included: bool = alembic_helpers.include_object(  # type: ignore[no-untyped-call]
        item, name, type_, reflected, compare_to
    )
    return included


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _lay_down_sql(connection: Connection) -> None:
    for path in sorted(SQL.glob("*.sql")):
        connection.exec_driver_sql(path.read_text(encoding="utf-8").replace("%", "%%"))


def _make_partitions(connection: Connection) -> None:
    today = datetime.now(UTC).date()
    for offset in range(-_PARTITION_DAYS_BEHIND, _PARTITION_DAYS_AHEAD + 1):
        connection.execute(text("select make_fix_partition(:day)"), {"day": today + timedelta(days=offset)})

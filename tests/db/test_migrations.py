"""The migrations are true to the table definitions, and safe to run again."""

from sqlalchemy import text

from gridmap.db.engine import Database
from gridmap.db.migrate import differences, is_current, upgrade


def test_migrated_database_equals_the_table_definitions(database: Database) -> None:
    with database.owner.connect() as connection:
        assert differences(connection) == []


def test_a_difference_would_be_seen(database: Database) -> None:
    with database.owner.begin() as connection:
        connection.execute(text("alter table unit add column stray text"))
    with database.owner.connect() as connection:
        assert differences(connection)


def test_upgrading_again_changes_nothing(database: Database) -> None:
    assert upgrade(database.owner) == []
    assert is_current(database.owner)


def test_every_table_has_forced_row_level_security(database: Database) -> None:
    with database.owner.connect() as connection:
        open_tables = connection.execute(
            text(
                "select relname from pg_class where relnamespace = 'gridmap'::regnamespace and relkind in ('r', 'p')"
                " and not (relrowsecurity and relforcerowsecurity) and relname <> 'alembic_version'"
            )
        ).scalars()
        assert list(open_tables) == []

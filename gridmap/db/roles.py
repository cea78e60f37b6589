"""Roles, database, extensions and schema: one text for our own cluster and for a site's own server."""

from __future__ import annotations

import hashlib

DATABASE = "gridmap"
SCHEMA = "gridmap"
OWNER = "gridmap_owner"
APP = "gridmap_app"
SYSTEM = "gridmap_system"
ROLES = (OWNER, APP, SYSTEM)
EXTENSIONS = ("postgis", "ltree", "pg_trgm", "btree_gist", "citext", "pgcrypto")

# Row-level security binds all three: none is a superuser and none may bypass it.
_ROLE = """\
DO $do$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
    CREATE ROLE {role};
  END IF;
END $do$;
ALTER ROLE {role} LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
ALTER ROLE {role} SET search_path = {schema}, public;
ALTER ROLE {role} SET timezone = 'UTC';
"""

_CREATE_DATABASE = (
    "CREATE DATABASE {database} OWNER {owner} TEMPLATE template0"
    " ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
)

_DATABASE = """\
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {owner}, {system};
GRANT CONNECT ON DATABASE {database} TO {app};
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO PUBLIC;
{extensions}
CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner};
GRANT USAGE ON SCHEMA {schema} TO {app}, {system};
-- `gridmap health` names the transaction that holds up the feed.
GRANT pg_read_all_stats TO {system};
"""


def roles_sql() -> str:
    """The three roles, for the whole server. Idempotent; needs a superuser."""
    return "".join(_ROLE.format(role=role, schema=SCHEMA) for role in ROLES)


def create_database_sql(database: str = DATABASE) -> str:
    """One statement, outside a transaction; fails when the database exists."""
    return _CREATE_DATABASE.format(database=database, owner=OWNER)


def database_sql(database: str = DATABASE) -> str:
    """Rights, extensions and schema, inside `database`. Idempotent; needs a superuser."""
    extensions = "\n".join(
        f"CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA public;" for name in EXTENSIONS
    )
    return _DATABASE.format(
        database=database, schema=SCHEMA, owner=OWNER, app=APP, system=SYSTEM, extensions=extensions
    )


def setup_digest() -> str:
    """Changes with the text, so that an older cluster is brought up to it on its next start."""
    return hashlib.sha256((roles_sql() + create_database_sql() + database_sql()).encode()).hexdigest()


def site_script() -> str:
    """The same for psql on a site's own server, run by its superuser: `psql -d postgres -f roles.sql`."""
    create = create_database_sql().replace("'", "''")
    return (
        "-- gridmap: roles, database, extensions and schema. Safe to run again.\n"
        "-- Then give each role a password (\\password gridmap_app) or its line in pg_hba.conf.\n"
        "\\set ON_ERROR_STOP on\n"
        f"{roles_sql()}"
        f"SELECT '{create}'\n"
        f"  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec\n"
        f"\\connect {DATABASE}\n"
        f"{database_sql()}"
    )

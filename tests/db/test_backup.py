"""Backup and restore: every row, role, right and policy arrives, and a failure harms nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from gridmap.clock import SystemClock
from gridmap.db import backup, cluster
from gridmap.db.cli import db
from gridmap.db.engine import Database
from gridmap.db.migrate import differences, upgrade
from gridmap.errors import Conflict, Invalid
from gridmap.settings import Settings

SAMPLE = """
INSERT INTO account (id, login, display_name, password_hash, created_at)
  SELECT gen_random_uuid(), 'user' || n, '用户 ' || n || ' "''😀', repeat('x', 90), now()
  FROM generate_series(1, 200) n;
INSERT INTO area (level, scheme, code) SELECT 'grid', 'gb', 'c' || n FROM generate_series(1, 50) n;
INSERT INTO area_set (id, tree, name, status, created_at)
  VALUES (gen_random_uuid(), 'admin', '测试', 'verified', now());
INSERT INTO area_version (id, area_id, area_set_id, path, name, geom, valid)
  SELECT gen_random_uuid(), a.id, s.id, a.id::text::ltree, a.code,
         ST_Multi(ST_MakeEnvelope(100 + a.id * 0.01, 30, 100.01 + a.id * 0.01, 30.01, 4326)), '[2020-01-01,)'
  FROM area a, area_set s;
INSERT INTO outbox (topic, body, path) VALUES ('incident', '{}', '1');
"""

# One digest per table: any changed value, type or missing row shows.
DIGEST = "SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {} t"

CATALOGUE = {
    "roles": "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreatedb, rolcreaterole, rolconfig"
    " FROM pg_roles ORDER BY 1",
    "memberships": "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members ORDER BY 1, 2",
    "table rights": "SELECT oid::regclass::text, relowner::regrole::text, relacl::text, relrowsecurity,"
    " relforcerowsecurity FROM pg_class WHERE relnamespace = 'gridmap'::regnamespace ORDER BY 1",
    "policies": "SELECT tablename, policyname, permissive, roles, cmd, qual, with_check FROM pg_policies"
    " ORDER BY 1, 2",
    "functions": "SELECT p.oid::regprocedure::text, prosecdef, proowner::regrole::text, proacl::text,"
    " proconfig, prosrc FROM pg_proc p WHERE pronamespace = 'gridmap'::regnamespace ORDER BY 1",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'gridmap' ORDER BY 1",
    "constraints": "SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'gridmap'::regnamespace ORDER BY 1, 2",
    "extensions": "SELECT extname, extnamespace::regnamespace::text FROM pg_extension ORDER BY 1",
    "sequences": "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'gridmap'"
    " AND sequencename <> 'outbox_id_seq' ORDER BY 1",
    "database rights": "SELECT datdba::regrole::text, datacl::text FROM pg_database"
    " WHERE datname = 'gridmap'",
    "schema rights": "SELECT nspname, nspowner::regrole::text, nspacl::text FROM pg_namespace"
    " WHERE nspname IN ('gridmap', 'public') ORDER BY 1",
}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="gm"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def source(folder: Path) -> Iterator[Settings]:
    """A migrated deployment with rows, Chinese text, geometries and a site's own extra role."""
    settings = Settings(data_dir=folder / "source", runtime_dir=folder / "s.run", embedded_fast=True)
    cluster.ensure_running(settings)
    migrate(settings)
    with superuser(settings) as connection:
        connection.execute("SET search_path = gridmap, public")
        connection.execute(SAMPLE)
        connection.execute("CREATE ROLE site_reader LOGIN PASSWORD 'only-for-this-test'")
        connection.execute("GRANT SELECT ON area TO site_reader")
        connection.execute("CREATE ROLE site_group")
        connection.execute("GRANT site_group TO site_reader")
    yield settings
    cluster.stop(settings)


@pytest.fixture
def target(folder: Path) -> Iterator[Settings]:
    settings = Settings(data_dir=folder / "target", runtime_dir=folder / "t.run", embedded_fast=True)
    cluster.ensure_running(settings)
    yield settings
    cluster.stop(settings)
    shutil.rmtree(settings.data_dir)


def migrate(settings: Settings) -> None:
    database = Database.from_settings(settings)
    upgrade(database.owner)
    database.dispose()


def superuser(settings: Settings, database: str = "gridmap") -> backup.Connection:
    return psycopg.connect(cluster.superuser_conninfo(settings, database), autocommit=True)


def server(settings: Settings) -> backup.Server:
    return backup.Server(cluster.superuser_conninfo(settings), cluster.binaries_for(settings))


@pytest.fixture(scope="module")
def file(source: Settings, folder: Path) -> Path:
    path = folder / "site.gridmap"
    backup.back_up(server(source), path, SystemClock(), secret_key=b"k" * 64, on_bytes=lambda _: None)
    return path


def restore(settings: Settings, path: Path, *, replace: bool = False) -> None:
    backup.restore(server(settings), path, replace=replace, on_bytes=lambda _: None)


def digests(settings: Settings) -> dict[str, tuple[int, str]]:
    with superuser(settings) as connection:
        tables = [name for name in backup._list_tables(connection) if name[1] != "outbox"]
        found = {}
        for schema, table in tables:
            row = connection.execute(DIGEST.format(f'"{schema}"."{table}"')).fetchone()
            assert row is not None
            found[f"{schema}.{table}"] = (int(str(row[0])), str(row[1]))
        return found


def test_every_row_role_right_and_policy_arrives(source: Settings, target: Settings, file: Path) -> None:
    assert file.stat().st_mode & 0o077 == 0
    restore(target, file)
    here, there = digests(source), digests(target)
    assert here == there
    assert sum(rows > 0 for rows, _ in here.values()) >= 4
    with superuser(source) as left, superuser(target) as right:
        for name, query in CATALOGUE.items():
            assert left.execute(query).fetchall() == right.execute(query).fetchall(), name
    database = Database.from_settings(target)
    with database.owner.connect() as connection:
        assert differences(connection) == []
    database.dispose()


def test_feed_rows_stay_behind_since_their_order_means_nothing_elsewhere(
    target: Settings, file: Path
) -> None:
    restore(target, file)
    with superuser(target) as connection:
        assert connection.execute("SELECT count(*) FROM gridmap.outbox").fetchone() == (0,)


def test_row_level_security_still_binds_the_web_role(target: Settings, file: Path) -> None:
    restore(target, file)
    host = str(target.runtime_dir)
    with psycopg.connect(host=host, user="gridmap_app", dbname="gridmap") as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (0,)
    with psycopg.connect(host=host, user="gridmap_system", dbname="gridmap") as connection:
        assert connection.execute("SELECT count(*) FROM account").fetchone() == (200,)


def test_data_is_replaced_only_when_told_so(source: Settings, target: Settings, file: Path) -> None:
    restore(target, file)
    with superuser(target) as connection:
        connection.execute("DELETE FROM gridmap.account WHERE login = 'user1'")
    with pytest.raises(Conflict) as refused:
        restore(target, file)
    assert refused.value.code == "database_not_empty"
    restore(target, file, replace=True)
    assert digests(target) == digests(source)
    with superuser(target, "postgres") as connection:
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
    assert names == {"postgres", "template0", "template1", "gridmap"}


def test_broken_file_changes_nothing(target: Settings, file: Path, tmp_path: Path) -> None:
    restore(target, file)
    before = digests(target)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    broken = tmp_path / "broken"
    broken.write_bytes(content)
    cut = tmp_path / "cut"
    cut.write_bytes(file.read_bytes()[: len(content) // 2])
    text = tmp_path / "text"
    text.write_text("not a backup")
    for path in (broken, cut, text):
        with pytest.raises(Invalid) as refused:
            restore(target, path, replace=True)
        assert refused.value.code == "backup_broken"
    assert digests(target) == before


def test_backup_of_a_newer_gridmap_is_refused(target: Settings, file: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(newer, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "manifest.json":
                content = content.replace(b'"revision": "', b'"revision": "9')
            new.writestr(name, content)
    with pytest.raises(Invalid) as refused:
        restore(target, newer)
    assert refused.value.code == "backup_newer"


def test_existing_file_is_never_overwritten(source: Settings, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("precious")
    with pytest.raises(Conflict):
        backup.back_up(server(source), there, SystemClock(), secret_key=None, on_bytes=lambda _: None)
    assert there.read_text() == "precious"
    assert os.listdir(tmp_path) == ["there"]  # noqa: PTH208 - the names are the point


@pytest.fixture
def run(target: Settings) -> Callable[..., str]:
    """The command line on the target; answers what it printed."""

    def invoke(*arguments: str, typed: str | None = None, status: int = 0) -> str:
        env = {"GRIDMAP_DATA_DIR": str(target.data_dir), "GRIDMAP_RUNTIME_DIR": str(target.runtime_dir)}
        done = CliRunner(env=env | {"GRIDMAP_EMBEDDED_FAST": "1"}).invoke(db, arguments, input=typed)
        assert done.exit_code == status, (done.output, done.exception)
        return done.output

    return invoke


def test_command_line_round(run: Callable[..., str], file: Path, tmp_path: Path, target: Settings) -> None:
    assert '"migrated": false' in run("status", "--json")
    assert "0001" in run("migrate")
    assert "restored" in run("restore", str(file))
    (target.data_dir / "secret_key").write_bytes(b"other")
    assert "Aborted" in run("restore", "--replace", str(file), typed="n\n", status=1)
    said = run("restore", "--replace", "--yes", str(file))
    assert "the secret key differs" in said
    assert "rows" in run("backup", str(tmp_path / "again"))
    assert (tmp_path / "again").exists()
    assert "stopped" in run("stop")
    assert "state: stopped" in run("status")
    assert '"state": "running"' in run("start", "--json")
    assert "CREATE ROLE gridmap_app" in run("roles")

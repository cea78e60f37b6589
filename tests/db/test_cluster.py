"""The embedded cluster: made, started twice, killed, orphaned, and kept apart from its neighbours."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gridmap.adapters.processes import (
    is_alive,
    list_working_in,
    step_down,
    unprivileged_account,
    wait_until,
)
from gridmap.db import cluster
from gridmap.db.cluster_layout import LAYOUT, layout_of
from gridmap.db.roles import APP, EXTENSIONS, OWNER, ROLES, SYSTEM
from gridmap.errors import Misconfigured, Unavailable
from gridmap.settings import Settings

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")

START = """
import json, sys
from pathlib import Path
from gridmap.db import cluster
from gridmap.settings import Settings
data_dir, runtime_dir = map(Path, sys.argv[1:3])
found = cluster.ensure_running(Settings(data_dir=data_dir, runtime_dir=runtime_dir, embedded_fast=True))
print(json.dumps({"pid": found.pid, "made": found.made, "started": found.started}))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short folder that an unprivileged account can enter; pytest's own is closed to it."""
    path = Path(tempfile.mkdtemp(prefix="gm"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def make_settings(folder: Path) -> Iterator[Callable[..., Settings]]:
    made: list[Settings] = []

    def make(name: str = "a", *, fast: bool = True) -> Settings:
        settings = Settings(data_dir=folder / name, runtime_dir=folder / f"{name}.run", embedded_fast=fast)
        made.append(settings)
        return settings

    yield make
    for settings in made:
        if settings.data_dir.exists():
            cluster.stop(settings)


def connect(
    settings: Settings, role: str, database: str = "gridmap"
) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(host=str(settings.runtime_dir), user=role, dbname=database, autocommit=True)


def server_processes(settings: Settings) -> list[int]:
    return list_working_in(settings.data_dir / "postgres", "postgres")


def kill_everything(settings: Settings) -> None:
    pids = server_processes(settings)
    for pid in pids:
        # Some end by themselves as soon as their server is gone.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not any(is_alive(pid) for pid in pids), timeout_s=10)


def test_first_start_makes_what_the_platform_needs(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    found = cluster.ensure_running(settings)
    assert found.made
    assert found.started
    with connect(settings, OWNER) as connection:
        extensions = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
        assert extensions >= set(EXTENSIONS)
        roles = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb"
            " FROM pg_roles WHERE rolname = ANY(%s)",
            (list(ROLES),),
        ).fetchall()
        assert sorted(str(row[0]) for row in roles) == sorted(ROLES)
        assert not any(flag for row in roles for flag in row[1:])
        encoding = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database"
        ).fetchall()
        assert set(encoding) == {("UTF8", "C.UTF-8")}
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    for role in ROLES:
        with connect(settings, role) as connection:
            assert connection.execute("SHOW search_path").fetchone() == ("gridmap, public",)
    with connect(settings, APP) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE public.own_idea (id int)")

    again = cluster.ensure_running(settings)
    assert again.pid == found.pid
    assert not again.made
    assert not again.started
    assert cluster.status(settings).state == "running"
    assert cluster.stop(settings)
    assert not cluster.stop(settings)
    assert cluster.status(settings).state == "stopped"


def test_sigkill_of_every_process_loses_no_commit(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(fast=False)
    first = cluster.ensure_running(settings)
    with connect(settings, OWNER) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 10000) AS id")
    kill_everything(settings)
    assert (settings.data_dir / "postgres/postmaster.pid").exists()
    assert cluster.status(settings).state == "stopped"

    second = cluster.ensure_running(settings)
    assert second.started
    assert second.pid != first.pid
    with connect(settings, OWNER) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (10000,)


def test_orphaned_busy_backend_is_ended_before_a_start(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    pid = cluster.ensure_running(settings).pid
    with connect(settings, OWNER) as connection:
        backend = connection.info.backend_pid
        # Stopped, it cannot notice that its server is dead: the worst kind of leftover.
        os.kill(backend, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(pid), timeout_s=10)
        assert backend in server_processes(settings)
        cluster.ensure_running(settings)
        assert not is_alive(backend)
    with connect(settings, APP) as fresh:
        assert fresh.execute("SELECT 1").fetchone() == (1,)


def test_two_first_starts_at_once_end_in_one_server(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    command = [sys.executable, "-c", START, str(settings.data_dir), str(settings.runtime_dir)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = [json.loads(starter.communicate(timeout=120)[0]) for starter in starters]
    assert len({answer["pid"] for answer in answers}) == 1
    assert sum(answer["made"] for answer in answers) == 1
    assert sum(answer["started"] for answer in answers) == 1


def test_pid_file_with_the_number_of_a_stranger_is_no_obstacle(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings()
    cluster.ensure_running(settings)
    layout = layout_of(settings)
    content = layout.pid_file.read_text().split("\n")
    kill_everything(settings)
    identity = step_down(layout.account)
    stranger = subprocess.Popen(
        ["sleep", "60"], user=identity.user, group=identity.group, extra_groups=identity.extra_groups
    )
    try:
        layout.pid_file.write_text("\n".join([str(stranger.pid), *content[1:]]))
        Path(f"{layout.socket}.lock").write_text("\n".join([str(stranger.pid), *content[1:]]))
        assert cluster.status(settings).state == "stopped"
        assert not cluster.stop(settings)
        assert cluster.ensure_running(settings).started
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_two_checkouts_never_meet(make_settings: Callable[..., Settings]) -> None:
    one, other = make_settings("one"), make_settings("other")
    cluster.ensure_running(one)
    cluster.ensure_running(other)
    with connect(one, OWNER) as connection:
        connection.execute("CREATE TABLE mine (id int)")
    with connect(other, OWNER) as connection:
        assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)
    cluster.stop(one)
    with connect(other, APP) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@as_root
def test_another_account_of_the_machine_is_turned_away(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    cluster.ensure_running(settings)
    # Even with the folder open, the server itself must refuse by name.
    settings.runtime_dir.chmod(0o755)
    (settings.runtime_dir / ".s.PGSQL.5432").chmod(0o777)
    psql = cluster.binaries_for(settings).program("psql")
    command = [str(psql), "-h", str(settings.runtime_dir), "-U", SYSTEM, "-d", "gridmap", "-c", "SELECT 1"]
    refused = subprocess.run(command, user="nobody", capture_output=True, text=True, cwd="/")
    assert refused.returncode != 0
    assert "Peer authentication failed" in refused.stderr


def test_server_outlives_the_terminal_that_started_it(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    command = [sys.executable, "-c", START + "import time; time.sleep(60)", str(settings.data_dir)]
    starter = subprocess.Popen(
        [*command, str(settings.runtime_dir)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert starter.stdout is not None
    pid = json.loads(starter.stdout.readline())["pid"]
    os.killpg(starter.pid, signal.SIGINT)
    starter.wait(timeout=20)
    starter.stdout.close()
    assert is_alive(pid)
    assert cluster.status(settings).pid == pid


def test_older_folder_is_brought_up_to_date(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    cluster.ensure_running(settings)
    with psycopg.connect(cluster.superuser_conninfo(settings, "gridmap"), autocommit=True) as connection:
        connection.execute("CREATE TABLE gridmap.kept (id int)")
        connection.execute("DROP EXTENSION citext")
        connection.execute(f"ALTER ROLE {APP} BYPASSRLS; ALTER ROLE {APP} RESET search_path")
    cluster.stop(settings)
    (settings.data_dir / "layout.json").unlink()
    (settings.data_dir / "postgres/gridmap.conf").write_text("")

    cluster.ensure_running(settings)
    assert cluster.status(settings).layout == LAYOUT
    with connect(settings, APP) as connection:
        assert connection.execute("SHOW search_path").fetchone() == ("gridmap, public",)
        assert connection.execute("SELECT to_regclass('gridmap.kept')::text").fetchone() == ("kept",)
        assert connection.execute("SELECT 'A'::citext = 'a'::citext").fetchone() == (True,)
        bypass = connection.execute("SELECT rolbypassrls FROM pg_roles WHERE rolname = %s", (APP,)).fetchone()
        assert bypass == (False,)


def test_unfinished_initdb_is_thrown_away(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    unfinished = settings.data_dir / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("15\n")
    assert cluster.ensure_running(settings).made
    assert not unfinished.exists()


def test_lost_socket_folder_is_made_again(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    first = cluster.ensure_running(settings)
    shutil.rmtree(settings.runtime_dir)
    second = cluster.ensure_running(settings)
    assert second.started
    assert second.pid != first.pid
    with connect(settings, APP) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_folder_of_a_newer_gridmap_is_refused(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    settings.data_dir.mkdir()
    (settings.data_dir / "layout.json").write_text(json.dumps({"layout": LAYOUT + 1, "setup": "x"}))
    with pytest.raises(Misconfigured) as refused:
        cluster.ensure_running(settings)
    assert refused.value.code == "data_folder_newer"


def test_missing_postgres_version_says_how_to_upgrade(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings()
    (settings.data_dir / "postgres").mkdir(parents=True)
    (settings.data_dir / "postgres/PG_VERSION").write_text("9\n")
    with pytest.raises(Misconfigured) as refused:
        cluster.ensure_running(settings)
    assert refused.value.code == "postgres_version_gone"
    assert refused.value.params["made_by"] == 9
    assert "backup" in refused.value.params["upgrade"]


def test_folder_that_cannot_be_made_is_named(folder: Path, make_settings: Callable[..., Settings]) -> None:
    (folder / "file").write_text("")
    with pytest.raises(Misconfigured) as refused:
        cluster.ensure_running(make_settings("file/a"))
    assert refused.value.code == "folder_not_writable"
    assert str(folder / "file") in refused.value.params["path"]


@as_root
def test_folder_closed_to_the_service_account_is_named(
    folder: Path, make_settings: Callable[..., Settings]
) -> None:
    (folder / "closed").mkdir(mode=0o700)
    with pytest.raises(Misconfigured) as refused:
        cluster.ensure_running(make_settings("closed/a"))
    assert refused.value.code == "folder_not_reachable"
    assert refused.value.params["closed"] == str(folder / "closed")


@as_root
def test_socket_folder_that_belongs_to_somebody_else_is_refused(
    folder: Path, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings()
    settings.runtime_dir.mkdir()
    os.chown(settings.runtime_dir, 12345, 12345)
    with pytest.raises(Misconfigured) as refused:
        cluster.ensure_running(settings)
    assert refused.value.code == "folder_of_another_account"


def test_long_socket_path_is_refused_before_anything_is_made(folder: Path) -> None:
    settings = Settings(data_dir=folder / "a", runtime_dir=folder / ("r" * 110), embedded_fast=True)
    with pytest.raises(Misconfigured) as refused:
        cluster.ensure_running(settings)
    assert refused.value.code == "socket_path_too_long"
    assert not (folder / "a").exists()


@as_root
def test_full_disk_is_called_a_full_disk(folder: Path, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings("full")
    settings.data_dir.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=755", "none", settings.data_dir])
    if mounted.returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        with pytest.raises(Unavailable) as refused:
            cluster.ensure_running(settings)
        assert refused.value.code == "disk_full"
        assert cluster.status(settings).state == "absent"
    finally:
        subprocess.run(["umount", settings.data_dir], check=True)


def test_account_is_never_root() -> None:
    assert unprivileged_account(Path("/nowhere")).uid != 0

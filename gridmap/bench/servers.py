"""The servers that are measured, each a child of ours on 127.0.0.1: our web, the same without log-in, and tipg."""

from __future__ import annotations

import shutil
import sys
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from gridmap.adapters.children import start_child
from gridmap.adapters.processes import run, unprivileged_account, wait_until
from gridmap.bench.site import BenchSite
from gridmap.db.roles import DATABASE, SCHEMA, SYSTEM
from gridmap.errors import Unavailable
from gridmap.serve import children
from gridmap.serve.addresses import find_free_port
from gridmap.settings import Settings

PROCESSES = 2
CONNECTIONS_A_PROCESS = 8
_START_S = 90.0
_STOP_S = 10.0
_INSTALL_S = 600.0
_TIPG = "tipg==1.6.1"
_ANONYMOUS_APP = Path(__file__).parent / "anonymous_app.py.txt"
_TABLES = ("camera", "incident", "area_version")


@contextmanager
def our_web(site: BenchSite, *, processes: int = PROCESSES) -> Iterator[int]:
    """The real web server with log-in. Gives its port."""
    settings = _listening(site.settings, processes)
    spec = children.web(settings, None, lambda: 0, lambda _name: None)
    with _running(site, spec.command(), spec.extra_env, settings.port) as port:
        yield port


class LastingWeb:
    """The real web server on one port that it keeps across restarts."""

    def __init__(self, site: BenchSite, *, processes: int) -> None:
        self._site = site
        self._settings = _listening(site.settings, processes)
        self._running = ExitStack()

    @property
    def port(self) -> int:
        return self._settings.port

    def __enter__(self) -> LastingWeb:
        self._start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._running.close()

    def restart(self) -> float:
        """Stop it as a supervisor would, and start it again. Returns for how many seconds nobody answered."""
        started = time.monotonic()
        self._running.close()
        self._start()
        return time.monotonic() - started

    def _start(self) -> None:
        spec = children.web(self._settings, None, lambda: 0, lambda _name: None)
        self._running.enter_context(_running(self._site, spec.command(), spec.extra_env, self.port))


@contextmanager
def our_web_without_login(site: BenchSite, path: str) -> Iterator[int]:
    """The same server, routes and tiles, with the caller's check replaced by one fixed caller over `path`."""
    settings = _listening(site.settings, PROCESSES)
    spec = children.web(settings, None, lambda: 0, lambda _name: None)
    folder = site.settings.data_dir / "anonymous"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    shutil.copyfile(_ANONYMOUS_APP, folder / "gridmap_bench_anonymous.py")
    command: list[str | Path] = [
        "gridmap_bench_anonymous:create_app()" if part == "web.app:create_app()" else part
        for part in spec.command()
    ]
    extra = {"PYTHONPATH": str(folder), "GRIDMAP_BENCH_PATH": path}
    with _running(site, command, spec.extra_env, settings.port, extra) as port:
        yield port


@contextmanager
def tipg(site: BenchSite, base: Settings) -> Iterator[int]:
    """tipg over the same tables, in a virtual environment of its own that is made on first use."""
    python = _tipg_environment(base.data_dir / "bench" / "tipg")
    port = find_free_port()
    socket_folder = quote(str(site.settings.runtime_dir.absolute()), safe="")
    command: list[str | Path] = [
        *(python, "-m", "uvicorn", "tipg.main:app", "--host", "127.0.0.1", "--port", str(port)),
        *("--workers", str(PROCESSES), "--log-level", "warning"),
    ]
    environment = {
        "DATABASE_URL": f"postgresql://{SYSTEM}@{socket_folder}/{DATABASE}",
        "DB_MIN_CONN_SIZE": str(CONNECTIONS_A_PROCESS),
        "DB_MAX_CONN_SIZE": str(CONNECTIONS_A_PROCESS),
        "TIPG_DB_SCHEMAS": f'["{SCHEMA}"]',
        "TIPG_DB_TABLES": "[" + ",".join(f'"{SCHEMA}.{table}"' for table in _TABLES) + "]",
        "TIPG_DB_FUNCTIONS": "[]",
        "TIPG_DB_SPATIAL_EXTENT": "false",
        "TIPG_DB_DATETIME_EXTENT": "false",
        "TIPG_CATALOG_TTL": "1000000",
    }
    with _running(site, command, environment, port) as listening:
        yield listening


def _listening(settings: Settings, processes: int) -> Settings:
    return settings.model_copy(update={"port": find_free_port(), "web_workers": processes})


@contextmanager
def _running(
    site: BenchSite,
    command: Sequence[str | Path],
    environment: Mapping[str, str],
    port: int,
    extra: Mapping[str, str] | None = None,
) -> Iterator[int]:
    account = unprivileged_account(site.settings.data_dir / "postgres")
    log = site.settings.data_dir / "web.log"
    child = start_child(
        command,
        account=account,
        extra_env={**environment, **(extra or {})},
        log=log,
        reads=[Path(sys.prefix)],
    )
    try:
        health = f"http://127.0.0.1:{port}/healthz"
        wait_until(lambda: child.find_status() is not None or children.answers(health), timeout_s=_START_S)
        if child.find_status() is not None:
            raise Unavailable("bench_server_did_not_start", log=str(log))
        yield port
    finally:
        child.stop(patience_s=_STOP_S)


def _tipg_environment(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        venv.create(folder, clear=True, with_pip=True)
        done = run([python, "-m", "pip", "install", "--quiet", _TIPG, "uvicorn"], timeout_s=_INSTALL_S)
        if done.status != 0:
            raise Unavailable("tipg_not_installable", reason=done.output[-400:])
        (folder / "complete").touch()
    return python

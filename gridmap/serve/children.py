"""The processes of a deployment: how each is started and how one sees that it is ready."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from gridmap.adapters.valhalla_bin import valhalla_bin
from gridmap.adapters.valhalla_tiles import current_version, write_service_config
from gridmap.errors import Unavailable
from gridmap.serve.addresses import local_url
from gridmap.serve.supervisor import ChildSpec
from gridmap.serve.tls import TlsFiles
from gridmap.settings import Settings

WEB, WORKER, POSITIONS, ROUTING = "web", "worker", "positions", "routing"
MQTT = "mqtt"
_WEB_FACTORY = "web.app:create_app()"
# One gevent worker held 10,000 open event streams; the limit is there to protect its memory.
_CONNECTIONS_PER_WORKER = 20_000
_PROBE_TIMEOUT_S = 1.0

LogOf = Callable[[str], Path | None]


def web(settings: Settings, tls: TlsFiles | None, renewed: Callable[[], object], log_of: LogOf) -> ChildSpec:
    """The web server; `renewed` gives another value after the certificate was changed."""
    return ChildSpec(
        WEB,
        lambda: _gunicorn(settings, tls),
        settings_environment(settings),
        version=renewed,
        is_ready=lambda: answers(f"{local_url(settings)}/healthz"),
        log=log_of(WEB),
    )


def worker(settings: Settings, log_of: LogOf) -> ChildSpec:
    """The worker: timers, jobs, the feed's wake-up."""
    command = [sys.executable, "-m", "gridmap", "worker"]
    return ChildSpec(
        WORKER, lambda: command, settings_environment(settings), patience_s=20, log=log_of(WORKER)
    )


def positions(settings: Settings, shard: int, log_of: LogOf) -> ChildSpec:
    """One positions process, for its share of the units."""
    name = POSITIONS if settings.positions_shards == 1 else f"{POSITIONS}-{shard}"
    command = [sys.executable, "-m", "gridmap", "positions", "--shard", str(shard)]
    return ChildSpec(name, lambda: command, settings_environment(settings), log=log_of(name))


def mqtt(settings: Settings, log_of: LogOf) -> ChildSpec:
    """Positions of the broker, where a site has one."""
    command = [sys.executable, "-m", "gridmap", "mqtt"]
    return ChildSpec(
        MQTT,
        lambda: command,
        settings_environment(settings),
        wanted=lambda: settings.mqtt_url is not None,
        log=log_of(MQTT),
    )


def routing(settings: Settings, log_of: LogOf) -> ChildSpec:
    """The routing engine, as soon as an import has built a road graph, and anew with each new one."""

    def command() -> Sequence[str | Path]:
        config = write_service_config(
            settings.routing_dir, socket_dir=settings.runtime_dir, port=settings.valhalla_port
        )
        if config is None:
            raise Unavailable("routing_graph_missing")
        return [valhalla_bin("valhalla_service"), config, "1"]

    return ChildSpec(
        ROUTING,
        command,
        wanted=lambda: settings.valhalla_url is None and current_version(settings.routing_dir) is not None,
        version=lambda: current_version(settings.routing_dir),
        is_ready=lambda: answers(f"{settings.routing_url}/status"),
        # It keeps nothing, and drains its sockets for longer than anybody wants to wait.
        patience_s=1,
        log=log_of(ROUTING),
    )


def answers(url: str) -> bool:
    """True when something answers there without an error. Nothing secret is sent: any certificate will do."""
    try:
        with httpx.Client(verify=False, trust_env=False, timeout=_PROBE_TIMEOUT_S) as client:
            return client.get(url).is_success
    except httpx.HTTPError:
        return False


def settings_environment(settings: Settings) -> dict[str, str]:
    """The settings as variables, so that a child of another account and folder means the same deployment."""
    given = settings.model_dump(include=settings.model_fields_set | {"data_dir", "runtime_dir"})
    environment = {}
    for name, value in given.items():
        if value is None:
            continue
        secret = getattr(value, "get_secret_value", None)
        environment[f"GRIDMAP_{name.upper()}"] = str(secret() if secret else value)
    # Everything in the file is in the variables now; the child need not be able to read it.
    return environment | {"GRIDMAP_CONFIG": ""}


def _gunicorn(settings: Settings, tls: TlsFiles | None) -> list[str | Path]:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    command: list[str | Path] = [sys.executable, "-m", "gunicorn", _WEB_FACTORY, "--name", "gridmap-web"]
    command += ["--config", "python:web.gunicorn_hooks"]
    command += ["--bind", f"{host}:{settings.port}", "--worker-class", "gevent"]
    command += ["--workers", str(settings.web_workers), "--worker-connections", str(_CONNECTIONS_PER_WORKER)]
    command += [
        "--no-control-socket",
        "--worker-tmp-dir",
        "/dev/shm" if Path("/dev/shm").is_dir() else "/tmp",
    ]
    command += ["--timeout", "60", "--graceful-timeout", "3", "--keep-alive", "30", "--log-level", "warning"]
    if tls is not None:
        command += ["--certfile", tls.certificate, "--keyfile", tls.key]
    return command

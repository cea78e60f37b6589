"""`gridmap serve`, `gridmap worker`, `gridmap positions`, `gridmap mqtt`, `gridmap health`."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click

import gridmap
from gridmap.adapters.children import become
from gridmap.adapters.processes import BACKGROUND_NICENESS, give_way
from gridmap.clock import SystemClock
from gridmap.db.cluster_layout import layout_of
from gridmap.serve import health as health_
from gridmap.serve.addresses import web_url
from gridmap.serve.children import settings_environment
from gridmap.serve.deployment import deployment
from gridmap.serve.garbage import collect_seldom
from gridmap.settings import load_settings
from gridmap.worker import run_mqtt, run_positions, run_worker


@click.command()
@click.option("--host", help="Address to listen on; 0.0.0.0 for the whole network.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), help="Web processes.")
@click.option("--tls", is_flag=True, help="HTTPS with a certificate of our own site CA.")
@click.option(
    "--cert", type=click.Path(dir_okay=False, path_type=Path), help="HTTPS with this certificate ..."
)
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="... and this key.")
def serve(**options: Any) -> None:
    """Run the whole deployment: database, web, worker and routing, until Ctrl-C or SIGTERM."""
    settings = load_settings(**_overrides(**options))
    with stop_on_signal() as stop, deployment(settings, SystemClock(), say) as running:
        say(f"serving at {web_url(running.settings)}")
        running.supervisor().run(stop)


@click.command()
def worker() -> None:
    """Run one worker: timers and jobs. `gridmap serve` starts one by itself."""
    settings = load_settings()
    if os.geteuid() == 0:
        become(
            [sys.executable, "-m", "gridmap", "worker"],
            account=layout_of(settings).account,
            extra_env=settings_environment(settings),
            reads=[Path(gridmap.__file__)],
        )
    give_way(niceness=BACKGROUND_NICENESS)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s worker %(levelname)s %(message)s")
    with stop_on_signal() as stop:
        run_worker(settings, stop)


@click.command()
@click.option(
    "--shard", type=click.IntRange(0, 15), default=0, show_default=True, help="Which share of the units."
)
def positions(shard: int) -> None:
    """Run one positions process: filters, fences, the units' places. `gridmap serve` starts them by itself."""
    settings = load_settings()
    if os.geteuid() == 0:
        become(
            [sys.executable, "-m", "gridmap", "positions", "--shard", str(shard)],
            account=layout_of(settings).account,
            extra_env=settings_environment(settings),
            reads=[Path(gridmap.__file__)],
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s positions %(levelname)s %(message)s")
    collect_seldom()
    with stop_on_signal() as stop:
        run_positions(settings, shard, stop)


@click.command()
def mqtt() -> None:
    """Take positions from the MQTT broker of `mqtt_url`. `gridmap serve` starts it where one is set."""
    settings = load_settings()
    if os.geteuid() == 0:
        become(
            [sys.executable, "-m", "gridmap", "mqtt"],
            account=layout_of(settings).account,
            extra_env=settings_environment(settings),
            reads=[Path(gridmap.__file__)],
        )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s mqtt %(levelname)s %(message)s")
    with stop_on_signal() as stop:
        run_mqtt(settings, stop)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
def health(as_json: bool) -> None:
    """Show every process and queue, the feed's delay and who blocks it. Exit 1 when something is wrong."""
    found = health_.look(load_settings())
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        click.echo("\n".join(_plain(found)))
    sys.exit(0 if found.well else 1)


def say(line: str) -> None:
    """One plain line on stdout, with the local time."""
    click.echo(f"{datetime.now().astimezone():%H:%M:%S} {line}")
    sys.stdout.flush()


@contextmanager
def stop_on_signal() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets, so that everything is stopped in order."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _overrides(*, tls: bool, cert: Path | None, key: Path | None, **plain: Any) -> dict[str, Any]:
    chosen = {name: value for name, value in plain.items() if value is not None}
    if "workers" in chosen:
        chosen["web_workers"] = chosen.pop("workers")
    if (cert is None) != (key is None):
        raise click.UsageError("--cert and --key go together")
    if cert is not None and key is not None:
        return chosen | {"tls_mode": "files", "tls_cert": cert.absolute(), "tls_key": key.absolute()}
    return chosen | ({"tls_mode": "site_ca"} if tls else {})


def _plain(found: health_.Health) -> Iterator[str]:
    yield f"database: {found.database}"
    yield "web: " + (f"answers in {found.web_ms} ms" if found.web_ms is not None else "does not answer")
    for process in found.processes:
        state = "runs" if process.alive else "is down"
        yield f"{process.name}: {state} (process {process.pid}, restarts {process.restarts})"
    if found.feed_delay_s is not None:
        yield f"feed: {found.feed_waiting} waiting, delay {found.feed_delay_s:.3f} s"
    if found.feed_blocker is not None:
        who = found.feed_blocker
        yield (
            f"oldest open write: process {who.pid}, {who.role}, {who.program or 'unnamed'},"
            f" {who.state}, {who.open_s:.1f} s"
        )
    for queue in found.queues:
        yield f"queue {queue.name}: {queue.waiting} due, oldest {queue.oldest_s:.1f} s"
    yield "well" if found.well else "NOT WELL: " + ", ".join(found.faults)

"""`gridmap bench positions`: fixes a second against fences, from fix to event, and nothing lost over kill -9."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from gridmap.bench.fence_trials import run_fence_trials
from gridmap.bench.map import Quantiles, log_in, make_operator
from gridmap.bench.positions_load import (
    FIXES_A_REQUEST,
    Next,
    Sent,
    Wanderers,
    gateway_requests,
    screen,
    send_steadily,
    single_requests,
)
from gridmap.bench.positions_site import (
    Serving,
    add_devices,
    add_gateway,
    add_units,
    add_zones,
    empty,
    forget_positions,
    serving,
    wait_placed,
)
from gridmap.bench.processor import processor_s
from gridmap.bench.site import SEED, BenchSite, Say, bench_site
from gridmap.db.cluster_layout import layout_of
from gridmap.errors import Unavailable
from gridmap.settings import Settings

UNITS = 2_000
FENCES = (0, 400, 5_000, 23_000)
PER_SECOND = 2_400.0
_DEVICES = 400
_WARM_UP_S = 6.0
_SINGLE_S = 15.0
_KILL_PER_SECOND = 1_000.0
_KILL_EVERY_S = 6.0
_DRAIN_S = 120.0
_BACK_S = 90.0


def run_positions_bench(
    base: Settings, seconds: float, per_second: float, fences: Sequence[int], say: Say
) -> dict[str, Any]:
    """Measure positions. `per_second` is what is offered, in fixes. Returns the report (docs/bench.md)."""
    with bench_site(base, 1.0, say, purpose="positions") as site:
        empty(site)
        units = add_units(site, UNITS)
        keys = add_devices(site, units[:_DEVICES])
        token = add_gateway(site)
        runs = [_run(site, token, units, count, seconds, per_second, say) for count in fences]
        single = _single(site, keys, min(seconds, _SINGLE_S), say)
        lost = _kill(site, token, units, say)
    say("noise, missed crossings, and late fixes, without a server")
    trials = run_fence_trials()
    return {
        "runs": [run["shown"] for run in runs],
        "single_get_per_s": single,
        **{name: trials.pop(name) for name in ("flaps_per_hour", "missed", "late_equal")},
        "lost_after_kill": lost["lost"],
        "conditions": {
            **trials,
            "seconds": seconds,
            "offered_per_s": per_second,
            "units": UNITS,
            "grids": len(site.lattice.grids),
            "cores": os.cpu_count(),
            "load_1m": round(os.getloadavg()[0], 2),
            "runs": [run["beside"] for run in runs],
            "kill": lost,
        },
    }


def _run(
    site: BenchSite, token: str, units: list[Any], fences: int, seconds: float, per_second: float, say: Say
) -> dict[str, Any]:
    say(f"{fences} fences")
    rng = np.random.default_rng(SEED + fences)
    forget_positions(site)
    add_zones(site, fences, rng)
    city = next(area for area in site.lattice.areas if area.level == "city")
    with serving(site) as running:
        login, password = make_operator(site, city.area_id)
        cookie = log_in(running.port, login, password)
        requests = gateway_requests(Wanderers(site.lattice, units, rng), running.port, token)
        waited_ms: list[float] = []
        _send(running, requests, per_second, _WARM_UP_S)
        wait_placed(site, _DRAIN_S)
        with screen(running.port, cookie, waited_ms):
            before = _processor_s(site, running)
            began = time.time()
            sent = _send(running, requests, per_second, seconds)
            ended = time.time()
            if not wait_placed(site, _DRAIN_S):
                raise Unavailable("bench_positions_not_placed", fences=fences)
            placed = time.time()
            after = _processor_s(site, running)
            time.sleep(1.5)
    stored = _stored_ms(site, began)
    events = _event_ms(site, began)
    shown = events if len(events) else stored
    return {
        "shown": {
            "fences": fences,
            "fixes_per_s": round(len(stored) / (placed - began), 1),
            "event_ms": {"p50": _share(shown, 50), "p99": _share(shown, 99)},
        },
        "beside": {
            "fences": fences,
            "taken": sent.taken,
            "stored": len(stored),
            "failed": sent.failed,
            "behind_s": round(placed - ended, 2),
            "events": len(events),
            "cpu_ms_per_fix": {
                name: round((after[name] - used_s) * 1000 / max(len(stored), 1), 3)
                for name, used_s in before.items()
            },
            "answer_ms": asdict(Quantiles.of(sent.answer_ms)),
            "stored_ms": {"p50": _share(stored, 50), "p99": _share(stored, 99)},
            "map_ms": {"p50": _share(np.array(waited_ms), 50), "p99": _share(np.array(waited_ms), 99)},
        },
    }


def _processor_s(site: BenchSite, running: Serving) -> dict[str, float]:
    """Processor time used so far by each process that a fix passes; `bench` is the load and the screen."""
    pids = running.pids()
    used = {name: processor_s(pids[name]) for name in ("web", "positions", "worker")}
    return used | {
        "database": processor_s(_pid_of(site, running, "database")),
        "bench": time.process_time(),
    }


def _send(running: Serving, requests: Next, per_second: float, seconds: float, *, keep: bool = False) -> Sent:
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    try:
        pace = per_second / FIXES_A_REQUEST
        return send_steadily(running.port, requests, per_second=pace, stop=stop, keep=keep)
    finally:
        timer.cancel()


def _single(site: BenchSite, keys: list[str], seconds: float, say: Say) -> float:
    """GETs a second with one fix each, all answered after the write; as fast as they go."""
    say("single GETs")
    forget_positions(site)
    with serving(site) as running:
        requests = single_requests(site.lattice, running.port, keys, np.random.default_rng(SEED))
        _send(running, requests, 1e9, 3.0)
        began = time.monotonic()
        sent = _send(running, requests, 1e9, seconds)
        rate = sent.answers / (time.monotonic() - began)
        wait_placed(site, _DRAIN_S)
    return round(rate, 1)


def _kill(site: BenchSite, token: str, units: list[Any], say: Say) -> dict[str, Any]:
    """kill -9 of each process in turn under load; every acknowledged fix must be stored in the end."""
    say("kill -9 under load")
    forget_positions(site)
    add_zones(site, 400, np.random.default_rng(SEED))
    killed: list[str] = []
    with serving(site) as running, ThreadPoolExecutor(1) as pool:
        wanderers = Wanderers(site.lattice, units, np.random.default_rng(SEED))
        requests = gateway_requests(wanderers, running.port, token)
        stop = threading.Event()
        pace = _KILL_PER_SECOND / FIXES_A_REQUEST
        sending = pool.submit(send_steadily, running.port, requests, per_second=pace, stop=stop, keep=True)
        try:
            for name in ("positions", "web", "database backend", "worker", "positions", "database"):
                time.sleep(_KILL_EVERY_S)
                say(f"killing {name}")
                os.kill(_pid_of(site, running, name), signal.SIGKILL)
                killed.append(name)
            time.sleep(2 * _KILL_EVERY_S)
        finally:
            stop.set()
        sent = sending.result()
        if not _drained(site):
            raise Unavailable("bench_positions_not_placed", after="kill")
    stored = _stored_keys(site)
    told = set(sent.acknowledged)
    return {
        "lost": len(told - stored),
        "acknowledged": len(told),
        "stored": len(stored),
        "unanswered_requests": sent.failed,
        "killed": killed,
    }


def _drained(site: BenchSite) -> bool:
    """The database may still be on its way back."""
    until = time.monotonic() + _DRAIN_S
    while time.monotonic() < until:
        try:
            if wait_placed(site, _DRAIN_S):
                return True
        except psycopg.Error:
            time.sleep(0.5)
    return False


def _pid_of(site: BenchSite, running: Serving, name: str) -> int:
    if name == "database":
        lines = layout_of(site.settings).pid_file.read_text().splitlines()
        return int(lines[0])
    until = time.monotonic() + _BACK_S
    while time.monotonic() < until:
        # What was killed last may be on its way back still.
        pid = _backend(site) if name == "database backend" else running.pids().get(name)
        if pid is not None and Path(f"/proc/{pid}").exists():
            return pid
        time.sleep(0.1)
    raise Unavailable("bench_process_missing", name=name)


def _backend(site: BenchSite) -> int | None:
    """A session of the web's role, the one that worked last."""
    with site.admin() as connection:
        found = connection.execute(
            "select pid from pg_stat_activity where usename = 'gridmap_app' order by state_change desc limit 1"
        ).fetchone()
    return int(found[0]) if found else None


def _stored_ms(site: BenchSite, since_s: float) -> NDArray[np.float64]:
    return _waited(site, "select fixed_at as at, xmin from fix", since_s)


def _event_ms(site: BenchSite, since_s: float) -> NDArray[np.float64]:
    return _waited(site, "select sample_at as at, xmin from fence_event where reason <> 'silence'", since_s)


def _waited(site: BenchSite, rows: str, since_s: float) -> NDArray[np.float64]:
    """From each fix's own time, which its sender stamped as it sent it, to the commit of what came of it."""
    with site.admin() as connection:
        found = connection.execute(
            "select extract(epoch from pg_xact_commit_timestamp(xmin) - at)::float8 * 1000"
            f" from ({rows}) r where at >= to_timestamp(%s)",
            (since_s,),
        ).fetchall()
    return np.array([row[0] for row in found if row[0] is not None], dtype=np.float64)


def _stored_keys(site: BenchSite) -> set[tuple[UUID, datetime]]:
    with site.admin() as connection:
        rows = connection.execute("select unit_id, fixed_at from fix").fetchall()
    return {(row[0], row[1]) for row in rows}


def _share(values: NDArray[np.float64], percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 1) if len(values) else None

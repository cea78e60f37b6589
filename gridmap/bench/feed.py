"""`gridmap bench feed`: from the commit to every screen, during an import, across a restart, with late writers."""

from __future__ import annotations

import csv
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridmap.adapters.children import Child, start_child
from gridmap.adapters.processes import unprivileged_account, wait_until
from gridmap.bench.map import Quantiles, log_in, make_operator
from gridmap.bench.points import INCIDENTS, PointSource
from gridmap.bench.servers import PROCESSES, LastingWeb
from gridmap.bench.site import SEED, BenchSite, Say, bench_site
from gridmap.bench.writers import Hotline, LateWriters
from gridmap.clock import SystemClock
from gridmap.errors import Unavailable
from gridmap.serve import children
from gridmap.services.accounts import create_token
from gridmap.services.transaction import SYSTEM_ACTOR, system_transaction
from gridmap.settings import Settings

STREAMS_AN_ACCOUNT = 10
HOTLINE_THREADS = 24
LATE_WRITERS = 3
LONGEST_S = 1_500.0
SHORTEST_S = 60.0
_CALM_S = 10.0
_SETTLE_S = 12.0
_LAST_ON_THEIR_WAY_S = 5.0
_OPEN_S = 120.0
_CASE_TOPICS = ("incident", "dispatch", "alarm")
_CSV_COLUMNS = (
    *("ref", "class", "severity", "channel", "text"),
    *("lon", "lat", "reported", "outcome", "closed_at"),
)


@dataclass(frozen=True)
class Truth:
    """Every notice of the run as the database holds it, ordered by its row id."""

    id: NDArray[np.int64]
    committed_s: NDArray[np.float64]
    incident: NDArray[np.int64]


@dataclass(frozen=True)
class Heard:
    """What the streams noted, each stream's in the order received."""

    stream: NDArray[np.int32]
    id: NDArray[np.int64]
    at_s: NDArray[np.float64]
    reconnects: int
    resyncs: int


def run_feed_bench(
    base: Settings, scale: float, streams: int, per_second: float, say: Say, *, longest_s: float = LONGEST_S
) -> dict[str, Any]:
    """Measure the feed, until the import ends or for `longest_s`. Returns the report (docs/bench.md).

    `scale` is the share of 2,000,000 rows to import.
    """
    with bench_site(base, 1.0, say, purpose="feed") as site:
        _empty(site)
        file = _import_file(site, scale, say)
        return _measure(site, file, round(INCIDENTS * scale), streams, per_second, longest_s, say)


def _measure(
    site: BenchSite, file: Path, rows: int, streams: int, per_second: float, longest_s: float, say: Say
) -> dict[str, Any]:
    city = next(area for area in site.lattice.areas if area.level == "city")
    stop = threading.Event()
    out = site.settings.data_dir / "heard.npz"
    with LastingWeb(site, processes=PROCESSES) as web, _worker(site):
        cookies = _cookies(site, web.port, city.area_id, streams, say)
        hotline = Hotline(site, web.port, _token(site, city.area_id), per_second, stop)
        late = LateWriters(site, city.path, city.area_id, stop)
        late.prepare()
        with _listeners(web.port, cookies, out, say) as listening:
            started = time.time()
            first_id = _last_outbox_id(site)
            threads = [threading.Thread(target=hotline.run) for _ in range(HOTLINE_THREADS)]
            threads += [threading.Thread(target=late.run) for _ in range(LATE_WRITERS)]
            for thread in threads:
                thread.start()
            try:
                time.sleep(_CALM_S)
                imported = _import_and_restart(site, file, web, longest_s, say)
            finally:
                stop.set()
                for thread in threads:
                    thread.join()
            seconds = time.time() - started
            say("waiting for the last events")
            time.sleep(_SETTLE_S)
            truth = _truth(site, first_id)
            # The worker goes on writing: what was committed just before the truth was read is still on its way.
            time.sleep(_LAST_ON_THEIR_WAY_S)
            listening.close()
    heard = _read(out)
    return _report(heard, truth, streams) | {
        "conditions": {
            "seconds": round(seconds, 1),
            "cores": os.cpu_count(),
            "load_1m": round(os.getloadavg()[0], 2),
            "rows_to_import": rows,
            **imported,
            "reports_sent": hotline.sent,
            "reports_per_second": round(hotline.sent / seconds, 2),
            "reports_sent_again": hotline.retried,
            "report_answer_ms": asdict(Quantiles.of(hotline.answer_ms)) if hotline.answer_ms else None,
            "late_transactions": late.committed,
            "late_commit_out_of_xid_order": _overtaken(truth),
            "reconnects": heard.reconnects,
            "resyncs": heard.resyncs,
        }
    }


def _report(heard: Heard, truth: Truth, streams: int) -> dict[str, Any]:
    lost, disordered, delays = 0, 0, []
    order = np.argsort(heard.stream, kind="stable")
    parts = np.split(order, np.searchsorted(heard.stream[order], np.arange(1, streams)))
    for part in parts:
        ids, first = np.unique(heard.id[part], return_index=True)
        known = np.searchsorted(truth.id, ids)
        known_in = known < len(truth.id)
        known_in[known_in] &= truth.id[known[known_in]] == ids[known_in]
        at, first = known[known_in], first[known_in]
        lost += len(truth.id) - len(at)
        received = np.argsort(first)
        disordered += _disorder(truth.incident[at[received]], truth.committed_s[at[received]])
        delays.append((heard.at_s[part][first] - truth.committed_s[at]) * 1000)
    waited = np.concatenate(delays) if delays else np.zeros(0)
    if not len(waited):
        raise Unavailable("bench_feed_silent")
    return {
        "streams": streams,
        "events": len(truth.id),
        "lost": int(lost),
        "out_of_order": int(disordered),
        "commit_to_client_ms": asdict(Quantiles.of(waited)),
    }


def _disorder(incident: NDArray[np.int64], committed_s: NDArray[np.float64]) -> int:
    """How often one stream heard of an incident something that was committed before what it had heard already."""
    order = np.argsort(incident, kind="stable")
    same = incident[order][1:] == incident[order][:-1]
    return int(np.sum(same & (np.diff(committed_s[order]) < 0)))


def _overtaken(truth: Truth) -> int:
    """Notices that were committed after one with a later row id: what a reader of `id > last` would have lost."""
    return int(np.sum(truth.committed_s[:-1] > np.minimum.accumulate(truth.committed_s[::-1])[::-1][1:]))


def _empty(site: BenchSite) -> None:
    with site.admin() as connection:
        found = connection.execute("show track_commit_timestamp").fetchone()
        assert found == ("on",)
        connection.execute(
            "truncate incident, import_batch, outbox, tile_count, tile_delta, tile_layer, timer, alarm, audit cascade"
        )


def _import_file(site: BenchSite, scale: float, say: Say) -> Path:
    """A CSV of invented incidents for `gridmap import incidents`, made once a scale."""
    path = site.settings.data_dir / f"incidents-{scale:g}.csv"
    if path.exists():
        return path
    say("writing the file to import")
    source = PointSource(site.lattice, scale, SEED)
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(_CSV_COLUMNS)
        for rows in source.incident_rows():
            writer.writerows(rows)
    unfinished.rename(path)
    path.chmod(0o644)
    return path


def _import_and_restart(
    site: BenchSite, file: Path, web: LastingWeb, longest_s: float, say: Say
) -> dict[str, Any]:
    """Import in a process of its own; restart the web while it runs. Ends with the import, or at the limit."""
    say("importing")
    account = unprivileged_account(site.settings.data_dir / "postgres")
    command: list[str | Path] = [
        *(
            sys.executable,
            "-m",
            "gridmap",
            "import",
            "incidents",
            file,
            "--source",
            "bench",
            "--crs",
            "WGS84",
        ),
        *("--tz", "UTC", "--json"),
    ]
    log = site.settings.data_dir / "import.log"
    log.unlink(missing_ok=True)
    started = time.time()
    child = start_child(
        command,
        account=account,
        extra_env=children.settings_environment(site.settings),
        log=log,
        reads=[Path(sys.prefix)],
    )
    try:
        time.sleep(SHORTEST_S / 3)
        say("restarting the web")
        down_s = web.restart()
        wait_until(lambda: child.find_status() is not None, timeout_s=longest_s, pause_s=0.5)
        ended = child.find_status()
        seconds = time.time() - started
        time.sleep(max(0.0, SHORTEST_S - seconds))
    finally:
        child.stop(patience_s=5)
    with site.admin() as connection:
        found = connection.execute("select count(*) from incident where source = 'bench'").fetchone()
    assert found is not None
    return {
        "rows_imported": found[0],
        "import_finished": ended == 0,
        "import_s": round(seconds, 1),
        "web_down_s": round(down_s, 2),
    }


@contextmanager
def _worker(site: BenchSite) -> Iterator[Child]:
    spec = children.worker(site.settings, lambda _name: None)
    account = unprivileged_account(site.settings.data_dir / "postgres")
    child = start_child(
        spec.command(),
        account=account,
        extra_env=spec.extra_env,
        log=site.settings.data_dir / "worker.log",
        reads=[Path(sys.prefix)],
    )
    try:
        yield child
    finally:
        child.stop(patience_s=10)


@dataclass
class _Listening:
    process: subprocess.Popen[str]

    def close(self) -> None:
        """Let the listeners write down what they heard."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=120)


@contextmanager
def _listeners(port: int, cookies: list[str], out: Path, say: Say) -> Iterator[_Listening]:
    out.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "gridmap.bench.listeners", str(port), str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write("\n".join(cookies) + "\n\n")
        process.stdin.flush()
        deadline = time.monotonic() + _OPEN_S
        reached = 0
        while reached < len(cookies):
            if time.monotonic() > deadline or process.poll() is not None:
                raise Unavailable("bench_streams_not_open", wanted=len(cookies), open=reached)
            reached = int(process.stdout.readline() or 0)
        say(f"{reached} streams are open")
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield _Listening(process)
    finally:
        process.kill()
        process.wait()


def _cookies(site: BenchSite, port: int, area_id: int, streams: int, say: Say) -> list[str]:
    say("logging in")
    cookies: list[str] = []
    while len(cookies) < streams:
        login, password = make_operator(site, area_id)
        cookie = log_in(port, login, password)
        cookies += [cookie] * min(STREAMS_AN_ACCOUNT, streams - len(cookies))
    return cookies


def _token(site: BenchSite, area_id: int) -> str:
    with system_transaction(site.database, SystemClock(), SYSTEM_ACTOR) as tx:
        made = create_token(
            tx,
            name=f"bench {secrets.token_hex(4)}",
            role="intake",
            area_id=area_id,
            source="bench-hotline",
        )
    return made.secret


def _last_outbox_id(site: BenchSite) -> int:
    with site.admin() as connection:
        found = connection.execute("select coalesce(max(id), 0) from outbox").fetchone()
    assert found is not None
    return int(found[0])


def _truth(site: BenchSite, first_id: int) -> Truth:
    with site.admin() as connection:
        rows = connection.execute(
            "select id, extract(epoch from pg_xact_commit_timestamp(xid::xid))::float8, coalesce(body ->> 'id', '')"
            " from outbox where id > %s and topic = any (%s) order by id",
            (first_id, list(_CASE_TOPICS)),
        ).fetchall()
    _, incident = np.unique([row[2] for row in rows], return_inverse=True)
    return Truth(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.float64),
        np.asarray(incident, dtype=np.int64),
    )


def _read(path: Path) -> Heard:
    with np.load(path) as found:
        return Heard(
            found["stream"], found["id"], found["at_s"], int(found["reconnects"]), int(found["resyncs"])
        )

"""`gridmap serve` as an operator runs it: HTTPS answers, killed parts come back, one Ctrl-C ends all of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from gridmap.adapters.processes import is_alive, wait_until
from gridmap.db import cluster
from gridmap.settings import Settings

GRIDMAP = [sys.executable, "-m", "gridmap"]
START_S = 90


class Served:
    """A running `gridmap serve` and what one may ask of it."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder / "data", runtime_dir=folder / "run", embedded_fast=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GRIDMAP_")}
        self.env = kept | {
            "GRIDMAP_DATA_DIR": str(folder / "data"),
            "GRIDMAP_RUNTIME_DIR": str(folder / "run"),
            "GRIDMAP_EMBEDDED_FAST": "1",
        }
        self.log = folder / "serve.log"
        with self.log.open("w") as log:
            command = [*GRIDMAP, "serve", "--tls", "--port", "0"]
            self.process = subprocess.Popen(
                command, env=self.env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        ready = wait_until(
            lambda: "web: ready" in self.said() or self.process.poll() is not None, timeout_s=START_S
        )
        assert ready, self.said()
        assert self.process.poll() is None, self.said()

    def said(self) -> str:
        return self.log.read_text()

    @property
    def url(self) -> str:
        found = re.search(r"serving at (\S+)", self.said())
        assert found, self.said()
        return found.group(1)

    def get(self, path: str) -> httpx.Response:
        """Like a phone that trusts the site CA and nothing else."""
        context = ssl.create_default_context(cafile=str(self.settings.data_dir / "tls/ca.crt"))
        with httpx.Client(verify=context, trust_env=False, timeout=10) as client:
            return client.get(self.url + path)

    def answers(self) -> bool:
        try:
            return self.get("/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    def child(self, name: str) -> int:
        state = json.loads((self.settings.data_dir / "serve.json").read_text())
        return next(
            int(child["pid"]) for child in state["children"] if child["name"] == name and child["pid"]
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*GRIDMAP, *arguments], env=self.env, capture_output=True, text=True)

    def health(self) -> dict[str, object]:
        found: dict[str, object] = json.loads(self.run("health", "--json").stdout)
        return found


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    folder = Path(tempfile.mkdtemp(prefix="gm"))
    folder.chmod(0o755)
    running = Served(folder)
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(timeout=30)
    cluster.stop(running.settings)
    shutil.rmtree(folder)


def test_it_answers_over_https_with_a_certificate_of_the_site_ca(served: Served) -> None:
    assert served.url.startswith("https://")
    assert served.get("/healthz").json() == {"status": "ok"}


def test_health_is_well_and_names_every_process(served: Served) -> None:
    found = served.health()
    assert found["well"], found
    names = {process["name"] for process in found["processes"]}  # type: ignore[attr-defined]
    assert names >= {"supervisor", "worker", "web"}


def test_health_names_who_holds_up_the_feed(served: Served) -> None:
    host = str(served.settings.runtime_dir)
    with (
        psycopg.connect(
            host=host, user="gridmap_system", dbname="gridmap", application_name="slow hand"
        ) as slow,
        psycopg.connect(host=host, user="gridmap_system", dbname="gridmap", autocommit=True) as writer,
    ):
        slow.execute("SELECT pg_current_xact_id()")
        writer.execute("INSERT INTO outbox (topic, body, path) VALUES ('layer', '{}', '')")
        time.sleep(0.1)
        found = served.health()
    assert found["feed_waiting"] == 1
    assert found["feed_delay_s"] > 0.05  # type: ignore[operator]
    blocker = found["feed_blocker"]
    assert isinstance(blocker, dict)
    assert blocker["program"] == "slow hand"
    assert blocker["state"] == "idle in transaction"


def test_second_supervisor_is_refused(served: Served) -> None:
    again = served.run("serve", "--port", "0")
    assert again.returncode == 1
    assert "already_serving" in again.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")
def test_no_child_runs_as_root(served: Served) -> None:
    for name in ("web", "worker"):
        assert Path(f"/proc/{served.child(name)}").stat().st_uid != 0


def test_killed_web_and_database_come_back(served: Served) -> None:
    os.kill(served.child("web"), signal.SIGKILL)
    postmaster = cluster.status(served.settings).pid
    assert postmaster is not None
    os.kill(postmaster, signal.SIGKILL)
    assert wait_until(lambda: served.said().count("web: ready") == 2, timeout_s=START_S, pause_s=0.2), (
        served.said()
    )
    assert wait_until(lambda: cluster.status(served.settings).state == "running", timeout_s=30)
    assert wait_until(served.answers, timeout_s=30, pause_s=0.2)


def test_one_signal_ends_everything(served: Served) -> None:
    children = [served.child("web"), served.child("worker")]
    served.process.send_signal(signal.SIGINT)
    assert served.process.wait(timeout=30) == 0
    assert not any(is_alive(pid) for pid in children)
    assert cluster.status(served.settings).state == "stopped"
    assert not (served.settings.data_dir / "serve.json").exists()
    assert served.health()["faults"] == ["database_down", "web_does_not_answer", "nothing_serves"]

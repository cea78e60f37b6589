"""A whole deployment with a small demo district, run as a site runs it, and real browsers in front of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

READY_TIMEOUT_S = 420.0
STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class DemoSite:
    """Where it answers, and who may log in."""

    url: str
    log_ins: dict[str, Any]
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def staff(self, role: str) -> tuple[str, str]:
        person = next(row for row in self.log_ins["staff"] if row["role"] == role)
        return person["login"], person["password"]

    def officer(self, index: int = 0, kind: str = "grid_worker") -> tuple[str, str]:
        found = [row for row in self.log_ins["officers"] if row["kind"] == kind]
        return found[index]["login"], self.log_ins["officer_password"]

    def command(self, *words: str) -> str:
        """Run a verb of `gridmap` on this site, as its administrator would; answers what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "gridmap", *words], env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"gridmap {' '.join(words)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def wait_for_history(self) -> None:
        """Until the past is loaded, which goes on while the site already serves."""
        (progress,) = Path(self.environment["GRIDMAP_DATA_DIR"]).rglob("loaded.json")
        until = time.monotonic() + READY_TIMEOUT_S
        while not json.loads(progress.read_text(encoding="utf-8"))["complete"]:
            assert time.monotonic() < until, "the history did not come"
            time.sleep(0.5)


@contextmanager
def demo_site(*extra: str) -> Iterator[DemoSite]:
    """Start `gridmap demo --scale small` in folders of its own; stop it as Ctrl-C does."""
    folder = Path(tempfile.mkdtemp(prefix="gmb-", dir="/tmp"))
    folder.chmod(0o755)
    port = _free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GRIDMAP_")},
        "GRIDMAP_DATA_DIR": str(folder / "data"),
        "GRIDMAP_RUNTIME_DIR": str(folder / "run"),
        "GRIDMAP_VALHALLA_PORT": str(_free_port()),
    }
    command = [sys.executable, "-m", "gridmap", "demo", "--scale", "small", "--host", "127.0.0.1"]
    log = (folder / "demo.log").open("wb")
    process = subprocess.Popen(
        [*command, "--port", str(port), *extra],
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        url = f"https://127.0.0.1:{port}"
        _wait_ready(url, process, folder / "demo.log")
        yield DemoSite(url, _log_ins(folder / "data"), process, environment)
    finally:
        _stop(process)
        log.close()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_TIMEOUT_S
    with httpx.Client(verify=False) as client:  # the site's own authority, made a moment ago
        while time.monotonic() < until:
            if process.poll() is not None:
                break
            try:
                if client.get(f"{url}/healthz", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.5)
    raise AssertionError(f"the demo did not come up:\n{log.read_text(errors='replace')[-3000:]}")


def _log_ins(data_dir: Path) -> dict[str, Any]:
    (path,) = data_dir.rglob("log-ins.json")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

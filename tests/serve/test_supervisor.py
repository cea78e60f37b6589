"""Real children: started in order, revived with growing pauses, stopped in order, gone when we are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridmap.adapters.children import can_reach, start_child
from gridmap.adapters.processes import current_account, is_alive, unprivileged_account, wait_until
from gridmap.serve.supervisor import ChildSpec, Supervisor

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root steps down to another account")

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
# Tells on SIGTERM that it ends, so that the order shows.
POLITE = """
import signal, sys, time
def end(*_):
    open(sys.argv[1], "a").write(sys.argv[2] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
open(sys.argv[1] + "." + sys.argv[2], "w").close()
time.sleep(60)
"""


class Running:
    """A supervisor in the main thread's place: tests look on from here."""

    def __init__(self, specs: list[ChildSpec], folder: Path) -> None:
        self.lines: list[str] = []
        self.stop = threading.Event()
        self.state = folder / "serve.json"
        self.supervisor = Supervisor(
            specs, account=current_account(), state_file=self.state, say=self.lines.append
        )
        self.thread = threading.Thread(target=self.supervisor.run, args=(self.stop,))
        self.thread.start()

    def pid(self, name: str) -> int | None:
        try:
            children = json.loads(self.state.read_text())["children"]
        except (FileNotFoundError, ValueError):
            return None
        return next((child["pid"] for child in children if child["name"] == name), None)

    def end(self) -> None:
        self.stop.set()
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def start(*specs: ChildSpec) -> Running:
        running.append(Running(list(specs), tmp_path))
        return running[-1]

    yield start
    for one in running:
        one.end()


def test_killed_child_is_started_again(supervise: Callable[..., Running]) -> None:
    running = supervise(ChildSpec("sleeper", lambda: SLEEPER))
    assert wait_until(lambda: running.pid("sleeper") is not None, timeout_s=10)
    first = running.pid("sleeper")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: running.pid("sleeper") not in (None, first), timeout_s=10)
    assert any("was ended by signal 9; starting it again in 0.5 s" in line for line in running.lines)
    running.end()
    assert not running.state.exists()


def test_pauses_grow_while_a_child_keeps_failing(supervise: Callable[..., Running]) -> None:
    running = supervise(ChildSpec("broken", lambda: [sys.executable, "-c", "raise SystemExit(3)"]))
    assert wait_until(lambda: sum("starting it again" in line for line in running.lines) >= 3, timeout_s=15)
    pauses = [line.rsplit(" in ", 1)[1] for line in running.lines if "starting it again" in line]
    assert pauses[:3] == ["0.5 s", "1 s", "2 s"]
    assert any("ended with status 3" in line for line in running.lines)


def test_program_that_is_not_there_is_a_failure_and_not_our_end(supervise: Callable[..., Running]) -> None:
    running = supervise(ChildSpec("gone", lambda: ["/nowhere/at/all"]), ChildSpec("other", lambda: SLEEPER))
    assert wait_until(lambda: running.pid("other") is not None, timeout_s=10)
    assert wait_until(
        lambda: any(line.startswith("gone: ") and "again" in line for line in running.lines), timeout_s=10
    )


def test_stop_is_in_reverse_order(supervise: Callable[..., Running], tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    specs = [
        ChildSpec(name, lambda name=name: [sys.executable, "-c", POLITE, str(diary), name])  # type: ignore[misc]
        for name in ("first", "second", "third")
    ]
    running = supervise(*specs)
    for name in ("first", "second", "third"):
        assert wait_until(Path(f"{diary}.{name}").exists, timeout_s=10)
    running.end()
    assert diary.read_text().split() == ["third", "second", "first"]


def test_deaf_child_is_killed_with_what_it_started(supervise: Callable[..., Running], tmp_path: Path) -> None:
    script = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); time.sleep(60)"
    )
    running = supervise(ChildSpec("deaf", lambda: [sys.executable, "-c", script], patience_s=0.3))
    assert wait_until(
        lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "", timeout_s=10
    )
    running.end()
    assert wait_until(lambda: not is_alive(int((tmp_path / "pid").read_text())), timeout_s=5)


def test_child_comes_goes_and_changes_with_what_it_depends_on(
    supervise: Callable[..., Running], tmp_path: Path
) -> None:
    graph = tmp_path / "graph"
    spec = ChildSpec(
        "routing",
        lambda: SLEEPER,
        wanted=graph.exists,
        version=lambda: graph.read_text() if graph.exists() else None,
    )
    running = supervise(spec)
    assert running.pid("routing") is None
    graph.write_text("one")
    assert wait_until(lambda: running.pid("routing") is not None, timeout_s=10)
    first = running.pid("routing")
    graph.write_text("two")
    assert wait_until(lambda: running.pid("routing") not in (None, first), timeout_s=10)
    graph.unlink()
    assert wait_until(lambda: running.pid("routing") is None, timeout_s=10)


def test_children_end_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = f"""
import threading
from pathlib import Path
from gridmap.adapters.processes import current_account
from gridmap.serve.supervisor import ChildSpec, Supervisor
spec = ChildSpec("sleeper", lambda: {SLEEPER!r})
Supervisor([spec], account=current_account(), state_file=Path({str(tmp_path / "state")!r}), say=print).run(
    threading.Event()
)
"""
    supervisor = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    state = tmp_path / "state"
    assert wait_until(state.exists, timeout_s=20)
    pid = json.loads(state.read_text())["children"][0]["pid"]
    assert is_alive(pid)
    supervisor.kill()
    supervisor.wait()
    assert wait_until(lambda: not is_alive(pid), timeout_s=5)


@as_root
def test_child_of_root_steps_down_and_may_write_nothing_of_roots() -> None:
    account = unprivileged_account(Path("/nowhere"))
    with tempfile.TemporaryDirectory() as closed:
        readable = Path(closed) / "program.py"
        readable.write_text(
            "import os, sys\n"
            "try:\n    open(sys.argv[1], 'w')\n    wrote = True\nexcept OSError:\n    wrote = False\n"
            "print(os.getuid(), os.getgid(), os.getgroups(), wrote)\n"
        )
        assert not can_reach(account, readable)
        with tempfile.TemporaryDirectory() as logs:
            log = Path(logs) / "child.log"
            child = start_child(
                [sys.executable, readable, Path(closed) / "new"],
                account=account,
                extra_env={},
                log=log,
                reads=[readable],
            )
            assert wait_until(lambda: child.find_status() is not None, timeout_s=20)
            assert log.read_text() == f"{account.uid} {account.gid} [] False\n"

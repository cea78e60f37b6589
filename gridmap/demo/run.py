"""`gridmap demo`: the district, everything that serves it, and people who move in it, until Ctrl-C."""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gridmap.clock import Clock
from gridmap.db import cluster
from gridmap.db.engine import Database
from gridmap.demo.accounts import DemoLogIns
from gridmap.demo.check import CheckFailed, Step, Walk
from gridmap.demo.load import DemoFolder, Loader, Stopped, is_loaded
from gridmap.errors import Conflict, GridmapError
from gridmap.serve.addresses import find_free_port, local_url, web_url
from gridmap.serve.children import WEB, WORKER, settings_environment
from gridmap.serve.deployment import Deployment, deployment, hand_over, wait_ready
from gridmap.serve.supervisor import ChildSpec, Supervisor
from gridmap.serve.tls import ca_path
from gridmap.settings import Settings

_READY_TIMEOUT_S = 120.0
_END_TIMEOUT_S = 15.0
_LOG_LINES = 30
# The whole map with little history: loaded in a fraction of the time.
_CHECK_SCALE = "small"

Say = Callable[[str], object]


@dataclass(frozen=True)
class DemoOptions:
    """Which district (None: the one that is loaded, else the usual one), and what happens in it."""

    seed: int | None = None
    scale: str | None = None
    simulate: bool = False
    storm: bool = False


def run_demo(settings: Settings, clock: Clock, stop: threading.Event, say: Say, options: DemoOptions) -> None:
    """Load what is missing, start everything, print how to get in, and keep it running until `stop`."""
    begun = time.monotonic()
    with deployment(settings, clock, say) as running, _loader(running, clock, stop) as loader:
        log_ins = loader.ensure_loaded(options.seed, options.scale)
        # The simulator, which is not root, reads what was just written.
        hand_over(running.settings, running.account)
        supervisor = _supervisor(running, options)

        def go_on() -> None:
            """What is left to do while everything already runs."""
            if wait_ready(supervisor, WEB, stop, _READY_TIMEOUT_S):
                for line in [f"ready after {time.monotonic() - begun:.1f} s", *_greeting(running, log_ins)]:
                    say(line)
                _load_history(loader)
                # A quiet demo leaves the machine to whoever looks at it: forecasting takes minutes of a core.
                if options.simulate:
                    loader.ask_for_risk()

        host = threading.Thread(target=go_on, daemon=True)
        host.start()
        supervisor.run(stop)
        host.join(timeout=_END_TIMEOUT_S)


def run_check(
    settings: Settings,
    clock: Clock,
    stop: threading.Event,
    say: Say,
    options: DemoOptions,
    on_step: Callable[[Step], object],
) -> None:
    """Start the demo on a free port, walk the main job through its public endpoints, stop everything.

    Uses the loaded demo of this checkout if it is not running; else a small one of its own, thrown away after.
    Raises CheckFailed, or whatever kept the demo from starting.
    """
    if is_loaded(settings):
        try:
            _check_in(settings, clock, stop, say, DemoOptions(), on_step)
        except Conflict as refused:
            if refused.code != "already_serving":
                raise
            say("check: the demo of this checkout is running; taking a throwaway one")
        else:
            return
    with _throwaway(settings) as own:
        _check_in(own, clock, stop, say, replace(options, scale=options.scale or _CHECK_SCALE), on_step)


def _check_in(
    settings: Settings,
    clock: Clock,
    stop: threading.Event,
    say: Say,
    options: DemoOptions,
    on_step: Callable[[Step], object],
) -> None:
    # Its own ports: a demo of another checkout may be up beside it.
    ports = {"port": find_free_port(), "valhalla_port": find_free_port(), "host": "127.0.0.1"}
    settings = settings.model_copy(update=ports)
    failure: list[Exception] = []
    with deployment(settings, clock, say) as running, _loader(running, clock, stop) as loader:
        log_ins = loader.ensure_loaded(options.seed, options.scale)
        loader.ensure_history()
        supervisor = running.supervisor(logs_apart=True)

        def walk() -> None:
            try:
                if not wait_ready(supervisor, WEB, stop, _READY_TIMEOUT_S):
                    raise CheckFailed(
                        step="start", reason=f"the web is not ready after {_READY_TIMEOUT_S:g} s"
                    )
                Walk(local_url(running.settings), _ca(running.settings), log_ins.for_walk(), on_step).run()
            except Exception as error:  # raised again below, in the thread that is asked for the outcome
                failure.append(error)
                _tell_logs(running, say)
            finally:
                stop.set()

        walker = threading.Thread(target=walk, daemon=True)
        walker.start()
        supervisor.run(stop)
        walker.join(timeout=_END_TIMEOUT_S)
    if failure:
        raise failure[0]


@contextmanager
def _loader(running: Deployment, clock: Clock, stop: threading.Event) -> Iterator[Loader]:
    database = Database.from_settings(running.settings)
    try:
        yield Loader(running.settings, running.account, database, clock, stop, running.say)
    finally:
        database.dispose()
        hand_over(running.settings, running.account)


def _tell_logs(running: Deployment, say: Say) -> None:
    """The last words of the servers, which a throwaway folder takes with it."""
    for name in (WEB, WORKER):
        log = running.log_of(name)
        if log.exists():
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]:
                say(f"{name}: {line}")


def _load_history(loader: Loader) -> None:
    """A demo without its past is still one to look at: say what went wrong and go on."""
    try:
        loader.ensure_history()
    except Stopped:
        return
    except GridmapError as error:
        loader.say(f"demo: the history is not loaded: {error}")


def _supervisor(running: Deployment, options: DemoOptions) -> Supervisor:
    if not options.simulate:
        return running.supervisor(logs_apart=True)
    supervisors: list[Supervisor] = []
    spec = ChildSpec(
        "simulator",
        lambda: _simulator(running.settings, storm=options.storm),
        settings_environment(running.settings),
        wanted=lambda: bool(supervisors) and supervisors[0].is_ready(WEB),
        patience_s=3,
        log=running.log_of("simulator"),
    )
    supervisors.append(running.supervisor([spec], logs_apart=True))
    return supervisors[0]


def _simulator(settings: Settings, *, storm: bool) -> list[str | Path]:
    folder = DemoFolder.of(settings)
    command: list[str | Path] = [sys.executable, "-m", "gridmap.demo.simulator", "--url", local_url(settings)]
    command += ["--log-ins", folder.log_ins, "--district", folder.district]
    certificate = _ca(settings)
    command += ["--ca", certificate] if certificate else []
    return [*command, *(["--storm"] if storm else [])]


def _greeting(running: Deployment, log_ins: DemoLogIns) -> list[str]:
    """The address and the log-ins, for the terminal."""
    url = web_url(running.settings)
    lines = ["", f"  {local_url(running.settings)}  on this machine", f"  {url}  from a phone", ""]
    lines += [f"  {person.login:<12}{person.password}   {person.role}" for person in log_ins.staff]
    if log_ins.officers:
        officer = log_ins.for_walk().patrol
        lines += [f"  {officer[0]:<12}{officer[1]}   patrol, at {url}/patrol"]
        lines += [f"  every unit has such a log-in, {len(log_ins.officers)} in all, with the same password"]
    if running.settings.tls_mode == "site_ca":
        lines += ["", f"  the browser warns until it trusts {ca_path(running.settings)}"]
    return [*lines, "", "  Ctrl-C stops everything", ""]


def _ca(settings: Settings) -> Path | None:
    return ca_path(settings) if settings.tls_mode == "site_ca" else None


@contextmanager
def _throwaway(settings: Settings) -> Iterator[Settings]:
    """The same settings with folders of their own, and no trace of them after."""
    folder = Path(tempfile.mkdtemp(prefix="gridmap-check-"))
    # The account that serves must be able to enter.
    folder.chmod(0o755)
    own = settings.model_copy(update={"data_dir": folder / "data", "runtime_dir": folder / "run"})
    try:
        yield own
    finally:
        if (own.data_dir / "postgres").exists():
            cluster.stop(own)
        shutil.rmtree(folder, ignore_errors=True)

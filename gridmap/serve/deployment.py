"""Getting a deployment ready to serve: database, certificates and folders; then its supervisor."""

from __future__ import annotations

import fcntl
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import OperationalError

import gridmap
from gridmap.adapters.processes import Account
from gridmap.clock import Clock
from gridmap.db import cluster
from gridmap.db.cluster_layout import layout_of, prepare_folders
from gridmap.db.engine import Database
from gridmap.db.migrate import is_current, upgrade
from gridmap.errors import Conflict, Misconfigured, Unavailable
from gridmap.serve import children
from gridmap.serve.addresses import find_free_port, is_port_free, local_url, web_url
from gridmap.serve.supervisor import ChildSpec, Supervisor
from gridmap.serve.tls import TlsFiles, ensure_tls
from gridmap.settings import Settings

_OPEN_FILES = 65_536
_RENEW_EVERY_S = 3600.0
# Made by whoever runs an import or a set-up, used and changed by the servers.
_HANDED_OVER = ("secret_key", "tls", "basemap", "routing", "quarantine", "demo")
_ROOT_ONLY = "ca.key"


@dataclass(frozen=True)
class Deployment:
    """A deployment that holds the right to serve from its data folder."""

    settings: Settings
    account: Account
    tls: TlsFiles | None
    renewed: Callable[[], object]
    say: Callable[[str], object]

    def supervisor(self, extra: Sequence[ChildSpec] = (), *, logs_apart: bool = False) -> Supervisor:
        """The usual children and `extra` ones; with `logs_apart` each writes a file of its own."""
        log_of = self.log_of if logs_apart else _inherit
        specs = [
            children.routing(self.settings, log_of),
            children.worker(self.settings, log_of),
            *(
                children.positions(self.settings, shard, log_of)
                for shard in range(self.settings.positions_shards)
            ),
            children.mqtt(self.settings, log_of),
            children.web(self.settings, self.tls, self.renewed, log_of),
            *extra,
        ]
        return Supervisor(
            specs,
            account=self.account,
            state_file=state_file(self.settings),
            say=self.say,
            facts={"url": web_url(self.settings), "local_url": local_url(self.settings)},
            reads=[Path(gridmap.__file__)],
            keep=self._keep_database,
        )

    def log_of(self, name: str) -> Path:
        return layout_of(self.settings).log_dir / f"{name}.log"

    def _keep_database(self) -> None:
        if not self.settings.embedded:
            return
        if cluster.ensure_running(self.settings).started:
            self.say("database: had ended, is started again")


def state_file(settings: Settings) -> Path:
    """Where the supervisor says what runs."""
    return settings.data_dir / "serve.json"


@contextmanager
def deployment(settings: Settings, clock: Clock, say: Callable[[str], object]) -> Iterator[Deployment]:
    """Prepare to serve; at the end stop our own cluster, if nobody else uses it.

    Raises Conflict: "already_serving", "port_in_use"; Misconfigured("database_not_migrated"); whatever the
    cluster and the certificates raise.
    """
    settings = _with_real_ports(settings)
    layout = layout_of(settings)
    prepare_folders(layout)
    with _serving_lock(settings):
        if not is_port_free(settings.host, settings.port):
            raise Conflict("port_in_use", host=settings.host, port=settings.port)
        _start_database(settings, say)
        try:
            migrate(settings, say)
            tls = ensure_tls(settings, clock)
            # Reading it makes it, before the servers, which may not, ask for it.
            _ = settings.secret_key
            hand_over(settings, layout.account)
            _allow_many_streams()
            yield Deployment(settings, layout.account, tls, _renewals(settings, clock, layout.account), say)
        finally:
            _stop_database(settings, say)


def migrate(settings: Settings, say: Callable[[str], object]) -> None:
    """Bring the database up to date where we may, else require that it is."""
    database = Database.from_settings(settings)
    try:
        if settings.embedded or settings.database_url_owner is not None:
            applied = upgrade(database.owner)
            if applied:
                say(f"database: brought up to date ({', '.join(applied)})")
        elif not is_current(database.system):
            raise Misconfigured("database_not_migrated", run="gridmap db migrate")
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Unavailable("database_unreachable", reason=reason) from None
    finally:
        database.dispose()


def hand_over(settings: Settings, account: Account) -> None:
    """As root, give what root made in the data folder to the account that serves, but not the CA's key."""
    if os.geteuid() != 0:
        return
    for name in _HANDED_OVER:
        top = settings.data_dir / name
        paths = [top, *top.rglob("*")] if top.exists() else []
        for path in paths:
            if path.name != _ROOT_ONLY and path.lstat().st_uid != account.uid:
                os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _start_database(settings: Settings, say: Callable[[str], object]) -> None:
    if not settings.embedded:
        return
    begun = time.monotonic()
    found = cluster.ensure_running(settings)
    if found.started:
        say(f"database: {'made and ' if found.made else ''}started in {time.monotonic() - begun:.1f} s")


def _stop_database(settings: Settings, say: Callable[[str], object]) -> None:
    """Stop our own cluster, unless an import or a backup of another terminal still works in it."""
    if not settings.embedded:
        return
    others = cluster.count_sessions(settings)
    if others:
        say(f"database: left running for {others} other sessions; gridmap db stop ends it")
    elif cluster.stop(settings):
        say("database: stopped")


def _with_real_ports(settings: Settings) -> Settings:
    """People know the web's port, so a taken one is a fault; the routing engine's is known to us alone."""
    changes: dict[str, int] = {}
    if settings.port == 0:
        changes["port"] = find_free_port()
    if settings.valhalla_url is None and not is_port_free("127.0.0.1", settings.valhalla_port):
        changes["valhalla_port"] = find_free_port()
    return settings.model_copy(update=changes)


@contextmanager
def _serving_lock(settings: Settings) -> Iterator[None]:
    """One supervisor a data folder; the kernel frees the lock when its holder dies."""
    descriptor = os.open(settings.data_dir / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict("already_serving", data_dir=str(settings.data_dir)) from None
        yield
    finally:
        os.close(descriptor)


def _renewals(settings: Settings, clock: Clock, account: Account) -> Callable[[], object]:
    """Looks at the certificate once an hour; gives another value after it was renewed."""
    files = ensure_tls(settings, clock)
    looked_at = time.monotonic()

    def renewed() -> object:
        nonlocal looked_at
        if files is None:
            return None
        if time.monotonic() - looked_at > _RENEW_EVERY_S:
            looked_at = time.monotonic()
            ensure_tls(settings, clock)
            hand_over(settings, account)
        return files.changed

    return renewed


def _allow_many_streams() -> None:
    """Raise the number of open files, which the children inherit: each event stream is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _inherit(_name: str) -> None:
    return None


def wait_ready(supervisor: Supervisor, name: str, stop: threading.Event, timeout_s: float) -> bool:
    """Wait, in another thread than the supervisor's, until a child is ready; False on time-out or stop."""
    deadline = time.monotonic() + timeout_s
    while not supervisor.is_ready(name):
        if stop.is_set() or time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True

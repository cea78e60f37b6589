"""The data folder of the embedded cluster: where things lie, who owns them, and how an older one is read."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gridmap.adapters.processes import Account, unprivileged_account
from gridmap.errors import Misconfigured, Unavailable
from gridmap.settings import Settings

LAYOUT = 1
SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_BYTES = 107


@dataclass(frozen=True)
class Layout:
    """Every path of one cluster, and the account it belongs to."""

    data_dir: Path
    socket_dir: Path
    account: Account

    @property
    def pgdata(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def log_dir(self) -> Path:
        return self.data_dir / "log"

    @property
    def start_log(self) -> Path:
        """What the server says before its own log is open."""
        return self.log_dir / "postgres-start.log"

    @property
    def mark(self) -> Path:
        """Written last: a folder without it was never finished, or is from before the mark existed."""
        return self.data_dir / "layout.json"

    @property
    def lock(self) -> Path:
        return self.data_dir / "cluster.lock"

    @property
    def socket(self) -> Path:
        return self.socket_dir / SOCKET_NAME

    @property
    def pid_file(self) -> Path:
        return self.pgdata / "postmaster.pid"


@dataclass(frozen=True)
class Mark:
    """What a data folder says about itself: its layout number and the digest of the set-up text it had."""

    layout: int
    setup: str


def layout_of(settings: Settings) -> Layout:
    """The layout for these settings; touches nothing but the owner of an existing folder."""
    data_dir = settings.data_dir.absolute()
    return Layout(data_dir, settings.runtime_dir.absolute(), unprivileged_account(data_dir / "postgres"))


def prepare_folders(layout: Layout) -> None:
    """Make the data, log and socket folders for the cluster's account; safe to repeat.

    Raises Misconfigured: "folder_not_writable", "folder_not_reachable", "socket_path_too_long",
    "folder_of_another_account"; Unavailable("disk_full").
    """
    length = len(os.fsencode(layout.socket))
    if length > _SOCKET_PATH_BYTES:
        raise Misconfigured(
            "socket_path_too_long", path=str(layout.socket), bytes=length, most_bytes=_SOCKET_PATH_BYTES
        )
    for folder in (layout.data_dir, layout.log_dir):
        _make_folder(folder, layout.account, 0o750)
    _make_folder(layout.socket_dir, layout.account, 0o700)
    for folder in (layout.data_dir, layout.socket_dir):
        _require_reachable(folder, layout.account)


def _make_folder(folder: Path, account: Account, mode: int) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # lstat: a symbolic link that somebody laid into a shared /tmp is never followed.
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (account.uid, os.geteuid()):
            raise Misconfigured("folder_of_another_account", path=str(folder), account=account.name)
        if found.st_uid != account.uid:
            os.chown(folder, account.uid, account.gid)
        if stat.S_IMODE(found.st_mode) & ~mode:
            folder.chmod(mode)
    except OSError as error:
        raise folder_fault(error, folder, account) from None


def folder_fault(error: OSError, folder: Path, account: Account) -> Misconfigured | Unavailable:
    """The clear form of an error of the file system."""
    if error.errno in (28, 122):  # ENOSPC, EDQUOT
        return Unavailable("disk_full", path=str(folder))
    return Misconfigured(
        "folder_not_writable", path=str(folder), account=account.name, reason=os.strerror(error.errno or 0)
    )


def _require_reachable(folder: Path, account: Account) -> None:
    """Only root can be surprised here: it sees every folder, the account it steps down to may not."""
    if os.geteuid() != 0 or account.uid == 0:
        return
    for parent in folder.parents:
        found = parent.stat()
        mode = stat.S_IMODE(found.st_mode)
        if found.st_uid == account.uid:
            allowed = mode & stat.S_IXUSR
        elif found.st_gid == account.gid:
            allowed = mode & stat.S_IXGRP
        else:
            allowed = mode & stat.S_IXOTH
        if not allowed:
            raise Misconfigured(
                "folder_not_reachable", path=str(folder), closed=str(parent), account=account.name
            )


@contextmanager
def cluster_lock(layout: Layout) -> Iterator[None]:
    """One process at a time makes, starts, stops or replaces this cluster. The kernel frees it on death."""
    try:
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise folder_fault(error, layout.data_dir, layout.account) from None
    try:
        if os.geteuid() == 0:
            os.fchown(descriptor, layout.account.uid, layout.account.gid)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_mark(layout: Layout) -> Mark:
    """What the folder says; layout 0 when it says nothing.

    Raises Misconfigured("data_folder_newer") for a folder that a newer gridmap has used.
    """
    try:
        content = json.loads(layout.mark.read_text(encoding="utf-8"))
        mark = Mark(int(content["layout"]), str(content["setup"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # Half a mark is no mark: the set-up that follows is idempotent and writes it anew.
        return Mark(0, "")
    except OSError as error:
        raise folder_fault(error, layout.data_dir, layout.account) from None
    if mark.layout > LAYOUT:
        raise Misconfigured(
            "data_folder_newer", path=str(layout.data_dir), layout=mark.layout, understood=LAYOUT
        )
    return mark


def write_mark(layout: Layout, setup: str) -> None:
    """Record, in one step, that the folder is complete."""
    fresh = layout.mark.with_suffix(".new")
    fresh.write_text(json.dumps({"layout": LAYOUT, "setup": setup}) + "\n", encoding="utf-8")
    if os.geteuid() == 0:
        os.chown(fresh, layout.account.uid, layout.account.gid)
    fresh.replace(layout.mark)

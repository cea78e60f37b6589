"""Long-running child programs under the service account, which end when we end, even when we are killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gridmap.adapters.processes import Account, clean_environment, step_down, wait_until
from gridmap.errors import Misconfigured

_MOST_LOG_BYTES = 20_000_000


class Child:
    """One running child with its own session, so that a Ctrl-C reaches only its supervisor."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def find_status(self) -> int | None:
        """The exit status once the child has ended (negative: the signal that ended it), else None."""
        return self._process.poll()

    def stop(self, *, patience_s: float) -> None:
        """Ask the child to end; after `patience_s` kill it with everything it started."""
        if self.find_status() is None:
            self._process.send_signal(signal.SIGTERM)
            wait_until(lambda: self.find_status() is not None, timeout_s=patience_s)
        # Its own children share its session; one that outlived it would keep the port.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def start_child(
    command: Sequence[str | Path],
    *,
    account: Account,
    extra_env: Mapping[str, str],
    log: Path | None = None,
    reads: Sequence[Path] = (),
) -> Child:
    """Start a program that ends with us (Linux parent-death signal); call from a thread that lives as long.

    As root it runs under `account`. Where that account cannot reach one of the files in `reads` (a checkout
    under /root), it is given the right to read everything and still may write only what is its own.
    `log` takes both its streams; without it they go where ours go.
    """
    prefix = _launcher(account, [Path(sys.executable), *reads])
    # setpriv changes the account itself; without it subprocess does.
    identity = step_down(None if prefix else account)
    output = _open_log(log, account) if log else None
    try:
        process = subprocess.Popen(
            [*prefix, *(str(part) for part in command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=clean_environment({"HOME": account.home, "PYTHONUNBUFFERED": "1", **extra_env}),
            cwd="/",
            start_new_session=True,
            user=identity.user,
            group=identity.group,
            extra_groups=identity.extra_groups,
        )
    finally:
        if output is not None:
            os.close(output)
    return Child(process)


def become(
    command: Sequence[str], *, account: Account, extra_env: Mapping[str, str], reads: Sequence[Path]
) -> None:
    """Replace this process, which is root, by `command` under `account`.

    Raises Misconfigured("setpriv_missing") on a machine without util-linux.
    """
    prefix = _launcher(account, [Path(sys.executable), *reads], tied=False)
    if not prefix:
        raise Misconfigured("setpriv_missing", run="apt-get install util-linux")
    os.execve(prefix[0], [*prefix, *command], clean_environment({"HOME": account.home, **extra_env}))


def _launcher(account: Account, reads: Sequence[Path], *, tied: bool = True) -> list[str]:
    """The setpriv command (util-linux) that ties a child to our life and gives it its account."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    prefix = [setpriv, *(("--pdeathsig", "TERM") if tied else ())]
    if os.geteuid() == 0 and account.uid != 0:
        prefix += [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
        rights = "-all" if all(can_reach(account, path) for path in reads) else "-all,+dac_read_search"
        prefix += [f"--inh-caps={rights}", f"--ambient-caps={rights}", f"--bounding-set={rights}"]
    return [*prefix, "--"]


def can_reach(account: Account, path: Path) -> bool:
    """True when `account` may read `path` and enter every folder above it, seen from its plain mode bits."""
    real = path.resolve()
    return _allows(account, real, 4) and all(_allows(account, parent, 1) for parent in real.parents)


def _allows(account: Account, path: Path, bit: int) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid == account.uid:
        return bool(mode & (bit << 6))
    if found.st_gid == account.gid:
        return bool(mode & (bit << 3))
    return bool(mode & bit)


def _open_log(path: Path, account: Account) -> int:
    if path.exists() and path.stat().st_size > _MOST_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    if os.geteuid() == 0:
        os.fchown(descriptor, account.uid, account.gid)
    return descriptor

"""Other programs on this machine: under whose account they run, how they are started, which of them live."""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gridmap.errors import Misconfigured, Unavailable

SERVICE_ACCOUNT = "gridmap"
FALLBACK_ACCOUNT = "postgres"
_BLOCK_BYTES = 1024 * 1024
BATCH_NICENESS = 19
# Timers and counts may wait a moment for what people wait for.
BACKGROUND_NICENESS = 5
_SESSION_PATIENCE_S = 2.0

# PGHOST, PGDATA and the like would make a child talk to another database.
_NEVER_INHERITED = ("PG",)


@dataclass(frozen=True)
class Account:
    """An account of the operating system."""

    name: str
    uid: int
    gid: int
    home: str

    @classmethod
    def of(cls, entry: pwd.struct_passwd) -> Account:
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


@dataclass(frozen=True)
class Finished:
    """What a program left behind: its exit status and all it said (both streams, in order)."""

    status: int
    output: str


def current_account() -> Account:
    """The account this process runs under.

    Raises Misconfigured("account_unknown") when the user id has no entry: peer authentication needs a name.
    """
    uid = os.geteuid()
    try:
        return Account.of(pwd.getpwuid(uid))
    except KeyError:
        raise Misconfigured("account_unknown", uid=uid) from None


def unprivileged_account(folder: Path) -> Account:
    """The account for the database and the servers: our own, unless we are root, whom PostgreSQL refuses.

    As root the owner of an existing `folder` decides, since a database folder cannot change hands while it is
    in use; then the account `gridmap`, then `postgres`. Raises Misconfigured("service_account_missing").
    """
    if os.geteuid() != 0:
        return current_account()
    owner = _owner_of(folder)
    if owner is not None and owner.uid != 0:
        return owner
    for name in (SERVICE_ACCOUNT, FALLBACK_ACCOUNT):
        try:
            return Account.of(pwd.getpwnam(name))
        except KeyError:
            continue
    raise Misconfigured(
        "service_account_missing",
        account=SERVICE_ACCOUNT,
        run=f"useradd --system --user-group --home-dir /var/lib/gridmap {SERVICE_ACCOUNT}",
    )


def _owner_of(folder: Path) -> Account | None:
    try:
        return Account.of(pwd.getpwuid(folder.stat().st_uid))
    except (OSError, KeyError):
        return None


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without variables that redirect database clients, in the C.UTF-8 locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NEVER_INHERITED)}
    kept.pop("LANGUAGE", None)
    return kept | {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"} | dict(extra or {})


@dataclass(frozen=True)
class Identity:
    """The user arguments of subprocess: all None where a child keeps our own account."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None


def step_down(account: Account | None) -> Identity:
    """Under which identity a child for `account` is started; only root can and need change it."""
    if account is None or os.geteuid() != 0 or account.uid == 0:
        return Identity()
    return Identity(account.uid, account.gid, ())


def run(
    command: Sequence[str | Path],
    *,
    account: Account | None = None,
    timeout_s: float = 60.0,
    extra_env: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program to its end in a session of its own, so that a Ctrl-C meant for us does not reach it.

    Raises Unavailable("program_timeout") or Unavailable("program_missing").
    """
    arguments = [str(part) for part in command]
    identity = step_down(account)
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            env=clean_environment(extra_env),
            cwd="/",
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
            user=identity.user,
            group=identity.group,
            extra_groups=identity.extra_groups,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable("program_timeout", program=arguments[0], timeout_s=timeout_s) from None
    except FileNotFoundError:
        raise Unavailable("program_missing", program=arguments[0]) from None
    return Finished(done.returncode, done.stdout)


def pipe(
    command: Sequence[str | Path],
    *,
    feed: Iterable[bytes] | None = None,
    take: Callable[[bytes], object] | None = None,
    extra_env: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program that reads (`feed`) or writes (`take`) more than memory holds.

    Give one of the two. The result holds what it said on stderr. An error in either ends the program.
    """
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE if feed is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE if take is not None else subprocess.DEVNULL,
            stderr=complaints,
            env=clean_environment(extra_env),
            cwd="/",
            start_new_session=True,
        ) as process,
    ):
        try:
            _pump(process, feed, take)
        except BaseException:
            process.kill()
            raise
        status = process.wait()
        complaints.seek(0)
        return Finished(status, complaints.read().decode("utf-8", "replace"))


def _pump(
    process: subprocess.Popen[bytes], feed: Iterable[bytes] | None, take: Callable[[bytes], object] | None
) -> None:
    if feed is not None and process.stdin is not None:
        # A program that ends early says why on stderr, which is worth more than our broken pipe.
        with contextlib.suppress(BrokenPipeError), process.stdin as entrance:
            for block in feed:
                entrance.write(block)
    if take is not None and process.stdout is not None:
        while block := process.stdout.read(_BLOCK_BYTES):
            take(block)


def is_alive(pid: int) -> bool:
    """True for a running process of anyone; a zombie is dead."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False
    return state not in ("Z", "X")


def program_of(pid: int) -> str | None:
    """The file name of the program a process runs, or None when it is gone or hidden from us."""
    try:
        return Path(f"/proc/{pid}/exe").readlink().name.removesuffix(" (deleted)")
    except OSError:
        return None


def list_working_in(folder: Path, program: str) -> list[int]:
    """Process ids of `program` whose working directory is `folder`, lowest first."""
    target = os.path.realpath(folder)
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        try:
            here = str((entry / "cwd").readlink()) == target
        except OSError:
            continue
        if here and program_of(pid) == program and is_alive(pid):
            found.append(pid)
    return sorted(found)


def end_processes(pids: Sequence[int], *, patience_s: float = 5.0) -> None:
    """Ask the processes to end, and kill those that have not after `patience_s` seconds."""
    for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, patience_s)):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        if wait_until(lambda: not any(is_alive(pid) for pid in pids), timeout_s=wait_s):
            return


def give_way(pid: int = 0, niceness: int = BATCH_NICENESS) -> None:
    """Let live work go first: give this process, or another of the same account, a lower priority for good.

    Linux shares the processors between sessions first where it groups them (sched_autogroup_enabled), and niceness
    counts within one session only; so the session steps back too. A shell's session gets its own back when this
    process ends.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpriority(os.PRIO_PROCESS, pid) < niceness:
            os.setpriority(os.PRIO_PROCESS, pid, niceness)
    session = Path(f"/proc/{pid or os.getpid()}/autogroup")
    before = _session_niceness(session)
    if before is not None and before < niceness and _set_session_niceness(session, niceness):
        borrowed = pid == 0 and os.getsid(0) != os.getpid()
        if borrowed:
            atexit.register(_set_session_niceness, session, before)


def _session_niceness(session: Path) -> int | None:
    """None where the system does not group sessions. The file reads "/autogroup-25 nice 0"."""
    try:
        return int(session.read_text().rsplit("nice", 1)[1])
    except (OSError, IndexError, ValueError):
        return None


def _set_session_niceness(session: Path, niceness: int) -> bool:
    deadline = time.monotonic() + _SESSION_PATIENCE_S
    while time.monotonic() < deadline:
        try:
            session.write_text(str(niceness))
        except BlockingIOError:
            # The kernel lets an ordinary account do this ten times a second, counted over everybody.
            time.sleep(0.11)
        except OSError:
            return False
        else:
            return True
    return False


def wait_until(condition: Callable[[], bool], *, timeout_s: float, pause_s: float = 0.02) -> bool:
    """Call `condition` until it is true or the time is over; says which."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
    return True

"""Making, starting and stopping the server of the embedded cluster. Callers hold the cluster's lock."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from gridmap.adapters.processes import (
    end_processes,
    is_alive,
    list_working_in,
    program_of,
    run,
    wait_until,
)
from gridmap.db.cluster_binaries import Binaries
from gridmap.db.cluster_config import SUPERUSER, write_configuration
from gridmap.db.cluster_layout import SOCKET_NAME, Layout, folder_fault
from gridmap.errors import GridmapError, Unavailable

# Reading back a long write-ahead log after a crash takes its time; the server answers meanwhile.
_START_TIMEOUT_S = 900
_STOP_TIMEOUT_S = 120
_LOG_TAIL_BYTES = 4000
_READY_LINE = 7


def postmaster_pid(layout: Layout) -> int | None:
    """The server's process id, or None when it does not run.

    A pid file alone proves nothing: after a crash it stays, and its number may now be another program's. The
    process must be a PostgreSQL server that works in this data folder.
    """
    try:
        pid = int(layout.pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    except OSError as error:
        raise folder_fault(error, layout.pgdata, layout.account) from None
    return pid if _is_our_server(pid, layout) else None


def _is_our_server(pid: int, layout: Layout) -> bool:
    if not is_alive(pid) or program_of(pid) not in ("postgres", "postmaster"):
        return False
    try:
        return os.path.realpath(f"/proc/{pid}/cwd") == os.path.realpath(layout.pgdata)
    except OSError:
        return False


def is_ready(layout: Layout) -> bool:
    """True when the server runs, has finished recovery and its socket is where clients look for it."""
    if postmaster_pid(layout) is None or not layout.socket.is_socket():
        return False
    lines = layout.pid_file.read_text().split("\n")
    return (
        len(lines) > _READY_LINE
        and lines[_READY_LINE].strip() == "ready"
        and lines[4] == str(layout.socket_dir)
    )


def make_cluster(binaries: Binaries, layout: Layout, *, fast: bool) -> None:
    """Run initdb aside and move the finished folder into place: half a cluster never counts as one."""
    unfinished = layout.pgdata.with_name("postgres.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    command: list[str | Path] = [binaries.program("initdb"), "--pgdata", unfinished, "--username", SUPERUSER]
    command += ["--auth-local=peer", "--auth-host=reject", "--encoding=UTF8", "--locale=C.UTF-8"]
    command += ["--no-instructions", "--data-checksums", *(["--no-sync"] if fast else [])]
    done = run(command, account=layout.account, timeout_s=_STOP_TIMEOUT_S)
    if done.status != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise _clear_fault("cluster_not_made", done.output, layout)
    unfinished.rename(layout.pgdata)


def start_server(binaries: Binaries, layout: Layout, *, fast: bool) -> None:
    """Start the server in a session of its own and wait until it takes connections.

    Raises Unavailable: "disk_full", or "cluster_not_started" with the last words of its log.
    """
    _clear_remains(layout)
    try:
        write_configuration(layout, fast=fast)
        layout.start_log.unlink(missing_ok=True)
    except OSError as error:
        raise folder_fault(error, layout.pgdata, layout.account) from None
    control = binaries.program("pg_ctl")
    done = run(
        [control, "start", "--pgdata", layout.pgdata, "--log", layout.start_log, *_waiting(_START_TIMEOUT_S)],
        account=layout.account,
        timeout_s=_START_TIMEOUT_S + 10,
    )
    if done.status != 0 or not is_ready(layout):
        raise _clear_fault("cluster_not_started", done.output + _log_tail(layout), layout)


def stop_server(binaries: Binaries, layout: Layout) -> None:
    """End open sessions, write everything down and stop; returns when the server is gone."""
    control = binaries.program("pg_ctl")
    done = run(
        [control, "stop", "--pgdata", layout.pgdata, "--mode=fast", *_waiting(_STOP_TIMEOUT_S)],
        account=layout.account,
        timeout_s=_STOP_TIMEOUT_S + 10,
    )
    if done.status != 0 and postmaster_pid(layout) is not None:
        raise _clear_fault("cluster_not_stopped", done.output + _log_tail(layout), layout)


def _waiting(timeout_s: int) -> list[str]:
    return ["--silent", "--wait", "--timeout", str(timeout_s)]


def _clear_remains(layout: Layout) -> None:
    """Remove what a killed server left: orphaned backends, its pid file, its socket.

    PostgreSQL refuses to start while the number in either lock file is any living process of its account,
    which after a crash may be a stranger. Backends whose server died end by themselves, unless one is busy.
    """
    orphans = list_working_in(layout.pgdata, "postgres")
    if orphans and not wait_until(lambda: not list_working_in(layout.pgdata, "postgres"), timeout_s=2):
        end_processes(list_working_in(layout.pgdata, "postgres"), patience_s=1)
    remains = (layout.pid_file, layout.socket, layout.socket_dir / f"{SOCKET_NAME}.lock")
    for path in remains:
        path.unlink(missing_ok=True)


def _log_tail(layout: Layout) -> str:
    texts = []
    for path in sorted(layout.log_dir.glob("postgres-*.log"), key=lambda path: path.stat().st_mtime):
        content = path.read_bytes()
        texts.append(content[-_LOG_TAIL_BYTES:].decode("utf-8", "replace"))
    return "\n".join(texts)


def _clear_fault(code: str, output: str, layout: Layout) -> GridmapError:
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return Unavailable("disk_full", path=str(layout.data_dir))
    telling = [line for line in output.splitlines() if "FATAL" in line or "PANIC" in line or "error:" in line]
    last = (telling or output.strip().splitlines() or [""])[-1]
    return Unavailable(code, path=str(layout.data_dir), log=str(layout.log_dir), reason=last.strip())

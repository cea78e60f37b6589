"""The configuration files of the embedded cluster, written anew before every start."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from gridmap.db.cluster_layout import Layout
from gridmap.db.roles import ROLES

SUPERUSER = "postgres"
_OWN_FILE = "gridmap.conf"
_INCLUDE = f"include '{_OWN_FILE}'"
_MIB = 1024 * 1024

# No host line at all, and no TCP address to listen on: the socket folder is the only door.
_HBA = "local all all peer map=gridmap\n"


def write_configuration(layout: Layout, *, fast: bool) -> None:
    """Write gridmap.conf, pg_hba.conf and pg_ident.conf. `fast` gives up durability and is for tests only."""
    main = layout.pgdata / "postgresql.conf"
    if _INCLUDE not in main.read_text(encoding="utf-8").splitlines():
        with main.open("a", encoding="utf-8") as handle:
            handle.write(f"\n{_INCLUDE}\n")
    settings = _common(layout) | (_throwaway() if fast else _sized(_memory_bytes(), os.cpu_count() or 1))
    lines = "".join(f"{name} = {_quoted(value)}\n" for name, value in settings.items())
    _write(layout, _OWN_FILE, lines)
    _write(layout, "pg_hba.conf", _HBA)
    _write(layout, "pg_ident.conf", _ident(layout))


def _write(layout: Layout, name: str, text: str) -> None:
    path = layout.pgdata / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(path, layout.account.uid, layout.account.gid)


def _ident(layout: Layout) -> str:
    """Root, the cluster's account and whoever made it may act as our roles; nobody else on the machine."""
    people = dict.fromkeys((layout.account.name, "root", pwd.getpwuid(os.geteuid()).pw_name))
    return "".join(f'gridmap "{person}" {role}\n' for person in people for role in (SUPERUSER, *ROLES))


def _common(layout: Layout) -> dict[str, str]:
    return {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_directories": str(layout.socket_dir),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",  # compiling costs more than our short queries take
        "random_page_cost": "1.1",
        "effective_io_concurrency": "100",
        "default_toast_compression": "lz4",
        "logging_collector": "on",
        "log_directory": str(layout.log_dir),
        "log_filename": "postgres-%a.log",  # one file a weekday, so the log cannot fill the disk
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_line_prefix": "%m [%p] %q%u ",
        "log_error_verbosity": "terse",  # the DETAIL of an error holds people's data
        "log_lock_waits": "on",
        "log_min_duration_statement": "2s",
        "log_parameter_max_length": "0",
    }


def _sized(memory_bytes: int, cores: int) -> dict[str, str]:
    """Shares of this machine; the web, the worker and the routing engine live on it too."""
    shared = _clamp(memory_bytes // 8, 128 * _MIB, 4096 * _MIB)
    return {
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "shared_buffers": _in_mb(shared),
        "effective_cache_size": _in_mb(memory_bytes // 2),
        "work_mem": _in_mb(_clamp(memory_bytes // 768, 4 * _MIB, 64 * _MIB)),
        "maintenance_work_mem": _in_mb(_clamp(memory_bytes // 32, 64 * _MIB, 1024 * _MIB)),
        "wal_buffers": "16MB",
        "wal_compression": "on",
        "min_wal_size": "256MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "max_worker_processes": str(max(8, cores)),
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": str(max(1, cores // 2)),
        "max_parallel_maintenance_workers": str(max(1, cores // 2)),
        "autovacuum_vacuum_scale_factor": "0.05",
        "autovacuum_analyze_scale_factor": "0.05",
    }


def _throwaway() -> dict[str, str]:
    return {
        "fsync": "off",
        "full_page_writes": "off",
        "synchronous_commit": "off",
        "shared_buffers": "128MB",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "checkpoint_timeout": "1h",
        "max_wal_size": "4GB",
        "log_min_duration_statement": "-1",
    }


def _memory_bytes() -> int:
    """The machine's memory, or the smaller share a container gives us."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def _clamp(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))


def _in_mb(size_bytes: int) -> str:
    return f"{max(1, size_bytes // _MIB)}MB"


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"

"""Programs that only the system's package manager can bring, and the account the database runs under."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from gridmap.bootstrap.steps import SetupError, run_step, say

# PostgreSQL refuses to run as root; gridmap.adapters.processes steps down to this account.
SERVICE_ACCOUNT = "gridmap"
OLDEST_POSTGRES = 15
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

_POSTGRES_PROGRAMS = Path("/usr/lib/postgresql")
_POSTGRES_SHARE = Path("/usr/share/postgresql")
# An ordinary user's path leaves the servers out.
_WITH_SERVERS = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
# Another package manager may be at work on a machine that has just started.
_APT = ("apt-get", "-y", "-o", "DPkg::Lock::Timeout=300")


@dataclass(frozen=True)
class Missing:
    """Something the machine lacks and the Debian or Ubuntu packages that bring it."""

    what: str
    packages: tuple[str, ...]


def ensure_system(*, for_tests: bool) -> None:
    """Install what is missing as root, or say which one command an administrator has to run.

    Raises SetupError where it may not install or where there is no apt.
    """
    missing = find_missing(for_tests=for_tests)
    if missing:
        _install(missing)
        still = find_missing(for_tests=for_tests)
        if still:
            raise SetupError(f"still missing after the installation: {_named(still)}")
    if os.geteuid() == 0:
        _ensure_service_account()


def find_missing(*, for_tests: bool) -> list[Missing]:
    """What this machine lacks, looked up in milliseconds by the files themselves."""
    missing = _missing_database()
    if shutil.which("tilemaker") is None:
        missing.append(Missing("tilemaker", ("tilemaker",)))
    if importlib.util.find_spec("ensurepip") is None:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        missing.append(Missing("virtual environments of Python", (f"{version}-venv",)))
    if for_tests and not any(shutil.which(name) for name in CHROMIUM_NAMES):
        missing.append(Missing("Chromium", (_chromium_package(),)))
    if for_tests and shutil.which("mosquitto", path=_WITH_SERVERS) is None:
        missing.append(Missing("Mosquitto, a broker for MQTT", ("mosquitto",)))
    return missing


def _missing_database() -> list[Missing]:
    if _own_postgres_has_postgis():
        return []
    majors = sorted(
        int(folder.parent.name)
        for folder in _POSTGRES_PROGRAMS.glob("*/bin")
        if (folder / "initdb").exists() and folder.parent.name.isdigit()
    )
    usable = [major for major in majors if major >= OLDEST_POSTGRES]
    if not usable:
        return [Missing("PostgreSQL", ("postgresql",)), Missing("PostGIS", ("postgresql-postgis",))]
    if any((_POSTGRES_SHARE / str(major) / "extension/postgis.control").exists() for major in usable):
        return []
    return [Missing("PostGIS", (f"postgresql-{usable[-1]}-postgis-3",))]


def _own_postgres_has_postgis() -> bool:
    """Whether a PostgreSQL of the administrator's own choice is on the path, with its PostGIS.

    A link to a packaged PostgreSQL is a packaged one.
    """
    found = shutil.which("initdb")
    if found is None:
        return False
    programs = Path(found).resolve().parent
    if programs.is_relative_to(_POSTGRES_PROGRAMS):
        return False
    share = programs.parent / "share"
    if (programs / "pg_config").exists():
        told = subprocess.run(
            [programs / "pg_config", "--sharedir"], capture_output=True, text=True, check=False
        )
        share = Path(told.stdout.strip())
    return (share / "extension/postgis.control").exists()


def _chromium_package() -> str:
    os_release = Path("/etc/os-release")
    if os_release.exists() and "\nID=ubuntu\n" in f"\n{os_release.read_text()}":
        return "chromium-browser"
    return "chromium"


def _named(missing: list[Missing]) -> str:
    return ", ".join(lack.what for lack in missing)


def _install(missing: list[Missing]) -> None:
    packages = [package for lack in missing for package in lack.packages]
    if shutil.which("apt-get") is None:
        raise SetupError(f"this machine lacks {_named(missing)}, and it has no apt to install them with")
    elevation = _elevation()
    if elevation is None:
        raise SetupError(
            f"this machine lacks {_named(missing)}. Run this once, as root or with sudo, then try again:\n\n"
            f"    {_one_command(packages)}\n"
        )
    say(f"installing {_named(missing)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run_step("package lists", [*elevation, *_APT, "update"], environment=quiet)
    # sudo drops the environment, so the variable is set on its far side.
    install = ["env", "DEBIAN_FRONTEND=noninteractive", *_APT, "install", "--no-install-recommends"]
    run_step(f"system packages ({' '.join(packages)})", [*elevation, *install, *packages])


def _elevation() -> list[str] | None:
    """What to put before a command to run it as root: nothing, sudo without a password, or no way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    return ["sudo", "-n"] if allowed else None


def _one_command(packages: list[str]) -> str:
    install = shlex.join(["apt-get", "install", "-y", "--no-install-recommends", *packages])
    line = f"apt-get update && {install}"
    return f"sudo sh -c {shlex.quote(line)}" if shutil.which("sudo") else line


def _ensure_service_account() -> None:
    try:
        pwd.getpwnam(SERVICE_ACCOUNT)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--home-dir", "/var/lib/gridmap"]
        run_step(
            f"system account {SERVICE_ACCOUNT}",
            [*command, "--shell", "/usr/sbin/nologin", SERVICE_ACCOUNT],
        )

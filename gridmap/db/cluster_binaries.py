"""Which PostgreSQL programs of this machine run the embedded cluster."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from gridmap.adapters.processes import run
from gridmap.errors import Misconfigured

_PACKAGED = Path("/usr/lib/postgresql")
_OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Binaries:
    """The programs of one PostgreSQL major version."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        return self.folder / name


def find_binaries(pgdata: Path) -> Binaries:
    """The programs for `pgdata`: those of its own major version if it exists, else the newest with PostGIS.

    Raises Misconfigured: "postgres_not_installed", "postgis_not_installed", or "postgres_version_gone" when
    the folder was made by a version that is no longer here. A newer one cannot read it: back up with the old,
    restore with the new.
    """
    installed = _list_installed()
    version_file = pgdata / "PG_VERSION"
    if version_file.exists():
        return _of_major(installed, int(version_file.read_text()), pgdata)
    usable = [binaries for binaries in installed if binaries.major >= _OLDEST_MAJOR]
    if not usable:
        raise Misconfigured(
            "postgres_not_installed",
            needs_version=_OLDEST_MAJOR,
            run="apt-get install postgresql postgresql-postgis",
        )
    with_postgis = [binaries for binaries in usable if _has_postgis(binaries)]
    if not with_postgis:
        newest = usable[-1].major
        raise Misconfigured(
            "postgis_not_installed",
            postgres_version=newest,
            run=f"apt-get install postgresql-{newest}-postgis-3",
        )
    return with_postgis[-1]


def _of_major(installed: list[Binaries], major: int, pgdata: Path) -> Binaries:
    for binaries in installed:
        if binaries.major == major:
            return binaries
    raise Misconfigured(
        "postgres_version_gone",
        data_folder=str(pgdata),
        made_by=major,
        installed=[binaries.major for binaries in installed],
        run=f"apt-get install postgresql-{major} postgresql-{major}-postgis-3",
        upgrade="with the old version installed: gridmap db backup FILE; "
        "then move the data folder away and: gridmap db restore FILE",
    )


def _list_installed() -> list[Binaries]:
    """Every complete installation, oldest major first."""
    found: dict[int, Binaries] = {}
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(_PACKAGED.glob("*/bin"))
    for folder in folders:
        if all((folder / name).exists() for name in ("initdb", "postgres", "pg_ctl")):
            major = _major_of(folder)
            found[major] = Binaries(folder, major)
    return [found[major] for major in sorted(found)]


def _major_of(folder: Path) -> int:
    if folder.parent.parent == _PACKAGED and folder.parent.name.isdigit():
        return int(folder.parent.name)
    # For example "postgres (PostgreSQL) 16.4 (Ubuntu ...)" or "postgres (PostgreSQL) 19beta1".
    said = run([folder / "postgres", "--version"]).output
    number = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(number.group(1)) if number else 0


def _has_postgis(binaries: Binaries) -> bool:
    packaged = Path(f"/usr/share/postgresql/{binaries.major}/extension/postgis.control")
    if binaries.folder.is_relative_to(_PACKAGED):
        return packaged.exists()
    config = binaries.program("pg_config")
    if config.exists():
        share = Path(run([config, "--sharedir"]).output.strip())
    else:
        share = binaries.folder.parent / "share"
    return (share / "extension/postgis.control").exists()

"""Which base map files there are to draw."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from gridmap.basemap.style import BasemapExtract
from gridmap.db.tables import OsmExtract

_VERSION_DIGITS = 12


def list_extracts(session: Session, basemap_dir: Path) -> list[BasemapExtract]:
    """The imported extracts whose tiles lie in `basemap_dir`, by name."""
    rows = session.scalars(select(OsmExtract).order_by(OsmExtract.name))
    return [
        BasemapExtract(
            name=row.name,
            version=_version(basemap_dir / f"{row.name}.pmtiles"),
            attribution=row.attribution,
            demo=row.demo,
        )
        for row in rows
        if (basemap_dir / f"{row.name}.pmtiles").is_file()
    ]


def _version(file: Path) -> str:
    """Another after every build, also of the same extract by a newer drawing rule."""
    return f"{file.stat().st_mtime_ns:x}"[-_VERSION_DIGITS:]

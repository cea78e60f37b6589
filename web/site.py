"""What one running web process holds, handed to requests without a global."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.settings import Settings

if TYPE_CHECKING:
    from web.live import LiveHub

EXTENSION = "gridmap"


@dataclass(frozen=True)
class Site:
    """The deployment's settings, its database, the time, and the live feed's hub of this process."""

    settings: Settings
    database: Database
    clock: Clock
    live: LiveHub


def site() -> Site:
    """The site of the app that serves this request."""
    return cast(Site, current_app.extensions[EXTENSION])

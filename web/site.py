"""What one running web process holds, handed to requests without a global."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import cast

from flask import current_app

from gridmap.adapters.valhalla import Valhalla
from gridmap.clock import Clock
from gridmap.db.engine import Database
from gridmap.domain.metric import LocalMetric
from gridmap.services.fix_intake import FixIntake
from gridmap.services.transaction import Tx, transaction
from gridmap.services.vault import Vault
from gridmap.settings import Settings
from layers.tiles import TileReader
from web.guards import actor
from web.live import LiveHub
from web.told_later import acted_at

EXTENSION = "gridmap"


@dataclass(frozen=True)
class Site:
    """The deployment's settings, its database, the time, and what this process keeps between requests."""

    settings: Settings
    database: Database
    clock: Clock
    live: LiveHub
    tiles: TileReader
    router: Valhalla
    vault: Vault
    intake: FixIntake


def open_site(settings: Settings, database: Database, clock: Clock) -> Site:
    """Build what a process holds. Opens no connection."""
    return Site(
        settings=settings,
        database=database,
        clock=clock,
        live=LiveHub(database, clock),
        tiles=TileReader(database, clock),
        router=Valhalla(settings.routing_url, routing_dir=settings.routing_dir),
        vault=Vault(settings.secret_key),
        intake=FixIntake(database, clock, settings.positions_shards),
    )


def site() -> Site:
    """The site of the app that serves this request."""
    return cast(Site, current_app.extensions[EXTENSION])


def local_metric() -> LocalMetric:
    """Metres in the deployment's own system."""
    return _metric(site().settings.local_crs)


@cache
def _metric(local_crs: str) -> LocalMetric:
    return LocalMetric(local_crs)


@contextmanager
def as_caller() -> Iterator[Tx]:
    """A transaction of whoever sends this request; it knows when they did it, where a phone tells it later."""
    here = site()
    with transaction(here.database, actor(), here.clock) as tx:
        yield replace(tx, acted_at=acted_at(tx.now))

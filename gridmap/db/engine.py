"""Engines, one per role, made from settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, create_engine

from gridmap.db.cluster import Urls, embedded_urls
from gridmap.errors import Misconfigured
from gridmap.settings import Settings

APP_POOL_SIZE = 10
APP_POOL_OVERFLOW = 20
TILE_SESSIONS = 8
_LOCK_TIMEOUT_MS = 5_000
_STATEMENT_TIMEOUT_APP_MS = 15_000
_IDLE_IN_TRANSACTION_APP_MS = 10_000
_APP_OPTIONS = (
    f"-c lock_timeout={_LOCK_TIMEOUT_MS}"
    f" -c statement_timeout={_STATEMENT_TIMEOUT_APP_MS}"
    f" -c idle_in_transaction_session_timeout={_IDLE_IN_TRANSACTION_APP_MS}"
    " -c search_path=gridmap,public -c jit=off"
)


@dataclass(frozen=True)
class Database:
    """The doors to one database: `app` for requests, `system` for the worker and imports, `owner` to migrate."""

    urls: Urls
    timezone: str = "Asia/Shanghai"

    @classmethod
    def from_settings(cls, settings: Settings) -> Database:
        """The embedded cluster's doors, or the site's own URLs. Opens nothing yet."""
        if settings.embedded:
            return cls(embedded_urls(settings), settings.timezone)
        app = settings.database_url_app
        system = settings.database_url_system
        owner = settings.database_url_owner or system
        if app is None or system is None or owner is None:
            raise Misconfigured("database_urls_incomplete")
        return cls(
            Urls(
                app=app.get_secret_value(),
                system=system.get_secret_value(),
                owner=owner.get_secret_value(),
            ),
            settings.timezone,
        )

    @cached_property
    def zone(self) -> ZoneInfo:
        """The deployment's time zone: days and clock times are told in it."""
        return ZoneInfo(self.timezone)

    @cached_property
    def app(self) -> Engine:
        return create_engine(
            self.urls.app,
            pool_size=APP_POOL_SIZE,
            max_overflow=APP_POOL_OVERFLOW,
            pool_pre_ping=True,
            pool_use_lifo=True,
            connect_args={"options": _APP_OPTIONS},
        )

    @cached_property
    def tiles(self) -> Engine:
        """The web's role again, for tiles: few lasting sessions, since each plans for itself, and more readers at
        once would only queue inside the database. A session that was lost is noticed by whoever uses it.
        """
        return create_engine(
            self.urls.app,
            pool_size=TILE_SESSIONS,
            max_overflow=0,
            pool_use_lifo=True,
            connect_args={"options": _APP_OPTIONS},
        )

    @cached_property
    def system(self) -> Engine:
        return create_engine(
            self.urls.system,
            pool_size=4,
            max_overflow=4,
            pool_pre_ping=True,
            connect_args={"options": "-c search_path=gridmap,public -c jit=off"},
        )

    @cached_property
    def owner(self) -> Engine:
        return create_engine(
            self.urls.owner,
            pool_size=1,
            max_overflow=1,
            connect_args={"options": "-c search_path=gridmap,public"},
        )

    def dispose(self) -> None:
        """Close every pooled connection of the engines that were opened."""
        for name in ("app", "tiles", "system", "owner"):
            engine = self.__dict__.get(name)
            if engine is not None:
                engine.dispose()

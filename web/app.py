"""The factory: wiring only."""

from __future__ import annotations

import mimetypes
from importlib.metadata import version

from apiflask import APIFlask
from werkzeug.middleware.proxy_fix import ProxyFix

from gridmap.clock import Clock, SystemClock
from gridmap.db.engine import Database
from gridmap.settings import Settings, load_settings
from web.access_log import register_access_log
from web.api import BLUEPRINTS
from web.auth import register_auth
from web.compression import register_compression
from web.device_door import register_device_door
from web.encoding import CompactJson
from web.errors import register_errors
from web.guards import refuse_unguarded
from web.headers import register_headers
from web.openapi import TITLE, describe
from web.pages import pages
from web.site import EXTENSION, open_site

MAX_BODY_BYTES = 1_000_000
_MAX_FORM_PARTS = 20


def create_app(
    settings: Settings | None = None, database: Database | None = None, clock: Clock | None = None
) -> APIFlask:
    """The web of one deployment. gunicorn calls `web.app:create_app()`.

    Opens no connection yet. Raises Misconfigured("route_without_guard") when a route says not who may pass.
    """
    settings = settings or load_settings()
    database = database or Database.from_settings(settings)
    clock = clock or SystemClock()
    # Not every machine's table knows these.
    mimetypes.add_type("text/javascript", ".mjs")
    mimetypes.add_type("font/woff2", ".woff2")
    # The pages blueprint serves what is built, with its own guard.
    app = APIFlask(
        __name__,
        title=TITLE,
        version=version("gridmap"),
        spec_path=None,
        docs_path=None,
        json_errors=False,
        static_folder=None,  # type: ignore[arg-type]
    )
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        MAX_FORM_PARTS=_MAX_FORM_PARTS,
    )
    app.json = CompactJson(app)
    app.url_map.strict_slashes = False
    app.extensions[EXTENSION] = open_site(settings, database, clock)
    register_errors(app)
    register_headers(app)
    register_compression(app)
    register_access_log(app)
    register_auth(app)
    register_device_door(app)
    for blueprint in (*BLUEPRINTS, pages):
        app.register_blueprint(blueprint)
    describe(app)
    refuse_unguarded(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app

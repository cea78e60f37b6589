"""Whether this process answers and its database does."""

from __future__ import annotations

from apiflask import APIBlueprint
from sqlalchemy import text

from gridmap.db.faults import translated
from web.guards import public
from web.site import site

health = APIBlueprint("health", __name__, tag="health")


@health.get("/healthz")
@public
def healthz() -> dict[str, str]:
    """{"status": "ok"} while the database answers, else 503."""
    with translated(), site().database.app.connect() as connection:
        connection.execute(text("select 1"))
    return {"status": "ok"}

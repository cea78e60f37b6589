"""Alembic's entry: runs on the connection that `gridmap.db.migrate` hands over."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from geoalchemy2 import alembic_helpers

from gridmap.db.migrate import include_object
from gridmap.db.tables import Base
from gridmap.db.types import Citext, Ltree, Xid8


def render_item(kind: str, item: object, autogen_context: AutogenContext) -> str | Literal[False]:
    """Own types by their bare name, with the import that they need; the rest as GeoAlchemy has it."""
    if kind == "type" and isinstance(item, Citext | Ltree | Xid8):
        name = type(item).__name__
        autogen_context.imports.add(f"from gridmap.db.types import {name}")
        return f"{name}()"
    rendered: str | Literal[False] = alembic_helpers.render_item(  # type: ignore[no-untyped-call]
        kind, item, autogen_context
    )
    return rendered


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_object=include_object,
    process_revision_directives=alembic_helpers.writer,
    render_item=render_item,
    compare_type=True,
    compare_server_default=True,
)
context.run_migrations()

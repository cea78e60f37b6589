"""What screens must hear, written in the transaction that made it true; nothing is sent before the commit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert

from gridmap.db.tables import Outbox
from gridmap.services.transaction import Tx


def publish(
    tx: Tx,
    topic: str,
    body: dict[str, Any],
    *,
    path: str,
    old_path: str | None = None,
    incident_id: UUID | None = None,
    restricted: bool = False,
) -> None:
    """Queue one notice of ids and codes. `path` is the scope that may hear it.

    `old_path` is given when a thing moves out of one scope into another, so that the old one can drop it.
    A `unit_id` in `body` lets that unit hear it whatever its scope.
    """
    row = insert(Outbox).values(
        topic=topic,
        body=body,
        path=path,
        old_path=old_path if old_path != path else None,
        incident_id=incident_id,
        restricted=restricted,
    )
    # Inline: the writer may add a notice and may not read one back.
    tx.session.execute(row.inline())

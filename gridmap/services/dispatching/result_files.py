"""Files that were uploaded for a result before it is told."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from gridmap.db.tables import Blob
from gridmap.errors import Invalid
from gridmap.services.transaction import Tx


def require_files(
    tx: Tx, incident_id: UUID, photo_ids: list[UUID], voice_id: UUID | None
) -> tuple[list[str], str | None]:
    """The ids as they are kept with a result. Raises Invalid("photo_unknown"), Invalid("voice_unknown")."""
    photos = _files_of(tx, incident_id, photo_ids, "image/")
    if photos != set(photo_ids):
        raise Invalid("photo_unknown")
    if voice_id is not None and not _files_of(tx, incident_id, [voice_id], "audio/"):
        raise Invalid("voice_unknown")
    return [str(photo) for photo in dict.fromkeys(photo_ids)], None if voice_id is None else str(voice_id)


def _files_of(tx: Tx, incident_id: UUID, ids: list[UUID], mime_prefix: str) -> set[UUID]:
    """Which of these are files of the incident of that kind: a voice note is no photo."""
    found = select(Blob.id).where(
        Blob.id.in_(ids), Blob.incident_id == incident_id, Blob.mime.startswith(mime_prefix)
    )
    return set(tx.session.scalars(found))

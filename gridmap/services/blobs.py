"""Photos and other files of a case: checked, stripped of what they tell about their maker, and kept with an expiry."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import select
from sqlalchemy.orm import undefer

from gridmap.db.tables import Blob, Incident
from gridmap.domain.ids import new_id
from gridmap.errors import Invalid, NotFound, TooLarge
from gridmap.services.auditing import audit
from gridmap.services.transaction import Tx

MAX_BYTES = 12 * 1024 * 1024
MAX_PIXELS = 50_000_000
LONGEST_SIDE_PX = 1_920
KEPT = timedelta(days=365)
_FORMATS = ("JPEG", "PNG", "WEBP")
_JPEG_QUALITY = 82


@dataclass(frozen=True)
class CleanPhoto:
    """A photo re-encoded from its pixels alone."""

    content: bytes
    mime: str


def clean_photo(content: bytes) -> CleanPhoto:
    """Decode, turn upright, shrink to 1,920 px, encode anew: EXIF, GPS and thumbnails do not survive.

    Pure and slow (tens of ms): call it outside the transaction. Raises TooLarge, Invalid("not_a_photo").
    """
    if len(content) > MAX_BYTES:
        raise TooLarge("photo_too_large", most_bytes=MAX_BYTES)
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise TooLarge("photo_too_many_pixels", most_pixels=MAX_PIXELS)
            upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Invalid("not_a_photo") from error
    upright.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    out = io.BytesIO()
    upright.save(out, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return CleanPhoto(out.getvalue(), "image/jpeg")


def store_photo(tx: Tx, photo: CleanPhoto, *, incident_id: UUID, purpose: str = "result") -> Blob:
    """Keep a cleaned photo with an incident that the actor can see. Raises NotFound."""
    incident = tx.session.get(Incident, incident_id)
    if incident is None:
        raise NotFound("incident_not_found")
    blob = Blob(
        id=new_id(),
        purpose=purpose,
        incident_id=incident.id,
        scope_path=incident.scope_path,
        mime=photo.mime,
        size_bytes=len(photo.content),
        sha256=hashlib.sha256(photo.content).digest(),
        content=photo.content,
        created_at=tx.now,
        created_by=tx.actor.account_id,
        expires_at=tx.now + KEPT,
    )
    tx.session.add(blob)
    tx.session.flush()
    return blob


def get_photo(tx: Tx, blob_id: UUID) -> Blob:
    """The photo with its bytes; the look is recorded. Raises NotFound when absent, expired or out of sight."""
    blob = tx.session.scalars(select(Blob).where(Blob.id == blob_id).options(undefer(Blob.content))).first()
    if blob is None or (blob.expires_at is not None and blob.expires_at <= tx.now):
        raise NotFound("blob_not_found")
    audit(tx, "blob.view", "incident", blob.incident_id, blob_id=str(blob.id))
    return blob

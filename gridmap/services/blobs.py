"""Photos and other files of a case: checked, stripped of what they tell about their maker, and kept with an expiry."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from PIL import Image, ImageOps, UnidentifiedImageError
from sqlalchemy import func, select
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
# A minute of speech at the phone page's 24 kbit/s is 180 kB.
MAX_VOICE_BYTES = 2 * 1024 * 1024
_HEAD_BYTES = 64
_JPEG_QUALITY = 82


@dataclass(frozen=True)
class CleanPhoto:
    """A photo re-encoded from its pixels alone."""

    content: bytes
    mime: str


@dataclass(frozen=True)
class VoiceNote:
    """Speech as the phone recorded it, in a container that browsers play."""

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


def check_voice(content: bytes) -> VoiceNote:
    """Take what a browser's recorder writes: Opus in WebM or Ogg, or MP4. The container alone is looked at.

    The bytes are kept as they came: such a container names the program that wrote it, but neither place nor person.
    Raises TooLarge, Invalid("not_a_voice_note").
    """
    if len(content) > MAX_VOICE_BYTES:
        raise TooLarge("voice_too_large", most_bytes=MAX_VOICE_BYTES)
    head = content[:_HEAD_BYTES]
    if head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head:
        return VoiceNote(content, "audio/webm")
    if head.startswith(b"OggS") and b"OpusHead" in head:
        return VoiceNote(content, "audio/ogg")
    if head[4:8] == b"ftyp":
        return VoiceNote(content, "audio/mp4")
    raise Invalid("not_a_voice_note")


def store_file(tx: Tx, file: CleanPhoto | VoiceNote, *, incident_id: UUID, purpose: str = "result") -> Blob:
    """Keep it with an incident that the actor can see, or that came of a report of their own. Raises NotFound."""
    blob = Blob(
        id=new_id(),
        purpose=purpose,
        incident_id=incident_id,
        scope_path=_path_of(tx, incident_id),
        mime=file.mime,
        size_bytes=len(file.content),
        sha256=hashlib.sha256(file.content).digest(),
        content=file.content,
        created_at=tx.now,
        created_by=tx.actor.account_id,
        expires_at=tx.now + KEPT,
    )
    tx.session.add(blob)
    tx.session.flush()
    return blob


def _path_of(tx: Tx, incident_id: UUID) -> str:
    incident = tx.session.get(Incident, incident_id)
    if incident is not None:
        return incident.scope_path
    path = tx.session.scalar(select(func.own_report_path(incident_id)))
    if path is None:
        raise NotFound("incident_not_found")
    return str(path)


def get_file(tx: Tx, blob_id: UUID) -> Blob:
    """The file with its bytes; the look is recorded. Raises NotFound when absent, expired or out of sight."""
    blob = tx.session.scalars(select(Blob).where(Blob.id == blob_id).options(undefer(Blob.content))).first()
    if blob is None or (blob.expires_at is not None and blob.expires_at <= tx.now):
        raise NotFound("blob_not_found")
    audit(tx, "blob.view", "incident", blob.incident_id, blob_id=str(blob.id))
    return blob

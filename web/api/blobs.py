"""Photos and voice notes of a case."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request

from gridmap.adapters.offload import apart
from gridmap.db.tables import Blob
from gridmap.errors import Invalid
from gridmap.services.blobs import MAX_BYTES, MAX_VOICE_BYTES, check_voice, clean_photo, get_file, store_file
from web.guards import requires, signed_in
from web.schemas import Body, Key
from web.site import as_caller

blobs = APIBlueprint("blobs", __name__, url_prefix="/api/blobs", tag="blobs")


_FORM_ROOM_BYTES = 100_000


@blobs.before_request
def allow_photos() -> None:
    """Only here may a body be as large as a photo."""
    request.max_content_length = MAX_BYTES + _FORM_ROOM_BYTES


class FileForm(Body):
    incident_id: UUID
    purpose: Key = "result"


@blobs.post("")
@blobs.input(FileForm, location="form", arg_name="form")
@requires("job.work", "case.handle")
def upload(form: FileForm) -> tuple[dict[str, Any], int]:
    """Keep a photo with an incident; it is encoded anew, so that nothing tells where or by what it was made."""
    photo = apart(clean_photo, _read_file(MAX_BYTES))
    with as_caller() as tx:
        return _receipt(store_file(tx, photo, incident_id=form.incident_id, purpose=form.purpose)), 201


@blobs.post("/voice")
@blobs.input(FileForm, location="form", arg_name="form")
@requires("job.work", "case.handle")
def upload_voice(form: FileForm) -> tuple[dict[str, Any], int]:
    """Keep a voice note with an incident: WebM, Ogg or MP4 as a browser records it, 2 MB at most."""
    note = check_voice(_read_file(MAX_VOICE_BYTES))
    with as_caller() as tx:
        return _receipt(store_file(tx, note, incident_id=form.incident_id, purpose=form.purpose)), 201


def _read_file(most_bytes: int) -> bytes:
    given = request.files.get("file")
    if given is None:
        raise Invalid("invalid_fields", fields={"file": "missing"})
    return given.stream.read(most_bytes + 1)


def _receipt(blob: Blob) -> dict[str, Any]:
    return {"id": blob.id, "mime": blob.mime, "bytes": blob.size_bytes, "sha256": blob.sha256.hex()}


@blobs.get("/<uuid:blob_id>")
@blobs.doc(responses={200: "The photo or voice note"})
@signed_in
def show(blob_id: UUID) -> Response:
    """The photo or voice note. The look is recorded."""
    with as_caller() as tx:
        blob = get_file(tx, blob_id)
    response = Response(blob.content, mimetype=blob.mime)
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Disposition"] = "inline"
    return response

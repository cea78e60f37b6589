"""Photos of a case."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, request

from gridmap.adapters.offload import apart
from gridmap.errors import Invalid
from gridmap.services.blobs import MAX_BYTES, clean_photo, get_photo, store_photo
from web.guards import requires, signed_in
from web.schemas import Body, Key
from web.site import as_caller

blobs = APIBlueprint("blobs", __name__, url_prefix="/api/blobs", tag="blobs")


_FORM_ROOM_BYTES = 100_000


@blobs.before_request
def allow_photos() -> None:
    """Only here may a body be as large as a photo."""
    request.max_content_length = MAX_BYTES + _FORM_ROOM_BYTES


class PhotoForm(Body):
    incident_id: UUID
    purpose: Key = "result"


@blobs.post("")
@blobs.input(PhotoForm, location="form", arg_name="form")
@requires("job.work", "case.handle")
def upload(form: PhotoForm) -> tuple[dict[str, Any], int]:
    """Keep a photo with an incident; it is encoded anew, so that nothing tells where or by what it was made."""
    given = request.files.get("file")
    if given is None:
        raise Invalid("invalid_fields", fields={"file": "missing"})
    photo = apart(clean_photo, given.stream.read(MAX_BYTES + 1))
    with as_caller() as tx:
        blob = store_photo(tx, photo, incident_id=form.incident_id, purpose=form.purpose)
    answer = {"id": blob.id, "mime": blob.mime, "bytes": blob.size_bytes, "sha256": blob.sha256.hex()}
    return answer, 201


@blobs.get("/<uuid:blob_id>")
@blobs.doc(responses={200: "The photo"})
@signed_in
def show(blob_id: UUID) -> Response:
    """The photo. The look is recorded."""
    with as_caller() as tx:
        blob = get_photo(tx, blob_id)
    response = Response(blob.content, mimetype=blob.mime)
    response.headers["Cache-Control"] = "private, max-age=3600"
    response.headers["Content-Disposition"] = "inline"
    return response

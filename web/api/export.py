"""What a person may see, as a file. Each export is recorded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from typing import IO, Any, Literal

from apiflask import APIBlueprint
from flask import Response, send_file

from gridmap.errors import NotFound
from gridmap.services.auditing import audit
from gridmap.services.queries.exporting import Sheet, camera_sheet, incident_sheet, unit_sheet
from gridmap.services.transaction import Tx
from web.api.incidents import CaseQuery
from web.guards import requires
from web.schemas import Bbox, Keys, Query
from web.site import as_caller, site
from web.spreadsheets import CSV_MIME, XLSX_MIME, write_csv, write_xlsx

export = APIBlueprint("export", __name__, url_prefix="/api/export", tag="export")

Language = Literal["zh", "en"]
_IN_MEMORY_BYTES = 4_000_000
_WRITERS: dict[str, tuple[Callable[[Sheet, IO[bytes]], int], str]] = {
    "csv": (write_csv, CSV_MIME),
    "xlsx": (write_xlsx, XLSX_MIME),
}


class IncidentExport(CaseQuery):
    lang: Language | None = None


class UnitExport(Query):
    status: Keys = ()
    lang: Language | None = None


class CameraExport(UnitExport):
    bbox: Bbox | None = None


@export.get("/incidents.<ending>")
@export.input(IncidentExport, location="query", arg_name="query")
@export.doc(responses={200: "A CSV or XLSX file"})
@requires("case.export")
def export_incidents(ending: str, query: IncidentExport) -> Response:
    """Incidents by the filters of the list; restricted ones are left out."""
    return _file(ending, lambda tx: incident_sheet(tx, query.as_filter(tx), _language(query.lang)))


@export.get("/units.<ending>")
@export.input(UnitExport, location="query", arg_name="query")
@export.doc(responses={200: "A CSV or XLSX file"})
@requires("unit.read")
def export_units(ending: str, query: UnitExport) -> Response:
    """Units, without where they are."""
    return _file(ending, lambda tx: unit_sheet(tx, query.status, _language(query.lang)))


@export.get("/cameras.<ending>")
@export.input(CameraExport, location="query", arg_name="query")
@export.doc(responses={200: "A CSV or XLSX file"})
@requires("camera.read")
def export_cameras(ending: str, query: CameraExport) -> Response:
    """Cameras."""
    return _file(ending, lambda tx: camera_sheet(tx, query.bbox, query.status, _language(query.lang)))


def _language(given: Language | None) -> Language:
    return given or site().settings.locale


def _file(ending: str, read: Callable[[Tx], Sheet]) -> Response:
    """Written to a spool first: a slow download holds no transaction, and a fault comes before the first byte."""
    if ending not in _WRITERS:
        raise NotFound("export_format_unknown", known=sorted(_WRITERS))
    write, mime = _WRITERS[ending]
    with ExitStack() as on_fault:
        spool: Any = on_fault.enter_context(tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES))
        with as_caller() as tx:
            sheet = read(tx)
            count = write(sheet, spool)
            audit(tx, f"export.{sheet.name}", format=ending, rows=count)
            stamp = tx.now.astimezone(tx.zone).strftime("%Y%m%d-%H%M")
        # From here the response closes it, when it has been sent.
        on_fault.pop_all()
    spool.seek(0)
    name = f"{sheet.name}-{stamp}.{ending}"
    response = send_file(spool, mimetype=mime, as_attachment=True, download_name=name)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Row-Count"] = str(count)
    return response

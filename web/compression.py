"""gzip for answers that gain by it."""

from __future__ import annotations

import gzip

from flask import Flask, Response, request

_WORTH_BYTES = 1_000
_KINDS = frozenset(
    {
        "application/json",
        "application/problem+json",
        "application/geo+json",
        "application/vnd.mapbox-vector-tile",
        "text/html",
        "text/css",
        "text/javascript",
        "image/svg+xml",
    }
)
# Level 1 shrinks a tile to within a tenth of level 9 for a fifth of its time.
_LEVEL = 1


def register_compression(app: Flask) -> None:
    """Compress what is held in memory; streams and files are sent as they are."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.mimetype not in _KINDS:
        return response
    response.vary.add("Accept-Encoding")
    if (
        response.direct_passthrough
        or response.is_streamed
        or response.status_code != 200
        or "Content-Encoding" in response.headers
        or not request.accept_encodings.quality("gzip")
    ):
        return response
    body = response.get_data()
    if len(body) < _WORTH_BYTES:
        return response
    response.set_data(gzip.compress(body, _LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    etag, is_weak = response.get_etag()
    if etag and not is_weak:
        response.set_etag(etag, weak=True)
    return response

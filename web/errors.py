"""One table from our errors to HTTP, answered as problem+json (RFC 9457): codes and parameters, no prose."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, json
from werkzeug.exceptions import HTTPException, InternalServerError

from gridmap.errors import (
    Conflict,
    Forbidden,
    GridmapError,
    Invalid,
    Misconfigured,
    NotAuthenticated,
    NotFound,
    TooLarge,
    TooMany,
    Unavailable,
)

log = logging.getLogger("gridmap.web")

STATUS_OF: dict[type[GridmapError], HTTPStatus] = {
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    Misconfigured: HTTPStatus.INTERNAL_SERVER_ERROR,
    GridmapError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

_CODE_OF_STATUS = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    415: "media_type_not_supported",
    416: "range_not_satisfiable",
}


def register_errors(app: Flask) -> None:
    """Answer every refusal and every fault of `app` as a problem."""
    app.register_error_handler(GridmapError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _broken)


def status_of(error: GridmapError) -> HTTPStatus:
    """The status of the nearest class of `error` that the table knows."""
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


def problem(status: int, code: str, params: dict[str, Any] | None = None) -> Response:
    """A problem+json answer. `type` names the kind of problem, `title` is its code again."""
    body = {
        "type": f"urn:gridmap:problem:{code}",
        "title": code,
        "status": int(status),
        "code": code,
        "params": params or {},
    }
    response = Response(json.dumps(body), status=int(status), content_type="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    return response


def _refused(error: GridmapError) -> Response:
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("refused %s: %s", g.get("request_id"), error.code, exc_info=error)
    # What is wrong with the site's own files is for its operator's log, not for a caller.
    params = {} if isinstance(error, Misconfigured) else error.params
    response = problem(status, error.code, params)
    if isinstance(error, TooMany) and "retry_after_s" in error.params:
        response.headers["Retry-After"] = str(error.params["retry_after_s"])
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    response = problem(status, _CODE_OF_STATUS.get(status, f"http_{status}"))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _broken(error: InternalServerError) -> Response:
    cause = error.original_exception
    log.error("broken %s", g.get("request_id"), exc_info=cause)
    return problem(500, "internal_error", {"request_id": g.get("request_id")})

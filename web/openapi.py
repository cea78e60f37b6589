"""What the API's description says beside what the routes say of themselves."""

from __future__ import annotations

from typing import Any

from apiflask import APIFlask

from web.auth import COOKIE, CSRF_HEADER
from web.guards import guard_of
from web.outputs import COMPONENTS

TITLE = "gridmap"
_DESCRIPTION = """\
Times are ISO 8601 in UTC with a Z. Coordinates are longitude, latitude in WGS84 degrees unless `crs` names another
system. Lengths are metres, speeds metres per second.

People log in and hold a session cookie; every change then needs the header `X-CSRF-Token` with the value that
`GET /api/me` gives. Machines send `Authorization: Bearer <token>` and need no such header.

A refusal is `application/problem+json` with a stable `code` and its `params`; `invalid_fields` names each field.
"""
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "params"],
    "properties": {
        "type": {"type": "string", "example": "urn:gridmap:problem:not_found"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "params": {"type": "object"},
    },
}


def describe(app: APIFlask) -> None:
    """Give `app`'s description its introduction, its ways to log in, and each route's guard."""
    app.config.update(
        DESCRIPTION=_DESCRIPTION,
        OPENAPI_VERSION="3.1.0",
        AUTO_OPERATION_ID=True,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_404_RESPONSE=False,
        SECURITY_SCHEMES={
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
            "token": {"type": "http", "scheme": "bearer"},
            "device": {"type": "http", "scheme": "basic"},
        },
    )

    @app.spec_processor
    def _finish(spec: dict[Any, Any] | str) -> dict[Any, Any] | str:
        assert isinstance(spec, dict)
        spec.setdefault("components", {}).setdefault("schemas", {}).update(
            {**COMPONENTS, "Problem": _PROBLEM}
        )
        for rule in app.url_map.iter_rules():
            path = _openapi_path(rule.rule)
            for method in rule.methods or ():
                operation = spec.get("paths", {}).get(path, {}).get(method.lower())
                if operation is not None:
                    _say_guard(app, operation, rule.endpoint, method)
                    _say_lists(operation)
        return spec


def _say_lists(operation: dict[str, Any]) -> None:
    """Lists in an address are one text with commas."""
    for parameter in operation.get("parameters", ()):
        if parameter.get("in") == "query" and _is_list(parameter.get("schema", {})):
            parameter["style"], parameter["explode"] = "form", False


def _is_list(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "array" or any(_is_list(part) for part in schema.get("anyOf", ()))


def _say_guard(app: APIFlask, operation: dict[str, Any], endpoint: str, method: str) -> None:
    guard = guard_of(app, endpoint)
    problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    responses = operation.setdefault("responses", {})
    responses["default"] = {"description": "Refused", **problem}
    if guard is None or guard.is_public:
        operation["security"] = []
        return
    if guard.by_device:
        operation["security"] = [{"device": []}]
        return
    cookie: dict[str, list[str]] = {"session": []} if method == "GET" else {"session": [], "csrf": []}
    operation["security"] = [cookie, {"token": []}]
    operation["x-verbs"] = list(guard.verbs)


def _openapi_path(rule: str) -> str:
    parts = (part.rpartition(":")[2] for part in rule.replace(">", "}").split("<"))
    return "{".join(parts)

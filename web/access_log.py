"""One line a request: the route's pattern instead of its address, since addresses hold positions and searches."""

from __future__ import annotations

import json
import logging
import time

from flask import Flask, Response, g, request

from gridmap.domain.actor import Actor
from gridmap.domain.ids import new_id

log = logging.getLogger("gridmap.access")


def register_access_log(app: Flask) -> None:
    app.before_request(_start)
    app.after_request(_finish)


def _start() -> None:
    g.started_at_s = time.perf_counter()
    g.request_id = new_id().hex


def _finish(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if not log.isEnabledFor(logging.INFO):
        return response
    who = g.get("actor")
    line = {
        "request_id": g.get("request_id"),
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "ms": round((time.perf_counter() - g.get("started_at_s", time.perf_counter())) * 1000, 1),
        "bytes": response.content_length,
        "from": request.remote_addr,
        "account": str(who.account_id or who.token_id) if isinstance(who, Actor) else None,
    }
    log.info(json.dumps(line, separators=(",", ":")))
    return response

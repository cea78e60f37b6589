"""Hooks of the web server's processes; gunicorn loads this module by its name, before it forks any.

Whatever the application imports is loaded here once and shared by all processes: loading it costs seconds of processor
time, which a restart would else pay once a process while everybody waits.
"""

from __future__ import annotations

import logging
import ssl

from gevent import monkey
from gevent.hub import Hub

# What is imported next must find the patched modules.
monkey.patch_all()

import web.app  # noqa: E402, F401
from gridmap.serve.garbage import collect_seldom  # noqa: E402

# A phone that leaves in the middle of a handshake is daily business; gevent would print a traceback for each.
_CLIENT_LEFT = (ssl.SSLError, ConnectionResetError, BrokenPipeError)


def post_worker_init(_worker: object) -> None:
    """Called by gunicorn in each web process before it takes requests."""
    Hub.NOT_ERROR = (*Hub.NOT_ERROR, *_CLIENT_LEFT)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s web %(levelname)s %(message)s")
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    collect_seldom()

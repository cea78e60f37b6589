"""The site's own way to send a text or place a call: a command, or an address, that takes one JSON object.

What it gets holds neither address nor contact: the gateway knows the crew's number by the unit's id and source key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shlex
import subprocess
from collections.abc import Mapping
from typing import Any

import httpx

from gridmap.errors import Unavailable

SIGNATURE = "X-Gridmap-Signature"
TIMEOUT_S = 10.0


class MessageHook:
    """A gateway. `target` is an http(s) address or a command line; no shell reads it.

    The body is signed with HMAC-SHA256 under `secret`: "sha256=<hex>", in the header X-Gridmap-Signature of a POST, in
    the variable GRIDMAP_SIGNATURE of a command.
    """

    def __init__(self, target: str, secret: str | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._target = target
        self._secret = secret
        self._timeout_s = timeout_s

    def send(self, message: Mapping[str, Any]) -> None:
        """Hand one message over; an answer 2xx, or exit status 0, means that the gateway has it.

        The same `id` may come twice when an answer got lost: the gateway drops the second.
        Raises Unavailable("message_hook_failed") with a code, never with the gateway's words.
        """
        body = json.dumps(message, ensure_ascii=False, sort_keys=True).encode()
        if self._target.startswith(("http://", "https://")):
            self._post(body)
        else:
            self._run(body)

    def sign(self, body: bytes) -> str:
        return "sha256=" + hmac.new((self._secret or "").encode(), body, hashlib.sha256).hexdigest()

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[SIGNATURE] = self.sign(body)
        try:
            # The site's own gateway: a proxy of the environment must not come in between.
            with httpx.Client(timeout=self._timeout_s, trust_env=False) as client:
                answer = client.post(self._target, content=body, headers=headers)
        except httpx.TimeoutException:
            raise Unavailable("message_hook_failed", why="timeout") from None
        except (httpx.HTTPError, httpx.InvalidURL):
            raise Unavailable("message_hook_failed", why="unreachable") from None
        if not answer.is_success:
            raise Unavailable("message_hook_failed", why=f"status_{answer.status_code}")

    def _run(self, body: bytes) -> None:
        variables = {"GRIDMAP_SIGNATURE": self.sign(body)} if self._secret else {}
        try:
            done = subprocess.run(
                shlex.split(self._target),
                input=body,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **variables},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Unavailable("message_hook_failed", why="timeout") from None
        except (OSError, ValueError):
            raise Unavailable("message_hook_failed", why="not_startable") from None
        if done.returncode != 0:
            raise Unavailable("message_hook_failed", why=f"exit_{done.returncode}")

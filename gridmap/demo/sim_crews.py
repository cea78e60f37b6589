"""Who is on duty when, and the phones of the crews: log-ins, duty, answers to offers."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from gridmap.demo.shifts import hours_of
from gridmap.demo.sim_client import Link, Refusal

_log = logging.getLogger(__name__)
OPEN_PHONES = 48


@dataclass(frozen=True)
class Officer:
    """A crew's log-in, as the demo's credentials file lists it."""

    login: str
    unit_id: str
    unit_ref: str
    call_sign: str
    kind: str
    shift: str | None


def is_on_shift(officer: Officer, clock: datetime) -> bool:
    """Whether the crew works at this local time."""
    first, last = hours_of(officer.shift, officer.unit_ref)
    return first <= clock.hour < last


@dataclass
class _Phone:
    """An open session; `busy` is held during a request."""

    link: Link
    busy: threading.Lock = field(default_factory=threading.Lock)
    is_in: bool = False


class Phones:
    """Sessions of crews, the last used kept open. Calls of one crew never run at the same time."""

    def __init__(self, url: str, ca_file: Path | None, password: str, stop: threading.Event) -> None:
        self._url, self._ca_file, self._password, self._stop = url, ca_file, password, stop
        self._open: OrderedDict[str, _Phone] = OrderedDict()
        self._guard = threading.Lock()

    def call(self, officer: Officer, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """One request of a crew's phone, logged in first where needed. Raises Refusal, Stopped."""
        return self._use(officer, lambda link: link.call(method, path, body))

    def upload(self, officer: Officer, path: str, file: tuple[str, bytes, str], **form: str) -> Any:
        """Send a photo from a crew's phone."""
        return self._use(officer, lambda link: link.upload(path, file, **form))

    def close(self) -> None:
        """Let all connections go."""
        with self._guard:
            for phone in self._open.values():
                phone.link.close()
            self._open.clear()

    def _use(self, officer: Officer, ask: Callable[[Link], Any]) -> Any:
        phone = self._phone(officer)
        with phone.busy:
            if not phone.is_in:
                phone.link.log_in(officer.login, self._password)
                phone.is_in = True
            try:
                return ask(phone.link)
            except Refusal as refusal:
                if refusal.params.get("status") != HTTPStatus.UNAUTHORIZED:
                    raise
            phone.link.log_in(officer.login, self._password)
            return ask(phone.link)

    def _phone(self, officer: Officer) -> _Phone:
        with self._guard:
            if officer.login not in self._open:
                self._open[officer.login] = _Phone(Link(self._url, self._ca_file, self._stop))
            self._open.move_to_end(officer.login)
            for login in list(self._open)[:-OPEN_PHONES]:
                if not self._open[login].busy.locked():
                    self._open.pop(login).link.close()
            return self._open[officer.login]


def change_duty(phones: Phones, officer: Officer, *, on: bool) -> bool:
    """Start or end a crew's duty; True when it then is as wanted."""
    try:
        body = {"action": "start", "reason": "演示"} if on else {"action": "stop"}
        phones.call(officer, "POST", "/api/patrol/duty", body)
    except Refusal as refusal:
        return refusal.code == ("already_on_duty" if on else "not_on_duty")
    return True


def report_done(phones: Phones, officer: Officer, dispatch_id: str, incident_id: str, code: str) -> None:
    """Report the result; with a photo where the class asks for one."""
    body: dict[str, Any] = {"code": code, "note": "现场已处置（演示）", "photo_ids": []}
    path = f"/api/dispatches/{dispatch_id}/done"
    try:
        phones.call(officer, "POST", path, body)
    except Refusal as refusal:
        if refusal.code != "photo_required":
            raise
        picture = ("scene.jpg", _picture(), "image/jpeg")
        kept = phones.upload(officer, "/api/blobs", picture, incident_id=incident_id, purpose="result")
        phones.call(officer, "POST", path, {**body, "photo_ids": [kept["id"]]})


def _picture() -> bytes:
    """A plain grey picture: the demo has no scenes to photograph."""
    out = BytesIO()
    Image.new("RGB", (320, 240), (150, 155, 160)).save(out, "JPEG")
    return out.getvalue()

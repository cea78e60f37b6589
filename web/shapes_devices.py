"""How positions taken and devices look from outside."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

# pydantic needs this one to read types of TypedDict on 3.11.
from typing_extensions import TypedDict


class RefusedLine(TypedDict):
    """Which of the fixes sent was refused at the door, and why."""

    index: int
    code: str


class TakenLine(TypedDict):
    accepted: int
    refused: list[RefusedLine]


class AppSettings(TypedDict):
    """What is typed into the app, or read by its camera from `text` as a QR code."""

    app: str
    url: str
    mode: str
    username: str | None
    password: str | None
    identifier: str | None
    text: str


class NewDevice(TypedDict):
    """Shown once: nobody can read the secret again. `broker_line` goes into a Mosquitto's password file."""

    device_id: UUID
    kind: str
    name: str
    secret: str
    settings: AppSettings
    broker_line: str
    expires_old_at: datetime | None

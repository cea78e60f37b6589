"""How positions taken and devices look from outside."""

from __future__ import annotations

from uuid import UUID

# pydantic needs this one to read types of TypedDict on 3.11.
from typing_extensions import TypedDict

from gridmap.positions.app_settings import AppSettings


class RefusedLine(TypedDict):
    """Which of the fixes sent was refused at the door, and why."""

    index: int
    code: str


class TakenLine(TypedDict):
    accepted: int
    refused: list[RefusedLine]


class Changed(TypedDict):
    id: UUID


class NewDevice(TypedDict):
    """Shown once: nobody can read the secret again. `broker_line` goes into a Mosquitto's password file."""

    device_id: UUID
    kind: str
    name: str
    secret: str
    settings: AppSettings
    broker_line: str

"""Ids of everything that is born here: UUIDv7, ordered by time, so that indexes stay compact."""

from __future__ import annotations

import uuid

import uuid_utils


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 (RFC 9562)."""
    return uuid.UUID(int=uuid_utils.uuid7().int)

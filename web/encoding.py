"""JSON as it leaves the house: dataclasses as objects, times in UTC with a Z, ids as text, never NaN."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from flask.json.provider import JSONProvider


def utc_text(at: datetime) -> str:
    """ISO 8601 in UTC with a Z; microseconds only where there are some."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain(value: Any) -> Any:
    """What the json module cannot write by itself. Raises TypeError for what has no plain form."""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, UUID | date):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return fields_of(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"no plain form for {type(value).__name__}")


def fields_of(row: Any) -> dict[str, Any]:
    """A dataclass as the object it is sent as."""
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


class CompactJson(JSONProvider):
    """Compact, unescaped UTF-8; NaN and infinity are an error instead of broken JSON."""

    mimetype = "application/json"

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        kwargs.setdefault("default", plain)
        kwargs.setdefault("ensure_ascii", False)
        kwargs.setdefault("allow_nan", False)
        kwargs.setdefault("separators", (",", ":"))
        return json.dumps(obj, **kwargs)

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return json.loads(s, **kwargs)

"""Column types that PostgreSQL has and SQLAlchemy does not."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import types
from sqlalchemy.dialects.postgresql.base import ischema_names


class Ltree(types.UserDefinedType[str]):
    """A label path, here of area ids: '1.14.201'. The empty path is above everything."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        return "ltree"


class Citext(types.UserDefinedType[str]):
    """Text that compares without case."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        return "citext"


class Xid8(types.UserDefinedType[int]):
    """A 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_kw: Any) -> str:
        return "xid8"


ischema_names.setdefault("ltree", Ltree)
ischema_names.setdefault("citext", Citext)
ischema_names.setdefault("xid8", Xid8)


def geometry(kind: str, srid: int = 4326) -> Geometry:
    """A geometry column type without GeoAlchemy's own index: indexes are named beside the table."""
    return Geometry(geometry_type=kind, srid=srid, spatial_index=False)

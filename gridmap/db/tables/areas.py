"""Areas, their versions over time, and the groupings over the same leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB, TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path
from gridmap.db.types import geometry


class AreaSet(Base):
    """One published or imported set of areas of one tree. Only a verified set obeys the coverage law."""

    __tablename__ = "area_set"
    __table_args__ = (CheckConstraint("status in ('verified', 'unverified')", name="status"),)

    id: Mapped[IdKey]
    tree: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    status: Mapped[str]
    faults: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    source: Mapped[str | None]
    batch_id: Mapped[UUID | None]
    created_at: Mapped[datetime]


class Area(Base):
    """The identity of an area. Its code is never reused; what it looks like stands in `area_version`.

    The id is a small integer, so that a path of six of them stays short on two million incidents.
    """

    __tablename__ = "area"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    tree: Mapped[str] = mapped_column(server_default="admin")
    level: Mapped[str]
    scheme: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)
    source: Mapped[str | None]
    ref: Mapped[str | None]


class AreaVersion(Base):
    """What an area was called, where it lay and to whom it belonged over a span of time. Never overwritten."""

    __tablename__ = "area_version"
    __table_args__ = (
        ExcludeConstraint(("area_id", "="), ("valid", "&&"), using="gist", name="ex_area_version_valid"),
        Index("ix_area_version_geom", "geom", postgresql_using="gist"),
        Index("ix_area_version_geom_3857", "geom_3857", postgresql_using="gist"),
        Index("ix_area_version_path", "path", postgresql_using="gist"),
        Index("ix_area_version_parent_id", "parent_id"),
        Index("ix_area_version_leaf_since", text("lower(valid)"), postgresql_where=text("is_leaf")),
    )

    id: Mapped[IdKey]
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    area_set_id: Mapped[UUID] = mapped_column(ForeignKey("area_set.id"))
    path: Mapped[Path]
    name: Mapped[str]
    is_leaf: Mapped[bool] = mapped_column(server_default=text("false"))
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    geom_3857: Mapped[WKBElement] = mapped_column(
        geometry("MULTIPOLYGON", 3857), Computed("st_transform(geom, 3857)", persisted=True)
    )
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    plan_id: Mapped[UUID | None]
    props: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class AreaLeaf(Base):
    """Membership of a leaf in a grouping (police beat, fire ground, ...): a tree over the same leaves."""

    __tablename__ = "area_leaf"

    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), primary_key=True)
    leaf_id: Mapped[int] = mapped_column(ForeignKey("area.id"), primary_key=True, index=True)
    tree: Mapped[str]
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)

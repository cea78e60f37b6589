"""Cameras, generic features, and what an OSM extract fills: roads, buildings, water, green, places, gazetteer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, FromSource, IdKey, Path
from gridmap.db.types import geometry


class Camera(FromSource, Base):
    """A public camera point; angles clockwise from north, lengths in metres."""

    __tablename__ = "camera"
    __table_args__ = (
        UniqueConstraint("source", "ref"),
        Index("ix_camera_geom", "geom", postgresql_using="gist"),
        Index("ix_camera_geom_3857", "geom_3857", postgresql_using="gist"),
        Index("ix_camera_scope_path", "scope_path", postgresql_using="gist"),
        Index("ix_camera_name", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )

    id: Mapped[IdKey]
    code: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="fixed")
    status: Mapped[str] = mapped_column(server_default="unknown")
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
    geom_3857: Mapped[WKBElement] = mapped_column(
        geometry("POINT", 3857), Computed("st_transform(geom, 3857)", persisted=True)
    )
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    heading_deg: Mapped[float | None]
    fov_deg: Mapped[float | None]
    range_m: Mapped[float | None]
    height_m: Mapped[float | None]
    props: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class Feature(FromSource, Base):
    """A row of a generic layer: resources, components, routes, places and whatever a site adds."""

    __tablename__ = "feature"
    __table_args__ = (
        UniqueConstraint("layer", "source", "ref"),
        Index("ix_feature_geom_3857", "layer", "geom_3857", postgresql_using="gist"),
        Index("ix_feature_scope_path", "scope_path", postgresql_using="gist"),
    )

    id: Mapped[IdKey]
    layer: Mapped[str]
    name: Mapped[str | None]
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    scope_path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    props: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    geom: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))
    geom_3857: Mapped[WKBElement] = mapped_column(
        geometry("GEOMETRY", 3857), Computed("st_transform(geom, 3857)", persisted=True)
    )


class Building(FromSource, Base):
    """A building outline; households where the source counts them."""

    __tablename__ = "building"
    __table_args__ = (
        UniqueConstraint("source", "ref"),
        Index("ix_building_geom", "geom", postgresql_using="gist"),
    )

    id: Mapped[IdKey]
    name: Mapped[str | None]
    kind: Mapped[str | None]
    street: Mapped[str | None]
    house_number: Mapped[str | None]
    levels: Mapped[float | None]
    height_m: Mapped[float | None]
    households: Mapped[int | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))


class OsmExtract(Base):
    """One imported OSM file; importing it again replaces its rows."""

    __tablename__ = "osm_extract"

    name: Mapped[str] = mapped_column(primary_key=True)
    file_sha256: Mapped[str]
    imported_at: Mapped[datetime]
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    attribution: Mapped[str]
    demo: Mapped[bool] = mapped_column(server_default=text("false"))


class Road(Base):
    """A way that people or vehicles use."""

    __tablename__ = "road"
    __table_args__ = (Index("ix_road_geom", "geom", postgresql_using="gist"),)

    extract: Mapped[str] = mapped_column(primary_key=True)
    osm_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind: Mapped[str]
    name: Mapped[str | None]
    oneway: Mapped[bool] = mapped_column(server_default=text("false"))
    bridge: Mapped[bool] = mapped_column(server_default=text("false"))
    maxspeed_kmh: Mapped[float | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("LINESTRING"))


class Ground(Base):
    """Water and green: `layer` tells which, `kind` is the tag's value."""

    __tablename__ = "ground"
    __table_args__ = (Index("ix_ground_geom", "geom", postgresql_using="gist"),)

    extract: Mapped[str] = mapped_column(primary_key=True)
    osm_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    layer: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))


class Gazetteer(Base):
    """Every name that a search or a geocoder may find, with one point and a weight."""

    __tablename__ = "gazetteer"
    __table_args__ = (
        UniqueConstraint("source", "ref"),
        Index(
            "ix_gazetteer_name_norm",
            "name_norm",
            postgresql_using="gin",
            postgresql_ops={"name_norm": "gin_trgm_ops"},
        ),
        Index("ix_gazetteer_street_house", "street_norm", "house_number"),
        Index("ix_gazetteer_geom", "geom", postgresql_using="gist"),
    )

    id: Mapped[IdKey]
    source: Mapped[str]
    ref: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str | None]
    name_norm: Mapped[str]
    street_norm: Mapped[str | None]
    house_number: Mapped[str | None]
    weight: Mapped[float] = mapped_column(server_default="1")
    radius_m: Mapped[float] = mapped_column(server_default="30")
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))

"""Counts for thinned tiles, and how they are kept true."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, Path
from gridmap.db.types import Xid8


class TileCount(Base):
    """How many points of a layer lie in one cell, per area that answers for them.

    A cell is 1/8 of a tile's edge; `cell` is its Morton number, so a tile and every coarser tile is one
    range of it. Kinds of rows: plain (`detail` false); by class and status, all months (`month` -1); by
    month (UTC, since January 2000), all classes (`class_key` empty); by all three. Which of them are kept
    for which zoom, and which with paths cut to three labels, is told in gridmap/services/tile_counts.py.

    `sum_x`, `sum_y` add up the points' positions in units of 1/2^24 of the world's edge, from the
    north-west: whole numbers, so that adding and taking away leaves no rest.
    """

    __tablename__ = "tile_count"

    layer: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    detail: Mapped[bool] = mapped_column(primary_key=True)
    zoom: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    class_key: Mapped[str] = mapped_column(primary_key=True, server_default="")
    month: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="0")
    status: Mapped[str] = mapped_column(primary_key=True, server_default="")
    path: Mapped[Path] = mapped_column(primary_key=True)
    n: Mapped[int]
    sum_x: Mapped[int] = mapped_column(BigInteger)
    sum_y: Mapped[int] = mapped_column(BigInteger)


class TileDelta(Base):
    """A change that the counts do not hold yet, written by triggers in the transaction that made it.

    `n` is how many points came (or, below zero, left); 0 tells only that something about a layer's rows changed.
    """

    __tablename__ = "tile_delta"
    __table_args__ = (Index("ix_tile_delta_layer_id", "layer", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8(), server_default=text("pg_current_xact_id()"))
    layer: Mapped[str]
    x: Mapped[int] = mapped_column(server_default="0")
    y: Mapped[int] = mapped_column(server_default="0")
    path: Mapped[Path] = mapped_column(server_default=text("''::ltree"))
    class_key: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str] = mapped_column(server_default="")
    month: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    n: Mapped[int]


class TileLayer(Base):
    """Which generation of counts a layer's tiles read, and whether it must be counted anew.

    `wanted` grows when rows appear that no trigger saw one by one (a batch made visible); a count that began at
    that number sets `counted` to it.
    """

    __tablename__ = "tile_layer"

    layer: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(server_default="0")
    wanted: Mapped[int] = mapped_column(BigInteger, server_default="0")
    counted: Mapped[int] = mapped_column(BigInteger, server_default="0")
    counted_at: Mapped[datetime | None]

"""Risk: runs over one area, what they said of each class group and each area, and the work that is still to be done."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from gridmap.db.tables.base import Base, IdKey, Path


class RiskRun(Base):
    """One forecast for one area and horizon, kept with its parameters and the snapshot of data that it rests on.

    `origin_on` is the first local day forecast; only what was recorded before it went in. `looks_back` tells that the
    run was made afterwards, for a past origin. `snapshot` holds rows, newest recording and a digest of what went in;
    `outcome_at` when what came was counted. Nobody sees the run before `made_at` is set, with its last line.
    """

    __tablename__ = "risk_run"
    __table_args__ = (
        Index("ix_risk_run_scope_path", "scope_path", postgresql_using="gist"),
        Index("ix_risk_run_area_id_horizon_origin_on", "area_id", "horizon", "origin_on"),
    )

    id: Mapped[IdKey]
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    scope_path: Mapped[Path]
    horizon: Mapped[str]
    origin_on: Mapped[date]
    horizon_days: Mapped[int] = mapped_column(SmallInteger)
    looks_back: Mapped[bool] = mapped_column(server_default=text("false"))
    made_at: Mapped[datetime | None]
    seconds: Mapped[float]
    author_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    author_name: Mapped[str]
    purpose: Mapped[str]
    params: Mapped[dict[str, Any]]
    snapshot: Mapped[dict[str, Any]]
    outcome_at: Mapped[datetime | None]


class RiskSurface(Base):
    """What a run said of one class group over its whole area.

    Attributes:
        cells: zlib of float32 (rows, columns), row 0 southernmost, expected incidents per km2 and week; NaN outside.
            `grid` tells {west_m, south_m, cell_m, rows, columns, crs}.
        shown: zlib of uint8 (rows, columns): 1 where enough incidents stand behind a cell for it to leave the centre.
        weighted: as `cells`, severe incidents counting for more (same total); None where risk.toml has no weights.
        png: the same as a picture in Web Mercator; `bounds` its west, south, east, north in degrees.
        legend: steps of the picture, lowest first: {from, to, color}.
        model, scores: the model used and how all did in the rolling backtest.
        refused: the code and parameters of why there is no forecast; all figures are then absent.
    """

    __tablename__ = "risk_surface"

    run_id: Mapped[UUID] = mapped_column(ForeignKey("risk_run.id", ondelete="CASCADE"), primary_key=True)
    class_group: Mapped[str] = mapped_column(primary_key=True)
    refused: Mapped[dict[str, Any] | None]
    grid: Mapped[dict[str, Any] | None]
    cells: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    shown: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    weighted: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    png: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    weighted_png: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    bounds: Mapped[list[float] | None] = mapped_column(JSONB(none_as_null=True))
    legend: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    model: Mapped[str | None]
    scores: Mapped[dict[str, Any] | None]
    expected: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    figures: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    hotspots: Mapped[dict[str, Any] | None]
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    came: Mapped[int | None]
    came_png: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    came_scores: Mapped[dict[str, Any] | None]


class RiskArea(Base):
    """One line of the risk list: an area, a class group, and what is to be expected there.

    `risk_level` is a key of the four-colour legend. `reasons` are codes with parameters. `came` is what happened, once
    the horizon is over.

    Attributes:
        weighted: expected incidents of average severity; None where risk.toml has no weights.
        exposure: what could suffer there (households, residents; risk.toml names it); None where nobody counted it.
        camera_cover, route_cover: share of the ground in a camera's stated sight, and within reach of a patrol route.
        walked: share of the routes' length there that somebody on duty came by in four weeks; None without a route.
        patrol: "hot" where a patrol is proposed because much is expected, "outside" where the lot fell; else None.
    """

    __tablename__ = "risk_area"
    __table_args__ = (
        Index("ix_risk_area_scope_path", "scope_path", postgresql_using="gist"),
        CheckConstraint("rank_low <= rank and rank <= rank_high", name="rank"),
    )

    run_id: Mapped[UUID] = mapped_column(ForeignKey("risk_run.id", ondelete="CASCADE"), primary_key=True)
    class_group: Mapped[str] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), primary_key=True)
    scope_path: Mapped[Path]
    level: Mapped[str]
    urban_rural: Mapped[str | None]
    expected: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    per_km2_week: Mapped[float]
    rank: Mapped[int]
    rank_low: Mapped[int]
    rank_high: Mapped[int]
    density_rank: Mapped[int]
    risk_level: Mapped[str]
    recent: Mapped[int]
    recent_expected: Mapped[float]
    trend_ratio: Mapped[float]
    trend_q: Mapped[float]
    trend_real: Mapped[bool]
    top_hours: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    top_classes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    known: Mapped[int]
    found_share: Mapped[float]
    hazards: Mapped[int]
    cameras: Mapped[int]
    patrol_routes: Mapped[int]
    weighted: Mapped[float | None]
    exposure: Mapped[float | None]
    camera_cover: Mapped[float | None]
    route_cover: Mapped[float | None]
    walked: Mapped[float | None]
    patrol: Mapped[str | None]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    came: Mapped[int | None]


class RiskRelease(Base):
    """What files may tell of how many incidents fell into a fixed period, decided once for all files there will be.

    `first_on` begins the period (see `services.risk.release`). `told` is None where the count is kept back.
    """

    __tablename__ = "risk_release"
    __table_args__ = (Index("ix_risk_release_scope_path", "scope_path", postgresql_using="gist"),)

    first_on: Mapped[date] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), primary_key=True)
    class_group: Mapped[str] = mapped_column(primary_key=True)
    scope_path: Mapped[Path]
    told: Mapped[int | None]
    decided_at: Mapped[datetime]


class RiskJob(Base):
    """One run that is to be made: taken by one worker of any host, given back when that worker falls silent.

    `checked`: the past is replayed too, to say how good such forecasts were; without, the run is there sooner.
    """

    __tablename__ = "risk_job"
    __table_args__ = (
        CheckConstraint("status in ('waiting', 'running', 'done', 'failed')", name="status"),
        Index("ix_risk_job_waiting", "asked_at", postgresql_where=text("status in ('waiting', 'running')")),
        Index("ix_risk_job_scope_path", "scope_path", postgresql_using="gist"),
        Index(
            "uq_risk_job_open",
            "area_id",
            "horizon",
            "origin_on",
            "checked",
            unique=True,
            postgresql_where=text("status in ('waiting', 'running')"),
        ),
    )

    id: Mapped[IdKey]
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    scope_path: Mapped[Path]
    horizon: Mapped[str]
    origin_on: Mapped[date]
    checked: Mapped[bool] = mapped_column(server_default=text("true"))
    status: Mapped[str] = mapped_column(server_default="waiting")
    asked_at: Mapped[datetime]
    author_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    author_name: Mapped[str]
    purpose: Mapped[str]
    claimed_by: Mapped[str | None]
    alive_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    ended_at: Mapped[datetime | None]
    run_id: Mapped[UUID | None] = mapped_column(ForeignKey("risk_run.id", ondelete="SET NULL"))
    error: Mapped[dict[str, Any] | None]


class RiskMute(Base):
    """An early-warning rule that is not to ring in an area for a while, by whom and why."""

    __tablename__ = "risk_mute"
    __table_args__ = (Index("ix_risk_mute_scope_path", "scope_path", postgresql_using="gist"),)

    id: Mapped[IdKey]
    rule: Mapped[str]
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"))
    scope_path: Mapped[Path]
    until: Mapped[datetime]
    reason: Mapped[str]
    muted_by: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    muted_at: Mapped[datetime]


class RiskRuleRecord(Base):
    """How an early-warning rule would have done on the past of one area.

    `alarms` in `days` days, `false_alarms` of them; what counts as false stands with the rule.
    """

    __tablename__ = "risk_rule_record"

    rule: Mapped[str] = mapped_column(primary_key=True)
    area_id: Mapped[int] = mapped_column(ForeignKey("area.id"), primary_key=True)
    scope_path: Mapped[Path]
    days: Mapped[int]
    alarms: Mapped[int]
    false_alarms: Mapped[int]
    judged_at: Mapped[datetime]

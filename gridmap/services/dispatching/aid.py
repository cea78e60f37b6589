"""Whose people may be called out: those of the incident's own county, and by agreement those of others."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from gridmap.db.tables import Incident
from gridmap.domain.actor import is_below
from gridmap.services.transaction import Tx

JURISDICTION_LEVEL = "county"

_HOME = text(
    "select v.path::text from area_version v join area a on a.id = v.area_id"
    " where v.path @> cast(:path as ltree) and v.valid @> cast(:at as timestamptz) and a.level = :level"
    " order by nlevel(v.path) desc limit 1"
)
_LENDERS = text(
    "select g.id, lender.area_id, lender.path::text as path, lender.name, g.unit_kinds from agreement g"
    " join area_version borrower on borrower.area_id = g.borrower_area_id"
    "   and borrower.valid @> cast(:at as timestamptz)"
    " join area_version lender on lender.area_id = g.lender_area_id and lender.valid @> cast(:at as timestamptz)"
    " where g.valid @> cast(:at as timestamptz) and borrower.path @> cast(:path as ltree)"
)


@dataclass(frozen=True)
class Lender:
    """An area that lends its units by agreement; no kinds named means every kind."""

    agreement_id: UUID
    area_id: int
    path: str
    name: str
    unit_kinds: tuple[str, ...]

    def lends(self, kind: str, path: str) -> bool:
        return is_below(path, self.path) and (not self.unit_kinds or kind in self.unit_kinds)


@dataclass(frozen=True)
class Reach:
    """The paths whose units may be asked for an incident: its own county's, and those of the lenders."""

    home: str
    lenders: tuple[Lender, ...]

    def holds(self, kind: str, path: str) -> bool:
        return is_below(path, self.home) or self.lender_of(kind, path) is not None

    def lender_of(self, kind: str, path: str) -> Lender | None:
        """By which agreement a unit from outside may come; None for our own and for strangers."""
        if is_below(path, self.home):
            return None
        return next((lender for lender in self.lenders if lender.lends(kind, path)), None)


def reach_of(tx: Tx, incident: Incident, *, mutual_aid: bool) -> Reach:
    """Where people for this incident may come from, at this moment."""
    at = {"path": incident.scope_path, "at": tx.now}
    home = tx.session.scalar(_HOME, {**at, "level": JURISDICTION_LEVEL})
    lenders = tx.session.execute(_LENDERS, at).all() if mutual_aid else ()
    return Reach(
        home if home is not None else incident.scope_path,
        tuple(Lender(row.id, row.area_id, row.path, row.name, tuple(row.unit_kinds)) for row in lenders),
    )

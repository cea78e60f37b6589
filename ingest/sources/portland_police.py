"""Police districts of Portland, Oregon: real ones, with overlaps and gaps, so they stay unverified."""

from __future__ import annotations

from ingest.source import Source

SOURCE = Source(
    key="portland_police",
    noun="areas",
    operator="Portland Police Bureau",
    licence=None,
    attribution="Portland police districts, as published with the NIJ forecasting challenge",
    crs="WGS84",
    mapping={"DISTRICT": "code", "PRECINCT": "parent"},
    level="grid",
)

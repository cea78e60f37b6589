"""Incidents in Portland, Oregon, 2012-2017, from the forecasting challenge of the US National Institute of Justice.

Dates only. The file has no ids: rows that say the same are as many incidents as there are rows.
"""

from __future__ import annotations

from ingest.source import Source

SOURCE = Source(
    key="portland_nij",
    noun="incidents",
    operator="US National Institute of Justice",
    licence=None,
    attribution="NIJ real-time crime forecasting challenge",
    crs="WGS84",
    zone="America/Los_Angeles",
    mapping={"t": "occurred", "type": "class"},
    value_maps={"class": {"burglary": "S2.03", "motor vehicle theft": "S2.04"}},
    defaults={"channel": "transfer", "outcome": "handed_over"},
)

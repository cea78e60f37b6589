"""`gridmap risk`: the verbs over files, the verbs over the database, and the map product, as one group."""

from __future__ import annotations

from gridmap.forecasting.cli import risk
from gridmap.services.risk.cli import list_, run, work
from layers.risk.cli import map_

for verb in (run, list_, work, map_):
    risk.add_command(verb)

__all__ = ["risk"]

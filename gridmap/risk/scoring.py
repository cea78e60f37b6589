"""How good a forecast was: hit rate, PAI, PEI at stated shares of the area, log score over an even spread.

PAI after Chainey, Tompson, Uhlig 2008 (Security Journal 21): (n / N) / (a / A). PEI: n over the most that the same area
could have caught, known afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridmap.risk.arrays import Floats

AREA_SHARES = (0.01, 0.02, 0.05, 0.1)
EVEN_PART = 0.001
"""Mixed into every forecast before its logarithm is taken, so that an empty cell costs much but not everything."""


@dataclass(frozen=True)
class WindowScore:
    """One window. `hit`, `best` (S,) events inside the flagged share and the most it could have caught, for each of
    `AREA_SHARES`; `events` in the window; `log_sum` of log density over even."""

    hit: Floats
    best: Floats
    events: int
    log_sum: float


def score_window(share: Floats, counts: Floats, ground: Floats) -> WindowScore:
    """Score expected shares (cells,) against counts (cells,) that came; `ground` (cells,) km2 inside the area.

    Ties and the last cell are counted by their part: cells of one density form a block that is caught as a whole in
    proportion to the area taken from it. So a constant forecast scores exactly the share of the area, and no order of
    cells can be played with.
    """
    cells = ground > 0
    share, counts, ground = share[cells], counts[cells], ground[cells]
    even = ground / ground.sum()
    mixed = (1 - EVEN_PART) * share + EVEN_PART * even
    seen = counts > 0
    log_sum = float((counts[seen] * np.log(mixed[seen] / even[seen])).sum())
    limits = np.array(AREA_SHARES) * ground.sum()
    return WindowScore(
        caught(share / ground, counts, ground, limits),
        caught(counts / ground, counts, ground, limits),
        round(counts.sum()),
        log_sum,
    )


def caught(density: Floats, counts: Floats, ground: Floats, limits: Floats) -> Floats:
    """Events inside the densest cells up to each area of `limits`, ties in proportion."""
    order = np.argsort(-density, kind="stable")
    # Rounding must not break a tie.
    ranked = density[order].astype(np.float32)
    ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    area = np.r_[0.0, np.cumsum(ground[order])[ends]]
    events = np.r_[0.0, np.cumsum(counts[order])[ends]]
    return np.asarray(np.interp(limits, area, events))

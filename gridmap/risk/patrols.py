"""Where to send patrols: most to the areas where most is expected, a stated share elsewhere, drawn by lot.

Who looks only where he always looked finds only there, and the next forecast learns it (Ensign et al. 2018, FAT*). The
share outside is told, and so is the seed: anybody can draw the lot again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gridmap.errors import Invalid
from gridmap.risk.arrays import Floats


@dataclass(frozen=True, slots=True)
class Proposed:
    """Index of an area, and whether it lies outside the hot list."""

    area: int
    outside: bool


def propose_patrols(per_km2: Floats, count: int, outside_share: float, seed: int) -> tuple[Proposed, ...]:
    """`count` of the areas: the densest, and at least `outside_share` of `count` drawn evenly from all others.

    Args:
        per_km2: (areas,) expected incidents per km2.
        count: how many patrols are to be proposed; fewer where there are fewer areas.
        seed: of the lot (numpy's PCG64).
    Raises Invalid("risk_patrols", count, outside_share).
    """
    if count < 1 or not 0 <= outside_share < 1:
        raise Invalid("risk_patrols", count=count, outside_share=outside_share)
    ranked = np.argsort(-np.asarray(per_km2, dtype=float), kind="stable")
    count = min(count, len(ranked))
    elsewhere = min(math.ceil(count * outside_share), max(count - 1, 0))
    hot, rest = ranked[: count - elsewhere], ranked[count - elsewhere :]
    drawn = np.random.default_rng(seed).choice(rest, elsewhere, replace=False) if elsewhere else rest[:0]
    return (
        *(Proposed(int(area), False) for area in hot),
        *(Proposed(int(area), True) for area in drawn),
    )

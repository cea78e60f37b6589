"""Late entry: what part of the incidents of a recent day is known by now."""

from __future__ import annotations

import numpy as np

from gridmap.risk.arrays import Floats
from gridmap.risk.events import Events

LONGEST_D = 120
_LEAST_ROWS = 50


def known_share(known: Events, origin_d: float) -> Floats:
    """(LONGEST_D,) the part of a day's incidents known at `origin_d`, for days 1, 2, ... before it; ones without data.

    Recent days lack exactly the rows with long delays, so their mean delay misleads. The estimate conditions on what
    can be seen (the reverse-time product limit of Lagakos, Barraj, De Gruttola 1988, Biometrika 75, for right-truncated
    delays): the chance of a delay of at most a days is the product over longer delays l of 1 - d(l) / n(l), with
    d(l) rows that took l days and n(l) rows that took at most l and are old enough that l could be seen.
    """
    rows = ~np.isnan(known.recorded_d)
    if rows.sum() < _LEAST_ROWS or rows.mean() < 0.5:
        return np.ones(LONGEST_D)
    delay = np.floor(known.recorded_d[rows]) - np.floor(known.occurred_d[rows])
    age = np.floor(origin_d - 1e-9) - np.floor(known.occurred_d[rows])
    delay, age = delay.astype(np.int64), age.astype(np.int64)
    fine = (delay >= 0) & (delay <= age) & (age < 3 * LONGEST_D)
    delay, age = delay[fine].clip(max=LONGEST_D), age[fine]
    share = np.ones(LONGEST_D + 1)
    for longer in range(LONGEST_D, 0, -1):
        at_risk = int(((delay <= longer) & (age >= longer)).sum())
        took = int(((delay == longer) & (age >= longer)).sum())
        share[longer - 1] = share[longer] * (1.0 - took / at_risk if at_risk >= _LEAST_ROWS else 1.0)
    return share[:LONGEST_D]

"""When a unit is said to have entered or left a fence, though every fix errs.

The depth of a fix is its distance to the border divided by its accuracy (what phones report: the radius that holds
68 % of fixes), positive inside. With the usual round normal error one accuracy is 1.51 standard deviations across a
straight border, since the 68 % radius of such an error is sqrt(-2 ln 0.32) = 1.51 of them. Whatever is farther than
SURE = 2 accuracies (3.0 standard deviations) is on the wrong side once in 750.

A change of side needs an unbroken run of fixes on the other side, and one of:

- deep: the last two fixes are both SURE; or one is, and the fix before it is LONE_S old, so that a phone that reports
  once in a while is not kept waiting. Two in a row, because a single wild fix with a good accuracy is common;
- steady: the mean depth of the run, each depth cut at SURE, is SURE / sqrt(1 + T / (2 NOISE_TIME_S)) after T seconds.
  The error of fixes is correlated; as a Gauss-Markov process of time constant tau the mean over T has the weight of
  about 1 + T / (2 tau) independent ones (Bartlett's formula for an AR(1) series), so the bar is the same three
  deviations for the mean;
- held: the run lasts HELD_S (entering) or the fence's own exit_s (leaving), with at least three fixes, however shallow.

A fix on the old side begins anew. Leaving is measured from the fence's buffer, entering from its border.

Hence the bound on lateness: a unit that moves on straight at v m/s is told of no later than SURE * accuracy / v seconds
after the border plus two intervals between fixes, where the fence is that deep; where it is not, after HELD_S, or not
at all if it leaves before. A unit that goes right through without being told of gives "cross", where the straight way
between surely outside and surely outside meets the fence even when it is moved PASS_DOUBT accuracies to either side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

SURE = 2.0
ACCURACY_FLOOR_M = 5.0
NOISE_TIME_S = 60.0
LONE_S = 20.0
HELD_S = 300.0
# A way between two fixes errs in its middle by the 0.5 accuracies that are one deviation of the mean of two.
PASS_DOUBT = 0.5
# Between fixes farther apart in time than this a straight way says nothing about where the unit went.
LEAP_S = 120.0
# After a silence of this length nothing is known any more: open visits end with the last fix.
SILENT_S = 7200.0
_LEAST_FIXES = 3


@dataclass(slots=True)
class Run:
    """Consecutive fixes on the side where the unit is not yet taken to be. Depths are cut at SURE."""

    since: datetime
    fixes: int = 0
    total: float = 0.0
    last: float = 0.0

    def change(self, at: datetime, depth: float, *, lone: bool, hold_s: float) -> str | None:
        """Add a fix; the reason when the change of side is now certain enough, else None.

        Depends on nothing but the run and the fix, so that runs converge after late fixes were put in.
        """
        depth = min(depth, SURE)
        before, self.last = self.last, depth
        self.fixes += 1
        self.total += depth
        if depth >= SURE and (lone or (self.fixes > 1 and before >= SURE)):
            return "deep"
        if self.fixes < _LEAST_FIXES:
            return None
        lasted_s = (at - self.since).total_seconds()
        if self.total / self.fixes >= SURE / math.sqrt(1.0 + lasted_s / (2.0 * NOISE_TIME_S)):
            return "steady"
        return "held" if lasted_s >= hold_s else None

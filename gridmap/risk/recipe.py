"""What a model is made of: surfaces and counts of several widths and memories, and their weights."""

from __future__ import annotations

from dataclasses import dataclass

EVER = float("inf")


@dataclass(frozen=True)
class Part:
    """One ingredient: how known events are spread in space and how fast they are forgotten.

    Attributes:
        bandwidth_m: of the kernel; None keeps the count of the cell itself; 0 is the area, evenly.
        half_life_d: after which an event weighs half; `EVER` forgets nothing.
        last_d: only events of so many days before the origin.
        strength: with a bandwidth: the cell's own count drawn to the kernel surface. A cell in which the surface
            expects m events and n were counted gets m (strength + n) / (strength + m), the mean of a gamma posterior.
    """

    bandwidth_m: float | None
    half_life_d: float = EVER
    last_d: float = EVER
    strength: float | None = None


EVEN = Part(0.0)
COUNT = Part(None)


@dataclass(frozen=True)
class Recipe:
    """A weighted sum of parts; weights are over zero and sum to one."""

    parts: tuple[Part, ...]
    weights: tuple[float, ...]

    @classmethod
    def only(cls, part: Part) -> Recipe:
        return cls((part,), (1.0,))

    @classmethod
    def even(cls) -> Recipe:
        return cls.only(EVEN)

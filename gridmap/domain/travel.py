"""How people get about: the modes, their top speeds, and what one trip over the road network is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

KMH = 1 / 3.6


class LonLat(NamedTuple):
    """A place in WGS84 degrees, longitude first."""

    lon: float
    lat: float


class Mode(StrEnum):
    """A way to travel that the routing engine has a costing for."""

    FOOT = "foot"
    EBIKE = "ebike"
    CAR = "car"
    EMERGENCY_CAR = "emergency_car"


# The routing engine is asked with exactly these, so no trip beats its straight line at that speed. The lower a
# mode's speed, the fewer people have to be asked: cars are held to what streets in town allow.
TOP_SPEED_KMH: dict[Mode, float] = {
    Mode.FOOT: 5.1,
    Mode.EBIKE: 20.0,
    Mode.CAR: 60.0,
    Mode.EMERGENCY_CAR: 80.0,
}

# Without a road graph: a usual speed in town, and how much longer streets are than the straight line. Both
# are rough on purpose and only order people while the engine is down.
USUAL_SPEED_KMH: dict[Mode, float] = {
    Mode.FOOT: 4.8,
    Mode.EBIKE: 16.0,
    Mode.CAR: 25.0,
    Mode.EMERGENCY_CAR: 40.0,
}
DETOUR_FACTOR = 1.35

# Lengths on the graph are spherical and rounded to a metre an edge, times to a second: a trip may come out
# this much shorter than the ellipsoid allows.
GRAPH_SHORTFALL = 0.03

# The engine snaps any position to the nearest road without a limit; further away than this a person is not on
# the network, and a time would be fiction.
OFF_NETWORK_M = 300.0

TripState = Literal["ok", "unreachable", "off_network"]


@dataclass(frozen=True, slots=True)
class Trip:
    """One trip from a person to a place.

    Attributes:
        state: "ok"; "unreachable" when no way leads there; "off_network" when the start lies more than
            OFF_NETWORK_M from any road.
        seconds, distance_m: along the roads, None unless the state is "ok". A missing way is never 0.
        snapped_m: distance from the position to the road it was placed on, None when there is none.
    """

    state: TripState
    seconds: float | None = None
    distance_m: float | None = None
    snapped_m: float | None = None


UNREACHABLE = Trip("unreachable")
OFF_NETWORK = Trip("off_network")


def optimistic_seconds(straight_m: ArrayLike, mode: Mode, slack_m: float = 0.0) -> NDArray[np.float64]:
    """A time no trip of `mode` can beat, element by element.

    Args:
        straight_m: ellipsoidal distance between the two positions, metres.
        slack_m: how far both ends together may be moved towards each other when placed on roads, metres.
    """
    return (
        np.maximum(0.0, np.asarray(straight_m) - slack_m)
        * (1 - GRAPH_SHORTFALL)
        / (TOP_SPEED_KMH[mode] * KMH)
    )


def usual_seconds(straight_m: float, mode: Mode) -> float:
    """A rough time over a straight-line distance in metres, for when no road graph answers."""
    return straight_m * DETOUR_FACTOR / (USUAL_SPEED_KMH[mode] * KMH)

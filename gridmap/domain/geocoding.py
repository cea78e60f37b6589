"""Choosing among several places of one name or number, and refusing to choose when nothing decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gridmap.domain.addresses import leading_number, main_house_number
from gridmap.domain.metric import distance_m

# Two entries of one name nearer than this are one place seen twice (a door and its house, two carriageways).
_SAME_PLACE_M = 400.0
_BUILDING_UNKNOWN_M = 60.0
# A number that the map does not have is looked for beside its neighbours, this far along the count at most.
_MOST_NUMBERS_AWAY = 40
_METRES_PER_NUMBER = 8.0
_NEIGHBOUR_M = 50.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in WGS84 degrees, and the radius that holds the truth."""

    lon: float
    lat: float
    radius_m: float
    name: str


@dataclass(frozen=True, slots=True)
class House:
    """A house number in normal form, and where it is."""

    number: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class PickedHouse:
    """`exact` is False when only a neighbour of the number is known: then it is a place on the street."""

    spot: Spot
    exact: bool


def pick_spot(spots: Sequence[Spot], hint: tuple[float, float] | None) -> Spot | None:
    """The spot nearest to `hint` (lon, lat); without a hint the first, if all are one place; else None."""
    if not spots:
        return None
    if hint is not None:
        return min(spots, key=lambda spot: float(distance_m(spot.lon, spot.lat, *hint)))
    first = spots[0]
    apart_m = max(float(distance_m(first.lon, first.lat, spot.lon, spot.lat)) for spot in spots)
    return first if apart_m <= max(_SAME_PLACE_M, first.radius_m) else None


def pick_house(houses: Sequence[House], number: str, hint: tuple[float, float] | None) -> PickedHouse | None:
    """The house with `number`; else another building at the same number; else the nearest number of the street.

    Args:
        houses: all known numbers of one street.
        number: in normal form, such as "128/3".
    """
    same = [house.spot for house in houses if house.number == number]
    if same:
        spot = pick_spot(same, hint)
        return PickedHouse(spot, exact=True) if spot else None
    main = main_house_number(number)
    beside = [house.spot for house in houses if main_house_number(house.number) == main]
    if beside:
        spot = pick_spot(beside, hint)
        return PickedHouse(_widened(spot, _BUILDING_UNKNOWN_M), exact=True) if spot else None
    return _neighbour(houses, main, hint)


def _neighbour(houses: Sequence[House], main: str, hint: tuple[float, float] | None) -> PickedHouse | None:
    wanted = leading_number(main)
    lane = main.rpartition("弄")[0]
    if wanted is None:
        return None
    steps: list[tuple[int, House]] = []
    for house in houses:
        known = leading_number(house.number)
        if known is None or house.number.rpartition("弄")[0] != lane:
            continue
        # The other side of the street counts in the other parity.
        away = abs(known - wanted) + (known - wanted) % 2
        if away <= _MOST_NUMBERS_AWAY:
            steps.append((away, house))
    if not steps:
        return None
    fewest = min(away for away, _ in steps)
    spot = pick_spot([house.spot for away, house in steps if away == fewest], hint)
    if spot is None:
        return None
    return PickedHouse(_widened(spot, _NEIGHBOUR_M + fewest * _METRES_PER_NUMBER), exact=False)


def _widened(spot: Spot, radius_m: float) -> Spot:
    return Spot(spot.lon, spot.lat, max(spot.radius_m, radius_m), spot.name)

"""From an address to a place, and from a few letters to names: over the gazetteer that OSM extracts fill.

A result says by which method it was found and how far off it may be. The middle of an administrative area is never
an answer: an incident there would be an invention. Where two towns have the same street and nothing tells which is
meant, there is no answer either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from gridmap.domain.addresses import (
    Address,
    normal_text,
    parse_address,
)
from gridmap.domain.geocoding import House, Spot, pick_house, pick_spot

LONGEST_ADDRESS = 300
_MOST_HOUSES = 5_000
_MOST_STREETS = 50
_MOST_NAMES = 20
_CROSSING_RADIUS_M = 40.0
# Label points of larger places are the middles of areas.
_SMALL_PLACE_M = 500.0

_ROAD = r".+?(?:路|街|道|巷)"
_CROSSING = re.compile(
    rf"^(?P<first>{_ROAD})(?:与|和|跟|及|/|、|-)(?P<second>{_ROAD})(?:路口|交叉口|交汇处?|交界处?|口)?$"
)


@dataclass(frozen=True, slots=True)
class GeocodeResult:
    """A place in WGS84 degrees, how it was found, and the radius that holds the truth.

    `method` is "house_number", "street", "building", "landmark" or "place".
    """

    lon: float
    lat: float
    method: str
    radius_m: float
    matched: str


@dataclass(frozen=True, slots=True)
class PlaceHit:
    """A name of the map for the search box; a higher `score` is a better match."""

    id: str
    kind: str
    name: str
    name_en: str | None
    lon: float
    lat: float
    radius_m: float
    score: float


def geocode(session: Session, address: str, near: tuple[float, float] | None = None) -> GeocodeResult | None:
    """The place of an address as people write it, or None.

    Args:
        near: (lon, lat) that the place is expected to be near, to tell streets of one name apart. Without it
            the administrative names in the address do that.
    """
    parsed = parse_address(address[:LONGEST_ADDRESS])
    if not parsed.text:
        return None
    hint = near or _region_point(session, parsed)
    return (
        _at_crossing(session, parsed, hint)
        or _at_house(session, parsed, hint)
        or _at_name(session, parsed, hint, "exact")
        or _on_street(session, parsed, hint)
        or _at_name(session, parsed, hint, "within")
        or _at_name(session, parsed, hint, "like")
    )


def search_places(
    session: Session, q: str, near: tuple[float, float] | None = None, limit: int = 8
) -> list[PlaceHit]:
    """Names that hold or resemble `q`, best first: by name, by pinyin or its first letters, by English name.

    Args:
        near: (lon, lat) of what the screen shows; the nearer come first among equals.
    """
    words = normal_text(q)
    if not words:
        return []
    rows = session.execute(
        text("select * from gazetteer_search(:words, :lon, :lat, :most)"),
        {
            "words": words,
            "lon": near[0] if near else None,
            "lat": near[1] if near else None,
            "most": limit,
        },
    )
    return [
        PlaceHit(
            str(row.id),
            row.kind,
            row.name,
            row.name_en,
            row.place_lon,
            row.place_lat,
            row.radius_m,
            row.score,
        )
        for row in rows
    ]


def _region_point(session: Session, parsed: Address) -> tuple[float, float] | None:
    """Where the smallest known administrative name of the address lies: a hint, never an answer."""
    for region in reversed(parsed.regions):
        found = _named(session, "exact", [region])
        if found:
            return found[0].place_lon, found[0].place_lat
    return None


def _at_house(session: Session, parsed: Address, hint: tuple[float, float] | None) -> GeocodeResult | None:
    if parsed.house_number is None or not parsed.roads:
        return None
    rows = session.execute(
        text("select * from gazetteer_houses(:streets, :most)"),
        {"streets": list(parsed.roads), "most": _MOST_HOUSES},
    ).all()
    for road in parsed.roads:
        houses = [
            House(row.house_number, Spot(row.place_lon, row.place_lat, row.radius_m, row.name))
            for row in rows
            if row.street == road
        ]
        if picked := pick_house(houses, parsed.house_number, hint):
            spot = picked.spot
            method = "house_number" if picked.exact else "street"
            return GeocodeResult(spot.lon, spot.lat, method, spot.radius_m, spot.name)
    return None


def _on_street(session: Session, parsed: Address, hint: tuple[float, float] | None) -> GeocodeResult | None:
    if not parsed.roads:
        return None
    rows = session.execute(
        text("select * from gazetteer_streets(:streets, :most)"),
        {"streets": list(parsed.roads), "most": _MOST_STREETS},
    ).all()
    for road in parsed.roads:
        spots = [
            Spot(row.place_lon, row.place_lat, row.radius_m, row.name) for row in rows if row.street == road
        ]
        if spots:
            return _result("street", pick_spot(spots, hint))
    return None


def _at_crossing(session: Session, parsed: Address, hint: tuple[float, float] | None) -> GeocodeResult | None:
    found = _CROSSING.match(parsed.text)
    if not found:
        return None
    first, second = (_street_names(session, found[part]) for part in ("first", "second"))
    spots = [
        Spot(row.place_lon, row.place_lat, _CROSSING_RADIUS_M, f"{one} / {other}")
        for one in first
        for other in second
        for row in session.execute(
            text("select * from street_crossings(:one, :other, 8)"), {"one": one, "other": other}
        )
    ]
    return _result("street", pick_spot(spots, hint)) if spots else None


def _street_names(session: Session, written: str) -> list[str]:
    """The map's own spelling of a street, by its longest reading that the map knows."""
    roads = parse_address(written).roads
    rows = session.execute(
        text("select street, name from gazetteer_streets(:streets, :most)"),
        {"streets": list(roads), "most": _MOST_STREETS},
    ).all()
    for road in roads:
        if names := sorted({row.name for row in rows if row.street == road}):
            return names
    return []


def _at_name(
    session: Session, parsed: Address, hint: tuple[float, float] | None, how: str
) -> GeocodeResult | None:
    rest = parsed.text
    for region in parsed.regions:
        rest = rest.removeprefix(region)
    words = list(dict.fromkeys([rest, parsed.text])) if how == "exact" else [rest]
    rows = [
        row for row in _named(session, how, words) if row.kind != "place" or row.radius_m <= _SMALL_PLACE_M
    ]
    if not rows:
        return None
    best = [row for row in rows if row.name_word == rows[0].name_word]
    spots = [Spot(row.place_lon, row.place_lat, row.radius_m, row.name) for row in best]
    return _result(best[0].kind, pick_spot(spots, hint))


def _named(session: Session, how: str, words: Sequence[str]) -> Sequence[Any]:
    return session.execute(
        text("select * from gazetteer_named(:how, :words, :most)"),
        {"how": how, "words": list(words), "most": _MOST_NAMES},
    ).all()


def _result(method: str, spot: Spot | None) -> GeocodeResult | None:
    return None if spot is None else GeocodeResult(spot.lon, spot.lat, method, spot.radius_m, spot.name)

"""The public map offsets of mainland China: WGS84 to GCJ-02 and BD-09, and exactly back.

All functions take and return degrees, lon first, as float arrays of equal shape. The forward formula is the
one known to the public (it agrees with the vendors' own converters to 0.7 m). There is no closed inverse:
subtracting the forward formula's residual a few times brings it below a micrometre, where the usual one-step
inverse is metres off.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]
Pair = tuple[Degrees, Degrees]

# Krassowsky 1940: the semi-major axis must be this one. With WGS84's the result is off by a centimetre.
_SEMI_MAJOR_M = 6378245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
# The rectangle the formula itself names. It also covers some neighbours; the vendors' converters do the same.
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
# Four rounds do almost everywhere; the kink of the square roots at 105 E and 35 N wants two more.
_INVERSE_ROUNDS = 6
_BD_WAVE = np.pi * 3000.0 / 180.0


def in_offset_area(lon: Degrees, lat: Degrees) -> NDArray[np.bool_]:
    """Whether the offset applies; False for NaN and infinite coordinates."""
    return (lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)


def wgs84_to_gcj02(lon: Degrees, lat: Degrees) -> Pair:
    """Forward formula; points outside the offset area are returned unchanged."""
    return _inside_only(_gcj_forward, lon, lat)


def gcj02_to_wgs84(lon: Degrees, lat: Degrees) -> Pair:
    """Inverse to better than 1e-6 m; a point that no place in the offset area maps to is unchanged."""
    return _inside_only(_gcj_inverse, lon, lat)


def wgs84_to_bd09(lon: Degrees, lat: Degrees) -> Pair:
    """GCJ-02 and Baidu's rotation and shift on top; outside the offset area unchanged."""
    return _inside_only(_bd_forward, lon, lat)


def bd09_to_wgs84(lon: Degrees, lat: Degrees) -> Pair:
    """Inverse to better than 1e-6 m; a point that no place in the offset area maps to is unchanged."""
    return _inside_only(_bd_inverse, lon, lat)


def _inside_only(formula: Callable[[Degrees, Degrees], Pair], lon: Degrees, lat: Degrees) -> Pair:
    # An inverse is judged by where it lands, a forward step by where it starts: so a round trip holds at the
    # rim.
    finite = np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) < 90.0)
    safe_lon, safe_lat = np.where(finite, lon, 105.0), np.where(finite, lat, 35.0)
    moved_lon, moved_lat = formula(safe_lon, safe_lat)
    inverse = formula in (_gcj_inverse, _bd_inverse)
    inside = in_offset_area(moved_lon, moved_lat) if inverse else in_offset_area(safe_lon, safe_lat)
    apply = finite & inside
    return np.where(apply, moved_lon, lon), np.where(apply, moved_lat, lat)


def _gcj_forward(lon: Degrees, lat: Degrees) -> Pair:
    x, y = lon - 105.0, lat - 35.0
    ripple = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north += (ripple + _wave(y, 20.0, 40.0, 160.0, 320.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east += (ripple + _wave(x, 20.0, 40.0, 150.0, 300.0)) * 2.0 / 3.0
    phi = np.radians(lat)
    w_squared = 1.0 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQUARED) / (w_squared * np.sqrt(w_squared))
    parallel_m = _SEMI_MAJOR_M / np.sqrt(w_squared) * np.cos(phi)
    return lon + np.degrees(east / parallel_m), lat + np.degrees(north / meridian_m)


def _wave(v: Degrees, full: float, third: float, twelfth: float, thirtieth: float) -> Degrees:
    short = full * np.sin(np.pi * v) + third * np.sin(np.pi * v / 3.0)
    return short + twelfth * np.sin(np.pi * v / 12.0) + thirtieth * np.sin(np.pi * v / 30.0)


def _gcj_to_bd(lon: Degrees, lat: Degrees) -> Pair:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_WAVE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_WAVE)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _bd_to_gcj_guess(lon: Degrees, lat: Degrees) -> Pair:
    x, y = lon - 0.0065, lat - 0.006
    radius = np.hypot(x, y) - 0.00002 * np.sin(y * _BD_WAVE)
    angle = np.arctan2(y, x) - 0.000003 * np.cos(x * _BD_WAVE)
    return radius * np.cos(angle), radius * np.sin(angle)


def _bd_forward(lon: Degrees, lat: Degrees) -> Pair:
    return _gcj_to_bd(*_gcj_forward(lon, lat))


def _gcj_inverse(lon: Degrees, lat: Degrees) -> Pair:
    return _iterate(_gcj_forward, lon, lat, lon, lat)


def _bd_inverse(lon: Degrees, lat: Degrees) -> Pair:
    # Baidu's step bends more than GCJ-02 does (2 % against 0.5 %), so it starts from its closed guess, 0.2 m
    # off.
    gcj_lon, gcj_lat = _iterate(_gcj_to_bd, lon, lat, *_bd_to_gcj_guess(lon, lat))
    return _gcj_inverse(gcj_lon, gcj_lat)


def _iterate(
    forward: Callable[[Degrees, Degrees], Pair],
    lon: Degrees,
    lat: Degrees,
    guess_lon: Degrees,
    guess_lat: Degrees,
) -> Pair:
    for _ in range(_INVERSE_ROUNDS):
        reached_lon, reached_lat = forward(guess_lon, guess_lat)
        guess_lon, guess_lat = guess_lon - (reached_lon - lon), guess_lat - (reached_lat - lat)
    return guess_lon, guess_lat
